"""Rows of one symbol or contract, joined from several files, that become values when they are asked for.

The same rows are there as vectors: times in microseconds, numbers as 64-bit floats. Building a million values takes seconds,
so whoever goes through all of them does it with the vectors, and asks for values where exact numbers count.
"""

from __future__ import annotations

import hashlib
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import Generic, NamedTuple, TypeAlias, TypeVar

import numpy as np

from hydra.adapters.markets.columns import Columns, micros, moment
from hydra.adapters.markets.exact import Floats, Ints, floats_of, joined, newer_half, stretch_of
from hydra.adapters.markets.times import DAY, array_of, ints_of, moments
from hydra.model.errors import BadConfig
from hydra.model.market import Bar, Quote

T = TypeVar("T")
Build: TypeAlias = Callable[[str, Sequence[int], Sequence[int], Iterable[Sequence[Decimal]]], list[T]]
"""Makes the values of rows: of the symbol, when they opened and when they were known (microseconds since 1970), and their numbers."""

_KEPT_LEAST, _KEPT_MOST = 2048, 32_768
"""Whoever goes through a history asks for the same values again soon, or not at all. So twice as many are kept as were asked for at once,
within these bounds."""


class Vectors(NamedTuple):
    """Rows as numpy arrays of one length. ``opened`` and ``known`` are microseconds since 1970.

    ``numbers``: of bars open, high, low, close and volume; of quotes bid, its size, ask and its size. None may be written to.
    """

    opened: Ints
    known: Ints
    numbers: tuple[Floats, ...]


