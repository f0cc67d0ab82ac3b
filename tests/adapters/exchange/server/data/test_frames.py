"""Timeframes and what bars add up to."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.adapters.exchange.server.data.frames import (
    ONE_MINUTE,
    Timeframe,
    Unit,
    candle_of,
    grouped,
    merged,
    midnight_of,
    zone_of,
)
from tests.adapters.exchange.server.data.asking import MINUTE, OPEN, minutes
from tests.fakes.feed import bar

FRAMES = ["1Min", "7Min", "59T", "1Hour", "23H", "1Day", "1D", "1Week", "1W", "1Month", "3M", "12Month"]
moments = st.datetimes(datetime(2000, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # hypothesis adds the zone


@pytest.mark.parametrize(
    "text", ["", "Min", "0Min", "60Min", "24Hour", "2Day", "2Week", "5Month", "13M", "1min", "1Year", "\u0661Min"]
)
def test_a_timeframe_that_alpaca_does_not_have_is_none(text):
    assert Timeframe.parse(text) is None


@pytest.mark.parametrize("text", FRAMES)
@pytest.mark.parametrize("symbol", ["SPY", "BTC-USD"])
@settings(max_examples=10)
@given(at=moments, later=st.timedeltas(timedelta(0), timedelta(days=40)))
def test_intervals_cover_time_in_order_and_begin_in_themselves(text, symbol, at, later):
    frame, zone = Timeframe.parse(text), zone_of(symbol)
    assert frame is not None
    begins = frame.begins(at, zone)
    assert begins <= at
    assert frame.begins(begins, zone) == begins
    assert frame.begins(at + later, zone) >= begins


def test_days_are_new_yorks_for_equities_and_utcs_for_crypto():
    at = datetime(2024, 7, 2, 2, 0, tzinfo=UTC)
    day = Timeframe(1, Unit.DAY)
    assert day.begins(at, zone_of("SPY")) == datetime(2024, 7, 1, 4, tzinfo=UTC)
    assert day.begins(at, zone_of("BTC-USD")) == datetime(2024, 7, 2, tzinfo=UTC)


def test_the_hours_of_the_day_the_clocks_go_back_are_twenty_five():
    zone = zone_of("SPY")
    first, last = midnight_of(date(2024, 11, 3), zone), midnight_of(date(2024, 11, 4), zone)
    hour = Timeframe(1, Unit.HOUR)
    assert len({hour.begins(first + step * 10 * MINUTE, zone) for step in range((last - first) // (10 * MINUTE))}) == 25


def test_weeks_begin_on_monday_and_groups_of_months_in_january():
    at = datetime(2024, 8, 15, 15, tzinfo=UTC)  # a Thursday
    utc = zone_of("BTC-USD")
    assert Timeframe(1, Unit.WEEK).begins(at, utc) == datetime(2024, 8, 12, tzinfo=UTC)
    assert Timeframe(3, Unit.MONTH).begins(at, utc) == datetime(2024, 7, 1, tzinfo=UTC)
    assert Timeframe(12, Unit.MONTH).begins(at, utc) == datetime(2024, 1, 1, tzinfo=UTC)


def test_a_candle_by_hand():
    bars = [bar("SPY", OPEN, (10, 12, 9, 11)), bar("SPY", OPEN + MINUTE, (11, 14, 11, 13))]
    candle = candle_of(OPEN, bars)
    assert candle[1:5] == tuple(map(Decimal, (10, 14, 9, 13)))
    assert (candle.volume, candle.trades) == (Decimal(2000), 2)
    # Typical prices: (12 + 9 + 11) / 3 and (14 + 11 + 13) / 3, equal volumes.
    assert round(candle.vwap, 9) == round((Decimal(32) / 3 + Decimal(38) / 3) / 2, 9)


@settings(max_examples=20)
@given(closes=st.lists(st.integers(5, 500), min_size=1, max_size=60), size=st.integers(1, 59))
def test_candles_of_candles_are_the_candles_of_their_bars(closes, size):
    bars = minutes("SPY", OPEN, *closes)
    zone = zone_of("SPY")
    parts = grouped(Timeframe(size, Unit.MINUTE), zone, bars)
    whole, again = candle_of(OPEN, bars), merged(OPEN, parts)
    assert again._replace(vwap=whole.vwap) == whole
    assert abs(again.vwap - whole.vwap) < Decimal("1e-20") * 10**6
    assert sum(len(grouped(ONE_MINUTE, zone, [each])) for each in bars) == len(bars)
