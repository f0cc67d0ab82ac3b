"""The calendar of a market in which a day of shares is one bar."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.adapters.calendar import DayCalendar, ExchangeCalendar
from hydra.model.market import AssetClass
from hydra.model.values import replace

EXCHANGE = ExchangeCalendar()
DAYS = DayCalendar(EXCHANGE)


@pytest.mark.parametrize(
    ("at", "before"),
    [
        ("2024-11-29T14:29:59", date(2024, 11, 27)),  # Thanksgiving was the 28th
        ("2024-11-29T14:30:00", date(2024, 11, 27)),
        ("2024-11-29T17:59:59", date(2024, 11, 27)),
        ("2024-11-29T18:00:00", date(2024, 11, 29)),  # half a day
        ("2024-12-02T14:30:00", date(2024, 11, 29)),
        ("2025-01-02T14:30:00", date(2024, 12, 31)),
    ],
)
def test_it_tells_of_the_last_session_that_is_over(at: str, before: date) -> None:
    moment = datetime.fromisoformat(at).replace(tzinfo=UTC)
    assert DAYS.sessions(moment).by_class[AssetClass.EQUITY].before == EXCHANGE.hours(before)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.integers(0, 3 * 365 * 24 * 60))
def test_all_else_is_as_the_exchange_says_and_no_session_lies_in_between(minutes: int) -> None:
    at = datetime(2019, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    told, plain = DAYS.sessions(at), EXCHANGE.sessions(at)
    shares = told.by_class[AssetClass.EQUITY]
    assert shares.before is not None
    assert shares.before[1] <= at
    assert replace(told, by_class={**told.by_class, AssetClass.EQUITY: replace(shares, before=None)}) == plain
    days = (shares.before[1].date() + timedelta(days=n) for n in range(1, 12))
    coming = next(hours for day in days if (hours := EXCHANGE.hours(day)) is not None)
    assert coming[1] > at
