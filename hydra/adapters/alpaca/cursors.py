"""A place in a list that is not only added to at its end.

An activity can share its millisecond with one that was read already and still be listed before it, and one that is no
execution can be posted days late under an earlier time. The id of the last one read is therefore no safe place to go on from.
A cursor looks back instead: it holds the time of the latest activity read and, for every activity within ``overlap`` before
it, a short digest of its id. What is asked for begins at the overlap's begin; what is listed there again is known by its digest.

    fills1.<second in hex>-<digests, 8 characters each>. ... .<check>

Nothing is given out twice and nothing within the overlap is lost, across restarts too, since the cursor is all there is. The
check is a digest of the rest: a cursor that was not given out here is refused.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import TypeVar

from hydra.model.errors import Refused

T = TypeVar("T")
_WIDTH = 8
_GROUP = re.compile(r"([0-9a-f]+)-((?:[A-Za-z0-9_-]{8})+)", re.ASCII)


class Cursor:
    """A place in the list called ``name``; ``seen`` are the digests of what was read, by the second it happened in."""

    def __init__(self, name: str, overlap: timedelta, seen: Mapping[int, frozenset[str]] | None = None) -> None:
        self._name = name
        self._overlap = int(overlap.total_seconds())
        self._seen = dict(seen or {})

    @classmethod
    def parse(cls, text: str, name: str, overlap: timedelta) -> Cursor:
        """The place a text stands for; the empty one is the beginning. Raises ``Refused`` for one not given out here."""
        if not text:
            return cls(name, overlap)
        head, *groups, check = text.split(".") if text.count(".") >= 2 else ("", "")
        matches = [_GROUP.fullmatch(group) for group in groups]
        if head != f"{name}1" or check != _digest(text.rpartition(".")[0]) or not all(matches):
            raise Refused(f"{name} cursor {text[:60]!r} was not given out here; expected one that was, or nothing")
        return cls(name, overlap, {int(m[1], 16): _split(m[2]) for m in matches if m is not None})

    @property
    def begins_at(self) -> datetime | None:
        """The second from which on the list has to be read; ``None``: from its beginning."""
        return datetime.fromtimestamp(self._begin, UTC) if self._seen else None

    @property
    def latest_at(self) -> datetime | None:
        """The second of the latest one that was read; ``None``: none was."""
        return datetime.fromtimestamp(max(self._seen), UTC) if self._seen else None

    def news(self, listed: Iterable[tuple[str, datetime, T]]) -> Sequence[T]:
        """What has not been read yet, of ``(id, time, what)`` as they are listed. Each id counts once."""
        begin = self._begin if self._seen else None
        known = {digest for digests in self._seen.values() for digest in digests}
        fresh: list[T] = []
        for name, at, what in listed:
            digest, second = _digest(name), int(at.timestamp() // 1)
            if digest in known or (begin is not None and second < begin):
                continue
            known.add(digest)
            self._seen[second] = self._seen.get(second, frozenset()) | {digest}
            fresh.append(what)
        return fresh

    def __str__(self) -> str:
        """The place as text: what is older than the overlap is left out."""
        if not self._seen:
            return ""
        begin = self._begin
        kept = (f"{second:x}-{''.join(sorted(self._seen[second]))}" for second in sorted(self._seen) if second >= begin)
        text = ".".join((f"{self._name}1", *kept))
        return f"{text}.{_digest(text)}"

    @property
    def _begin(self) -> int:
        return max(self._seen) - self._overlap


def _digest(text: str) -> str:
    """48 bits of a hash, as 8 characters."""
    return urlsafe_b64encode(blake2b(text.encode(), digest_size=_WIDTH * 3 // 4).digest()).decode()


def _split(digests: str) -> frozenset[str]:
    return frozenset(digests[at : at + _WIDTH] for at in range(0, len(digests), _WIDTH))
