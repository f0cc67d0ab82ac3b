"""A bar that is a whole session grows no older over nights, weekends and holidays; every other bar is as old as the clock says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from hydra.adapters.calendar import DayCalendar, ExchangeCalendar
from hydra.model.market import Bar, Quote
from hydra.model.snapshot import Snapshot, Verdict
from hydra.model.values import replace
from hydra.risk.gates import data_fresh
from hydra.risk.rules.days import tradable
from tests.fakes.outside import policy
from tests.risk.rules.cases import case
from tests.risk.scenes import healthy

D = Decimal
EXCHANGE = ExchangeCalendar()
DAYS = DayCalendar(EXCHANGE)
FRIDAY, MONDAY = datetime(2024, 3, 1, tzinfo=UTC), datetime(2024, 3, 4, tzinfo=UTC)
BEFORE_THANKSGIVING, AFTER_THANKSGIVING = datetime(2024, 11, 27, tzinfo=UTC), datetime(2024, 11, 29, tzinfo=UTC)


def whole(day: datetime) -> Bar:
    """A day's bar."""
    hours = EXCHANGE.hours(day.date())
    assert hours is not None
    return a_bar(hours[0], hours[1])


def a_bar(opens: datetime, closes: datetime) -> Bar:
    seconds = int((closes - opens).total_seconds())
    return Bar(symbol="SPY", at=opens, seconds=seconds, open=D(100), high=D(100), low=D(100), close=D(100), volume=D(9))


def seen(day: datetime, bar: Bar, *, after_opening: timedelta = timedelta(0), told: bool = True) -> Snapshot:
    """A look on a day, with an opening's quote and one last bar."""
    hours = EXCHANGE.hours(day.date())
    assert hours is not None
    at = hours[0] + after_opening
    quote = Quote(symbol="SPY", at=hours[0], bid=D("99.99"), ask=D("100.01"), bid_size=D(9), ask_size=D(9))
    sessions = (DAYS if told else EXCHANGE).sessions(at)
    sight = replace(healthy().sight, at=at, quotes={"SPY": quote}, bars={"SPY": (bar,)}, sessions=sessions)
    return replace(healthy(), at=at, sight=sight)


def hours_of(day: datetime) -> tuple[datetime, datetime]:
    hours = EXCHANGE.hours(day.date())
    assert hours is not None
    return hours


FRESH = {
    "over a weekend": seen(MONDAY, whole(FRIDAY)),
    "after Thanksgiving": seen(AFTER_THANKSGIVING, whole(BEFORE_THANKSGIVING)),
    "after half a day": seen(datetime(2024, 12, 2, tzinfo=UTC), whole(AFTER_THANKSGIVING)),
    "at the end of the session": seen(MONDAY, whole(FRIDAY), after_opening=timedelta(hours=6, minutes=29)),
}
STALE = {
    "a session has passed": seen(MONDAY, whole(FRIDAY - timedelta(days=1))),
    "nobody tells of the session before": seen(MONDAY, whole(FRIDAY), told=False),
    "the last minute of the session before": seen(
        MONDAY, a_bar(hours_of(FRIDAY)[1] - timedelta(minutes=1), hours_of(FRIDAY)[1])
    ),
    "all but its first hour": seen(MONDAY, a_bar(hours_of(FRIDAY)[0] + timedelta(hours=1), hours_of(FRIDAY)[1])),
}


@pytest.mark.parametrize("name", FRESH)
def test_the_bar_of_the_session_before_is_fresh(name: str) -> None:
    assert data_fresh.ask(FRESH[name], policy(), "SPY").verdict is Verdict.PASS
    ceiling = tradable(case(FRESH[name]))
    assert ceiling.quantity > 0, ceiling.reason


@pytest.mark.parametrize("name", STALE)
def test_any_other_bar_is_as_old_as_the_clock_says(name: str) -> None:
    reply = data_fresh.ask(STALE[name], policy(), "SPY")
    assert reply.verdict is Verdict.REFUSE
    assert "SPY: last bar is " in reply.reason or "SPY: last quote is " in reply.reason
    ceiling = tradable(case(STALE[name]))
    assert ceiling.quantity == 0
    assert "the last bar of SPY is" in ceiling.reason
