"""The signals that belong to a session: what they count, and when they fall silent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.bots.signals import Look, Signal, opening_range, vwap
from hydra.model.market import Bar

D = Decimal
OPEN = datetime(2025, 1, 6, 14, 30, tzinfo=UTC)  # a Monday, 09:30 in New York
SUMMER = datetime(2025, 7, 7, 13, 30, tzinfo=UTC)  # the same in summer
AT_OPEN = 570  # 09:30, minutes of the local day


def at(
    minute: int,
    close: Any,
    *,
    high: Any = None,
    low: Any = None,
    volume: Any = 100,
    seconds: int = 60,
    opened: Any = OPEN,
) -> Bar:
    close = D(str(close))
    return Bar(
        symbol="SPY",
        at=opened + timedelta(minutes=minute),
        seconds=seconds,
        open=close,
        high=D(str(high or close)),
        low=D(str(low or close)),
        close=close,
        volume=D(str(volume)),
    )


def says(signal: Signal, bars: Sequence[Bar], *, opened: datetime = OPEN, later: float = 0) -> int:
    """What the signal says ``later`` seconds after the last bar has closed."""
    now = bars[-1].closes_at + timedelta(seconds=later)
    local = int((now - opened).total_seconds() // 60) + AT_OPEN
    return signal.direction(Look(bars=tuple(bars), at=now, minute=local % 1440))


FIVE = opening_range({"minutes": 5})
# The first five minutes range from 99 to 102; the sixth is within.
RANGE = [at(0, 100), at(1, 101, high=102), at(2, 100), at(3, 99.5, low=99), at(4, 100), at(5, 101)]


@pytest.mark.parametrize(
    ("bars", "direction"),
    [
        ([*RANGE, at(6, 102.01)], 1),
        ([*RANGE, at(6, 102)], 0),  # at the edge is not beyond it
        ([*RANGE, at(6, 98.99)], -1),
        ([*RANGE, at(6, 101, high=105, low=95)], 0),  # a close counts, not a high
        ([*RANGE, at(6, 103), at(7, 104)], 0),  # said already
        ([*RANGE, at(6, 103), at(7, 101), at(8, 103)], 1),  # and again after coming back
        ([*RANGE, at(6, 103), at(7, 98)], -1),  # through the whole range
        ([*RANGE[:5], at(5, 103)], 1),  # the first bar after the range
        ([*RANGE[:4], at(4, 103)], 0),  # the range is still being formed
        ([*RANGE[:2]], 0),
        ([*RANGE[:1]], 0),
    ],
)
def test_a_close_leaves_the_opening_range_where_the_hand_says_so(bars: list[Bar], direction: int) -> None:
    assert says(FIVE, bars) == direction


BEFORE = [at(-3, 150), at(-2, 50), at(-1, 150)]
YESTERDAY = [at(n - 1440, 300) for n in range(5)]


def test_bars_before_the_open_and_of_other_days_are_not_of_the_range() -> None:
    assert says(FIVE, [*YESTERDAY, *BEFORE, *RANGE, at(6, 103)]) == 1
    assert says(FIVE, [*YESTERDAY, *BEFORE]) == 0
    assert says(FIVE, YESTERDAY) == 0


def test_it_is_the_exchanges_clock_that_counts_in_winter_and_in_summer() -> None:
    for opened in (OPEN, SUMMER):
        moved = [at(-9, 300, opened=opened)]
        moved += [at(n, 100, high=102, low=99, opened=opened) for n in range(5)]
        moved += [at(5, 103, opened=opened)]
        assert says(FIVE, moved, opened=opened) == 1
        assert says(FIVE, moved, opened=opened, later=42.5) == 1


def test_a_window_that_does_not_reach_back_to_the_open_says_nothing() -> None:
    assert says(FIVE, [*RANGE[1:], at(6, 103)]) == 0
    assert says(FIVE, [at(-60, 100), *RANGE[1:], at(6, 103)]) == 1  # the open's own minute was not traded


@pytest.mark.parametrize(
    ("there", "direction"),
    [((0, 1, 2, 3, 4), 1), ((0, 2, 4), 1), ((1, 4), 0), ((), 0)],  # at least half of the five minutes
)
def test_gaps_in_the_opening_range_are_borne_up_to_a_half(there: tuple[int, ...], direction: int) -> None:
    assert says(FIVE, [at(-1, 100), *(at(n, 100) for n in there), at(7, 101), at(20, 103)]) == 0
    assert says(FIVE, [at(-1, 100), *(at(n, 100) for n in there), at(7, 99.5), at(20, 103)]) in (0, direction)
    before = [at(-1, 100), *(at(n, 100, high=102, low=99) for n in there), at(7, 101)]
    assert says(FIVE, [*before, at(20, 103)]) == direction


def test_bars_of_five_minutes_make_a_range_and_those_that_reach_beyond_it_do_not_count() -> None:
    quarter = opening_range({"minutes": 15})
    fives = [at(n, 100, high=102, low=99, seconds=300) for n in (0, 5, 10)]
    assert says(quarter, [*fives, at(15, 103, seconds=300)]) == 1
    halves = [at(-30, 100, seconds=1800), at(0, 100, high=102, low=99, seconds=1800), at(30, 103, seconds=1800)]
    assert says(quarter, halves) == 0
    days = [at(1440 * n, 100 + n, seconds=86400, opened=OPEN - timedelta(hours=9, minutes=30)) for n in range(9)]
    assert says(quarter, days) == 0
    assert says(vwap({"distance": 0.001, "mode": "trend"}), days) == 0


def test_after_its_hours_a_signal_is_silent() -> None:
    morning = opening_range({"minutes": 5, "until": "12:00"})
    assert (morning.warm_up, FIVE.warm_up) == (150, 390)
    assert says(morning, [*RANGE, at(149, 103)]) == 1
    assert says(morning, [*RANGE, at(150, 103)]) == 0
    trend = vwap({"distance": 0.01, "mode": "trend"})
    assert says(trend, [at(0, 100), at(389, 110)]) == 1
    assert says(trend, [at(0, 100), at(390, 110)]) == 0


@given(gone=st.sets(st.integers(1, 388)), turn=st.integers(6, 389))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_its_warm_up_is_enough_at_any_minute_of_the_day(gone: set[int], turn: int) -> None:
    """A window of as many bars as ``warm_up`` says as much as all bars do, whatever the gaps; a half day just ends earlier."""
    day = [at(n - 1440, 50) for n in range(390)]
    day += [at(n, 103 if n == turn else 100) for n in range(turn + 1) if n not in gone - {turn}]
    for signal in (FIVE, vwap({"distance": 0.01, "mode": "trend"})):
        assert says(signal, day[-signal.warm_up :]) == says(signal, day)


def test_bars_shorter_than_a_minute_need_a_longer_window() -> None:
    halves = [at(n / 2, 100, seconds=30) for n in range(400)]  # type: ignore[arg-type]  # half minutes
    broken = [*halves, at(200, 103, seconds=30)]
    assert says(FIVE, broken) == 1
    assert says(FIVE, broken[-FIVE.warm_up :]) == 0


# vwap of the first two: (100 * 100 + 102 * 300) / 400 = 101.5
TREND, BACK = (vwap({"distance": 0.01, "mode": mode}) for mode in ("trend", "reversion"))


@pytest.mark.parametrize(
    ("bars", "direction"),
    [
        ([at(0, 100), at(1, 102, volume=300)], 0),  # 102 / 101.5 is half a percent
        ([at(0, 100), at(1, 102, volume=300), at(2, 104)], 1),  # average 102, close two percent above
        ([at(0, 100), at(1, 102, volume=300), at(2, 99)], -1),  # average 101, close two percent below
        ([at(0, 100), at(1, 102, volume=300), at(2, 102.5)], 0),  # average 101.7, less than one percent
        ([at(0, 100), at(1, 102, volume=300), at(2, 104), at(3, 106)], 0),  # said already
        ([at(0, 100), at(1, 100, high=106, low=100, volume=300), at(2, 102.5)], 0),  # typical price 102, not 100
        ([at(0, 100), at(1, 100, volume=0), at(2, 102, volume=0)], 1),  # a minute without trades weighs nothing
        ([at(0, 100, volume=0), at(1, 102, volume=0)], 0),  # no volume, no average
        ([at(0, 100, volume=0), at(1, 102)], 0),  # none before: nothing to turn from
        ([at(0, 100)], 0),
    ],
)
def test_a_close_goes_away_from_the_average_where_the_hand_says_so(bars: list[Bar], direction: int) -> None:
    assert says(TREND, bars) == direction
    assert says(BACK, bars) == -direction


def test_the_average_begins_with_the_session() -> None:
    day = [at(0, 100), at(1, 102, volume=300), at(2, 104)]
    assert says(TREND, [*YESTERDAY, *BEFORE, *day]) == 1
    assert says(TREND, [at(-1, 1, volume=10**9), *day]) == 1
    assert says(TREND, day[1:]) == 0  # it is not known from there on


steps = st.lists(st.tuples(st.integers(-30, 30), st.integers(0, 50)), min_size=2, max_size=60)


@given(made_of=steps)
@settings(max_examples=80, deadline=None, derandomize=True)
def test_the_distance_is_that_of_an_exact_computation(made_of: list[tuple[int, int]]) -> None:
    day = [at(n, 1000 + step, volume=volume) for n, (step, volume) in enumerate(made_of)]

    def away(bars: list[Bar]) -> Decimal | None:
        volume = sum(bar.volume for bar in bars)
        return bars[-1].close * volume / sum((bar.close * bar.volume for bar in bars), D(0)) - 1 if volume else None

    before, now, edge = away(day[:-1]), away(day), D("0.01")
    expected = 0
    if before is not None and now is not None:
        expected = int(before <= edge < now) - int(before >= -edge > now)
    assert says(TREND, day) == expected


def test_the_answer_is_of_the_bars_that_are_shown_however_many_were_shown_before() -> None:
    """Sessions are kept for whoever looks at the same bars; more of them than are kept, and other opens, do not mix up."""
    calm, wild = ([at(0, 100), at(1, 102, volume=300), at(2, close)] for close in (102, 104))
    later = vwap({"distance": 0.01, "mode": "trend", "open": "09:31"})
    for _ in range(200):
        assert (says(TREND, wild), says(TREND, calm), says(BACK, wild), says(later, wild)) == (1, 0, -1, 1)
    seen = tuple(wild)
    looks = [Look(bars=seen, at=seen[-1].closes_at, minute=AT_OPEN + 3 + hour) for hour in (0, 60, 0)]
    assert [TREND.direction(look) for look in looks] == [1, 0, 1]  # by the second clock the open was an hour before
