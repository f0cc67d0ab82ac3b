"""Pages of series: how far a page goes, and the token that says where the next one begins.

A series gives rows with their times, in the order asked for, from any of its times on. Symbols come one after the other in the
order of the alphabet. A token names a symbol and a time that has been told, so it means the same however far the clock has
moved since. A series may give up for the time being (a row that is ``None``): the page then ends early, and goes on from there.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeAlias

from hydra.adapters.exchange.server.errors import ApiError

Row: TypeAlias = Any
Series: TypeAlias = Callable[[str, datetime | None], Iterable[tuple[datetime, Row | None]]]
"""``series(symbol, at)``: rows from ``at`` on (``None``: from the beginning); the row at ``at`` itself may be among them."""


_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,256}", re.ASCII)
INVALID = ApiError(400, None, "invalid page_token")


def sealed(text: str) -> str:
    """A text as a token."""
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def unsealed(token: str) -> str:
    """The text in a token. Raises ``ApiError`` when there is none."""
    if not _TOKEN.fullmatch(token):
        raise INVALID
    try:
        return base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise INVALID from error


class Page(NamedTuple):
    """Rows by symbol, and the token of the next page (``None``: this was the last)."""

    rows: dict[str, list[Row]]
    token: str | None


class Place(NamedTuple):
    """A symbol, and the last time of it that was told."""

    symbol: str
    at: datetime

    @property
    def token(self) -> str:
        """The token of this place."""
        return sealed(f"{self.symbol}|{self.at.astimezone(UTC).isoformat()}")

    @classmethod
    def read(cls, token: str) -> Place:
        """The place a token names. Raises ``ApiError`` when it names none."""
        symbol, _, moment = unsealed(token).partition("|")
        try:
            at = datetime.fromisoformat(moment)
        except ValueError as error:
            raise INVALID from error
        if not symbol or at.tzinfo is None or not 1900 <= at.year <= 2200:
            raise INVALID
        return cls(symbol, at.astimezone(UTC))


def paged(symbols: Sequence[str], series: Series, limit: int, token: str) -> Page:
    """A page of at most ``limit`` rows. Raises ``ApiError`` for a token that does not belong to these symbols."""
    ordered = sorted(set(symbols))
    place = Place.read(token) if token else None
    if place is not None and place.symbol not in ordered:
        raise ApiError(400, None, "invalid page_token: it belongs to another request")
    rows: dict[str, list[Row]] = {}
    told = 0
    last: Place | None = None
    for symbol in ordered:
        if place is not None and symbol < place.symbol:
            continue
        since = place.at if place is not None and symbol == place.symbol else None
        for at, row in series(symbol, since):
            if at == since:
                continue
            if row is None:
                return Page(rows, Place(symbol, at).token)
            if told == limit and last is not None:
                return Page(rows, last.token)
            rows.setdefault(symbol, []).append(row)
            told += 1
            last = Place(symbol, at)
    return Page(rows, None)


def sliced(keys: Iterable[str], limit: int, token: str, *, down: bool = False) -> tuple[list[str], str | None]:
    """At most ``limit`` of some keys in order, after the one in ``token``, and the token for the rest."""
    after = unsealed(token) if token else None
    ordered = sorted(keys, reverse=down)
    rest = [key for key in ordered if after is None or (key < after if down else key > after)]
    if len(rest) <= limit:
        return rest, None
    return rest[:limit], sealed(rest[limit - 1])
