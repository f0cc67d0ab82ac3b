"""Four gladiators that follow rules, need no key and no network, and say so in their engine: ``local:trend`` and its like.

Each turns a brief's readings into a lean from -1 (down) to 1 (up), and the lean into a vote. Every rule for BUY is the mirror of one
for SELL: distances are in average true ranges, never in fractions of a price, so a market turned upside down turns the votes. They
are modest: nobody has shown that such rules beat a coin by much, so ``p_up`` stays within twelve hundredths of one half.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from hydra.gladiators.brief import Brief
from hydra.gladiators.regime import Regime
from hydra.gladiators.votes import Choice, Vote, Why, abstain

EDGE = 0.12
"""How far from one half the surest of them goes."""
TAKES_SIDES = 0.25
"""A lean this strong is a direction; below it is HOLD."""


class Lean(NamedTuple):
    """Which way, how strongly, and in one sentence why."""

    to: float
    because: str


class Unknown(Exception):
    """A reading that a rule needs is not known; the message is its name."""


class Readings:
    """A brief's readings, where asking for one that is not known ends the rule."""

    def __init__(self, brief: Brief) -> None:
        self._known = brief.indicators
        self.close = float(brief.close)
        self.regime = brief.regime

    def __getitem__(self, name: str) -> float:
        value = self._known.get(name)
        if value is None:
            raise Unknown(name)
        return value


Rule: TypeAlias = Callable[[Readings], Lean]


def trend(seen: Readings) -> Lean:
    """With the trend, where there is one: averages apart by what a candle moves, and Wilder's index above 20."""
    atr = _above_zero(seen, "atr_14")
    apart = (seen["ema_12"] - seen["ema_26"]) / atr
    pull = seen["plus_di_14"] - seen["minus_di_14"]
    strength = _clipped((seen["adx_14"] - 20) / 20, 0, 1)
    agrees = apart * pull > 0
    return Lean(
        _clipped(apart, -1, 1) * strength if agrees else 0.0,
        f"EMA 12 is {apart:+.2f} ATR from EMA 26, +DI less -DI is {pull:+.1f}, ADX {seen['adx_14']:.1f}",
    )


def mean_reversion(seen: Readings) -> Lean:
    """Against a stretch: two deviations from the mean and an RSI to match, while no strong trend carries it."""
    z, rsi, adx = seen["z_20"], seen["rsi_14"], seen["adx_14"]
    stretched = -_clipped((abs(z) - 1) / 1.5, 0, 1) * (1 if z > 0 else -1)
    tired = (50 - rsi) / 25
    held = _clipped((40 - adx) / 20, 0, 1)
    agrees = stretched * tired > 0
    return Lean(
        _clipped((stretched + _clipped(tired, -1, 1)) / 2, -1, 1) * held if agrees else 0.0,
        f"z-score {z:+.2f}, RSI {rsi:.1f}, ADX {adx:.1f}",
    )


def breakout(seen: Readings) -> Lean:
    """Out of the channel of twenty candles, while ranges widen."""
    atr = _above_zero(seen, "atr_14")
    above, below = (seen.close - seen["highest_20"]) / atr, (seen["lowest_20"] - seen.close) / atr
    widening = _clipped(seen["atr_ratio"] - 0.5, 0, 1)
    out = above if above > 0 else -below if below > 0 else 0.0
    return Lean(
        _clipped(out * 2, -1, 1) * widening,
        f"close is {above:+.2f} ATR from the channel's top and {-below:+.2f} from its bottom, ATR {seen['atr_ratio']:.2f} of its mean",
    )


_TRUST: Mapping[Regime, tuple[float, float, float]] = MappingProxyType(
    {
        # how much trend, mean reversion and breakout count in each regime
        Regime.TREND_UP: (0.6, 0.1, 0.3),
        Regime.TREND_DOWN: (0.6, 0.1, 0.3),
        Regime.RANGING: (0.1, 0.7, 0.2),
        Regime.VOLATILE: (0.2, 0.2, 0.4),
        Regime.CHOPPY: (0.1, 0.4, 0.1),
    }
)


def synthesis(seen: Readings) -> Lean:
    """The other three, trusted by regime, and less the wilder the market is."""
    leans = [rule(seen).to for rule in (trend, mean_reversion, breakout)]
    calm = _clipped(1.5 / max(seen["atr_ratio"], 1e-9), 0, 1)
    together = sum(weight * lean for weight, lean in zip(_TRUST[seen.regime], leans, strict=True)) * calm
    shown = ", ".join(
        f"{name} {lean:+.2f}" for name, lean in zip(("trend", "reversion", "breakout"), leans, strict=True)
    )
    return Lean(_clipped(together * 1.5, -1, 1), f"{seen.regime.value}: {shown}; calm {calm:.2f}")


RULES: Mapping[str, Rule] = MappingProxyType(
    {"trend": trend, "mean_reversion": mean_reversion, "breakout": breakout, "synthesis": synthesis}
)
"""The local gladiators by name, in the order of the seats they take when there is no key."""


class LocalGladiator:
    """A rule in a seat. Pure: the same brief, the same vote, in no time at all (it says 0 ms, so records stay the same)."""

    def __init__(self, seat: str, name: str) -> None:
        self.seat = seat
        self.engine = f"local:{name}"
        self._rule = RULES[name]

    def vote(self, brief: Brief, deadline: float) -> Vote:
        """Its vote; ABSTAIN, naming the reading, when one it needs is not known."""
        del deadline
        try:
            lean = self._rule(Readings(brief))
        except Unknown as error:
            candles = f"{len(brief.candles)} candles"
            return abstain(
                self.seat, Why.DATA, f"{error} is not known from {candles}", engine=self.engine, brief=brief.hash
            )
        choice = Choice.HOLD
        if abs(lean.to) >= TAKES_SIDES:
            choice = Choice.BUY if lean.to > 0 else Choice.SELL
        strength = abs(lean.to)
        return Vote(
            seat=self.seat,
            vote=choice,
            confidence=round(strength if choice is not Choice.HOLD else 1 - strength / TAKES_SIDES, 4),
            p_up=round(0.5 + EDGE * lean.to, 4),
            reasoning=lean.because,
            engine=self.engine,
            brief=brief.hash,
        )


def _above_zero(seen: Readings, name: str) -> float:
    """A reading to divide by: a market that does not move measures nothing."""
    value = seen[name]
    if not value > 0:
        raise Unknown(f"{name} above 0")
    return value


def _clipped(number: float, low: float, high: float) -> float:
    return min(max(number, low), high)
