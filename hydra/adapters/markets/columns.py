"""Rows become compact columns of exact numbers, or are refused by file and row.

Times are kept as microseconds since 1970 in an ``array`` and are those at which a row becomes known: its label plus the
interval, or a day's close. Numbers are checked as 64-bit floats and, where those tie, exactly.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from hydra.adapters.markets import times
from hydra.adapters.markets.exact import Numbers, above, as_text, is_number, number
from hydra.adapters.markets.sheets import Sheet
from hydra.adapters.markets.tables import QUOTE_COLUMNS, Grid, Table
from hydra.adapters.markets.times import YEAR_FIRST, YEAR_LAST, Hours, Place, disorder, micros, moment
from hydra.model.errors import BadConfig

DUST = 1e-9
"""An open or close of a computed price may lie outside high and low by this part of it: a rounding, and no contradiction."""

__all__ = [
    "Columns",
    "bad_row",
    "check_bars",
    "check_prices",
    "check_quotes",
    "disorder",
    "micros",
    "moment",
    "time_of",
]


class Columns(NamedTuple):
    """One file's rows: when each is known, and its numbers in the order of the kind's columns.

    ``opened`` says when each bar opened; ``None``: ``seconds`` before it was known. ``dropped`` counts quotes that could not be
    used: crossed, or without a bid or an ask.
    """

    path: Path
    seconds: int
    known: array[int]
    numbers: tuple[Sequence[Decimal], ...]
    dropped: int = 0
    opened: array[int] | None = None

    def cut(self, start: int | None, end: int | None) -> Columns:
        """The rows that opened at ``start`` or later and were known by ``end`` (microseconds; ``None``: no limit)."""
        if start is None:
            first = 0
        elif self.opened is None:
            first = bisect_left(self.known, start + self.seconds * 1_000_000)
        else:
            first = bisect_left(self.opened, start)
        last = len(self.known) if end is None else bisect_right(self.known, end)
        if (first, last) == (0, len(self.known)):
            return self
        return self._replace(
            known=self.known[first:last],
            numbers=tuple(column[first:last] for column in self.numbers),
            opened=None if self.opened is None else self.opened[first:last],
        )


class Read(NamedTuple):
    """Checked bars, and what should be told of them."""

    columns: Columns
    told: tuple[str, ...]


def check_bars(sheet: Sheet, symbol: str, seconds: int, hours: Hours, now: datetime) -> Read:
    """Bars: ordered, apart by at least their interval, known by ``now``, not contradicting themselves, volume not negative.

    ``seconds`` is what is said of their interval; 0: the spacing says it.
    """
    place, shape = sheet.place, sheet.shape
    at = times.read(place, sheet.time_name or "the time", sheet.times, any_zone=shape.any_zone)
    span = times.spans(place, at, symbol, seconds, hours)
    times.check_past(place, span.known, now)
    numbers = tuple(_numbers(place, name, column) for name, column in zip(shape.fields, sheet.numbers, strict=True))
    widened = 0
    if shape.dust:
        numbers, widened = _widened(numbers)
    _check_bars(place, numbers)
    daily = span.seconds >= times.DAY
    columns = Columns(place.path, span.seconds, span.known, numbers, opened=span.opened if daily else None)
    dust = f"{widened} rows have open or close outside high and low by a rounding: high and low widened"
    return Read(columns, tuple(filter(None, (span.how, dust if widened else ""))))


def _numbers(place: Place, name: str, column: Any, empty: Decimal | None = None) -> Numbers:
    try:
        return Numbers.of(column, empty)
    except ValueError:
        cells = as_text(column).to_pylist()
        row = next(row for row, cell in enumerate(cells) if not is_number(cell) and (cell or empty is None))
        grouped = "; write it without thousands separators" if is_number(cells[row].replace(",", "")) else ""
        reason = f"{name} {cells[row][:60]!r} is not a finite number of usual size{grouped}"
        raise place.refuse(row, reason) from None


def _widened(numbers: tuple[Numbers, ...]) -> tuple[tuple[Numbers, ...], int]:
    """Bars whose high and low take in an open or close that lies outside by no more than dust, and how many they were."""
    opened, high, low, closed, volume = numbers
    highest, lowest = dict[int, Decimal](), dict[int, Decimal]()
    for each in (opened, closed):
        for row in np.flatnonzero(above(each, high) & (each.floats <= high.floats * (1 + DUST))).tolist():
            highest[row] = max(each[row], highest.get(row, each[row]))
        for row in np.flatnonzero(above(low, each) & (each.floats >= low.floats * (1 - DUST))).tolist():
            lowest[row] = min(each[row], lowest.get(row, each[row]))
    if highest:
        high = high.changed(highest)
    if lowest:
        low = low.changed(lowest)
    return (opened, high, low, closed, volume), len({*highest, *lowest})


def _check_bars(place: Place, numbers: tuple[Numbers, ...]) -> None:
    """Refuse the first bar that contradicts itself."""
    opened, high, low, closed, volume = numbers
    wrong = (low.floats <= 0) | (volume.floats < 0)
    for each in (opened, closed):
        wrong |= above(low, each) | above(each, high)
    rows = np.flatnonzero(wrong)
    if len(rows):
        row = int(rows[0])
        _refuse_bar(place, row, [column[row] for column in numbers])


def _refuse_bar(place: Place, row: int, numbers: Sequence[Decimal]) -> None:
    opened, high, low, closed, volume = numbers
    if volume < 0:
        raise place.refuse(row, f"volume {volume} is negative")
    if low <= 0:
        raise place.refuse(row, f"low {low}; a price must be above 0")
    raise place.refuse(row, f"contradicts itself: open {opened} high {high} low {low} close {closed}")


def check_prices(path: Path, table: Table, numbers: tuple[list[Decimal], ...]) -> None:
    """Refuse a bar of a contract that contradicts itself: open, high, low, close and volume in this order."""
    for index, (opened, high, low, closed, volume) in enumerate(zip(*numbers, strict=True)):
        if not (low <= opened <= high and low <= closed <= high and low > 0 and volume >= 0):
            _refuse_bar(Place(path, table.first_row), index, (opened, high, low, closed, volume))


def check_quotes(path: Path, grid: Grid, seconds: int, now: datetime) -> Columns:
    """Quotes: ordered; a row that is crossed or lacks a side is no quote: dropped and counted, not refused."""
    place = Place(path, grid.first_row)
    at = times.read(place, "timestamp", grid.columns["timestamp"], any_zone=False)
    known = times.intervals(place, at, seconds)
    times.check_past(place, known, now)
    columns = [grid.columns[name] for name in QUOTE_COLUMNS[1:]]
    numbers = _sides(place, columns)
    bid, bid_size, ask, ask_size = numbers
    negative = np.flatnonzero(np.minimum.reduce([each.floats for each in numbers]) < 0)
    if len(negative):
        row = int(negative[0])
        raise place.refuse(row, f"negative: bid {bid[row]} x {bid_size[row]}, ask {ask[row]} x {ask_size[row]}")
    kept = np.flatnonzero((bid.floats > 0) & ~above(bid, ask))
    dropped = len(known) - len(kept)
    if dropped:
        known = times.array_of(times.ints_of(known)[kept])
        numbers = _sides(place, [column.take(kept) for column in columns])
    return Columns(path, seconds, known, numbers, dropped)


def _sides(place: Place, columns: Sequence[Any]) -> tuple[Numbers, ...]:
    named = zip(QUOTE_COLUMNS[1:], columns, strict=True)
    return tuple(_numbers(place, name, column, Decimal(0)) for name, column in named)


def bad_row(path: Path, table: Table, index: int, reason: str) -> BadConfig:
    """The refusal of a row, counted from 0 among the table's."""
    return BadConfig(f"{path}: row {table.first_row + index}: {reason}")


def time_of(path: Path, table: Table, index: int, cell: str) -> int:
    """A cell's time in microseconds. Raises ``BadConfig`` for what is not aware UTC of the years accepted."""
    try:
        at = datetime.fromisoformat(cell)
    except ValueError as error:
        raise bad_row(
            path, table, index, f"timestamp {cell[:60]!r} is not ISO 8601, like 2013-10-07T08:00:00Z"
        ) from error
    offset = at.utcoffset()
    if offset is None or offset:
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
            columns.append([seen[cell] if cell in seen else seen.setdefault(cell, number(cell)) for cell in cells])
        except ValueError:
            index = next(index for index, cell in enumerate(cells) if not (cell in seen or is_number(cell)))
            raise bad_row(
                path, table, index, f"{name} {cells[index][:60]!r} is not a finite number of usual size"
            ) from None
    return tuple(columns)
