"""Columns that grow: what is known after every look, without an object a look.

A row is 28 bytes, and what changes seldom (cash, a bot's profit while it holds nothing) is kept only where it changes, so a million
looks stay within tens of megabytes.
"""

from __future__ import annotations

from array import array
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from hydra.model.market import Bar

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]

NAN = float("nan")
DAY_MICROS = 86_400_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONG_AGO = -(2**62)


def micros(at: datetime) -> int:
    """Microseconds since 1970, UTC."""
    return int(at.timestamp() * 1e6 + 0.5)


def moment(stamp: int | float | np.int64) -> datetime:
    """The time of a number of microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=int(stamp))


class Sparse:
    """A number by row, kept only where it changes. ``typecode`` as of ``array``: ``d``, or ``f`` for half the memory."""

    __slots__ = ("_last", "rows", "values")

    def __init__(self, typecode: str = "d") -> None:
        self.rows = array("I")
        self.values: array[float] = array(typecode)
        self._last = NAN

    def add(self, row: int, value: float) -> None:
        """From ``row`` on it is ``value``."""
        if value == self._last:
            return
        self._last = value
        self.rows.append(row)
        self.values.append(value)

    def dense(self, rows: int, before: float = 0.0) -> Floats:
        """One number for each of ``rows`` rows; ``before`` stands ahead of the first."""
        filled = np.full(rows, before)
        if self.rows and rows:
            places = np.array(self.rows, dtype=np.int64)
            held = np.repeat(np.array(self.values, dtype=np.float64), np.diff(np.append(places, rows)).clip(min=0))
            filled[places[0] :] = held[: max(0, rows - int(places[0]))]
        return filled


class Day:
    """A stretch of rows that has one exchange date. ``opened``: shares were traded in it."""

    __slots__ = ("date", "first_row", "opened")

    def __init__(self, day: date, first_row: int) -> None:
        self.date, self.first_row, self.opened = day, first_row, False


class Curve:
    """A row for every look: when, the account's equity (not a number when it was not read), and what is in the market.

    ``bots`` is each bot's profit since the first row, realised after fees plus open. ``flows`` are (row, dollars) that were paid in
    or out and are no return. ``place`` counts the looks up to a row, those that were passed over too, so that a picture can give each its room.
    """

    def __init__(self) -> None:
        self.at = array("q")
        self.equity = array("d")
        self.gross = array("f")
        self.place = array("d")
        self.cash = Sparse()
        self.bots: dict[str, Sparse] = {}
        self.days: list[Day] = []
        self.flows: list[tuple[int, float]] = []

    def __len__(self) -> int:
        return len(self.at)

    def add(self, at: datetime, equity: float, gross: float, place: float | None = None) -> int:
        """A row; its number. ``place`` is one more than that of the row before, unless it is given."""
        self.at.append(micros(at))
        self.place.append(place if place is not None else self.place[-1] + 1 if self.place else 0.0)
        self.equity.append(equity)
        self.gross.append(gross)
        return len(self.at) - 1

    def bot(self, name: str) -> Sparse:
        """The column of a bot."""
        column = self.bots.get(name)
        if column is None:
            column = self.bots[name] = Sparse("f")
        return column

    def date(self, day: date, *, opened: bool) -> None:
        """The next row belongs to this exchange date."""
        if not self.days or self.days[-1].date != day:
            self.days.append(Day(day, len(self.at)))
        if opened:
            self.days[-1].opened = True

    def known(self) -> NDArray[np.bool_]:
        """Which rows have an equity."""
        known: NDArray[np.bool_] = ~np.isnan(np.array(self.equity))
        return known


class Split(NamedTuple):
    """From a time (microseconds) on there are ``ratio`` shares for each before."""

    at: int
    ratio: float


class Bars:
    """The closed bars of a symbol, for a picture: each once, oldest first."""

    __slots__ = ("_last", "at", "close", "high", "low", "open")

    def __init__(self) -> None:
        self.at = array("q")
        self.open = array("f")
        self.high = array("f")
        self.low = array("f")
        self.close = array("f")
        self._last = _LONG_AGO

    def add(self, bar: Bar) -> None:
        """Take a bar, unless it is older than the last: windows are told again at the head of every segment."""
        opened = micros(bar.at)
        if opened <= self._last:
            return
        self._last = opened
        self.at.append(opened + bar.seconds * 1_000_000)
        self.open.append(float(bar.open))
        self.high.append(float(bar.high))
        self.low.append(float(bar.low))
        self.close.append(float(bar.close))

    @classmethod
    def of(cls, at: Ints, opened: Floats, high: Floats, low: Floats, close: Floats) -> Bars:
        """Bars that lie there as a whole, by when they closed."""
        found = cls()
        found.at.frombytes(np.ascontiguousarray(at, np.int64).tobytes())
        for column, values in ((found.open, opened), (found.high, high), (found.low, low), (found.close, close)):
            column.frombytes(np.ascontiguousarray(values, np.float32).tobytes())
        return found
