"""Signals by name: closed bars in, a direction out. Each is a few lines, and knows nothing of money.

A signal answers +1 (go long), -1 (get out) or 0 (nothing new), from the closing prices alone. ``warm_up`` is how many bars
it needs to say anything; with fewer it says 0. Parameters are checked when the signal is made, by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from hydra.model.errors import BadConfig
from hydra.model.market import Bar

Parameters: TypeAlias = Mapping[str, int | float | str | bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """A direction from closed bars, oldest first, and how many of them it needs."""

    warm_up: int
    direction: Callable[[Sequence[Bar]], int]


def sma_cross(parameters: Parameters) -> Signal:
    """Simple moving averages of ``fast`` and ``slow`` closes cross: up +1, down -1."""
    fast, slow = _whole(parameters, "fast", 1, 2000), _whole(parameters, "slow", 2, 4000)
    _only(parameters, "fast", "slow")
    if fast >= slow:
        raise BadConfig(f"sma_cross: fast must be below slow, got fast {fast}, slow {slow}")

    def direction(bars: Sequence[Bar]) -> int:
        if len(bars) < slow + 1:
            return 0
        closes = [float(bar.close) for bar in bars[-(slow + 1) :]]
        before = sum(closes[-fast - 1 : -1]) / fast - sum(closes[:-1]) / slow
        now = sum(closes[-fast:]) / fast - sum(closes[1:]) / slow
        return (before <= 0 < now) - (before >= 0 > now)

    return Signal(warm_up=slow + 1, direction=direction)


def breakout(parameters: Parameters) -> Signal:
    """The close leaves the range of the ``lookback`` bars before it (Donchian channel): above +1, below -1."""
    lookback = _whole(parameters, "lookback", 2, 4000)
    _only(parameters, "lookback")

    def direction(bars: Sequence[Bar]) -> int:
        if len(bars) < lookback + 1:
            return 0
        channel, close = bars[-(lookback + 1) : -1], bars[-1].close
        return (close > max([bar.high for bar in channel])) - (close < min([bar.low for bar in channel]))

    return Signal(warm_up=lookback + 1, direction=direction)


def _whole(parameters: Parameters, name: str, least: int, most: int) -> int:
    value = parameters.get(name)
    if type(value) is not int or not least <= value <= most:
        raise BadConfig(f"parameter {name} must be a whole number from {least} to {most}, got {value!r}")
    return value


def _only(parameters: Parameters, *names: str) -> None:
    unknown = sorted(set(parameters) - set(names))
    if unknown:
        raise BadConfig(f"unknown parameter {', '.join(unknown)}; accepted: {', '.join(names)}")
