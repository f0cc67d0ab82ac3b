"""Which of five regimes a market is in, by rules that anybody can check by hand.

The first rule that holds decides; the thresholds are Wilder's and Bollinger's own, or round numbers beside them:

    VOLATILE    the average true range is half as much again as its own mean, and no trend carries it
    TREND_UP    ADX at least 25 and +DI above -DI
    TREND_DOWN  ADX at least 25 and -DI above +DI
    RANGING     no trend, and price keeps to its band: ATR not above its mean, RSI 40 to 60 or bands narrower than usual,
                and the close within two deviations
    CHOPPY      whatever is left: no trend, no calm

Readings that are not known decide nothing: without ADX the regime is CHOPPY, of which no gladiator makes much.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

TREND_ADX = 25.0
"""Wilder: above 25 there is a trend worth following."""
STRONG_ADX = 40.0
STORM_ATR = 1.5
CALM_ATR = 1.0
BAND_Z = 2.0


class Regime(StrEnum):
    """What kind of market it is."""

    TREND_UP = "trend_up"
    TREND_DOWN = "trend_down"
    RANGING = "ranging"
    VOLATILE = "volatile"
    CHOPPY = "choppy"


def regime_of(readings: Mapping[str, float | None]) -> Regime:
    """The regime that a brief's readings (``hydra.gladiators.readings``) speak of."""
    adx, plus, minus = readings.get("adx_14"), readings.get("plus_di_14"), readings.get("minus_di_14")
    storm = readings.get("atr_ratio")
    if adx is None or plus is None or minus is None or storm is None:
        return Regime.CHOPPY
    if storm >= STORM_ATR and adx < STRONG_ADX:
        return Regime.VOLATILE
    if adx >= TREND_ADX and plus != minus:
        return Regime.TREND_UP if plus > minus else Regime.TREND_DOWN
    return Regime.RANGING if storm <= CALM_ATR and _keeps_to_its_band(readings) else Regime.CHOPPY


def _keeps_to_its_band(readings: Mapping[str, float | None]) -> bool:
    rsi, z, width = readings.get("rsi_14"), readings.get("z_20"), readings.get("bollinger_width_ratio")
    if rsi is None or z is None or width is None:
        return False
    return abs(z) <= BAND_Z and (40 <= rsi <= 60 or width <= 1)
