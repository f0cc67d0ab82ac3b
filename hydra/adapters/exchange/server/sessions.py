"""What the routes ask of the exchange's calendar: days, closes, and what comes next.

The ``Calendar`` port is enough; the exchange's own calendar is asked for its days directly. A calendar without closes (practice, around the clock) has a session on every day, from
midnight to midnight in New York.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

from hydra.adapters.calendar import (
    NEW_YORK,
    POST_CLOSES,
    PRE_OPENS,
    YEAR_FIRST,
    YEAR_LAST,
    ExchangeCalendar,
    new_york,
)
from hydra.model.errors import BadConfig
from hydra.model.market import AssetClass
from hydra.model.snapshot import Session
from hydra.ports import Calendar

_DAY = timedelta(days=1)
_MIDNIGHT = time(0)
LOOK_BACK_DAYS = 14
"""Longer than the exchange has ever been closed in the years that are played."""


class Day(NamedTuple):
    """An exchange day: its date, opening and close (aware UTC), and whether trading goes on around the clock."""

    date: date
    opens: datetime
    closes: datetime
    continuous: bool = False

    @property
    def pre_opens(self) -> datetime:
        """When trading before the opening begins."""
        return self.opens if self.continuous else new_york(self.date, PRE_OPENS)

    @property
    def post_closes(self) -> datetime:
        """When trading after the close ends."""
        return self.closes if self.continuous else new_york(self.date, POST_CLOSES)


def local_date(at: datetime) -> date:
    """The date in New York."""
    return at.astimezone(NEW_YORK).date()


def equity_session(calendar: Calendar, at: datetime) -> Session | None:
    """The session of equities; ``None`` when the calendar does not reach there."""
    try:
        return calendar.sessions(at).by_class.get(AssetClass.EQUITY)
    except BadConfig:
        return None


def day_of(calendar: Calendar, day: date) -> Day | None:
    """The exchange day with this date, or ``None``."""
    if isinstance(calendar, ExchangeCalendar):  # it has the days in a table
        hours = calendar.hours(day) if YEAR_FIRST <= day.year <= YEAR_LAST else None
        return None if hours is None else Day(day, *hours)
    midnight = new_york(day, _MIDNIGHT)
    session = equity_session(calendar, midnight)
    if session is None:
        return None
    if session.phase == "continuous":
        return Day(day, midnight, new_york(day + _DAY, _MIDNIGHT), continuous=True)
    opens = session.opens_at
    if opens is None or local_date(opens) != day:
        return None
    closes = session.closes_at
    if closes is None or closes <= opens:
        then = equity_session(calendar, opens)
        closes = None if then is None else then.closes_at
    return None if closes is None else Day(day, opens, closes)


def days(calendar: Calendar, first: date, last: date) -> Iterator[Day]:
    """The exchange days from ``first`` to ``last``, both included."""
    for number in range((last - first).days + 1):
        found = day_of(calendar, first + number * _DAY)
        if found is not None:
            yield found


def next_day(calendar: Calendar, after: date) -> Day | None:
    """The first exchange day after a date."""
    return next(days(calendar, after + _DAY, after + LOOK_BACK_DAYS * _DAY), None)


def last_closed(calendar: Calendar, at: datetime) -> Day | None:
    """The last exchange day that has closed at ``at``."""
    today = local_date(at)
    for number in range(LOOK_BACK_DAYS):
        found = day_of(calendar, today - number * _DAY)
        if found is not None and found.closes <= at:
            return found
    return None


def turn(calendar: Calendar, at: datetime) -> tuple[bool, datetime, datetime]:
    """Whether equities trade at ``at``, and their next opening and next close."""
    session = equity_session(calendar, at)
    if session is not None and session.phase == "continuous":
        midnight = new_york(local_date(at) + _DAY, _MIDNIGHT)
        return True, midnight, midnight
    today = day_of(calendar, local_date(at))
    coming = next_day(calendar, local_date(at))
    if today is not None and at < today.opens:
        return False, today.opens, today.closes
    if coming is None:
        raise BadConfig(f"the exchange's calendar ends at {at.isoformat()}")
    if today is not None and at < today.closes:
        return True, coming.opens, today.closes
    return False, coming.opens, coming.closes


def utc(at: datetime) -> datetime:
    """The same instant in UTC."""
    return at.astimezone(UTC)