class Series(Generic[T]):
    """Rows of one symbol in the order they became known; values are built when asked for, and the last ones built are kept.

    ``notes`` says what its reader should know of how they were read.
    """

    def __init__(self, symbol: str, parts: Sequence[Columns], build: Build[T]) -> None:
        self.symbol = symbol
        self.notes: tuple[str, ...] = ()
        self.parts = tuple(parts)
        self.seconds = parts[0].seconds
        self.known: array[int] = _one([part.known for part in parts])
        self.opened: array[int] = _one([_opened(part) for part in parts])
        width = len(parts[0].numbers)
        self.numbers = tuple(joined([part.numbers[place] for part in parts]) for place in range(width))
        self._stretches = tuple(map(stretch_of, self.numbers))
        self._kept: dict[int, T] = {}
        self._kept_most = _KEPT_LEAST
        self._asked: tuple[datetime | None, int] = (None, 0)
        self._build = build

    @property
    def interval(self) -> str:
        """Its interval in words."""
        return "daily bars" if self.seconds >= DAY else f"bars of {self.seconds} s"

    def digest(self) -> str:
        """A hash of all rows as 64-bit numbers."""
        found = hashlib.sha256()
        for column in (ints_of(self.opened), ints_of(self.known), *map(floats_of, self.numbers)):
            found.update(np.ascontiguousarray(column).tobytes())
        return found.hexdigest()

    def value(self, index: int) -> T:
        """The value of a row; a negative index counts from the end. Raises ``IndexError`` for one that is not there."""
        found = self._kept.get(index)
        if found is None:
            row = range(len(self.known))[index]
            found = self._built(row, row + 1)[0]
        return found

    def values(self, first: int, last: int) -> list[T]:
        """The values of some rows."""
        try:
            return list(map(self._kept.__getitem__, range(first, last)))
        except KeyError:
            return self._built(first, last)

    @property
    def vectors(self) -> Vectors:
        """All rows as numpy arrays. What a file holds in digits stands exactly in ``numbers``; these are for arithmetic."""
        return Vectors(ints_of(self.opened), ints_of(self.known), tuple(map(_kept, self.numbers)))

    def last(self, upto: datetime, count: int, first: int = 0) -> tuple[T, ...]:
        """The last ``count`` values known at ``upto``, none before row ``first``."""
        end = self.known_by(upto)
        begin = max(first, end - count)
        if count <= 0 or begin >= end:
            return ()
        return tuple(self.values(begin, end))

    def known_by(self, upto: datetime) -> int:
        """How many rows are known at ``upto``. At one instant several ask, so the last answer is kept."""
        asked, end = self._asked
        if asked is not upto:
            end = bisect_right(self.known, micros(upto))
            self._asked = upto, end
        return end

    def count_since(self, after: datetime, upto: datetime) -> int:
        """How many rows opened after a time and are known at ``upto``."""
        end = self.known_by(upto)
        return max(0, end - bisect_right(self.opened, micros(after), 0, end))

    def _built(self, first: int, last: int) -> list[T]:
        """The values of rows of which some are not kept: those between are built, from the first to the last one that is not."""
        kept, begin, end = self._kept, first, last
        while begin < end and begin in kept:
            begin += 1
        while end > begin and end - 1 in kept:
            end -= 1
        if begin == end:  # another thread built them meanwhile
            return list(map(kept.__getitem__, range(first, last)))
        rows = zip(*[stretch(begin, end) for stretch in self._stretches], strict=True)
        new = self._build(self.symbol, self.opened[begin:end], self.known[begin:end], rows)
        found = [*map(kept.__getitem__, range(first, begin)), *new, *map(kept.__getitem__, range(end, last))]
        self._kept_most = most = max(self._kept_most, min(2 * (last - first), _KEPT_MOST))
        if len(kept) + len(new) > most:
            kept = self._kept = newer_half(kept)
        fits = new[-(most // 2) :]
        kept.update(zip(range(end - len(fits), end), fits, strict=True))
        return found


def bars_of(symbol: str, opened: Sequence[int], known: Sequence[int], rows: Iterable[Sequence[Decimal]]) -> list[Bar]:
    """The bars of rows: open, high, low, close, volume."""
    return [
        Bar(
            symbol=symbol,
            at=at,
            seconds=(closes - opens) // 1_000_000,
            open=first,
            high=high,
            low=low,
            close=last,
            volume=volume,
        )
        for at, opens, closes, (first, high, low, last, volume) in zip(
            moments(opened), opened, known, rows, strict=True
        )
    ]


def quotes_of(
    symbol: str, _opened: Sequence[int], known: Sequence[int], rows: Iterable[Sequence[Decimal]]
) -> list[Quote]:
    """The quotes of rows: bid, its size, ask, its size."""
    return [
        Quote(symbol=symbol, at=at, bid=bid, ask=ask, bid_size=bid_size, ask_size=ask_size)
        for at, (bid, bid_size, ask, ask_size) in zip(moments(known), rows, strict=True)
    ]


def join(found: Mapping[str, Sequence[Columns]], kind: str) -> dict[str, list[Columns]]:
    """The files of each symbol in the order of time, none reaching into the next. Empty ones are left out."""
    joined = {}
    for symbol in sorted(found):
        parts = sorted((part for part in found[symbol] if part.known), key=lambda part: part.known[0])
        for before, after in pairwise(parts):
            _apart(f"{symbol} {kind}", before, after)
        if parts:
            joined[symbol] = parts
    return joined


def _apart(what: str, before: Columns, after: Columns) -> None:
    if before.seconds != after.seconds:
        raise BadConfig(
            f"{after.path}: {what} of {after.seconds} s, but of {before.seconds} s in {before.path}; "
            "one interval a symbol"
        )
    opens = _opened(after)[0]
    if opens < before.known[-1] or after.known[0] == before.known[-1]:
        raise BadConfig(
            f"{after.path}: {what} overlap with {before.path}: known from {moment(after.known[0])}, "
            f"the other up to {moment(before.known[-1])}"
        )


def _opened(part: Columns) -> array[int]:
    if part.opened is not None:
        return part.opened
    return array_of(ints_of(part.known) - part.seconds * 1_000_000)


def _one(parts: Sequence[array[int]]) -> array[int]:
    if len(parts) == 1:
        return parts[0]
    found = array("q")
    for part in parts:
        found.extend(part)
    return found


def _kept(column: Sequence[Decimal]) -> Floats:
    """A column as floats that nobody can write to."""
    found = floats_of(column).view()
    found.flags.writeable = False
    return found
