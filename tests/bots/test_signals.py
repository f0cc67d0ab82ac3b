"""Signals against hand-worked tables and against independent computations. What a session is: test_signals_of_a_session."""

from __future__ import annotations

import math
import statistics
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra import indicators
from hydra.bots.signals import Look, Signal, breakout, opening_range, rate_of_change, sma_cross, vwap
from hydra.model.errors import BadConfig
from hydra.model.market import Bar
from hydra.model.values import replace
from tests.fakes.feed import bar
from tests.fakes.outside import OPEN

MINUTE = 870  # the plain calendar's minutes are UTC

checked = settings(max_examples=60, deadline=None, derandomize=True)


def bars(*closes: Any, spread: Any = 0) -> list[Bar]:
    return [
        bar("SPY", OPEN + timedelta(minutes=n), (close, close + spread, close - spread, close))
        for n, close in enumerate(closes)
    ]


def says(signal: Signal, seen: list[Bar]) -> int:
    minute = MINUTE + len(seen)
    return signal.direction(Look(bars=tuple(seen), at=OPEN + timedelta(minutes=len(seen)), minute=minute))


@pytest.mark.parametrize(
    ("closes", "direction"),
    [
        ((10, 10, 10, 13), 1),  # fast (10+13)/2 = 11.5 over slow 33/3 = 11; before, both were 10
        ((10, 10, 10, 7), -1),
        ((10, 10, 10, 10), 0),
        ((1, 2, 3, 4), 0),  # above before and after: nothing new
        ((4, 3, 2, 1), 0),
        ((10, 10, 13), 0),  # one bar too few
        ((), 0),
        ((99, 10, 10, 10, 13), 1),  # older bars do not count
        ((3, 1, 2, 3), 1),  # before: 1.5 - 2 < 0; now: 2.5 - 2 > 0
        ((1, 3, 2, 1), -1),
    ],
)
def test_two_averages_cross_where_the_hand_says_so(closes: tuple, direction: int) -> None:
    assert says(sma_cross({"fast": 2, "slow": 3}), bars(*closes)) == direction


@pytest.mark.parametrize(
    ("closes", "direction"),
    [
        ((10, 11, 12, 12), 0),
        ((10, 11, 12, 13), 1),
        ((12, 11, 10, 9), -1),
        ((10, 12), 0),
        ((), 0),
        ((99, 10, 11, 12, 13), 1),
    ],
)
def test_a_close_leaves_the_channel_where_the_hand_says_so(closes: tuple, direction: int) -> None:
    assert says(breakout({"lookback": 3}), bars(*closes)) == direction


def test_the_channel_is_made_of_highs_and_lows_not_of_closes() -> None:
    assert says(breakout({"lookback": 3}), bars(10, 10, 10, 11, spread=2)) == 0
    assert says(breakout({"lookback": 3}), bars(10, 10, 10, 13, spread=2)) == 1


# Ten steps of one percent up and down: the deviation of a return is about one percent, and of two together 1.4.
CALM = (100, 101, 100, 101, 100, 101, 100, 101, 100, 101, 100, 101)


@pytest.mark.parametrize(
    ("closes", "direction"),
    [
        ((*CALM, 101, 110), 1),  # 8.5 percent in two bars, six times what is usual
        ((*CALM, 101, 93), -1),
        ((*CALM, 101, 102), 0),  # one percent in two bars
        ((*CALM, 101, 110, 118), 0),  # still beyond, and said already
        ((*CALM, 110), 0),  # one bar too few to know what was before
        ((*[100] * 12, 100, 110), 0),  # nothing moved: there is nothing to measure by
        ((), 0),
    ],
)
def test_a_move_is_measured_in_what_is_usual(closes: tuple, direction: int) -> None:
    assert says(rate_of_change({"lookback": 2, "window": 10, "threshold": 3}), bars(*closes)) == direction


