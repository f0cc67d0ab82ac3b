"""Probabilities pooled by their log odds: with equal weights, and with weights that were learnt from what was known by then.

    logit(p) = sum_i w_i x_i        x_i = logit(p_i) x seats / seats that voted, 0 for one that did not

With w_i = 1 / seats that is the mean of the log odds of those who voted. Learnt weights are the most likely ones under a normal
prior around the equal ones (a ridge), worth ``SHRINK_CALLS`` calls: little is learnt from little, and without anything to learn from
the weights are equal. A weight may fall below zero: that seat is better believed the other way round.

Walk-forward: the weights that pool a decision were learnt from outcomes that were known when it was made.

Sources: Genest and Zidek, Combining Probability Distributions, Statistical Science 1 (1986), for the logarithmic pool; Hoerl and
Kennard, Ridge Regression, Technometrics 12 (1970); le Cessie and van Houwelingen, Ridge Estimators in Logistic Regression, Applied
Statistics 41 (1992), here around equal weights instead of zero.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import nan
from typing import TypeVar

import numpy as np

from hydra.gladiators.consensus import SURE
from hydra.gladiators.score.chance import Bootstrap, Interval, between
from hydra.gladiators.score.measure import LEAST
from hydra.gladiators.score.prices import Floats, Ints
from hydra.gladiators.score.table import Bools, Table

SHRINK_CALLS = 200
"""How many calls the belief in equal weights is worth."""
_FITS_MOST, _STEPS_MOST, _DRAWS = 400, 25, 200
_CLOSE = 1e-9
T = TypeVar("T")


def log_odds(p_up: Floats) -> Floats:
    """ln(p / (1 - p)), no surer than the tournament's own pool; NaN stays NaN."""
    held = np.clip(p_up, 1 - SURE, SURE)
    return np.asarray(np.log(held / (1 - held)), dtype=np.float64)


def inputs(p_up: Floats) -> Floats:
    """The x of the formula, iterations by seats."""
    there = np.isfinite(p_up)
    voted = np.maximum(there.sum(axis=1, keepdims=True), 1)
    x = np.where(there, log_odds(np.where(there, p_up, 0.5)), 0.0) * (p_up.shape[1] / voted)
    return np.asarray(x, dtype=np.float64)


def pool(x: Floats, weights: Floats) -> Floats:
    """The pooled probability of each row."""
    return np.asarray(1 / (1 + np.exp(-(x @ weights))), dtype=np.float64)


def equal_weights(seats: int) -> Floats:
    """One share each."""
    return np.full(seats, 1 / max(seats, 1))


def equal_pool(p_up: Floats) -> Floats:
    """The equal pool of each row; NaN where nobody said anything."""
    spoken = np.isfinite(p_up).any(axis=1)
    return np.where(spoken, pool(inputs(p_up), equal_weights(p_up.shape[1])), nan)


def fit(x: Floats, came: Floats, start: Floats | None = None) -> Floats:
    """The weights that these outcomes speak for, shrunk toward equal ones. Newton's method on a convex sum: it ends."""
    seats = x.shape[1]
    prior = equal_weights(seats)
    scale = float(np.mean(x**2)) if len(x) else 0.0
    if scale <= 0:
        return prior
    strength = SHRINK_CALLS * 0.25 * scale
    weights = prior if start is None else start
    for _ in range(_STEPS_MOST):
        chance = pool(x, weights)
        slope = x.T @ (chance - came) + strength * (weights - prior)
        bend = (x * (chance * (1 - chance))[:, None]).T @ x + strength * np.eye(seats)
        step = np.linalg.solve(bend, slope)
        weights = weights - step
        if float(np.max(np.abs(step))) < _CLOSE:
            break
    return np.asarray(weights, dtype=np.float64)


@dataclass(frozen=True, eq=False)
class Learnt:
    """``weights`` by seat as of the end (``None``: it never said anything), their intervals, from how many outcomes; ``p_up`` is the walk-forward pool."""

    weights: tuple[float | None, ...]
    intervals: tuple[Interval | None, ...]
    outcomes: int
    p_up: Floats


def learn(table: Table, bootstrap: Bootstrap) -> Learnt:
    """The weights, walk-forward. Below ``LEAST`` known outcomes they are equal, and have no interval."""
    heard: Bools = np.asarray(np.isfinite(table.p_up).any(axis=0), dtype=np.bool_)
    x, seats = inputs(table.p_up[:, heard]), int(heard.sum())
    spoken: Bools = np.asarray(np.isfinite(table.p_up).any(axis=1), dtype=np.bool_)
    usable = spoken & table.known
    outcomes = int(usable.sum())
    weights, learnt_at = equal_weights(seats), 0
    by_row = np.empty((len(table), seats))
    step = max(1, len(table) // _FITS_MOST)
    for row, prefix in enumerate(table.learnt_from.tolist()):
        if prefix - learnt_at >= step and int(usable[:prefix].sum()) >= LEAST:
            kept = usable[:prefix]
            weights, learnt_at = fit(x[:prefix][kept], table.up[:prefix][kept], weights), prefix
        by_row[row] = weights
    pooled = np.where(spoken, 1 / (1 + np.exp(-np.sum(x * by_row, axis=1))), nan)
    if outcomes < LEAST:
        return Learnt(_spread(heard, equal_weights(seats).tolist()), (None,) * len(heard), outcomes, pooled)
    final = fit(x[usable], table.up[usable])
    intervals = _intervals(table, x, usable, bootstrap, final)
    return Learnt(_spread(heard, final.tolist()), _spread(heard, intervals), outcomes, pooled)


def _spread(heard: Bools, found: Iterable[T]) -> tuple[T | None, ...]:
    """What was found of the seats that were heard, at the places of all seats."""
    each = iter(found)
    return tuple(next(each) if one else None for one in heard.tolist())


def _intervals(
    table: Table, x: Floats, usable: Bools, bootstrap: Bootstrap, start: Floats
) -> tuple[Interval | None, ...]:
    def again(rows: Ints) -> Floats | None:
        kept = rows[usable[rows]]
        return fit(x[kept], table.up[kept], start) if len(kept) else None

    drawn = bootstrap.of(again, _DRAWS)
    if drawn is None:
        return (None,) * int(x.shape[1])
    columns: list[Floats] = list(drawn.T)
    return tuple(between(column) for column in columns)
