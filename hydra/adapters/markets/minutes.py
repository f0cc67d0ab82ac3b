"""The synthetic market within a day: a plan becomes intervals of prices, volumes and quotes.

Within each part the mid price is a random walk bridged between the planned ends, in a time that runs faster where more
happens; trades fall between bid and ask; a bar's extremes follow the law of a Brownian bridge's (its maximum over
an interval with ends a and b and variance v is (a + b + sqrt((b - a)^2 - 2 v ln U)) / 2 with U uniform). Everything is in
whole price increments, so that it becomes an exact decimal afterwards.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate
from math import sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hydra.adapters.markets.days import DayPlan, Leg
from hydra.adapters.markets.profiles import BURSTS, CLUSTER, COMMON, PARTS, chance, profile
from hydra.model.market import AssetClass, asset_class_of

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_Shape = Callable[[Floats], Floats]


def _edges(first: float, first_width: float, last: float, last_width: float) -> _Shape:
    return lambda at: 1 + first * np.exp(-at / first_width) + last * np.exp(-(1 - at) / last_width)


def _afternoon(depth: float) -> _Shape:
    return lambda at: 1 + depth * np.cos(2 * np.pi * (at - 0.62))


_VARIANCE: dict[str, _Shape] = {
    "pre": lambda at: 0.5 + 2 * at**2,
    "regular": _edges(3.5, 0.06, 1.5, 0.03),
    "post": lambda at: 0.4 + 3 * np.exp(-at / 0.1),
    "continuous": _afternoon(0.3),
}
_VOLUME: dict[str, _Shape] = {
    "pre": lambda at: 0.15 + 3 * at**3,
    "regular": _edges(2.6, 0.07, 3.2, 0.035),
    "post": lambda at: 0.1 + 40 * np.exp(-at / 0.01) + 2 * np.exp(-at / 0.1),
    "continuous": _afternoon(0.4),
}
_PRESENCE: dict[str, _Shape] = {  # times the profile's share
    "pre": lambda at: 0.6 + 0.9 * at**1.5,
    "regular": lambda at: np.full_like(at, 9.0),
    "post": lambda at: 0.6 + 1.4 * np.exp(-at / 0.25),
    "continuous": np.ones_like,
}
_SPREAD: dict[str, _Shape] = {
    "pre": lambda at: 1.6 - 0.8 * at,
    "regular": _edges(2.0, 0.02, 0.0, 1.0),
    "post": lambda at: 0.7 + 0.9 * at,
    "continuous": np.ones_like,
}


class Intervals(NamedTuple):
    """A day's intervals in whole increments of price and quantity. ``traded`` is false where there is no bar."""

    traded: list[bool]
    opens: list[int]
    highs: list[int]
    lows: list[int]
    closes: list[int]
    volumes: list[int]
    bids: list[int]
    bid_sizes: list[int]
    asks: list[int]
    ask_sizes: list[int]


class Grain(NamedTuple):
    """The step in seconds, and the increments of price and quantity."""

    seconds: int
    price: float
    quantity: float


def invent(seed: int, symbol: str, plan: DayPlan, grain: Grain) -> Intervals:
    """The intervals of a day: the same for the same arguments."""
    group = asset_class_of(symbol)
    own = chance("minutes", seed, symbol, plan.span.day, grain.seconds)
    market = chance("minutes", seed, group, plan.span.day, grain.seconds)
    opens = plan.opens
    legs = []
    for leg in plan.legs:
        legs.append(_Walk(symbol, plan, leg, grain).take(opens, own, market))
        opens += leg.move
    return Intervals(*(np.concatenate(columns).tolist() for columns in zip(*legs, strict=True)))