@given(
    closes=st.lists(st.integers(900, 1100), min_size=2, max_size=60),
    fast=st.integers(1, 8),
    more=st.integers(1, 12),
)
@checked
def test_the_averages_are_those_of_an_independent_computation(closes: list[int], fast: int, more: int) -> None:
    slow = fast + more
    signal = sma_cross({"fast": fast, "slow": slow})
    assert signal.warm_up == slow + 1
    for end in range(1, len(closes) + 1):
        expected = 0
        if end >= slow + 1:
            series = np.array(closes[:end], dtype=object)  # whole numbers: exact
            now = series[-fast:].sum() * slow - series[-slow:].sum() * fast
            before = series[-fast - 1 : -1].sum() * slow - series[-slow - 1 : -1].sum() * fast
            expected = 1 if before <= 0 < now else -1 if before >= 0 > now else 0
        assert says(signal, bars(*closes[:end])) == expected


@given(price=st.decimals("0.0001", "99999", places=4), fast=st.integers(1, 20), more=st.integers(1, 40))
@checked
def test_averages_of_a_price_that_stands_still_never_cross(price: Decimal, fast: int, more: int) -> None:
    assert says(sma_cross({"fast": fast, "slow": fast + more}), bars(*[price] * (fast + more + 1))) == 0


@given(closes=st.lists(st.integers(90, 110), min_size=1, max_size=40), lookback=st.integers(2, 10))
@checked
def test_the_channel_is_that_of_an_independent_computation(closes: list[int], lookback: int) -> None:
    expected = 0
    if len(closes) > lookback:
        before = np.array(closes[-lookback - 1 : -1])
        expected = int(closes[-1] > before.max()) - int(closes[-1] < before.min())
    assert says(breakout({"lookback": lookback}), bars(*closes)) == expected


@given(
    closes=st.lists(st.integers(900, 1100), min_size=14, max_size=40),
    lookback=st.integers(1, 5),
    threshold=st.sampled_from((0.5, 1.0, 1.7)),
)
@checked
def test_the_scaled_move_is_that_of_an_independent_computation(
    closes: list[int], lookback: int, threshold: float
) -> None:
    signal = rate_of_change({"lookback": lookback, "window": 10, "threshold": threshold})
    logs = [math.log(close) for close in closes]

    def beyond(end: int) -> float | None:
        if end < lookback + 11:
            return None
        calm = logs[end - lookback - 11 : end - lookback]
        usual = statistics.stdev([b - a for a, b in pairwise(calm)])
        return (logs[end - 1] - logs[end - 1 - lookback]) / usual / math.sqrt(lookback) if usual else None

    before, now = beyond(len(closes) - 1), beyond(len(closes))
    expected = 0
    if before is not None and now is not None:
        expected = int(before <= threshold < now) - int(before >= -threshold > now)
    assert signal.warm_up == lookback + 12
    assert says(signal, bars(*closes)) == expected


MAKERS: dict[str, tuple[Any, dict]] = {
    "sma_cross": (sma_cross, {"fast": 3, "slow": 8}),
    "breakout": (breakout, {"lookback": 8}),
    "rate_of_change": (rate_of_change, {"lookback": 3, "window": 10, "threshold": 1.5}),
    "opening_range": (opening_range, {"minutes": 5, "open": "14:30", "until": "20:30"}),
    "trend": (vwap, {"distance": 0.01, "mode": "trend", "open": "14:30", "until": "20:30"}),
}
walks = st.lists(st.integers(-8, 8), min_size=1, max_size=50)


@pytest.mark.parametrize("name", MAKERS)
@given(steps=walks)
@checked
def test_a_signal_does_not_care_in_which_currency_it_is_asked(name: str, steps: list[int]) -> None:
    make, parameters = MAKERS[name]
    closes = [1000 + sum(steps[:n]) for n in range(len(steps))]
    assert says(make(parameters), bars(*closes)) == says(make(parameters), bars(*[8 * close for close in closes]))


