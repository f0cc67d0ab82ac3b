"""What voters by chance would agree on, under the rule in force: worked out over every combination, not drawn."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import prod, sqrt
from typing import NamedTuple

import numpy as np

from hydra.gladiators.score.chance import LEVEL, Interval
from hydra.gladiators.score.prices import Floats
from hydra.gladiators.score.table import ABSTAIN, BUY, CHOICES, HOLD, SELL, Table, agreed
from hydra.model.errors import Invalid
from hydra.model.votes import Choice

COMBINATIONS_MOST = 1 << 16
_NORMAL_95 = 1.959963984540054
_LEAST_VOTES = 1


class Quorum(NamedTuple):
    """How often chance agrees on BUY, and on SELL."""

    buy: float
    sell: float

    @property
    def rate(self) -> float:
        """On a direction at all."""
        return self.buy + self.sell


class Luck(NamedTuple):
    """What such a quorum would have earned, the same stake a call, after costs: its mean, and where 95% of such quorums lie."""

    calls: float
    mean: float
    interval: Interval


def by_chance(seats: list[dict[int, float]], *, hold_counts: bool, needed: int) -> Quorum:
    """Seats that vote independently, each choice with its own probability. Raises ``Invalid`` for more seats than can be gone through."""
    options = [[code for code in range(len(CHOICES)) if seat[code] > 0] for seat in seats]
    if prod(len(one) for one in options) > COMBINATIONS_MOST:
        raise Invalid(f"{len(seats)} seats have more combinations than {COMBINATIONS_MOST:,}")
    sums = {Choice.BUY: 0.0, Choice.SELL: 0.0, Choice.HOLD: 0.0}
    for votes in product(*options):
        sums[agreed(votes, hold_counts, needed)] += prod(seat[vote] for seat, vote in zip(seats, votes, strict=True))
    return Quorum(sums[Choice.BUY], sums[Choice.SELL])


def random_quorum(silent: Sequence[float], *, hold_counts: bool, needed: int) -> Quorum:
    """Seats that abstain with these probabilities, and say BUY, SELL or HOLD alike otherwise."""
    seats = [{ABSTAIN: one, **dict.fromkeys((BUY, SELL, HOLD), (1 - one) / 3)} for one in silent]
    return by_chance(seats, hold_counts=hold_counts, needed=needed)


def as_silent(table: Table) -> Quorum:
    """Random seats under the rule in force, each of which abstains as often as the one it stands for."""
    silent = np.mean(table.votes == ABSTAIN, axis=0).tolist() if len(table) else [1.0] * len(table.seats)
    return random_quorum(silent, hold_counts=table.terms.hold_counts, needed=table.terms.needed)


def own_frequencies(table: Table) -> Quorum | None:
    """The same seats, each voting as often for each side as it did, but without regard to one another; ``None`` without votes."""
    if len(table) < _LEAST_VOTES or not table.seats:
        return None
    shares = [np.bincount(column, minlength=len(CHOICES)) / len(table) for column in table.votes.T]
    seats = [dict(enumerate(share.tolist())) for share in shares]
    return by_chance(seats, hold_counts=table.terms.hold_counts, needed=table.terms.needed)


def luck(table: Table, quorum: Quorum) -> Luck:
    """Mean and spread are exact; that 95% lie within 1.96 spreads is the normal approximation of a sum of many."""
    change: Floats = table.change[table.known]
    both = 2 * table.terms.cost
    mean = quorum.buy * (change - both) + quorum.sell * (-change - both)
    square = quorum.buy * (change - both) ** 2 + quorum.sell * (-change - both) ** 2
    total, spread = float(mean.sum()), sqrt(max(0.0, float((square - mean**2).sum())))
    assert LEVEL == 0.95
    return Luck(quorum.rate * len(change), total, Interval(total - _NORMAL_95 * spread, total + _NORMAL_95 * spread))
