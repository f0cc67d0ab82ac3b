"""What came of a decision: filled at the next open, judged at the end of the horizon, and nothing of it known before."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.gladiators.score.prices import Fate, Prices
from hydra.model.errors import Invalid
from tests.gladiators.score.world import START

ZERO = round(START.timestamp())


def candles(*minutes: tuple[int, float, float]) -> Prices:
    return Prices([(START + timedelta(minutes=minute), opened, closed) for minute, opened, closed in minutes], 60)


def test_a_call_is_filled_at_the_next_open_and_judged_at_the_last_close_of_the_horizon() -> None:
    seen = candles((0, 10, 11), (1, 12, 13), (2, 14, 15), (3, 16, 17))
    outcome = seen.outcome(ZERO + 60, 120)
    assert (outcome.fate, outcome.fill, outcome.end) == (Fate.KNOWN, 12.0, 15.0)
    assert outcome.change == pytest.approx(0.25)


def test_minutes_without_a_trade_are_passed_over() -> None:
    seen = candles((0, 10, 11), (2, 14, 15), (9, 20, 21))
    outcome = seen.outcome(ZERO + 60, 300)
    assert (outcome.fill, outcome.end) == (14.0, 15.0)
    assert seen.outcome(ZERO + 180, 300).fate is Fate.UNPRICED


def test_what_has_not_happened_yet_is_not_known() -> None:
    seen = candles((0, 10, 11), (1, 12, 13))
    assert seen.outcome(ZERO + 60, 120).fate is Fate.PENDING
    assert seen.outcome(ZERO + 60, 60).fate is Fate.KNOWN
    assert candles().outcome(ZERO, 60).fate is Fate.PENDING


def test_momentum_looks_back_from_the_last_close() -> None:
    seen = candles((0, 10, 10), (1, 10, 12), (2, 12, 15), (3, 99, 99))
    assert seen.before(ZERO + 180, 120) == pytest.approx(0.5)
    assert seen.before(ZERO + 60, 60) is None


@given(st.lists(st.floats(1, 100), min_size=3, max_size=30), st.integers(1, 29), st.floats(1, 100))
@settings(derandomize=True, deadline=None, max_examples=40)
def test_no_candle_from_the_decision_on_changes_what_was_known(prices: list[float], cut: int, other: float) -> None:
    at = ZERO + 60 * cut
    whole = candles(*((n, one, one) for n, one in enumerate(prices)))
    bent = candles(*((n, one if n < cut else other, one if n < cut else other) for n, one in enumerate(prices)))
    assert whole.before(at, 120) == bent.before(at, 120)


def test_candles_that_are_told_twice_count_once() -> None:
    assert len(candles((0, 1, 1), (0, 1, 2), (1, 3, 3))) == 2


@pytest.mark.parametrize("price", [0.0, -1.0, float("nan"), float("inf")])
def test_prices_that_are_none_are_refused(price: float) -> None:
    with pytest.raises(Invalid, match="above 0"):
        candles((0, price, 1.0))
