"""Candles: what a gathered one is, how wide, and that a split is no fall."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.model.activities import Activity, ActivityKind
from hydra.model.orders import Purpose, Side
from hydra.study.curve import DAY_MICROS, Bars, Floats, Ints, Split, micros
from hydra.study.report.candles import CANDLES_MOST, WIDTHS, factors, gathered, undone
from hydra.study.report.page import page
from hydra.study.study import study
from tests.study.tape import Tape

MINUTE = 60_000_000
BEGUN = micros(datetime(2024, 3, 4, 14, 30, tzinfo=UTC))


def bars(closes: list[float]) -> tuple[Floats, Floats, Floats, Floats]:
    """Each opens where the one before closed, and goes a little beyond both."""
    close = np.array(closes)
    opened = np.concatenate(([close[0]], close[:-1]))
    return opened, np.maximum(opened, close) + 1, np.minimum(opened, close) - 1, close


def every(minutes: int, count: int) -> Ints:
    return BEGUN + np.arange(1, count + 1, dtype=np.int64) * minutes * MINUTE


@settings(derandomize=True, deadline=None)
@given(
    closes=st.lists(st.floats(10, 1000), min_size=1, max_size=600),
    minutes=st.sampled_from([1, 5, 60, 390, 1440]),
    shares=st.booleans(),
)
def test_a_candle_is_the_first_open_the_highest_high_the_lowest_low_and_the_last_close(
    closes: list[float], minutes: int, *, shares: bool
) -> None:
    at, prices = every(minutes, len(closes)), bars(closes)
    found = gathered(at, prices, shares=shares)
    opened, high, low, close = prices
    edges = [*found.first.tolist(), len(closes)]
    assert edges[0] == 0
    assert len(found.at) <= CANDLES_MOST
    for number in range(len(found.at)):
        first, end = edges[number], edges[number + 1]
        assert first < end
        assert found.open[number] == opened[first]
        assert found.high[number] == high[first:end].max()
        assert found.low[number] == low[first:end].min()
        assert found.close[number] == close[end - 1]
        assert found.at[number] == at[end - 1]


@pytest.mark.parametrize(
    ("minutes", "count", "width"),
    [
        (1, CANDLES_MOST, "one bar"),
        (1, CANDLES_MOST + 1, "2 minutes"),
        (1, 390, "5 minutes"),
        (60, 24 * 60, "a day"),
        (1440, 365, "a week"),
    ],
)
def test_as_narrow_as_a_screen_can_show_and_said_so(minutes: int, count: int, width: str) -> None:
    assert gathered(every(minutes, count), bars([100.0] * count), shares=False).width == width


def test_days_of_shares_begin_at_night_in_new_york_and_weeks_on_monday() -> None:
    late = micros(datetime(2024, 3, 5, 1, 0, tzinfo=UTC))  # eight in the evening of Monday
    at = np.concatenate([late + np.arange(400, dtype=np.int64) * DAY_MICROS])
    days = [moment.weekday() for moment in map(_day, gathered(at, bars([100.0] * 400), shares=True).first.tolist())]
    assert set(days[1:]) == {0}


def _day(place: int) -> datetime:
    return datetime(2024, 3, 4, tzinfo=UTC) + timedelta(days=place)


def test_widths_grow_and_a_bar_that_ends_with_its_stretch_lies_in_it() -> None:
    assert [seconds for seconds, _ in WIDTHS] == sorted(seconds for seconds, _ in WIDTHS)
    found = gathered(every(1, 400), bars([100.0] * 400), shares=False)
    assert np.diff(found.first).max() == np.diff(found.first).min() == 5


def test_prices_before_a_split_are_those_of_the_shares_after_it() -> None:
    at = every(1440, 4)
    splits = [Split(int(at[1]) + 1, 4.0), Split(int(at[2]) + 1, 0.5)]
    assert factors(at, splits).tolist() == [2.0, 2.0, 0.5, 1.0]
    assert undone(splits[:1]) == "; before 2024-03-06 divided by 4 for the split"
    assert "multiplied by 2" in undone(splits[1:])
    assert undone([]) == ""


def split_in(tape: Tape, at: datetime) -> None:
    told = Activity(
        activity_id="a1", kind=ActivityKind.SPLIT, at=at, symbol="SPY", quantity=Decimal(20), ratio=Decimal(2)
    )
    tape.look("10000", {"SPY": "50"}, activities=(told,))


def test_a_split_is_no_fall_on_the_page() -> None:
    tape = Tape()
    tape.look("10000", {"SPY": "100"})
    bought = tape.order(Side.BUY, "20", "SPY", Purpose.ENTRY)
    tape.look("10000", {"SPY": "100"}, fills=(tape.fill(bought, "100"),))
    split_in(tape, tape.at + timedelta(seconds=90))
    for _ in range(3):
        tape.look("10000", {"SPY": "50"})
    assert [split.ratio for split in tape.recorder.splits["SPY"]] == [2.0]
    text = page(study(tape.recorder))
    assert "divided by 2 for the split" in text
    closes = {float(each) for each in re.findall(r"close ([\d.]+)", text)}
    assert max(closes) < 51


def test_a_split_that_is_told_of_twice_is_one() -> None:
    tape = Tape()
    at = datetime(2024, 3, 5, 9, tzinfo=UTC)
    for moment in (at, at + timedelta(hours=1), at + timedelta(days=9)):
        tape.recorder.split("SPY", Split(micros(moment), 2.0))
    assert len(tape.recorder.splits["SPY"]) == 2


def test_bars_that_lie_there_as_a_whole_are_those_that_were_shown() -> None:
    opened, high, low, close = bars([100.0, 101.5, 99.25])
    found = Bars.of(every(1, 3), opened, high, low, close)
    assert list(found.at) == every(1, 3).tolist()
    assert (list(found.open), list(found.close)) == (opened.tolist(), close.tolist())
    assert (list(found.high), list(found.low)) == (high.tolist(), low.tolist())