class _Walk:
    """One part of a day."""

    def __init__(self, symbol: str, plan: DayPlan, leg: Leg, grain: Grain) -> None:
        self.group = asset_class_of(symbol)
        self.profile = profile(symbol)
        self.plan = plan
        self.leg = leg
        self.grain = grain
        self.part = PARTS[leg.part]
        self.count = (leg.ends - leg.begins) // (grain.seconds * 1_000_000)
        self.at: Floats = (np.arange(self.count) + 0.5) / self.count

    def take(
        self, opens: float, own: np.random.Generator, market: np.random.Generator
    ) -> tuple[NDArray[np.generic], ...]:
        common = COMMON[self.group]
        shocks = common * market.standard_normal(self.count) + sqrt(1 - common**2) * own.standard_normal(self.count)
        weights = self._weights(own)
        path = opens + self._path(weights, shocks)
        ends = np.exp(path) / self.grain.price
        starts = np.concatenate(([np.exp(opens) / self.grain.price], ends[:-1]))
        spreads = self._spreads(ends, own)
        bids = np.maximum(np.rint(ends - spreads / 2), 1)
        asks = bids + spreads
        closes = bids + np.rint(own.random(self.count) * spreads)
        trades = np.maximum(np.rint(starts + (own.random(self.count) - 0.5) * spreads), 1)
        reach = 2 * (self.leg.noise * self.part.reach * ends) ** 2 * weights
        width = (ends - starts) ** 2
        tops = (starts + ends + np.sqrt(width - reach * np.log1p(-own.random(self.count)))) / 2
        floors = (starts + ends - np.sqrt(width - reach * np.log1p(-own.random(self.count)))) / 2
        highs = np.maximum(np.rint(tops), np.maximum(trades, closes))
        lows = np.maximum(np.minimum(np.rint(floors), np.minimum(trades, closes)), 1)
        volumes = self._volumes(np.abs(shocks), own)
        sizes = (self._sizes(own), self._sizes(own))
        whole = [
            column.astype(np.int64) for column in (trades, highs, lows, closes, volumes, bids, sizes[0], asks, sizes[1])
        ]
        return (self._traded(own), *whole)

    def _weights(self, own: np.random.Generator) -> Floats:
        """Each interval's share of the part's variance: the hour's shape times a volatility that comes in clusters."""
        deviation, memory = CLUSTER
        left = memory ** (self.grain.seconds / 60)
        noise = own.standard_normal(self.count) * deviation * sqrt(1 - left * left)
        noise[:1] *= 1 / sqrt(1 - left * left)
        clusters = np.fromiter(accumulate(noise.tolist(), lambda level, new: left * level + new), float, self.count)
        weights = _VARIANCE[self.leg.part](self.at) * np.exp(2 * clusters)
        return np.asarray(weights / weights.sum())

    def _path(self, weights: Floats, shocks: Floats) -> Floats:
        """The log price at the end of each interval, from the part's beginning; the last is the planned move."""
        left = self.leg.memory ** (self.grain.seconds / 60)
        steps = shocks * self.leg.noise * np.sqrt(weights)
        noise = np.fromiter(accumulate(steps.tolist(), lambda level, step: left * level + step), float, self.count)
        clock = np.cumsum(weights)
        jumped = np.where(self.at >= self.leg.jump_at, self.leg.jump, 0.0)
        return np.asarray((self.leg.move - self.leg.jump) * clock + jumped + noise - clock * noise[-1])

    def _spreads(self, ends: Floats, own: np.random.Generator) -> Floats:
        usual = (
            self.profile.spread * 1e-4 * self.part.spread * self.plan.spread * ends * _SPREAD[self.leg.part](self.at)
        )
        return np.asarray(np.maximum(np.rint(usual * np.exp(0.3 * own.standard_normal(self.count))), 1))

    def _volumes(self, shocks: Floats, own: np.random.Generator) -> Floats:
        shape = _VOLUME[self.leg.part](self.at)
        total = self.profile.volume * self.plan.volume * self.part.volume / self.grain.quantity
        burst = BURSTS[self.group]
        busy = (0.6 + 0.5 * shocks) * np.exp(burst * own.standard_normal(self.count) - burst * burst / 2)
        return np.asarray(np.maximum(np.rint(total * shape / shape.sum() * busy), 1))

    def _sizes(self, own: np.random.Generator) -> Floats:
        lots = np.exp(0.8 * own.standard_normal(self.count))
        if self.group is AssetClass.EQUITY:
            return np.asarray(100 * np.maximum(np.rint(3 * lots), 1))
        return np.asarray(np.maximum(np.rint(self.profile.volume / 1440 * 0.1 / self.grain.quantity * lots), 1))

    def _traded(self, own: np.random.Generator) -> NDArray[np.bool_]:
        minute = np.clip(self.profile.presence * _PRESENCE[self.leg.part](self.at), 0.0, 1.0)
        return np.asarray(own.random(self.count) < 1 - (1 - minute) ** (self.grain.seconds / 60))
