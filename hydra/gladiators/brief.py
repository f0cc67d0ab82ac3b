"""The brief: all that a gladiator is shown, the same for every one of them, byte for byte.

It holds closed candles, indicators and the regime, and nothing that leans: no position, no profit, no earlier vote, no words
about where the market should go. It holds no time of day but the candles' own, and no run, so the same market makes the same
brief, and its hash names everything that was recorded about it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property
from itertools import pairwise
from typing import Any

import msgspec

from hydra.gladiators.readings import readings_of
from hydra.gladiators.regime import Regime, regime_of
from hydra.gladiators.text import is_harmless
from hydra.model.errors import Invalid
from hydra.model.market import Bar
from hydra.model.money import plain
from hydra.model.values import Value, aware_utc, named

HEADLINE_MAX = 500
VERSION = 1
"""Of the canonical form: another form makes other hashes."""


class Candle(Value, frozen=True, kw_only=True):
    """One closed candle. ``at`` is its opening time, as a bar's."""

    at: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal


class Brief(Value, frozen=True, kw_only=True, dict=True, gc=True):
    """What is asked about. ``at`` is the close of the last candle; ``granularity`` is in seconds."""

    asset: str
    at: datetime
    granularity: int
    candles: tuple[Candle, ...]
    """Oldest first, without a gap that anybody knows of."""
    indicators: Mapping[str, float | None]
    regime: Regime
    horizon: int = 5
    """The question: will the close so many candles ahead be above the next candle's open? Equal is not up."""
    headline: str = ""
    """Words from outside, shown as what they are; empty but in the control that injects one."""

    def __post_init__(self) -> None:
        named("brief.asset", self.asset)
        aware_utc("brief.at", self.at)
        if not self.candles or self.granularity <= 0:
            raise Invalid(f"a brief has candles of a length, got {len(self.candles)} of {self.granularity} s")
        if self.horizon < 1:
            raise Invalid(f"brief.horizon must be at least 1 candle, got {self.horizon}")
        closed = self.candles[-1].at + timedelta(seconds=self.granularity)
        if closed != self.at:
            raise Invalid(f"brief.at is the last candle's close, {closed.isoformat()}, got {self.at.isoformat()}")
        if "://" in self.headline or not is_harmless(self.headline, HEADLINE_MAX):
            raise Invalid("brief.headline is one line of visible characters, without an address")

    def canonical(self) -> bytes:
        """The one spelling of this brief: JSON, keys in order, numbers as a person writes them."""
        return self._canonical

    @property
    def hash(self) -> str:
        """SHA-256 of the canonical bytes, in hexadecimal."""
        return self._hash

    @cached_property
    def _canonical(self) -> bytes:
        document: dict[str, Any] = {
            "v": VERSION,
            "asset": self.asset,
            "at": _stamp(self.at),
            "granularity_seconds": self.granularity,
            "horizon_candles": self.horizon,
            "columns": ["ago", "open", "high", "low", "close", "volume"],
            "candles": [
                [self._ago(c.at), *[plain(number) for number in (c.open, c.high, c.low, c.close, c.volume)]]
                for c in self.candles
            ],
            "indicators": {name: self.indicators[name] for name in sorted(self.indicators)},
            "regime": self.regime.value,
        }
        if self.headline:
            document["headline"] = self.headline
        return msgspec.json.encode(document)

    @cached_property
    def _hash(self) -> str:
        return hashlib.sha256(self._canonical).hexdigest()

    def _ago(self, opened_at: datetime) -> int:
        """How many candles ago one opened: 1 is the last. Shorter than a time, and the same on any day."""
        ago, rest = divmod(self.at - opened_at, timedelta(seconds=self.granularity))
        if rest:
            raise Invalid(
                f"a candle at {opened_at.isoformat()} is not a whole number of candles before {self.at.isoformat()}"
            )
        return ago

    @property
    def close(self) -> Decimal:
        """The last close."""
        return self.candles[-1].close


def brief_of(asset: str, candles: Sequence[Bar], granularity: int, horizon: int = 5) -> Brief:
    """The brief of closed candles, oldest first, about the close ``horizon`` candles ahead.

    Raises ``Invalid`` for no candles at all, for another symbol's or length's, and for ones that are out of order.
    """
    if not candles:
        raise Invalid(f"no candles of {asset}: a brief has at least one")
    for bar in candles:
        if bar.symbol != asset or bar.seconds != granularity:
            raise Invalid(
                f"a brief of {asset} by {granularity} s cannot hold a candle of {bar.symbol} by {bar.seconds} s"
            )
    for before, after in pairwise(candles):
        if after.at <= before.at:
            raise Invalid(f"candles of {asset} are out of order: {before.at.isoformat()}, then {after.at.isoformat()}")
    readings = readings_of(candles)
    return Brief(
        asset=asset,
        at=candles[-1].closes_at,
        granularity=granularity,
        candles=tuple(
            Candle(at=b.at, open=b.open, high=b.high, low=b.low, close=b.close, volume=b.volume) for b in candles
        ),
        indicators=readings,
        regime=regime_of(readings),
        horizon=horizon,
    )


def _stamp(at: datetime) -> str:
    """Seconds are enough for candles: fractions would be another spelling of the same time."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
