"""Rows of one symbol or contract, joined from several files, that become values when they are asked for.

The same rows are there as vectors: times in microseconds, numbers as 64-bit floats. Building a million values takes seconds,
so whoever goes through all of them does it with the vectors, and asks for values where exact numbers count.
"""

from __future__ import annotations

import hashlib
from array import array
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import Generic, NamedTuple, TypeVar

import numpy as np

from hydra.adapters.markets.columns import Columns, micros, moment
from hydra.adapters.markets.exact import Floats, Ints, floats_of, joined
from hydra.adapters.markets.times import DAY, array_of, ints_of
from hydra.model.errors import BadConfig
from hydra.model.market import Bar, Quote

T = TypeVar("T")


class Vectors(NamedTuple):
    """Rows as numpy arrays of one length. ``opened`` and ``known`` are microseconds since 1970.

    ``numbers``: of bars open, high, low, close and volume; of quotes bid, its size, ask and its size. None may be written to.
    """

    opened: Ints
    known: Ints
    numbers: tuple[Floats, ...]


class Series(Generic[T]):
    """Rows of one symbol in the order they became known; values are built when first asked for, and kept.

    ``notes`` says what its reader should know of how they were read.
    """

    def __init__(
        self, symbol: str, parts: Sequence[Columns], build: Callable[[str, int, int, Sequence[Decimal]], T]
    ) -> None:
        self.symbol = symbol
        self.notes: tuple[str, ...] = ()
        self.parts = tuple(parts)
        self.seconds = parts[0].seconds
        self.known: array[int] = _one([part.known for part in parts])
        self.opened: array[int] = _one([_opened(part) for part in parts])
        width = len(parts[0].numbers)
        self.numbers = tuple(joined([part.numbers[place] for part in parts]) for place in range(width))
        self._values: list[T | None] = [None] * len(self.known)
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
        """The value of a row."""
        found = self._values[index]
        if found is None:
            row = [column[index] for column in self.numbers]
            known = self.known[index]
            seconds = (known - self.opened[index]) // 1_000_000
            found = self._values[index] = self._build(self.symbol, known, seconds, row)
        return found

    @property
    def vectors(self) -> Vectors:
        """All rows as numpy arrays. What a file holds in digits stands exactly in ``numbers``; these are for arithmetic."""
        return Vectors(ints_of(self.opened), ints_of(self.known), tuple(map(_kept, self.numbers)))

    def last(self, upto: datetime, count: int, first: int = 0) -> tuple[T, ...]:
        """The last ``count`` values known at ``upto``, none before row ``first``."""
        end = bisect_right(self.known, micros(upto))
        begin = max(first, end - count)
        if count <= 0 or begin >= end:
            return ()
        if self._values[end - 1] is None and end - begin > 1:
            self._build_all(begin, end)
        return tuple([self.value(index) for index in range(begin, end)])

    def _build_all(self, begin: int, end: int) -> None:
        """Build the rows that have no value yet; they are the last ones."""
        while end - begin > 1 and self._values[begin] is not None:
            begin += 1
        columns = [column[begin:end] for column in self.numbers]
        known, opened = self.known[begin:end], self.opened[begin:end]
        self._values[begin:end] = [
            self._build(self.symbol, at, (at - since) // 1_000_000, row)
            for at, since, row in zip(known, opened, zip(*columns, strict=True), strict=True)
        ]


def bar_of(symbol: str, known: int, seconds: int, row: Sequence[Decimal]) -> Bar:
    """The bar of a row: open, high, low, close, volume."""
    opened, high, low, closed, volume = row
    at = moment(known - seconds * 1_000_000)
    return Bar(symbol=symbol, at=at, seconds=seconds, open=opened, high=high, low=low, close=closed, volume=volume)


def quote_of(symbol: str, known: int, _seconds: int, row: Sequence[Decimal]) -> Quote:
    """The quote of a row: bid, its size, ask, its size."""
    bid, bid_size, ask, ask_size = row
    return Quote(symbol=symbol, at=moment(known), bid=bid, ask=ask, bid_size=bid_size, ask_size=ask_size)


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
