"""The indicators of a brief: closed candles in, named numbers out; None where there are too few candles to say.

TA-Lib does the work: Wilder's ADX, DI, ATR and RSI with his own smoothing, Bollinger's bands over the population's deviation.
Prices are floats here, for statistics only. Every number is rounded to ten significant digits, so that the last bits of a
processor's arithmetic do not make two briefs of one market. A ratio compares like with like in the asset's currency, so a market
turned upside down has the same. A market that never moved has no RSI: TA-Lib would say 0, which is panic.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import TYPE_CHECKING, Any

from hydra import indicators
from hydra.model.market import Bar

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

LENGTH = 14
"""Wilder's own length for ADX, ATR and RSI."""
BAND = 20
"""Bollinger's own length, with two deviations."""
MEMORY = 100
"""Over how many candles *usual* is measured: the mean of ATR and of the bands' width."""
DIGITS = 10


def readings_of(bars: Sequence[Bar]) -> dict[str, float | None]:
    """Every indicator by name. Fractions are fractions (0.01 is one percent), prices are in the asset's currency."""
    talib, np = indicators.load()
    columns = [
        [float(price) for price in prices] for prices in zip(*[(b.high, b.low, b.close) for b in bars], strict=True)
    ]
    high, low, close = (np.array(column, dtype=np.float64) for column in columns or [[], [], []])
    found: dict[str, float | None] = {}
    atr = _atr(talib, np, high, low, close)
    width = _bands(talib, np, close, found)
    for name, function in (("adx_14", talib.ADX), ("plus_di_14", talib.PLUS_DI), ("minus_di_14", talib.MINUS_DI)):
        found[name] = _last(function(high, low, close, timeperiod=LENGTH)) if len(close) > LENGTH else None
    moved = len(close) > LENGTH and float(np.ptp(close)) > 0
    found["rsi_14"] = _last(talib.RSI(close, timeperiod=LENGTH)) if moved else None
    found["atr_14"] = _last(atr)
    found["atr_ratio"] = _against_its_mean(np, atr)
    found["bollinger_width_ratio"] = _against_its_mean(np, width)
    for n in (20, 50):
        found[f"sma_{n}"] = _last(talib.SMA(close, timeperiod=n)) if len(close) >= n else None
    for n in (12, 26):
        found[f"ema_{n}"] = _last(talib.EMA(close, timeperiod=n)) if len(close) >= n else None
    for n in (1, 10, 60):
        found[f"change_{n}"] = _last(talib.ROCP(close, timeperiod=n)) if len(close) > n else None
    found["highest_20"] = _rounded(float(np.max(high[-BAND - 1 : -1]))) if len(high) > BAND else None
    found["lowest_20"] = _rounded(float(np.min(low[-BAND - 1 : -1]))) if len(low) > BAND else None
    return dict(sorted(found.items()))


def _atr(talib: Any, np: Any, high: Floats, low: Floats, close: Floats) -> Floats:
    """Wilder's average true range; the first candle's true range is its high less its low, as in his own table."""
    if len(close) < LENGTH:
        return np.array([], dtype=np.float64)  # type: ignore[no-any-return]  # an array
    first = (np.concatenate((column[:1], column)) for column in (high, low, close))
    return talib.ATR(*first, timeperiod=LENGTH)[1:]  # type: ignore[no-any-return]  # an array


def _bands(talib: Any, np: Any, close: Floats, found: dict[str, float | None]) -> Floats:
    """The bands' last values and z-score into ``found``; back comes their width, in the asset's currency."""
    names = ("bollinger_upper", "bollinger_middle", "bollinger_lower", "bollinger_width", "z_20")
    found |= dict.fromkeys(names)
    if len(close) < BAND:
        return np.array([], dtype=np.float64)  # type: ignore[no-any-return]  # an array
    upper, middle, lower = talib.BBANDS(close, timeperiod=BAND, nbdevup=2.0, nbdevdn=2.0)
    width = upper - lower
    found["bollinger_upper"], found["bollinger_middle"], found["bollinger_lower"] = map(_last, (upper, middle, lower))
    found["bollinger_width"] = _last(width / middle)
    deviation = (upper[-1] - lower[-1]) / 4
    found["z_20"] = _rounded(float((close[-1] - middle[-1]) / deviation)) if deviation > 0 else None
    return width  # type: ignore[no-any-return]  # an array


def _against_its_mean(np: Any, values: Floats) -> float | None:
    """The last value over the mean of the last ``MEMORY``; None when there are fewer, or when there is nothing to measure by."""
    known = values[np.isfinite(values)] if len(values) else values
    if len(known) < MEMORY:
        return None
    mean = float(np.mean(known[-MEMORY:]))
    return _rounded(float(known[-1]) / mean) if mean > 0 else None


def _last(values: Floats) -> float | None:
    return _rounded(float(values[-1])) if len(values) else None


def _rounded(number: float) -> float | None:
    return float(f"{number:.{DIGITS}g}") if isfinite(number) else None
