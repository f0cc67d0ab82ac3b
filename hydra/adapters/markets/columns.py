"""Rows of text become compact columns of exact numbers, or are refused by file and row.

Times are kept as microseconds since 1970 in an ``array`` and are those at which a row becomes known: its label plus the
interval. A price occurs many times in a file, so equal texts share one ``Decimal`` and a cell costs a reference.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from hydra.adapters.markets.tables import BAR_COLUMNS, QUOTE_COLUMNS, Table
from hydra.model.errors import BadConfig

YEAR_FIRST, YEAR_LAST = 1900, 2199
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_ZERO_OFFSET = timedelta(0)
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_DIGITS_MAX = (15, 30)  # left and right of the point: more than any price has, dust of floats included


class Columns(NamedTuple):
    """One file's rows: when each is known, and its numbers in the order of the kind's columns.

    ``dropped`` counts quotes that could not be used: crossed, or without a bid or an ask.
    """

    path: Path
    seconds: int
    known: array[int]
    numbers: tuple[list[Decimal], ...]
    dropped: int = 0

    def cut(self, start: int | None, end: int | None) -> Columns:
        """The rows that opened at ``start`` or later and were known by ``end`` (microseconds; ``None``: no limit)."""
        first = 0 if start is None else bisect_left(self.known, start + self.seconds * 1_000_000)
        last = len(self.known) if end is None else bisect_right(self.known, end)
        return self._replace(known=self.known[first:last], numbers=tuple(column[first:last] for column in self.numbers))


def micros(at: datetime) -> int:
    """Microseconds since 1970, exactly."""
    return (at - EPOCH) // _MICROSECOND


def moment(microseconds: int) -> datetime:
    """The aware UTC time of ``micros``."""
    return EPOCH + timedelta(microseconds=microseconds)


def check_bars(path: Path, table: Table, seconds: int) -> Columns:
    """Bars: ordered, apart by at least their interval, not contradicting themselves, volume not negative."""
    known = _known(path, table, seconds)
    numbers = numbers_of(path, table, BAR_COLUMNS[1:])
    check_prices(path, table, numbers)
    return Columns(path, seconds, known, numbers)


def check_prices(path: Path, table: Table, numbers: tuple[list[Decimal], ...]) -> None:
    """Refuse a bar that contradicts itself: open, high, low, close and volume in this order."""
    for index, (opened, high, low, closed, volume) in enumerate(zip(*numbers, strict=True)):
        if low <= opened <= high and low <= closed <= high and low > 0 and volume >= 0:
            continue
        if volume < 0:
            raise bad_row(path, table, index, f"volume {volume} is negative")
        if low <= 0:
            raise bad_row(path, table, index, f"low {low}; a price must be above 0")
        raise bad_row(path, table, index, f"contradicts itself: open {opened} high {high} low {low} close {closed}")


def check_quotes(path: Path, table: Table, seconds: int) -> Columns:
    """Quotes: ordered; a row that is crossed or lacks a side is no quote: dropped and counted, not refused."""
    known = _known(path, table, seconds)
    numbers = numbers_of(path, table, QUOTE_COLUMNS[1:], empty=Decimal(0))
    kept = []
    for index, (bid, bid_size, ask, ask_size) in enumerate(zip(*numbers, strict=True)):
        if 0 < bid <= ask and bid_size >= 0 and ask_size >= 0:
            kept.append(index)
        elif min(bid, ask, bid_size, ask_size) < 0:
            raise bad_row(path, table, index, f"negative: bid {bid} x {bid_size}, ask {ask} x {ask_size}")
    dropped = len(known) - len(kept)
    if dropped:
        known = array("q", (known[index] for index in kept))
        numbers = tuple([column[index] for index in kept] for column in numbers)
    return Columns(path, seconds, known, numbers, dropped)


def bad_row(path: Path, table: Table, index: int, reason: str) -> BadConfig:
    """The refusal of a row, counted from 0 among the table's."""
    return BadConfig(f"{path}: row {table.first_row + index}: {reason}")


def _known(path: Path, table: Table, seconds: int) -> array[int]:
    cells = table.columns["timestamp"]
    if not cells:
        raise BadConfig(f"{path}: no rows below the header")
    step = seconds * 1_000_000
    known = array("q", (time_of(path, table, index, cell) + step for index, cell in enumerate(cells)))
    for index, (before, after) in enumerate(pairwise(known), 1):
        if after - before < step:
            raise bad_row(path, table, index, disorder(cells[index - 1], cells[index], after - before, seconds))
    return known


def disorder(before: str, after: str, apart: int, seconds: int) -> str:
    """What is wrong with two times in a row that are too little apart (microseconds)."""
    if apart == 0:
        return f"timestamp {after} a second time"
    if apart < 0:
        return f"timestamp {after} after {before}: rows must be sorted"
    return f"timestamp {after} within the interval of {seconds} s that began at {before}"


def time_of(path: Path, table: Table, index: int, cell: str) -> int:
    """A cell's time in microseconds. Raises ``BadConfig`` for what is not aware UTC of the years accepted."""
    try:
        at = datetime.fromisoformat(cell)
    except ValueError as error:
        raise bad_row(
            path, table, index, f"timestamp {cell[:60]!r} is not ISO 8601, like 2013-10-07T08:00:00Z"
        ) from error
    if at.utcoffset() != _ZERO_OFFSET:
        raise bad_row(
            path, table, index, f"timestamp {cell} is {'naive' if at.tzinfo is None else 'not UTC'}; write it with Z"
        )
    if not YEAR_FIRST <= at.year <= YEAR_LAST:
        raise bad_row(path, table, index, f"timestamp {cell} lies outside the years {YEAR_FIRST} to {YEAR_LAST}")
    return micros(at)


def numbers_of(
    path: Path, table: Table, names: Sequence[str], empty: Decimal | None = None
) -> tuple[list[Decimal], ...]:
    """The named columns as decimals; an empty cell is ``empty``, and refused when that is ``None``."""
    seen: dict[str, Decimal] = {} if empty is None else {"": empty}
    columns = []
    for name in names:
        cells = table.columns[name]
        try:
            columns.append([seen[cell] if cell in seen else seen.setdefault(cell, _number(cell)) for cell in cells])
        except ValueError:
            index = next(index for index, cell in enumerate(cells) if not (cell in seen or _is_number(cell)))
            raise bad_row(
                path, table, index, f"{name} {cells[index][:60]!r} is not a finite number of usual size"
            ) from None
    return tuple(columns)


def _number(cell: str) -> Decimal:
    number = Decimal(cell) if _NUMBER.fullmatch(cell) else None
    left, right = _DIGITS_MAX
    if number is None or number.adjusted() >= left or -int(number.as_tuple().exponent) > right:
        raise ValueError(cell)
    return number


def _is_number(cell: str) -> bool:
    try:
        _number(cell)
    except ValueError:
        return False
    return True
