"""What a player's calls and probabilities came to: the same stake a call, costs on both sides, intervals that keep neighbours together.

A call is BUY or SELL. It hit when the price went its way by more than the hold band, missed when it went the other way by more than
that; within the band it was flat, and is neither. The rate is hits / (hits + misses), so that a coin has 50%.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import nan

import numpy as np

from hydra.gladiators.score import chance, proper
from hydra.gladiators.score.chance import Bootstrap, Interval
from hydra.gladiators.score.prices import Floats
from hydra.gladiators.score.table import Table

LEAST = 30
"""Independent calls, or forecasts, below which no rate and no score is told: the interval would be most of what is possible."""
COIN = 0.5
STAKE = 100
"""Dollars a call, wherever profit is told to people; in values and documents it is a fraction of the stake."""


class Kind(StrEnum):
    """What a player is."""

    SEAT = "seat"
    CONSENSUS = "consensus"
    BASELINE = "baseline"
    CHALLENGER = "challenger"


@dataclass(frozen=True, eq=False)
class Player:
    """``side`` is dollars of the asset by iteration (1, -1, 0), ``p_up`` a probability or NaN. ``note`` says what kind of baseline it is."""

    name: str
    kind: Kind
    side: Floats
    p_up: Floats
    note: str = ""


class Verdict(StrEnum):
    """Whether a hit rate says anything."""

    NO_CALLS = "no calls"
    NOT_ENOUGH = "not enough data"
    BETTER = "better than a coin"
    WORSE = "worse than a coin"
    COIN = "not told from a coin"


@dataclass(frozen=True, kw_only=True)
class Hits:
    """Calls and how they came out. ``independent``: the decided ones that share no part of a horizon with another of their asset.

    ``rate`` and the intervals are ``None`` below ``LEAST`` independent calls. ``wilson`` takes every decided call for independent,
    ``interval`` does not. ``needed`` is how many independent calls it takes to tell this rate from a coin's.
    """

    calls: int
    hits: int
    misses: int
    flat: int
    open: int
    independent: int
    rate: float | None
    wilson: Interval | None
    interval: Interval | None
    needed: int | None

    @property
    def verdict(self) -> Verdict:
        """What may be said of it."""
        if not self.calls:
            return Verdict.NO_CALLS
        if self.rate is None or self.needed is None or self.interval is None or self.independent < self.needed:
            return Verdict.NOT_ENOUGH
        if not self.interval.excludes(COIN):
            return Verdict.COIN
        return Verdict.BETTER if self.rate > COIN else Verdict.WORSE

    @property
    def told(self) -> str:
        """The verdict with its numbers."""
        if self.verdict is not Verdict.NOT_ENOUGH:
            return str(self.verdict)
        if self.rate is None:
            return f"not enough data: {self.independent:,} independent calls, {LEAST} are the least"
        if self.needed is None:
            return f"not enough data: {self.independent:,} independent calls cannot tell 50.0% from a coin"
        if self.independent >= self.needed:
            return "not enough data: too few blocks for an interval"
        return f"not enough data: {self.rate:.1%} takes {self.needed:,} independent calls to show, there are {self.independent:,}"


@dataclass(frozen=True, kw_only=True)
class Forecasts:
    """Probabilities and how good they were; everything but ``count`` is ``None`` below ``LEAST`` of them.

    ``better`` is the interval of 0.25 - Brier: above zero, it beats somebody who always says 50%.
    """

    count: int
    parts: proper.Parts | None = None
    interval: Interval | None = None
    better: Interval | None = None
    log_loss: float | None = None


@dataclass(frozen=True, kw_only=True)
class Profit:
    """As multiples of a call's stake: all of it, a call, before costs; ``curve`` is the sum after each iteration."""

    calls: int
    total: float
    gross: float
    interval: Interval | None
    a_call: float | None
    a_call_interval: Interval | None
    curve: Floats


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A player with what it came to."""

    player: Player
    hits: Hits
    forecasts: Forecasts
    profit: Profit

    @property
    def name(self) -> str:
        """The player's."""
        return self.player.name


def measure(player: Player, table: Table, bootstrap: Bootstrap) -> Measured:
    """Everything about one player."""
    return Measured(
        player=player,
        hits=_hits(player, table, bootstrap),
        forecasts=_forecasts(player, table, bootstrap),
        profit=_profit(player, table, bootstrap),
    )


def _hits(player: Player, table: Table, bootstrap: Bootstrap) -> Hits:
    called = player.side != 0
    judged = called & table.known
    toward = np.where(judged, player.side * np.nan_to_num(table.change), 0.0)
    hit, miss = judged & (toward > table.terms.hold_band), judged & (toward < -table.terms.hold_band)
    decided = hit | miss
    hits, misses, independent = int(hit.sum()), int(miss.sum()), table.independent(decided)
    enough = independent >= LEAST
    rate = hits / (hits + misses) if enough else None
    return Hits(
        calls=int(called.sum()),
        hits=hits,
        misses=misses,
        flat=int((judged & ~decided).sum()),
        open=int((called & ~table.known).sum()),
        independent=independent,
        rate=rate,
        wilson=chance.wilson(hits, hits + misses) if enough else None,
        interval=bootstrap.ratio(hit.astype(np.float64), decided.astype(np.float64)) if enough else None,
        needed=None if rate is None else chance.calls_needed(rate),
    )


def _forecasts(player: Player, table: Table, bootstrap: Bootstrap) -> Forecasts:
    there = np.isfinite(player.p_up) & table.known
    count = int(there.sum())
    if count < LEAST:
        return Forecasts(count=count)
    said, came = player.p_up[there], table.up[there]
    errors = np.where(there, (player.p_up - table.up) ** 2, nan)
    return Forecasts(
        count=count,
        parts=proper.murphy(said, came),
        interval=bootstrap.mean(errors),
        better=bootstrap.mean(0.25 - errors),
        log_loss=proper.log_loss(said, came),
    )


def _profit(player: Player, table: Table, bootstrap: Bootstrap) -> Profit:
    judged = (player.side != 0) & table.known
    gross = np.where(judged, player.side * np.nan_to_num(table.change), 0.0)
    net = gross - 2 * table.terms.cost * judged
    calls = int(judged.sum())
    enough = calls >= LEAST
    return Profit(
        calls=calls,
        total=float(net.sum()),
        gross=float(gross.sum()),
        interval=bootstrap.total(net) if enough else None,
        a_call=float(net.sum()) / calls if calls else None,
        a_call_interval=bootstrap.ratio(net, judged.astype(np.float64)) if enough else None,
        curve=np.cumsum(net),
    )
