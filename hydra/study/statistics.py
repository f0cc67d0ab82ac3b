"""The formulas, on arrays of floats and nothing else. ``None``: there is not enough to say it, or it has no value.

``returns`` are fractions a day (0.01 is one percent), oldest first; ``index`` is what a dollar of the beginning has become, above
zero; ``profits`` are dollars a trade, after fees. ``year`` is how many of the returns make a year: 252 exchange days, or 365 days of
pairs. The rate without risk and the return that counts as a loss are zero.

Annualised figures need ``DAYS_LEAST`` returns: of a week, they are absurd.
"""

from __future__ import annotations

from math import isfinite, sqrt
from typing import NamedTuple

import numpy as np

from hydra.study.curve import Floats

DAYS_LEAST = 20
"""Daily returns from which a year is spoken of: a month of exchange days."""
EXCHANGE_DAYS, EVERY_DAY = 252, 365


def total_return(index: Floats) -> float | None:
    """What a dollar has become, less one: daily growth multiplied up, so that money paid in or out is no return.

    Source: time-weighted return, GIPS standards, 2020.
    """
    return float(index[-1]) - 1 if len(index) and index[0] > 0 else None


def cagr(total: float | None, days: int, year: int) -> float | None:
    """(1 + total) ^ (year / days) - 1: the yearly growth that comes to the same. ``days`` counts returns, not the calendar.

    ``None`` when all is lost: no growth leads there.
    """
    if total is None or days < DAYS_LEAST or total <= -1:
        return None
    return _finite((1 + total) ** (year / days) - 1)


def volatility(returns: Floats, year: int) -> float | None:
    """Standard deviation of the returns (n - 1), times sqrt(year)."""
    return None if len(returns) < DAYS_LEAST else float(np.std(returns, ddof=1)) * sqrt(year)


def sharpe(returns: Floats, year: int) -> float | None:
    """Mean / standard deviation (n - 1) x sqrt(year).

    Source: Sharpe, The Sharpe Ratio, Journal of Portfolio Management 21 (1994); the root of time: Lo, The Statistics of Sharpe
    Ratios, Financial Analysts Journal 58 (2002), for returns that do not depend on one another.
    """
    a_day = daily_sharpe(returns)
    return None if a_day is None else a_day * sqrt(year)


def daily_sharpe(returns: Floats) -> float | None:
    """The same, of a day: not annualised."""
    if len(returns) < DAYS_LEAST:
        return None
    spread = float(np.std(returns, ddof=1))
    return _finite(float(np.mean(returns)) / spread) if spread > _NOTHING else None


def sortino(returns: Floats, year: int) -> float | None:
    """Mean / sqrt(mean of min(return, 0)^2, over all returns) x sqrt(year).

    Source: Sortino and Price, Performance Measurement in a Downside Risk Framework, Journal of Investing 3 (1994).
    """
    if len(returns) < DAYS_LEAST:
        return None
    below = downside(returns)
    return _finite(float(np.mean(returns)) / below * sqrt(year)) if below > _NOTHING else None


def downside(returns: Floats) -> float:
    """Root of the mean square of what fell below zero; the days that did not count as zero."""
    return float(np.sqrt(np.mean(np.minimum(returns, 0.0) ** 2))) if len(returns) else 0.0


class Drawdown(NamedTuple):
    """The deepest fall: ``depth`` as a fraction of the peak (0.1 is ten percent down) or in dollars, and the rows of its peak (the last at it), its
    lowest point and the first that is back at the peak (``None``: none is)."""

    depth: float
    peak: int
    trough: int
    recovered: int | None


def drawdown(index: Floats) -> Drawdown | None:
    """The deepest fall below the highest so far, over every row, as a fraction of that; ``None`` when it never fell.

    Source: Magdon-Ismail and Atiya, Maximum Drawdown, Risk Magazine 17 (2004).
    """
    if not len(index) or index[0] <= 0:
        return None
    highest = np.maximum.accumulate(index)
    return _deepest(index, highest, 1 - index / highest)


def drawdown_of(profit: Floats) -> Drawdown | None:
    """The same of a profit in dollars, which begins at zero."""
    highest = np.maximum.accumulate(np.maximum(profit, 0.0))
    return _deepest(profit, highest, highest - profit)


def _deepest(curve: Floats, highest: Floats, falls: Floats) -> Drawdown | None:
    if not len(curve):
        return None
    trough = int(np.argmax(falls))
    if falls[trough] <= _NOTHING:
        return None
    at_peak = np.flatnonzero(curve[:trough] >= highest[trough])
    peak = int(at_peak[-1]) if len(at_peak) else 0
    back = np.flatnonzero(curve[trough:] >= highest[trough])
    return Drawdown(float(falls[trough]), peak, trough, trough + int(back[0]) if len(back) else None)


def calmar(growth: float | None, fall: Drawdown | None) -> float | None:
    """CAGR / deepest drawdown, over the whole run.

    Source: Young, Calmar Ratio: A Smoother Tool, Futures 20 (1991), who took the last 36 months.
    """
    return None if growth is None or fall is None else _finite(growth / fall.depth)


def skewness(returns: Floats) -> float | None:
    """Third central moment / (second)^1.5, of the sample as it is (0 when symmetric)."""
    return _moment(returns, 3)


def kurtosis(returns: Floats) -> float | None:
    """Fourth central moment / (second)^2, of the sample as it is (3 when normal: not the excess)."""
    return _moment(returns, 4)


def _moment(returns: Floats, power: int) -> float | None:
    if len(returns) < DAYS_LEAST:
        return None
    apart = returns - np.mean(returns)
    second = float(np.mean(apart**2))
    return _finite(float(np.mean(apart**power)) / second ** (power / 2)) if second > _NOTHING**2 else None


class Odds(NamedTuple):
    """What trades came to. A trade that gained nothing and lost nothing counts, and neither wins nor loses."""

    trades: int
    won: int
    lost: int
    win_rate: float | None
    profit_factor: float | None
    expectancy: float | None
    average_win: float | None
    average_loss: float | None
    best: float | None
    worst: float | None


def odds(profits: Floats) -> Odds:
    """Win rate = won / all; profit factor = sum of gains / |sum of losses| (``None`` without a loss); expectancy = mean profit.

    Source: the arithmetic of Van Tharp, Trade Your Way to Financial Freedom (1998), for expectancy; in dollars a trade here.
    """
    wins, losses = profits[profits > 0], profits[profits < 0]
    return Odds(
        trades=len(profits),
        won=len(wins),
        lost=len(losses),
        win_rate=len(wins) / len(profits) if len(profits) else None,
        profit_factor=float(wins.sum() / -losses.sum()) if len(losses) else None,
        expectancy=float(profits.mean()) if len(profits) else None,
        average_win=float(wins.mean()) if len(wins) else None,
        average_loss=float(losses.mean()) if len(losses) else None,
        best=float(profits.max()) if len(profits) else None,
        worst=float(profits.min()) if len(profits) else None,
    )


_NOTHING = 1e-12
"""A spread of this size is rounding."""


def _finite(value: float) -> float | None:
    return value if isfinite(value) else None
