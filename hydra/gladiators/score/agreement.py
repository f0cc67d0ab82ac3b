"""How much the seats say the same, and what each adds to the others.

    entropy          -sum_c s_c log2 s_c over BUY, SELL and HOLD among those who voted: 0 when all agree, 1.58 at most
    effective number k / (1 + (k - 1) r), r the mean correlation of the seats' probabilities (with k = 4 and r = 0.6: 1.43)
    leave one out    Brier of the equal pool without the seat - Brier of the equal pool with it: above zero, it helps

Sources: Shannon, A Mathematical Theory of Communication, Bell System Technical Journal 27 (1948); Kish, Survey Sampling (1965), for
the effective number under a common correlation.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import nan

import numpy as np

from hydra.gladiators.score.chance import Bootstrap, Interval
from hydra.gladiators.score.measure import LEAST
from hydra.gladiators.score.pooling import equal_pool
from hydra.gladiators.score.prices import Floats
from hydra.gladiators.score.table import ABSTAIN, BUY, HOLD, SELL, Table, agreed

_NOTHING = 1e-12


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two seats over the iterations in which both voted. ``same`` and ``correlation`` are ``None`` where there are too few."""

    one: str
    other: str
    votes: int
    same: float | None
    correlation: float | None


@dataclass(frozen=True, kw_only=True)
class Without:
    """What a seat adds to the equal pool: how much higher its Brier score would be without it. ``changed``: how often the consensus would be another."""

    seat: str
    forecasts: int
    worse: float | None
    interval: Interval | None
    changed: int


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """``entropy`` in bits, mean over iterations in which at least two voted; ``unanimous`` the share of those in which all said the same; ``voters``
    the seats that voted at all."""

    iterations: int
    entropy: float | None
    unanimous: float | None
    voters: int
    pairs: tuple[Pair, ...]
    effective: float | None
    without: tuple[Without, ...]


def agreement(table: Table, bootstrap: Bootstrap) -> Agreement:
    """Everything about who says what with whom."""
    counts = np.stack([(table.votes == code).sum(axis=1) for code in (BUY, SELL, HOLD)], axis=1).astype(np.float64)
    voted = counts.sum(axis=1)
    several = voted >= 2
    enough = int(several.sum()) >= LEAST
    shares = counts[several] / voted[several][:, None]
    entropies = -np.sum(np.where(shares > 0, shares * np.log2(np.maximum(shares, _NOTHING)), 0.0), axis=1)
    voters = int((table.votes != ABSTAIN).any(axis=0).sum())
    pairs = tuple(_pair(table, i, j) for i in range(len(table.seats)) for j in range(i + 1, len(table.seats)))
    return Agreement(
        iterations=int(several.sum()),
        entropy=max(0.0, float(np.mean(entropies))) if enough else None,
        unanimous=float(np.mean(shares.max(axis=1) == 1)) if enough else None,
        voters=voters,
        pairs=pairs,
        effective=effective([pair.correlation for pair in pairs], voters),
        without=tuple(_without(table, seat, bootstrap) for seat in range(len(table.seats))),
    )


def effective(correlations: list[float | None], seats: int) -> float | None:
    """How many independent voters they are worth; ``None`` where no pair's correlation is known, or the formula has no value."""
    known = [one for one in correlations if one is not None]
    if not known or seats < 2:
        return None
    below = 1 + (seats - 1) * sum(known) / len(known)
    return seats / below if below > _NOTHING else None


def _pair(table: Table, i: int, j: int) -> Pair:
    both = (table.votes[:, i] != ABSTAIN) & (table.votes[:, j] != ABSTAIN)
    count = int(both.sum())
    same = float(np.mean(table.votes[both, i] == table.votes[both, j])) if count >= LEAST else None
    return Pair(
        one=table.seats[i],
        other=table.seats[j],
        votes=count,
        same=same,
        correlation=_correlation(table.p_up[:, i], table.p_up[:, j]),
    )


def _correlation(one: Floats, other: Floats) -> float | None:
    both = np.isfinite(one) & np.isfinite(other)
    if int(both.sum()) < LEAST:
        return None
    one, other = one[both], other[both]
    if float(np.std(one)) < _NOTHING or float(np.std(other)) < _NOTHING:
        return None
    return float(np.corrcoef(one, other)[0, 1])


def _without(table: Table, seat: int, bootstrap: Bootstrap) -> Without:
    rest = np.delete(table.p_up, seat, axis=1)
    both = np.isfinite(table.p_up).any(axis=1) & np.isfinite(rest).any(axis=1) & table.known
    count = int(both.sum())
    worse = interval = None
    spoke = bool(np.isfinite(table.p_up[:, seat]).any())
    if spoke and rest.shape[1] and count >= LEAST:
        errors = (equal_pool(rest) - table.up) ** 2 - (equal_pool(table.p_up) - table.up) ** 2
        gap = np.where(both, errors, nan)
        worse, interval = float(np.nanmean(gap)), bootstrap.mean(gap)
    left = np.delete(table.votes, seat, axis=1)
    terms = table.terms
    changed = sum(
        agreed(tuple(most), terms.hold_counts, terms.needed)
        is not agreed(tuple(every), terms.hold_counts, terms.needed)
        for most, every in zip(left.tolist(), table.votes.tolist(), strict=True)
    )
    return Without(seat=table.seats[seat], forecasts=count, worse=worse, interval=interval, changed=changed)
