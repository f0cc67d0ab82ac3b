"""Answers that come in pages, read to the last one. A venue whose pages do not end is not understood."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from hydra.adapters.alpaca.access import ask
from hydra.adapters.alpaca.rows import Row, object_of
from hydra.model.errors import Unreachable

PAGES_MOST = 200
"""Of ten thousand rows each, more than any question here has answers."""


def every_page(what: str, get: Callable[[dict[str, Any]], Any], query: Mapping[str, Any]) -> Iterator[Row]:
    """Each page of an answer, asked for when it is wanted; ``get`` sends the query. Raises ``Unreachable``."""
    token: str | None = None
    seen: set[str] = set()
    for _ in range(PAGES_MOST):
        sent = dict(query) if token is None else {**query, "page_token": token}
        answer = object_of(what, ask(what, partial(get, sent)))
        yield answer
        following = answer.get("next_page_token")
        if following is None or following == "":
            return
        if not isinstance(following, str) or following in seen:
            raise Unreachable(f"{what}: the next page is {str(following)[:40]!r}, which was read before or is no token")
        seen.add(following)
        token = following
    raise Unreachable(f"{what}: more than {PAGES_MOST} pages")
