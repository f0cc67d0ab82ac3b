"""Rows of one symbol or contract, joined from several files, that become values when they are asked for."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import Generic, TypeVar

from hydra.adapters.markets.columns import Columns, micros, moment
from hydra.model.errors import BadConfig
from hydra.model.market import Bar, Quote

T = TypeVar("T")


class Series(Generic[T]):
    """Rows of one symbol in the order they became known; values are built when first asked for, and kept."""

    def __init__(
        self, symbol: str, parts: Sequence[Columns], build: Callable[[str, int, int, Sequence[Decimal]], T]
    ) -> None:
        self.symbol = symbol
        self.seconds = parts[0].seconds
        self.known: array[int] = array("q")
        for part in parts:
            self.known.extend(part.known)
        width = len(parts[0].numbers)
        self.numbers = tuple([cell for part in parts for cell in part.numbers[place]] for place in range(width))
        self._values: list[T | None] = [None] * len(self.known)
        self._build = build

    def value(self, index: int) -> T:
        """The value of a row."""
        found = self._values[index]
        if found is None:
            row = [column[index] for column in self.numbers]
            found = self._values[index] = self._build(self.symbol, self.known[index], self.seconds, row)
        return found

    def last(self, upto: datetime, count: int, first: int = 0) -> tuple[T, ...]:
        """The last ``count`` values known at ``upto``, none before row ``first``."""
        end = bisect_right(self.known, micros(upto))
        return tuple(self.value(index) for index in range(max(first, end - count), end)) if count > 0 else ()


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
    if after.known[0] - before.known[-1] < max(1, after.seconds * 1_000_000):
        raise BadConfig(
            f"{after.path}: {what} overlap with {before.path}: known from {moment(after.known[0])}, "
            f"the other up to {moment(before.known[-1])}"
        )
