"""The exchange's own days and hours, small enough to be asked thousands of times a second: one year, without a library.

Facts: the New York Stock Exchange's holidays and early closings of 2024, as it published them (a test compares every minute that
matters with the library's). Days are the exchange's, minutes its local time; clocks change as they do in New York.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from hydra.adapters.calendar import NEW_YORK, POST_CLOSES, PRE_OPENS, new_york
from hydra.model.market import AssetClass
from hydra.model.snapshot import Session, Sessions

YEAR = 2024
HOLIDAYS = frozenset(
    date(YEAR, month, day)
    for month, day in ((1, 1), (1, 15), (2, 19), (3, 29), (5, 27), (6, 19), (7, 4), (9, 2), (11, 28), (12, 25))
)
EARLY = frozenset(date(YEAR, month, day) for month, day in ((7, 3), (11, 29), (12, 24)))
"""Days that end at 13:00."""
_OPENS, _CLOSES, _EARLY_CLOSES = time(9, 30), time(16), time(13)
_DAY = timedelta(days=1)
_CONTINUOUS = Session(open=True, phase="continuous")


def is_exchange_day(day: date) -> bool:
    """Whether the exchange opens on this day."""
    return day.weekday() < 5 and day not in HOLIDAYS  # Monday to Friday


class ExchangeHours:
    """The ``Calendar`` of shares and contracts in 2024 (and, without holidays, of other years); pairs trade around the clock."""

    def __init__(self) -> None:
        self._stretch: tuple[datetime, datetime, Sessions, int] | None = None
        self._last: tuple[datetime, Sessions] | None = None

    def sessions(self, at: datetime) -> Sessions:
        """Day, minute and sessions at ``at`` (aware UTC)."""
        if self._last is not None and self._last[0] is at:
            return self._last[1]  # several ask in a row, of the very same moment
        known = self._stretch
        if known is None or not known[0] <= at < known[1]:
            known = self._stretch = _stretch(at)
        begins, _, shown, minute = known
        passed = int((at - begins).total_seconds() // 60)
        self._last = (at, Sessions(day=shown.day, minute=minute + passed, by_class=shown.by_class))
        return self._last[1]


def _stretch(at: datetime) -> tuple[datetime, datetime, Sessions, int]:
    """The time around ``at`` in which day and phase stay: from, to, what is said, and the minute of the day it begins at."""
    day = at.astimezone(NEW_YORK).date()
    marks = _marks(day)
    place = bisect_right(marks, at, key=lambda mark: mark[0]) - 1
    begins, phase = marks[place]
    coming = day
    if not is_exchange_day(day) or at >= marks[-1][0] or phase in ("post", "closed"):
        before_today = is_exchange_day(day) and at < _hours(day)[1]
        coming = day if before_today else _next_day(day)
    opens, closes = _hours(coming)
    shares = Session(open=phase == "regular", phase=phase, opens_at=opens, closes_at=closes)
    local = begins.astimezone(NEW_YORK)
    by_class = {AssetClass.EQUITY: shares, AssetClass.OPTION: shares, AssetClass.CRYPTO: _CONTINUOUS}
    minute = local.hour * 60 + local.minute
    ends = marks[place + 1][0] if place + 1 < len(marks) else new_york(day + _DAY, time(0))
    change = _changes(begins, ends)
    if change is not None and at >= change:
        begins, minute = change, change.astimezone(NEW_YORK).hour * 60
    elif change is not None:
        ends = change
    return begins, ends, Sessions(day=day, minute=minute, by_class=by_class), minute


def _changes(begins: datetime, ends: datetime) -> datetime | None:
    """When the clocks change between the two, which they do at a full hour."""
    if begins.astimezone(NEW_YORK).utcoffset() == (ends - timedelta(minutes=1)).astimezone(NEW_YORK).utcoffset():
        return None
    at = begins.replace(minute=0)
    while at.astimezone(NEW_YORK).utcoffset() == begins.astimezone(NEW_YORK).utcoffset():
        at += timedelta(hours=1)
    return at


@lru_cache(maxsize=64)
def _marks(day: date) -> tuple[tuple[datetime, str], ...]:
    """When a phase begins on a day, from its midnight on."""
    midnight = new_york(day, time(0))
    if not is_exchange_day(day):
        return ((midnight, "closed"),)
    opens, closes = _hours(day)
    return (
        (midnight, "closed"),
        (new_york(day, PRE_OPENS), "pre"),
        (opens, "regular"),
        (closes, "post"),
        (new_york(day, POST_CLOSES), "closed"),
    )


def _hours(day: date) -> tuple[datetime, datetime]:
    return new_york(day, _OPENS), new_york(day, _EARLY_CLOSES if day in EARLY else _CLOSES)


def _next_day(day: date) -> date:
    day += _DAY
    while not is_exchange_day(day):
        day += _DAY
    return day


def utc(day: date, minute: int) -> datetime:
    """The local minute of a day, aware UTC."""
    return (datetime.combine(day, time(0), NEW_YORK) + timedelta(minutes=minute)).astimezone(UTC)
