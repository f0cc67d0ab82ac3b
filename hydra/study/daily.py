"""Returns by day, and what a dollar of the beginning has become.

    growth  equity / equity of the beginning; where the owner paid in or out, the dollars are taken off before growth is measured:
            a row grows by (equity - paid) / equity of the row before
    days    exchange days when anything but pairs was quoted (252 a year): what was seen on a day without a session belongs to the
            next day that has one, or to the last if none follows; days of UTC otherwise (365 a year), midnight belonging to the day
            it ends
    return  growth at a day's last row / growth at the last row of the day before - 1; the first day begins with the first row

A day without a row is no day: a gap in recorded data takes no time.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import NamedTuple

import numpy as np

from hydra.study.curve import DAY_MICROS, Curve, Floats, Ints, moment
from hydra.study.statistics import EVERY_DAY, EXCHANGE_DAYS

_EPOCH_DAY = date(1970, 1, 1)


class Days(NamedTuple):
    """``dates`` of the days, the place of each one's last row, and how many make a year."""

    dates: tuple[date, ...]
    last: Ints
    year: int

    @property
    def basis(self) -> str:
        """In words."""
        return "exchange days" if self.year == EXCHANGE_DAYS else "days of UTC"

    @property
    def told(self) -> str:
        """How many there are, in words."""
        count = len(self.dates)
        return f"{count:,} {self.basis}" if count != 1 else f"1 {self.basis.replace('days', 'day', 1)}"


class Track(NamedTuple):
    """The rows from the first to the last that know the equity: their numbers, times, equity, growth, days, and places by looks."""

    rows: Ints
    at: Ints
    equity: Floats
    growth: Floats
    days: Days
    place: Floats

    @property
    def returns(self) -> Floats:
        """A return a day, as fractions."""
        if not len(self.growth) or self.growth[0] <= 0:
            return np.empty(0)
        closes = np.concatenate(([self.growth[0]], self.growth[self.days.last]))
        before = closes[:-1]
        grown: Floats = np.divide(closes[1:], before, out=np.ones(len(before)), where=before > 0)
        return grown - 1

    def opening(self, values: Floats) -> Floats:
        """The value at the end of the day before each day; of the first day, at the first row."""
        return np.concatenate((values[:1], values[self.days.last[:-1]]))


def track_of(curve: Curve, first: int, last: int, *, shares: bool) -> Track:
    """What happened between two rows, both counted. ``shares``: anything but pairs was quoted."""
    known = curve.known()
    known[:first] = False
    known[last + 1 :] = False
    rows = np.flatnonzero(known).astype(np.int64)
    at = np.array(curve.at, dtype=np.int64)[rows]
    equity = np.array(curve.equity)[rows]
    days = _exchange_days(curve, rows) if shares else _utc_days(at)
    place = np.array(curve.place)[rows]
    return Track(rows, at, equity, _growth(equity, rows, curve.flows), days, place - place[:1].sum())


def _growth(equity: Floats, rows: Ints, flows: list[tuple[int, float]]) -> Floats:
    """Equity over the first, less what was paid in. Where the equity is not above zero growth has no meaning: it stays at zero."""
    if not len(equity) or equity[0] <= 0:
        return np.zeros(len(equity))
    scaled: Floats = equity / equity[0]
    paid: dict[int, float] = {}
    for row, amount in flows:
        place = int(np.searchsorted(rows, row))
        if 0 < place < len(rows):
            paid[place] = paid.get(place, 0.0) + amount
    for place, amount in sorted(paid.items()):
        before, after = equity[place - 1], equity[place] - amount
        if before > 0 and equity[place] > 0 and after > 0:
            grown = scaled[place - 1] * (after / before)
            scaled[place:] = equity[place:] / equity[place] * grown
    dead = np.flatnonzero(scaled <= 0)
    if len(dead):
        scaled[dead[0] :] = 0.0
    return scaled


def _exchange_days(curve: Curve, rows: Ints) -> Days:
    dates: list[date] = []
    ends: list[int] = []
    opened = False
    stretches = curve.days
    for place, day in enumerate(stretches):
        end = stretches[place + 1].first_row if place + 1 < len(stretches) else len(curve)
        last = int(np.searchsorted(rows, end)) - 1
        if last < 0 or day.first_row > rows[-1]:
            continue
        opened |= day.opened
        final = last == len(rows) - 1
        if not opened and dates and final:
            ends[-1] = last  # nothing was traded after the last day
        elif opened or final:
            if ends and ends[-1] == last:
                continue
            dates.append(day.date)
            ends.append(last)
            opened = False
    if not ends and len(rows):
        return _utc_days(np.array(curve.at, dtype=np.int64)[rows], EXCHANGE_DAYS)
    return Days(tuple(dates), np.array(ends, dtype=np.int64), EXCHANGE_DAYS)


def _utc_days(at: Ints, year: int = EVERY_DAY) -> Days:
    """A look at midnight closes the day before: its prices are of that day."""
    if not len(at):
        return Days((), np.empty(0, dtype=np.int64), year)
    numbers = (at - 1) // DAY_MICROS
    last = np.append(np.flatnonzero(np.diff(numbers)), len(numbers) - 1)
    return Days(tuple(_EPOCH_DAY + timedelta(days=int(numbers[n])) for n in last), last.astype(np.int64), year)


def monthly(track: Track) -> dict[tuple[int, int], float]:
    """The return of each month, by (year, month), from its days; a month that the run begins or ends in counts as far as it goes."""
    grown: dict[tuple[int, int], float] = {}
    for day, change in zip(track.days.dates, track.returns, strict=True):
        month = (day.year, day.month)
        grown[month] = grown.get(month, 1.0) * (1 + float(change))
    return {month: growth - 1 for month, growth in grown.items()}


def span(track: Track) -> tuple[datetime, datetime] | None:
    """The times of the first row and the last."""
    return None if not len(track.at) else (moment(track.at[0]), moment(track.at[-1]))
