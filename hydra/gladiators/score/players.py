"""Who is measured: the seats, the consensus, and everything that they are held against. Nobody knows more than was known then.

The one exception says so: the best seat in hindsight is chosen once everything is over, and is what picking a winner looks like.
"""

from __future__ import annotations

from math import nan

import numpy as np

from hydra.gladiators.score.measure import LEAST, Kind, Player
from hydra.gladiators.score.prices import Floats
from hydra.gladiators.score.table import SIDES, Table

ALWAYS_BUY, MOMENTUM, BEST_SO_FAR, HINDSIGHT = "always BUY", "momentum", "best seat so far", "best seat in hindsight"
EQUAL_POOL, LEARNT_POOL, CONSENSUS = "equal log-odds pool", "learnt weights", "consensus"


def nothing(table: Table) -> Floats:
    """A column without a probability."""
    return np.full(len(table), nan)


def seats(table: Table, kind: Kind = Kind.SEAT) -> list[Player]:
    """Each seat as it voted."""
    return [
        Player(seat, kind, SIDES[table.votes[:, place]], table.p_up[:, place]) for place, seat in enumerate(table.seats)
    ]


def consensus(table: Table) -> Player:
    """What the seats came to under the rule in force."""
    return Player(CONSENSUS, Kind.CONSENSUS, SIDES[table.consensus], nothing(table), "the rule in force")


def pooled(name: str, p_up: Floats, note: str) -> Player:
    """A pool that says BUY above one half and SELL below."""
    return Player(name, Kind.BASELINE, np.sign(np.nan_to_num(p_up - 0.5)), p_up, note)


def always_buy(table: Table) -> Player:
    """BUY at every decision."""
    return Player(ALWAYS_BUY, Kind.BASELINE, np.ones(len(table)), nothing(table), "BUY at every decision")


def momentum(table: Table) -> Player:
    """What the price did over the last horizon, it will go on doing."""
    side = np.sign(np.nan_to_num(table.before))
    return Player(MOMENTUM, Kind.BASELINE, side, nothing(table), "the direction of the horizon before the decision")


def best_so_far(table: Table) -> Player:
    """At each decision the seat with the lowest Brier score over the outcomes known by then; nobody before there are enough."""
    errors, counts = _errors(table)
    sums = np.vstack([np.zeros(len(table.seats)), np.cumsum(errors, axis=0)])[table.learnt_from]
    known = np.vstack([np.zeros(len(table.seats)), np.cumsum(counts, axis=0)])[table.learnt_from]
    means = np.where(known >= LEAST, sums / np.maximum(known, 1), np.inf)
    note = "the lowest Brier score over what was known by then"
    if not len(table) or not len(table.seats):
        return Player(BEST_SO_FAR, Kind.BASELINE, np.zeros(len(table)), nothing(table), note)
    chosen = np.argmin(means, axis=1)
    rows = np.arange(len(table))
    there = np.isfinite(means[rows, chosen])
    side = np.where(there, SIDES[table.votes[rows, chosen]], 0.0)
    return Player(BEST_SO_FAR, Kind.BASELINE, side, np.where(there, table.p_up[rows, chosen], nan), note)


def best_in_hindsight(table: Table) -> Player | None:
    """The seat with the lowest Brier score over everything; ``None`` without enough forecasts of any."""
    errors, counts = _errors(table)
    totals = counts.sum(axis=0)
    if not len(totals) or not bool((totals >= LEAST).any()):
        return None
    best = int(np.argmin(np.where(totals >= LEAST, errors.sum(axis=0) / np.maximum(totals, 1), np.inf)))
    note = f"seat {table.seats[best]}: chosen afterwards, which nobody could have done"
    return Player(HINDSIGHT, Kind.BASELINE, SIDES[table.votes[:, best]], table.p_up[:, best], note)


def _errors(table: Table) -> tuple[Floats, Floats]:
    """Squared errors of the probabilities, 0 where there is none, and where there is one."""
    there = np.isfinite(table.p_up) & table.known[:, None]
    errors = np.where(there, (np.nan_to_num(table.p_up) - np.nan_to_num(table.up)[:, None]) ** 2, 0.0)
    return errors, there.astype(np.float64)
