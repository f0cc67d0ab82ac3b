"""Signals against hand-worked values and against an independent computation."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.bots.signals import breakout, sma_cross
from hydra.model.errors import BadConfig
from hydra.model.market import Bar
from tests.fakes.feed import bar
from tests.fakes.outside import OPEN


def bars(*closes: Any, spread: Any = 0) -> list[Bar]:
    return [
        bar("SPY", OPEN + timedelta(minutes=n), (close, close + spread, close - spread, close))
        for n, close in enumerate(closes)
    ]


@pytest.mark.parametrize(
    ("closes", "direction"),
    [
        ((10, 10, 10, 13), 1),  # fast (10+13)/2 = 11.5 over slow 33/3 = 11; before, both were 10
        ((10, 10, 10, 7), -1),
        ((10, 10, 10, 10), 0),
        ((1, 2, 3, 4), 0),  # above before and after: nothing new
        ((4, 3, 2, 1), 0),
        ((10, 10, 13), 0),  # one bar too few
        ((99, 10, 10, 10, 13), 1),  # older bars do not count
        ((3, 1, 2, 3), 1),  # before: 1.5 - 2 < 0; now: 2.5 - 2 > 0
        ((1, 3, 2, 1), -1),
    ],
)
def test_two_averages_cross_where_the_hand_says_so(closes: tuple, direction: int) -> None:
    assert sma_cross({"fast": 2, "slow": 3}).direction(bars(*closes)) == direction


@pytest.mark.parametrize(
    ("closes", "direction"),
    [((10, 11, 12, 12), 0), ((10, 11, 12, 13), 1), ((12, 11, 10, 9), -1), ((10, 12), 0), ((99, 10, 11, 12, 13), 1)],
)
def test_a_close_leaves_the_channel_where_the_hand_says_so(closes: tuple, direction: int) -> None:
    assert breakout({"lookback": 3}).direction(bars(*closes)) == direction


def test_the_channel_is_made_of_highs_and_lows_not_of_closes() -> None:
    made = bars(10, 10, 10, 11, spread=2)
    assert breakout({"lookback": 3}).direction(made) == 0
    assert breakout({"lookback": 3}).direction(bars(10, 10, 10, 13, spread=2)) == 1


@given(
    closes=st.lists(st.integers(900, 1100), min_size=2, max_size=60),
    fast=st.integers(1, 8),
    more=st.integers(1, 12),
)
@settings(max_examples=60, deadline=None)
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
            if now == 0 or before == 0:
                continue  # a tie is where floats may differ from exact arithmetic
        assert signal.direction(bars(*closes[:end])) == expected


@given(closes=st.lists(st.integers(90, 110), min_size=1, max_size=40), lookback=st.integers(2, 10))
@settings(max_examples=40, deadline=None)
def test_the_channel_is_that_of_an_independent_computation(closes: list[int], lookback: int) -> None:
    expected = 0
    if len(closes) > lookback:
        before = np.array(closes[-lookback - 1 : -1])
        expected = int(closes[-1] > before.max()) - int(closes[-1] < before.min())
    assert breakout({"lookback": lookback}).direction(bars(*closes)) == expected


@pytest.mark.parametrize(
    ("make", "parameters", "words"),
    [
        (sma_cross, {"fast": 10}, "slow"),
        (sma_cross, {"slow": 10}, "fast"),
        (sma_cross, {"fast": 10, "slow": 10}, "fast must be below slow, got fast 10, slow 10"),
        (sma_cross, {"fast": 30, "slow": 10}, "fast 30, slow 10"),
        (sma_cross, {"fast": 0, "slow": 10}, "fast must be a whole number from 1"),
        (sma_cross, {"fast": 2.0, "slow": 10}, "got 2.0"),
        (sma_cross, {"fast": True, "slow": 10}, "got True"),
        (sma_cross, {"fast": "2", "slow": 10}, "got '2'"),
        (sma_cross, {"fast": 2, "slow": 10, "medium": 5}, "unknown parameter medium; accepted: fast, slow"),
        (breakout, {}, "lookback"),
        (breakout, {"lookback": 1}, "from 2 to 4000, got 1"),
        (breakout, {"lookback": 5000}, "got 5000"),
        (breakout, {"lookback": 5, "fast": 2}, "unknown parameter fast"),
    ],
)
def test_parameters_are_refused_by_name(make: Any, parameters: dict, words: str) -> None:
    with pytest.raises(BadConfig, match=words.replace("(", r"\(")):
        make(parameters)