@pytest.mark.parametrize("name", [name for name in MAKERS if name != "trend"])
@given(steps=walks)
@checked
def test_upside_down_a_signal_says_the_opposite(name: str, steps: list[int]) -> None:
    make, parameters = MAKERS[name]
    closes = [1000 + sum(steps[:n]) for n in range(len(steps))]
    flipped: list[Any] = [2000 - close for close in closes]
    if name == "rate_of_change":  # its moves are ratios
        flipped = [Decimal(10**24) / close for close in closes]
    assert says(make(parameters), bars(*flipped)) == -says(make(parameters), bars(*closes))


@pytest.mark.parametrize("name", ["sma_cross", "breakout", "rate_of_change"])
@given(steps=walks, older=st.lists(st.integers(1, 2000), max_size=30))
@checked
def test_a_signal_has_enough_with_its_warm_up(name: str, steps: list[int], older: list[int]) -> None:
    make, parameters = MAKERS[name]
    signal: Signal = make(parameters)
    closes = [1000 + sum(steps[:n]) for n in range(len(steps))]
    if len(closes) < signal.warm_up:
        assert says(signal, bars(*closes)) == 0
    else:
        short, long = bars(*closes[-signal.warm_up :]), bars(*older, *closes)
        assert says(signal, short) == says(signal, long)


@pytest.mark.parametrize(
    ("make", "parameters", "words"),
    [
        (sma_cross, {"fast": 10}, "slow"),
        (sma_cross, {"slow": 10}, "fast"),
        (sma_cross, {"fast": 10, "slow": 10}, "fast must be below slow, got fast 10, slow 10"),
        (sma_cross, {"fast": 30, "slow": 10}, "fast 30, slow 10"),
        (sma_cross, {"fast": 0, "slow": 10}, "fast must be a whole number from 1"),
        (sma_cross, {"fast": -3, "slow": 10}, "got -3"),
        (sma_cross, {"fast": 2.0, "slow": 10}, "got 2.0"),
        (sma_cross, {"fast": True, "slow": 10}, "got True"),
        (sma_cross, {"fast": "2", "slow": 10}, "got '2'"),
        (sma_cross, {"fast": 2, "slow": 10, "medium": 5}, "unknown parameter medium; accepted: fast, slow"),
        (breakout, {}, "lookback"),
        (breakout, {"lookback": 1}, "from 2 to 4000, got 1"),
        (breakout, {"lookback": 5000}, "got 5000"),
        (breakout, {"lookback": 5, "fast": 2}, "unknown parameter fast"),
        (rate_of_change, {"lookback": 5, "window": 30}, "threshold must be a number from 0.1 to 100, got None"),
        (rate_of_change, {"lookback": 5, "window": 30, "threshold": math.nan}, "got nan"),
        (rate_of_change, {"lookback": 5, "window": 30, "threshold": math.inf}, "got inf"),
        (rate_of_change, {"lookback": 5, "window": 30, "threshold": -2}, "got -2"),
        (rate_of_change, {"lookback": 5, "window": 30, "threshold": True}, "got True"),
        (rate_of_change, {"lookback": 5, "window": 30, "threshold": "2"}, "got '2'"),
        (rate_of_change, {"lookback": 5, "window": 9, "threshold": 2}, "window must be a whole number from 10"),
        (rate_of_change, {"lookback": 5, "window": 30, "threshold": 2, "mode": "up"}, "unknown parameter mode"),
        (opening_range, {}, "minutes must be a whole number from 1 to 720, got None"),
        (opening_range, {"minutes": 15, "open": "9:30"}, "open must be a time of day, hh:mm, got '9:30'"),
        (opening_range, {"minutes": 15, "open": 930}, "got 930"),
        (opening_range, {"minutes": 15, "until": "24:00"}, "until must be a time of day"),
        (opening_range, {"minutes": 15, "open": "16:00"}, "open must be before until, got 16:00, 16:00"),
        (opening_range, {"minutes": 390}, "the first 390 minutes do not end before until"),
        (opening_range, {"minutes": 15, "lookback": 5}, "unknown parameter lookback"),
        (vwap, {"mode": "trend"}, "distance must be a number from 0.0001 to 0.5, got None"),
        (vwap, {"distance": 0, "mode": "trend"}, "got 0"),
        (vwap, {"distance": 0.01}, "mode must be one of trend, reversion, got None"),
        (vwap, {"distance": 0.01, "mode": "both"}, "got 'both'"),
        (vwap, {"distance": 0.01, "mode": "trend", "minutes": 5}, "unknown parameter minutes"),
    ],
)
def test_parameters_are_refused_by_name(make: Any, parameters: dict, words: str) -> None:
    with pytest.raises(BadConfig, match=words.replace("(", r"\(")):
        make(parameters)


