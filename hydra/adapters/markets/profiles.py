"""What the synthetic market is made of: each symbol's character, and the tables of its model.

The figures are round ones near what these symbols showed in the early 2020s; they are a stage, not a forecast. A symbol
that is in no table gets a character from a hash of its name, the same everywhere.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

import numpy as np

from hydra.model.market import AssetClass, asset_class_of

MODEL = "1"
"""Changes when the same seed would play another history."""


class Profile(NamedTuple):
    """One symbol. ``volume`` in its own units a day, ``spread`` in basis points of the price in regular hours.

    ``presence`` is the share of one-minute intervals with a trade: outside regular hours (equities), always (crypto).
    """

    price: float
    volatility: float
    volume: float
    spread: float
    presence: float


PROFILES = {
    #                price  vol/yr  volume/day  bp    presence
    "SPY": Profile(560.0, 0.15, 60e6, 0.15, 0.70),
    "QQQ": Profile(480.0, 0.19, 40e6, 0.2, 0.65),
    "IWM": Profile(220.0, 0.21, 30e6, 0.4, 0.40),
    "AAPL": Profile(225.0, 0.26, 50e6, 0.5, 0.70),
    "MSFT": Profile(420.0, 0.24, 20e6, 0.7, 0.45),
    "NVDA": Profile(125.0, 0.48, 250e6, 0.8, 0.90),
    "TSLA": Profile(250.0, 0.58, 90e6, 1.0, 0.85),
    "BTC-USD": Profile(65_000.0, 0.55, 12e3, 0.2, 0.995),
    "ETH-USD": Profile(3_000.0, 0.70, 120e3, 0.5, 0.99),
    "SOL-USD": Profile(150.0, 0.95, 1.5e6, 1.5, 0.97),
}


class Regime(NamedTuple):
    """How a market behaves for some days: factors on volatility, volume and spread, and where it may turn next."""

    name: str
    volatility: float
    volume: float
    spread: float
    next: tuple[float, float, float]


REGIMES = (
    #       name     volatility  volume  spread  probability of calm, normal, stormy the next day
    Regime("calm", 0.65, 0.85, 1.0, (0.93, 0.06, 0.01)),
    Regime("normal", 1.0, 1.0, 1.0, (0.05, 0.91, 0.04)),
    Regime("stormy", 1.8, 1.6, 1.8, (0.00, 0.15, 0.85)),
)
REGIME_FIRST = 1


class Character(NamedTuple):
    """A kind of day. ``drift`` and ``spread_of_drift`` make the day's move in standard deviations, signed by chance.

    ``noise`` scales what happens besides the move; ``memory`` is how much of a deviation is left a minute later.
    """

    name: str
    probability: float
    drift: float
    spread_of_drift: float
    noise: float
    memory: float


CHARACTERS = (
    #          name   probability  drift  spread  noise  memory
    Character("trend", 0.25, 1.1, 0.5, 0.70, 1.0),
    Character("range", 0.30, 0.0, 0.35, 1.00, 0.975),
    Character("plain", 0.45, 0.0, 1.0, 0.95, 1.0),
)


class Part(NamedTuple):
    """A part of a day: its share of the day's variance and volume, and factors on spread and on a bar's range."""

    variance: float
    volume: float
    spread: float
    reach: float


PARTS = {
    #                 variance  volume  spread  reach
    "pre": Part(0.08, 0.02, 3.5, 0.45),
    "regular": Part(0.72, 0.90, 1.0, 0.85),
    "post": Part(0.04, 0.08, 4.0, 0.45),
    "continuous": Part(1.00, 1.00, 1.0, 0.85),
}
GAP_VARIANCE = 0.16
"""The overnight gap's share of an exchange day's variance; heavy-tailed (Student, 4 degrees of freedom)."""
PULL = 0.004
"""Share of the log distance to the base price that a day's move takes back: prices wander, they do not run away."""
COMMON = {AssetClass.EQUITY: 0.7, AssetClass.CRYPTO: 0.75}
"""Correlation of a symbol's chance with that of its class."""
JUMPS = {AssetClass.EQUITY: 0.05, AssetClass.CRYPTO: 0.12}
"""Probability of a jump within a day; its size is 0.4 standard deviations of a day and half as much again by chance."""
WEEKEND = (0.8, 0.65)
"""Factors on volatility and volume on Saturdays and Sundays, where those are traded."""
BURSTS = {AssetClass.EQUITY: 0.6, AssetClass.CRYPTO: 0.9}
"""Log standard deviation of an interval's volume around its usual one."""
CLUSTER = (0.35, 0.97)
"""Log standard deviation of a minute's own volatility, and how much of it is left a minute later."""


def profile(symbol: str) -> Profile:
    """The character of an equity or a pair."""
    found = PROFILES.get(symbol)
    if found is not None:
        return found
    first, second, third, fourth, fifth = chance("profile", symbol).random(5)
    if asset_class_of(symbol) is AssetClass.CRYPTO:
        price = 5 * 60**first
        return Profile(price, 0.8 + 0.5 * second, 20e6 / price * (0.5 + third), 4 + 6 * fourth, 0.75 + 0.2 * fifth)
    return Profile(15 * 25**first, 0.2 + 0.4 * second, 5e5 * 30**third, 1.5 + 5 * fourth, 0.08 + 0.3 * fifth)


def chance(*parts: object) -> np.random.Generator:
    """A generator of its own for these parts, the same in every process."""
    digest = hashlib.sha256("|".join((MODEL, *map(str, parts))).encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], "big")))
