"""All decisions of a run, side by side: a row an iteration in the order of time, a column a seat, and what came of each.

Columns of floats hold NaN where there is nothing: a seat that gave no probability, an outcome that is not known yet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from math import ceil, nan
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from hydra.gladiators.consensus import consensus
from hydra.gladiators.score.prices import Fate, Floats, Ints, Prices
from hydra.gladiators.score.rows import VoteRow
from hydra.gladiators.score.terms import Terms
from hydra.model.errors import Invalid
from hydra.model.votes import SEATS, Choice, Vote, Why

Bools: TypeAlias = NDArray[np.bool_]
Codes: TypeAlias = NDArray[np.int8]

CHOICES = (Choice.ABSTAIN, Choice.BUY, Choice.SELL, Choice.HOLD)
ABSTAIN, BUY, SELL, HOLD = range(4)
_CODE = {choice: code for code, choice in enumerate(CHOICES)}
SIDES = np.array([0.0, 1.0, -1.0, 0.0])
"""Of each choice: how many dollars of the asset it stands for."""


@dataclass(frozen=True, eq=False)
class Table:
    """``votes`` and ``p_up`` are iterations by seats; ``at`` is the decision in seconds; ``change`` is what came of it, as a fraction.

    ``known`` marks the iterations whose outcome is known, ``up`` those whose end was above the fill.
    """

    terms: Terms
    seats: tuple[str, ...]
    assets: tuple[str, ...]
    iteration: Ints
    at: Ints
    asset: Ints
    votes: Codes
    p_up: Floats
    change: Floats
    before: Floats
    fates: tuple[Fate, ...]
    held: Mapping[str, float]
    """Of each asset: what holding it from the first fill to the last end would have brought, as a fraction."""

    def __len__(self) -> int:
        """Iterations."""
        return len(self.at)

    @cached_property
    def known(self) -> Bools:
        """Which outcomes are known."""
        return np.isfinite(self.change)

    @cached_property
    def up(self) -> Floats:
        """1 where the end was above the fill, 0 where not, NaN where it is not known."""
        return np.where(self.known, (self.change > 0).astype(np.float64), nan)

    @cached_property
    def consensus(self) -> Codes:
        """What the seats came to under the rule in force, by iteration."""
        terms = self.terms
        codes = [_CODE[agreed(row, terms.hold_counts, terms.needed)] for row in map(tuple, self.votes.tolist())]
        return np.array(codes, dtype=np.int8)

    @cached_property
    def learnt_from(self) -> Ints:
        """How many iterations' outcomes were known when each one was decided: a prefix, for every call has the same horizon."""
        return np.asarray(np.searchsorted(self.at + self.terms.span, self.at, side="right"), dtype=np.int64)

    @cached_property
    def block(self) -> int:
        """How many iterations of the bootstrap stay together: twice as many as share a horizon, at least the cube root of their number."""
        return max(2 * self.overlap, ceil(float(max(len(self), 1) ** (1 / 3))))

    @cached_property
    def overlap(self) -> int:
        """How many iterations begin within one horizon, as a rule."""
        if len(self) < 2:
            return 1
        return max(1, ceil(self.terms.span / max(1.0, float(np.median(np.diff(self.at))))))

    def independent(self, called: Bools) -> int:
        """How many of these calls share no part of a horizon with another of the same asset, the first ones taken first."""
        counted = 0
        for asset in range(len(self.assets)):
            free = -1
            for at in self.at[called & (self.asset == asset)].tolist():
                if at >= free:
                    counted += 1
                    free = at + self.terms.span
        return counted


@cache
def agreed(votes: tuple[int, ...], hold_counts: bool, needed: int) -> Choice:
    """What these votes come to: the tournament's own rule, over the codes of a row."""
    made = [
        _vote(f"{'ABCD'[place] if place < len(SEATS) else f'X{place}'}", CHOICES[code])
        for place, code in enumerate(votes)
    ]
    return consensus(made, hold_counts=hold_counts, needed=needed).choice


def _vote(seat: str, choice: Choice) -> Vote:
    if choice is Choice.ABSTAIN:
        return Vote(seat=seat, vote=choice, why=Why.ERROR, engine="score")
    return Vote(seat=seat, vote=choice, p_up=0.5, engine="score")


def table_of(rows: Sequence[VoteRow], prices: Mapping[str, Prices], terms: Terms, *, shadow: bool = False) -> Table:
    """The votes that count, or with ``shadow`` the challengers' alone, over every iteration of the run.

    Raises ``Invalid`` when the rows of an iteration do not speak of the same candle.
    """
    spots = _spots(rows)
    seats = tuple(sorted({row.seat for row in rows if row.shadow is shadow}))
    assets = tuple(sorted({asset for _, _, asset in spots}))
    place = {iteration: number for number, (_, iteration, _) in enumerate(spots)}
    votes = np.zeros((len(spots), len(seats)), dtype=np.int8)
    p_up = np.full((len(spots), len(seats)), nan)
    column = {seat: number for number, seat in enumerate(seats)}
    for row in rows:
        if row.shadow is shadow:
            votes[place[row.iteration], column[row.seat]] = _CODE[row.vote]
            p_up[place[row.iteration], column[row.seat]] = nan if row.p_up is None else row.p_up
    at = np.array([when for when, _, _ in spots], dtype=np.int64)
    outcomes = [prices[asset].outcome(when, terms.span) if asset in prices else None for when, _, asset in spots]
    past = [prices[asset].before(when, terms.span) if asset in prices else None for when, _, asset in spots]
    return Table(
        terms=terms,
        seats=seats,
        assets=assets,
        iteration=np.array([iteration for _, iteration, _ in spots], dtype=np.int64),
        at=at,
        asset=np.array([assets.index(asset) for _, _, asset in spots], dtype=np.int64),
        votes=votes,
        p_up=p_up,
        change=np.array([one.change if one and one.fate is Fate.KNOWN else nan for one in outcomes], dtype=np.float64),
        before=np.array([nan if one is None else one for one in past], dtype=np.float64),
        fates=tuple(Fate.PENDING if one is None else one.fate for one in outcomes),
        held=_held(assets, prices, at, terms),
    )


def _spots(rows: Sequence[VoteRow]) -> list[tuple[int, int, str]]:
    """Every iteration once, by its time: (seconds, iteration, asset)."""
    found: dict[int, tuple[int, int, str]] = {}
    for row in rows:
        spot = (round(row.timestamp.timestamp()), row.iteration, row.asset)
        if found.setdefault(row.iteration, spot) != spot:
            raise Invalid(f"iteration {row.iteration}: its votes speak of different candles")
    return sorted(found.values())


def _held(assets: Sequence[str], prices: Mapping[str, Prices], at: Ints, terms: Terms) -> dict[str, float]:
    if not len(at):
        return {}
    found = {asset: prices[asset].held(int(at[0]), int(at[-1]) + terms.span) for asset in assets if asset in prices}
    return {asset: change for asset, change in found.items() if change is not None}