def test_a_fraction_is_not_a_number_here() -> None:
    with pytest.raises(BadConfig, match="got Fraction"):
        vwap({"distance": Fraction(1, 100), "mode": "trend"})  # type: ignore[dict-item]  # what a file cannot say


@given(
    closes=st.lists(
        st.sampled_from(("9.99", "10", "10.00", "10.01", "10.000000001", "1000000", "0.0001")), max_size=24
    ),
    fast=st.integers(1, 4),
    more=st.integers(1, 5),
)
@checked
def test_two_averages_cross_where_the_exact_ones_do(closes: list[str], fast: int, more: int) -> None:
    """Also where they are all but the same, which is what plain sums cannot tell."""
    seen, slow = bars(*map(Decimal, closes)), fast + more

    def gap(values: list[float]) -> float:
        quick, calm = (indicators.sma(np.array(values), n) or 0.0 for n in (fast, slow))
        return 0.0 if abs(quick - calm) <= calm * 1e-9 else quick - calm

    wanted = 0
    if len(seen) > slow:
        values = [float(close) for close in closes]
        before, now = gap(values[:-1]), gap(values)
        wanted = (before <= 0 < now) - (before >= 0 > now)
    assert says(sma_cross({"fast": fast, "slow": slow}), seen) == wanted


# -- what is kept from bar to bar, and must not show

_PRICES = ("9.9", "10", "10", "10.00", "10.1", "10.000000001", "11", "3.333333333333333333333333333", "9e5", "1e-5")


@pytest.mark.parametrize("name", [*MAKERS, "sma_cross of one"])
@given(days=st.lists(st.tuples(st.sampled_from(_PRICES), st.integers(0, 9)), min_size=20, max_size=40))
@settings(max_examples=8, deadline=None, derandomize=True)
def test_a_signal_that_was_asked_before_says_what_one_that_never_was_says(
    name: str, days: list[tuple[str, int]]
) -> None:
    """Bar by bar: with bars that were corrected or not asked about, another history in between, and wild prices."""
    make, parameters = MAKERS.get(name, (sma_cross, {"fast": 1, "slow": 2}))
    asked: Signal = make(parameters)
    closes = [Decimal(price) for price, _ in days]
    seen, other = bars(*closes), bars(*reversed(closes))
    for end, (_, chance) in enumerate(days, start=1):
        if chance == 0:
            seen[end // 2] = replace(seen[end // 2], open=Decimal(7), high=Decimal(9), low=Decimal(6), close=Decimal(8))
        if chance != 1:
            for history in (seen, other) if chance == 2 else (seen,):
                assert says(asked, history[:end]) == says(make(parameters), history[:end])


def test_a_price_of_more_digits_than_a_sum_has_leaves_no_trace_in_the_averages_after_it() -> None:
    closes = [
        "0.0002",
        "0.0001",
        "0.0002",
        "1e30",
        "0.0002",
        "0.0001",
        "0.0003",
        "0.0002",
        "0.0001",
        "0.0002",
        "0.0003",
    ]
    seen, parameters = bars(*map(Decimal, closes)), {"fast": 1, "slow": 3}
    asked = sma_cross(parameters)
    said = [says(asked, seen[:end]) for end in range(1, len(seen) + 1)]
    assert said == [says(sma_cross(parameters), seen[:end]) for end in range(1, len(seen) + 1)]
    assert said[-5:] == [1, 0, -1, 1, 0]
