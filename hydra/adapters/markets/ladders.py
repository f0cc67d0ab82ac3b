"""Which option contracts the synthetic market lists: expiries by the calendar, strikes around the price of the day.

Weeklies expire on Fridays and are listed five weeks ahead, monthlies on the third Friday and are listed thirteen weeks ahead;
where a Friday is no exchange day, on the exchange day before. A ladder of strikes is laid around the price at which the day
of listing begins and is not laid again. There are contracts for a span of days only, so that they can all be named; which
strikes there will be follows the prices, so a list of all of them tells something of the future.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from math import exp, sqrt
from typing import NamedTuple

from hydra.adapters.calendar import PRE_OPENS, new_york
from hydra.adapters.markets.columns import micros
from hydra.adapters.markets.days import Course, Schedule
from hydra.adapters.markets.feed import lapses_at, root_of
from hydra.adapters.markets.profiles import profile
from hydra.model.errors import Invalid
from hydra.model.market import OptionContract, Right
from hydra.model.values import Value, positive

DAYS_MAX = 1100
_WEEKLY, _MONTHLY = timedelta(weeks=5), timedelta(weeks=13)
_RUNGS = 10
"""Strikes to either side of the middle."""
_REACH = 2.5
"""How far they reach, in standard deviations until expiry."""
_STEPS = tuple(map(Decimal, ("0.5", "1", "2.5", "5", "10", "20", "25", "50", "100", "250", "500", "1000")))


class Listing(Value, frozen=True, kw_only=True):
    """Options to invent: on which equities, and for expiries within ``days`` days of ``since`` (``None``: the first day)."""

    underlyings: tuple[str, ...]
    since: date | None = None
    days: int = 365

    def __post_init__(self) -> None:
        positive("listing.days", Decimal(self.days))
        if self.days > DAYS_MAX:
            raise Invalid(f"listing.days must be at most {DAYS_MAX}, got {self.days}")


class Strike(NamedTuple):
    """A contract: its price of exercise in dollars, and whether it is a call."""

    symbol: str
    dollars: float
    call: bool


class Ladder(NamedTuple):
    """All contracts of one expiry, by symbol. ``first`` and ``last`` are the numbers of the days from listing to expiry.

    ``closes`` is when the last day's regular hours end, ``lapses`` when the contracts have expired (microseconds), ``middle``
    the price in dollars around which the strikes were laid, ``width`` one standard deviation until expiry, as a logarithm.
    """

    first: int
    last: int
    closes: int
    lapses: int
    middle: float
    width: float
    strikes: tuple[Strike, ...]


def ladders(symbol: str, course: Course, schedule: Schedule, since: date, days: int) -> tuple[Ladder, ...]:
    """Every ladder of an equity with an expiry in ``days`` days from ``since`` on, by expiry."""
    start = _index(schedule, since)
    found = []
    for expiry, ahead in _expiries(schedule, since, days):
        first = max(start, _index(schedule, expiry - ahead))
        found.append(_ladder(symbol, course, schedule, (first, _index(schedule, expiry))))
    return tuple(found)


def _index(schedule: Schedule, day: date) -> int:
    """The number of the first day that is not before ``day``."""
    index = max(0, schedule.index(micros(new_york(day, PRE_OPENS))))
    return index if schedule.span(index).day >= day else index + 1


def _expiries(schedule: Schedule, since: date, days: int) -> Iterator[tuple[date, timedelta]]:
    """Each expiry from ``since`` on, and how long before it is listed."""
    friday = since + timedelta(days=(4 - since.weekday()) % 7)
    while friday <= since + timedelta(days=days):
        index = _index(schedule, friday)
        if schedule.span(index).day != friday:
            index -= 1
        if index >= 0 and since <= (expiry := schedule.span(index).day) and friday - expiry < timedelta(days=4):
            yield expiry, _MONTHLY if 15 <= friday.day <= 21 else _WEEKLY
        friday += timedelta(weeks=1)


def _ladder(symbol: str, course: Course, schedule: Schedule, days: tuple[int, int]) -> Ladder:
    first, last = days
    listed, expires = schedule.span(first), schedule.span(last)
    price = exp(course.plan(first).opens)
    width = profile(symbol).volatility * sqrt(max(1, (expires.day - listed.day).days) / 365)
    step = next((step for step in _STEPS if float(step) * _RUNGS >= _REACH * width * price), _STEPS[-1])
    middle = round(price / float(step)) * step
    dollars = [middle + rung * step for rung in range(-_RUNGS, _RUNGS + 1) if middle + rung * step > 0]
    terms = [
        OptionContract(root=root_of(symbol), expiry=expires.day, right=right, strike=strike)
        for right in (Right.CALL, Right.PUT)
        for strike in dollars
    ]
    strikes = [Strike(each.symbol, float(each.strike), each.right is Right.CALL) for each in terms]
    return Ladder(first, last, expires.marks[2], micros(lapses_at(terms[0])), price, width, tuple(sorted(strikes)))
