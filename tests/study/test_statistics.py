"""The formulas against a library and against published examples."""

from __future__ import annotations

from math import cos, isfinite, sin, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.study import statistics
from hydra.study.curve import Floats

RETURNS = np.array([round(0.01 * sin(1.7 * n) + 0.0008 + 0.004 * cos(0.31 * n * n), 6) for n in range(60)])
GROWTH = np.concatenate(([1.0], np.cumprod(1 + RETURNS)))
# Of RETURNS, by empyrical-reloaded 0.7.1 (cum_returns_final, annual_return, annual_volatility, sharpe_ratio, sortino_ratio,
# calmar_ratio, max_drawdown) and scipy 1.17.1 (skew, kurtosis with fisher=False).
BY_LIBRARY = {
    252: (0.06323080435281292, 0.2937063589009765, 0.12323404328069608, 2.151155581223437, 3.6404380454917735, 12.09581508459631),
    365: (0.06323080435281292, 0.4520590121442063, 0.14831219404623447, 2.5889161427524705, 4.381267865945661, 18.617309610464197),
}  # fmt: skip
DEEPEST, SKEWNESS, KURTOSIS = 0.024281650872375153, 0.16961702250769325, 1.915032255452608


@pytest.mark.parametrize("year", BY_LIBRARY)
def test_every_figure_of_returns_is_the_librarys(year: int) -> None:
    total = statistics.total_return(GROWTH)
    growth = statistics.cagr(total, len(RETURNS), year)
    found = (
        total,
        growth,
        statistics.volatility(RETURNS, year),
        statistics.sharpe(RETURNS, year),
        statistics.sortino(RETURNS, year),
        statistics.calmar(growth, statistics.drawdown(GROWTH)),
    )
    assert found == pytest.approx(BY_LIBRARY[year], rel=1e-9)


def test_the_deepest_drawdown_and_the_moments_are_the_librarys() -> None:
    fall = statistics.drawdown(GROWTH)
    assert fall is not None
    assert fall.depth == pytest.approx(DEEPEST, rel=1e-9)
    assert statistics.skewness(RETURNS) == pytest.approx(SKEWNESS, rel=1e-9)
    assert statistics.kurtosis(RETURNS) == pytest.approx(KURTOSIS, rel=1e-9)


def test_the_downside_is_that_of_the_published_example() -> None:
    """Rollinger and Hoffman, Sortino: A 'Sharper' Ratio (Red Rock Capital, 2013): target 0, 2.264%, ratio 4.417."""
    years = np.array([0.17, 0.15, 0.23, -0.05, 0.12, 0.09, 0.13, -0.04])
    assert statistics.downside(years) == pytest.approx(0.02264, abs=5e-6)
    assert years.mean() / statistics.downside(years) == pytest.approx(4.417, abs=5e-4)


def test_a_drawdown_has_its_last_peak_its_lowest_point_and_its_recovery() -> None:
    assert statistics.drawdown(np.array([1, 2, 2, 1, 1.5, 2, 3])) == (0.5, 2, 3, 5)
    assert statistics.drawdown(np.array([1, 2, 2, 1, 1.5])) == (0.5, 2, 3, None)
    assert statistics.drawdown(np.array([1.0, 1, 2])) is None
    assert statistics.drawdown_of(np.array([-5.0, 10, -20, 3])) == (30.0, 1, 2, None)
    assert statistics.drawdown_of(np.array([-5.0, -7, 0])) == (7.0, 0, 1, 2)


def test_what_trades_came_to_by_hand() -> None:
    found = statistics.odds(np.array([10.0, -4, 0, 6, -2]))
    assert found == (5, 2, 2, 0.4, 16 / 6, 2.0, 8.0, -3.0, 10.0, -4.0)
    assert statistics.odds(np.array([])) == (0, 0, 0, None, None, None, None, None, None, None)
    assert statistics.odds(np.array([5.0])).profit_factor is None


@pytest.mark.parametrize("days", [0, 1, statistics.DAYS_LEAST - 1])
def test_of_less_than_a_month_of_days_nothing_is_said_of_a_year(days: int) -> None:
    few = RETURNS[:days]
    assert statistics.cagr(0.5, days, 252) is None
    for figure in (statistics.volatility, statistics.sharpe, statistics.sortino):
        assert figure(few, 252) is None
    assert statistics.skewness(few) is statistics.kurtosis(few) is None


def test_returns_that_never_change_have_no_ratio() -> None:
    still = np.zeros(30)
    assert statistics.volatility(still, 252) == 0
    assert statistics.sharpe(still, 252) is statistics.sortino(still, 252) is statistics.skewness(still) is None
    assert statistics.calmar(0.1, None) is None


def test_when_all_is_lost_no_growth_leads_there() -> None:
    assert statistics.cagr(-1.0, 100, 252) is None
    assert statistics.total_return(np.array([0.0, 0.0])) is None


@settings(derandomize=True, deadline=None)
@given(st.lists(st.floats(-0.2, 0.2), min_size=20, max_size=60), st.floats(0.1, 50))
def test_no_figure_is_ever_infinite_and_ratios_do_not_depend_on_the_stake(drawn: list[float], stake: float) -> None:
    returns: Floats = np.array(drawn)
    growth: Floats = np.array(np.cumprod(1 + returns), dtype=np.float64)
    fall = statistics.drawdown(growth)
    total = statistics.total_return(growth)
    found = [
        statistics.cagr(total, len(returns), 252),
        statistics.volatility(returns, 252),
        statistics.sharpe(returns, 252),
        statistics.sortino(returns, 252),
        statistics.calmar(statistics.cagr(total, len(returns), 252), fall),
        statistics.skewness(returns),
        statistics.kurtosis(returns),
    ]
    assert all(one is None or isfinite(one) for one in found)
    if fall is not None:
        assert 0 < fall.depth < 1
        assert fall.peak < fall.trough
        again = statistics.drawdown(np.array(growth * stake, dtype=np.float64))
        assert again is not None
        assert again.depth == pytest.approx(fall.depth)
    a_day, a_year = statistics.daily_sharpe(returns), statistics.sharpe(returns, 252)
    assert (a_day is None) is (a_year is None)
    if a_day is not None:
        assert a_year == pytest.approx(a_day * sqrt(252))
