"""Intervals and tests against published tables; the bootstrap against sums written out, and against what is known of it."""

from __future__ import annotations

from math import comb, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.gladiators.score.chance import BLOCKS_LEAST, Bootstrap, binomial_test, calls_needed, wilson
from hydra.gladiators.score.shadow import paired
from hydra.model.errors import Invalid


@pytest.mark.parametrize(
    ("hits", "calls", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_is_what_newcombe_printed(hits: int, calls: int, low: float, high: float) -> None:
    # Newcombe, Two-sided Confidence Intervals for the Single Proportion, Statistics in Medicine 17 (1998), table I, method 3.
    found = wilson(hits, calls)
    assert found is not None
    assert found == pytest.approx((low, high), abs=5e-5)


def test_of_no_calls_there_is_no_interval() -> None:
    assert wilson(0, 0) is None
    with pytest.raises(Invalid):
        wilson(3, 2)


@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
@settings(derandomize=True, deadline=None, max_examples=40)
def test_wilson_holds_the_rate_and_mirrors(counted: tuple[int, int]) -> None:
    hits, calls = counted
    found, mirrored = wilson(hits, calls), wilson(calls - hits, calls)
    assert found is not None
    assert mirrored is not None
    assert 0 <= found.low <= hits / calls <= found.high <= 1
    assert found.low == pytest.approx(1 - mirrored.high)


def test_the_calls_it_takes_are_those_of_the_textbook() -> None:
    assert calls_needed(0.52) == 4904
    assert calls_needed(0.55) == 783
    assert calls_needed(0.45) == calls_needed(0.55)
    assert calls_needed(0.5) is None
    assert calls_needed(1.0) == 4


@pytest.mark.parametrize("rate", [-0.1, 1.1, float("nan")])
def test_no_calls_are_worked_out_for_no_rate(rate: float) -> None:
    with pytest.raises(Invalid):
        calls_needed(rate)


def test_the_exact_test_is_rs_own_example() -> None:
    # ?binom.test in R: Mendel's 682 of 925 against three quarters.
    assert binomial_test(682, 925, 0.75) == pytest.approx(0.3825, abs=5e-5)


@given(st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
@settings(derandomize=True, deadline=None, max_examples=40)
def test_the_exact_test_is_the_sum_over_all_counts(counted: tuple[int, int]) -> None:
    hits, calls = counted
    chances = [comb(calls, k) / 2**calls for k in range(calls + 1)]
    expected = sum(one for one in chances if one <= chances[hits] * (1 + 1e-7))
    assert binomial_test(hits, calls) == pytest.approx(min(1.0, expected), rel=1e-9)


def test_a_coin_of_no_throws_says_nothing_and_many_throws_are_no_matter() -> None:
    assert binomial_test(0, 0) is None
    many = binomial_test(50_600, 100_000)
    assert many is not None
    assert many == pytest.approx(0.0001489, rel=0.02)


def test_the_bootstraps_sums_are_those_of_the_rows_it_draws() -> None:
    column = np.arange(23, dtype=np.float64) ** 2
    bootstrap = Bootstrap(23, 5, seed=3, draws=40)
    by_hand = [column[bootstrap.rows(draw)].sum() for draw in range(40)]
    assert bootstrap.sums(column) == pytest.approx(by_hand)
    assert len(bootstrap.rows(0)) == 23


def test_the_same_seed_draws_the_same_and_another_draws_another() -> None:
    column = np.random.default_rng(1).normal(size=200)
    one, again, other = (Bootstrap(200, 4, seed).mean(column) for seed in (5, 5, 6))
    assert one == again
    assert one != other


def test_independent_rows_have_the_interval_of_the_textbook() -> None:
    column = np.random.default_rng(2).normal(size=2000)
    found = Bootstrap(2000, 1, 0).mean(column)
    assert found is not None
    half = 1.96 * column.std() / sqrt(2000)
    assert found == pytest.approx((column.mean() - half, column.mean() + half), abs=half * 0.15)


def test_rows_that_come_in_clusters_are_worth_fewer() -> None:
    column = np.repeat(np.random.default_rng(3).normal(size=200), 10)
    apart, together = Bootstrap(2000, 1, 0).mean(column), Bootstrap(2000, 20, 0).mean(column)
    assert apart is not None
    assert together is not None
    assert together.high - together.low > 2 * (apart.high - apart.low)


def test_rows_without_a_value_are_left_out() -> None:
    column = np.where(np.arange(100) % 2 == 0, 3.0, np.nan)
    assert Bootstrap(100, 2, 0).mean(column) == (3.0, 3.0)


@pytest.mark.parametrize("count", [0, 1, BLOCKS_LEAST - 1])
def test_of_few_blocks_nothing_is_said(count: int) -> None:
    assert Bootstrap(count, 1, 0).mean(np.zeros(count)) is None


def test_a_paired_test_of_independent_differences_is_the_z_test() -> None:
    gap = np.random.default_rng(4).normal(0.1, 1, size=400)
    statistic = gap.mean() / (gap.std() / 20) * sqrt(399 / 400)
    p_value = paired(gap, 1)
    assert p_value is not None
    assert p_value == pytest.approx(2 * (1 - _normal(abs(statistic))), rel=1e-6)


def test_differences_that_share_a_horizon_are_worth_fewer() -> None:
    gap = np.repeat(np.random.default_rng(8).normal(0.2, 1, size=80), 5)
    alone, shared = paired(gap, 1), paired(gap, 5)
    assert alone is not None
    assert shared is not None
    assert shared > alone


def test_equal_voters_cannot_be_told_apart() -> None:
    assert paired(np.zeros(50), 1) is None
    assert paired(np.array([0.1]), 1) is None


def _normal(z: float) -> float:
    from statistics import NormalDist

    return NormalDist().cdf(z)
