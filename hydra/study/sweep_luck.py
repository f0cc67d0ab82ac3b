"""How much of the best run of a sweep is luck, and what walking forward came to.

    luck         the deflated Sharpe ratio: the probability that the best run's true ratio is above what the luckiest of so many tries
                 without any skill is expected to show. Every run counts as a try of its own, also those that hardly differ: that
                 makes it strict
    overfitting  the probability of backtest overfitting: the days are cut into an even number of blocks, every half of the blocks
                 is a training and the other half a test; the share of those in which the best of the training is no better than
                 the median of the test
    chain        the tests of all windows one after the other, each played by the best of its own training

Sources: hydra.study.deflated for the first; Bailey, Borwein, López de Prado and Zhu, The Probability of Backtest Overfitting, Journal of
Computational Finance 20 (2016), for the second.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from math import sqrt
from typing import NamedTuple

import numpy as np

from hydra.study import statistics
from hydra.study.curve import Floats
from hydra.study.deflated import deflated_sharpe, luckiest, probabilistic_sharpe, spread_of
from hydra.study.statistics import DAYS_LEAST
from hydra.study.sweep_rows import Row

BLOCKS = (16, 14, 12, 10, 8, 6)
"""Into how many blocks the days are cut: the first of these that leaves each ``BLOCK_DAYS_LEAST`` days."""
BLOCK_DAYS_LEAST = 5
_CELLS_AT_ONCE = 4_000_000
_NOTHING = 1e-12


class Luck(NamedTuple):
    """Sharpe ratios a year: the best run's, and what the luckiest of ``tries`` would be expected to show. ``probability``: that the best
    is better than luck; ``None`` where ``reason`` says why nobody can tell."""

    tries: int
    ratio: float | None
    expected: float | None
    probability: float | None
    reason: str


class Overfitting(NamedTuple):
    """``probability`` in how many of ``splits`` halvings of ``days``; ``None`` where ``reason`` says why nobody can tell."""

    days: int
    splits: int
    probability: float | None
    reason: str


class Chain(NamedTuple):
    """The tests one after the other. ``skill`` is the probability that its true Sharpe ratio is above 0: it was chosen by nothing in it."""

    days: int
    growth: float | None
    sharpe: float | None
    sortino: float | None
    drawdown: float | None
    skill: float | None


def luck_of(best: Row | None, rows: Sequence[Row]) -> Luck:
    """The deflated Sharpe ratio of ``best`` among all ``rows`` that were played."""
    played = [row for row in rows if not row.refused]
    tries = len(played)
    if best is None:
        return Luck(tries, None, None, None, "not enough data: no run can be called the best")
    returns = np.array(best.returns)
    ratio = statistics.daily_sharpe(returns)
    if ratio is None:
        few = f"{_days(len(returns))} of returns, {DAYS_LEAST} are needed"
        why = few if len(returns) < DAYS_LEAST else "returns that never change"
        return Luck(tries, None, None, None, f"not enough data: the best run has {why}")
    year = sqrt(best.year)
    known = [one for row in played if (one := statistics.daily_sharpe(np.array(row.returns))) is not None]
    if len(known) < 2:
        return Luck(
            tries,
            ratio * year,
            None,
            None,
            "not enough data: one run alone has a Sharpe ratio, and luck is told by their spread",
        )
    spread = spread_of(known)
    skew, tails = statistics.skewness(returns), statistics.kurtosis(returns)
    assert skew is not None
    assert tails is not None
    found = deflated_sharpe(ratio, len(returns), tries=tries, spread=spread, skewness=skew, kurtosis=tails)
    reason = "" if found is not None else "not enough data: no returns have such moments"
    return Luck(tries, ratio * year, luckiest(tries, spread) * year, found, reason)


def overfitting_of(rows: Sequence[Row]) -> Overfitting:
    """How often the best of one half of the days was not among the better ones in the other. A day that a run did not play is one
    without return: it had ended."""
    played = [row for row in rows if row.returns]
    days = sorted({day for row in played for day in row.dates})
    blocks = next((count for count in BLOCKS if len(days) >= count * BLOCK_DAYS_LEAST), None)
    if blocks is None:
        needed = BLOCKS[-1] * BLOCK_DAYS_LEAST
        return Overfitting(len(days), 0, None, f"not enough data: {_days(len(days))}, {needed} are needed")
    if len(played) < 2:
        return Overfitting(len(days), 0, None, "not enough data: it takes two runs")
    place = {day: number for number, day in enumerate(days)}
    table = np.zeros((len(days), len(played)))
    for column, row in enumerate(played):
        table[[place[day] for day in row.dates], column] = row.returns
    if np.all(table == table[:, :1]):
        return Overfitting(len(days), 0, None, "not enough data: every run earned the same")
    halves = list(combinations(range(blocks), blocks // 2))
    below = _not_better(table, blocks, halves)
    return Overfitting(len(days), len(halves), below / len(halves), "")


def _not_better(table: Floats, blocks: int, halves: Sequence[tuple[int, ...]]) -> int:
    """In how many halvings the best of the training half is at or below the median of the other."""
    parts = np.array_split(table, blocks)
    counts = np.array([len(part) for part in parts], dtype=float)
    sums = np.array([part.sum(axis=0) for part in parts])
    squares = np.array([(part**2).sum(axis=0) for part in parts])
    found, columns = 0, table.shape[1]
    at_once = max(1, _CELLS_AT_ONCE // columns)
    for first in range(0, len(halves), at_once):
        some = halves[first : first + at_once]
        inside = np.zeros((len(some), blocks))
        for number, half in enumerate(some):
            inside[number, list(half)] = 1.0
        trained = _ratios(inside @ counts, inside @ sums, inside @ squares)
        outside = 1.0 - inside
        tested = _ratios(outside @ counts, outside @ sums, outside @ squares)
        chosen = np.argmax(trained, axis=1)
        mine = tested[np.arange(len(chosen)), chosen][:, None]
        rank = (tested < mine).sum(axis=1) + ((tested == mine).sum(axis=1) + 1) / 2
        found += int((rank / (columns + 1) <= 0.5).sum())
    return found


def _ratios(counts: Floats, sums: Floats, squares: Floats) -> Floats:
    """Mean over standard deviation, of every halving and run; 0 where nothing moved."""
    mean = sums / counts[:, None]
    spread = np.sqrt(np.maximum(squares / counts[:, None] - mean**2, 0.0))
    ratios: Floats = np.divide(mean, spread, out=np.zeros_like(mean), where=spread > _NOTHING)
    return ratios


def chain_of(tests: Sequence[Row]) -> Chain:
    """The daily returns of the windows' tests, one after the other, in the order of the windows."""
    returns = np.array([each for row in tests for each in row.returns])
    year = next((row.year for row in tests if row.year), 0)
    if not len(returns):
        return Chain(0, None, None, None, None, None)
    index = np.concatenate(([1.0], np.cumprod(1 + returns)))
    fall = statistics.drawdown(index)
    ratio = statistics.daily_sharpe(returns)
    skew, tails = statistics.skewness(returns), statistics.kurtosis(returns)
    skill = None
    if ratio is not None and skew is not None and tails is not None:
        skill = probabilistic_sharpe(ratio, len(returns), skewness=skew, kurtosis=tails)
    return Chain(
        days=len(returns),
        growth=statistics.total_return(index),
        sharpe=statistics.sharpe(returns, year),
        sortino=statistics.sortino(returns, year),
        drawdown=0.0 if fall is None else fall.depth,
        skill=skill,
    )


def _days(count: int) -> str:
    return f"{count:,} day{'' if count == 1 else 's'}"
