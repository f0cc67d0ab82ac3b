"""The days on which a market has prices, and when each begins and ends, as a study counts them.

With shares, an exchange's day ends at midnight in New York, and what lies between two of them belongs to the later one. With pairs alone
a day is one of UTC, and midnight belongs to the day that it ends.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

from hydra.adapters.calendar import NEW_YORK, ExchangeCalendar, new_york
from hydra.adapters.markets.feed import Feed
from hydra.adapters.markets.recorded import RecordedFeed
from hydra.bootstrap.backtest import Stretch
from hydra.model.market import AssetClass, asset_class_of
from hydra.study.sweep_windows import DAYS_MOST

_MOMENT = timedelta(microseconds=1)
_MIDNIGHT = time(0)


class Day(NamedTuple):
    """A day with prices. ``begins`` and ``ends`` are both included."""

    day: date
    begins: datetime
    ends: datetime


def days_of(feed: Feed, calendar: ExchangeCalendar, stretch: Stretch, most: int = DAYS_MOST) -> tuple[Day, ...]:
    """The days with prices inside a stretch, at most so many."""
    symbols = feed.stretches if isinstance(feed, RecordedFeed) else feed.symbols
    shares = any(asset_class_of(symbol) is not AssetClass.CRYPTO for symbol in symbols)
    found: list[Day] = []
    at = None if stretch.since is None else stretch.since - _MOMENT
    while len(found) < most and (coming := feed.next_after(at)) is not None:
        if stretch.until is not None and coming > stretch.until:
            break
        day = _exchange_day(coming, found, stretch) if shares else _utc_day(coming, stretch)
        at = day.ends
        if not shares or calendar.hours(day.day) is not None:
            found.append(day)
    return tuple(found)


def _exchange_day(at: datetime, before: list[Day], stretch: Stretch) -> Day:
    local = at.astimezone(NEW_YORK).date()
    begins = before[-1].ends + _MOMENT if before else new_york(local, _MIDNIGHT)
    return _clipped(local, begins, new_york(local + timedelta(days=1), _MIDNIGHT) - _MOMENT, stretch)


def _utc_day(at: datetime, stretch: Stretch) -> Day:
    local = (at - _MOMENT).date()
    midnight = datetime.combine(local, _MIDNIGHT, UTC)
    return _clipped(local, midnight + _MOMENT, midnight + timedelta(days=1), stretch)


def _clipped(day: date, begins: datetime, ends: datetime, stretch: Stretch) -> Day:
    begins = begins if stretch.since is None else max(begins, stretch.since)
    return Day(day, begins, ends if stretch.until is None else min(ends, stretch.until))
