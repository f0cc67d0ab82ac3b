"""How much of it is chance: intervals, the calls it takes, exact tests, and a bootstrap that keeps neighbours together.

Sources: Wilson, Probable Inference, the Law of Succession, and Statistical Inference, JASA 22 (1927); the sample size of a proportion
against a fixed one, Fleiss, Levin and Paik, Statistical Methods for Rates and Proportions, 3rd ed. (2003), section 2.5 without the
correction for continuity; the circular block bootstrap, Politis and Romano (1992), with percentile intervals, Efron and Tibshirani,
An Introduction to the Bootstrap (1993).
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, exp, lgamma, log, sqrt
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from hydra.gladiators.score.prices import Floats, Ints
from hydra.model.errors import Invalid

LEVEL, SIGNIFICANCE, POWER = 0.95, 0.05, 0.80
DRAWS, BLOCKS_LEAST = 1000, 8
"""How often the bootstrap draws; of fewer blocks than that it says nothing."""
_Z = NormalDist()
_SAME = 1e-7


class Interval(NamedTuple):
    """From a lower to an upper bound."""

    low: float
    high: float

    def excludes(self, value: float) -> bool:
        """Whether a value lies outside of it."""
        return not self.low <= value <= self.high


def wilson(hits: int, calls: int, level: float = LEVEL) -> Interval | None:
    """Where a rate lies that was seen as ``hits`` of independent ``calls``; ``None`` of none."""
    if calls == 0:
        return None
    if not 0 <= hits <= calls:
        raise Invalid(f"hits must be within 0 and {calls}, got {hits}")
    z = _Z.inv_cdf((1 + level) / 2)
    rate, spread = hits / calls, z * z / calls
    middle = (rate + spread / 2) / (1 + spread)
    half = z * sqrt(rate * (1 - rate) / calls + spread / (4 * calls)) / (1 + spread)
    return Interval(0.0 if hits == 0 else middle - half, 1.0 if hits == calls else middle + half)


def calls_needed(
    rate: float, against: float = 0.5, *, significance: float = SIGNIFICANCE, power: float = POWER
) -> int | None:
    """How many independent calls it takes to tell ``rate`` from ``against``, two-sided; ``None`` when they are the same.

    n = ( (z_a sqrt(q(1-q)) + z_b sqrt(p(1-p))) / (p - q) )^2
    """
    if not (0 <= rate <= 1 and 0 < against < 1):
        raise Invalid(f"rates must be within 0 and 1, got {rate} and {against}")
    if rate == against:
        return None
    z_a, z_b = _Z.inv_cdf(1 - significance / 2), _Z.inv_cdf(power)
    top = z_a * sqrt(against * (1 - against)) + z_b * sqrt(rate * (1 - rate))
    return ceil((top / (rate - against)) ** 2)


def binomial_test(hits: int, calls: int, rate: float = 0.5) -> float | None:
    """The probability, if the true rate were ``rate``, of a count that is no likelier than this one: exact, two-sided.

    ``None`` of no calls.
    """
    if not 0 <= hits <= calls or not 0 < rate < 1:
        raise Invalid(f"hits must be within 0 and {calls} at a rate within 0 and 1, got {hits} at {rate}")
    if calls == 0:
        return None

    def chance(k: int) -> float:
        ways = lgamma(calls + 1) - lgamma(k + 1) - lgamma(calls - k + 1)
        return ways + k * log(rate) + (calls - k) * log(1 - rate)

    every = [chance(k) for k in range(calls + 1)]
    most = every[hits] + _SAME
    return min(1.0, sum(exp(one) for one in every if one <= most))


class Bootstrap:
    """Circular blocks of ``block`` neighbours, drawn with a seed: the same rows, the same seed, the same intervals."""

    def __init__(self, count: int, block: int, seed: int, draws: int = DRAWS) -> None:
        self.count, self.block, self.draws = count, max(1, min(block, max(count, 1))), draws
        self.blocks = ceil(count / self.block)
        chance = np.random.default_rng([seed, count, self.block])
        self._starts: Ints = chance.integers(0, max(count, 1), size=(draws, self.blocks), dtype=np.int64)

    @property
    def enough(self) -> bool:
        """Whether there are blocks enough to say anything."""
        return self.blocks >= BLOCKS_LEAST

    def sums(self, column: Floats) -> Floats:
        """The sum of a column over each draw; a NaN counts as nothing."""
        held = np.nan_to_num(column, nan=0.0)
        around = np.concatenate(([0.0], np.cumsum(np.concatenate((held, held[: self.block])))))
        last = self.count - (self.blocks - 1) * self.block
        whole, part = self._starts[:, :-1], self._starts[:, -1]
        total = (around[self.block :] - around[: -self.block])[whole].sum(axis=1)
        return np.asarray(total + around[part + last] - around[part], dtype=np.float64)

    def mean(self, column: Floats) -> Interval | None:
        """The interval of a column's mean over the rows where it is no NaN."""
        counted = np.isfinite(column).astype(np.float64)
        return self.ratio(column, counted)

    def ratio(self, above: Floats, below: Floats) -> Interval | None:
        """The interval of sum(above) / sum(below)."""
        if not self.enough:
            return None
        top, bottom = self.sums(above), self.sums(below)
        return between(top[bottom > 0] / bottom[bottom > 0])

    def total(self, column: Floats) -> Interval | None:
        """The interval of a column's sum."""
        return between(self.sums(column)) if self.enough else None

    def rows(self, draw: int) -> Ints:
        """The places of the rows of one draw, for figures that are no sums."""
        every = (self._starts[draw][:, None] + np.arange(self.block)[None, :]).ravel()[: self.count]
        return np.asarray(every % max(self.count, 1), dtype=np.int64)

    def of(self, figure: Callable[[Ints], Floats | None], draws: int) -> Floats | None:
        """A figure worked out again over so many draws, a row each; those that have no value are left out."""
        if not self.enough:
            return None
        found = [one for draw in range(min(draws, self.draws)) if (one := figure(self.rows(draw))) is not None]
        return np.array(found) if found else None


def between(drawn: Floats, level: float = LEVEL) -> Interval | None:
    """The middle ``level`` of what was drawn."""
    if not len(drawn):
        return None
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high))
