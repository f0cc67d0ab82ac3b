"""Signals over a whole history at once: at which bars one may speak.

Each marks every bar at which its signal answers +1 or -1, and a few more: sums over a million floats differ in their last digits from
sums over fifty, so what is close is marked, and the signal itself decides when it is asked there. Nothing looks ahead: what is
marked at a bar depends on it and on those before it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hydra import indicators
from hydra.model.rows import Rows, Turns

if TYPE_CHECKING:
    from hydra.model.rows import Flags, Floats

_NEAR = 1e-9
"""Fractions closer than this are not told apart here."""
_PIECE = 1 << 16
"""Bars that are summed in one go: what it takes in passing is large numbers, and of a long history many."""


def crossing(rows: Rows, fast: int, slow: int, same: float) -> Turns:
    """Simple moving averages cross. ``same``: below this fraction their difference counts as none."""
    _, np = indicators.load()
    if len(rows.close) <= slow:
        return _never(rows)
    quick, calm = _average(rows.close, fast), _average(rows.close, slow)
    gap, zone = quick - calm, np.abs(calm) * (same + _NEAR)
    return _turning(gap, zone)


def leaving(rows: Rows, lookback: int) -> Turns:
    """The close leaves the range of the ``lookback`` bars before it."""
    talib, np = indicators.load()
    if len(rows.close) <= lookback:
        return _never(rows)
    up, down = np.zeros(len(rows.close), dtype=bool), np.zeros(len(rows.close), dtype=bool)
    highest, lowest = talib.MAX(rows.high, timeperiod=lookback), talib.MIN(rows.low, timeperiod=lookback)
    up[lookback:] = rows.close[lookback:] >= highest[lookback - 1 : -1]
    down[lookback:] = rows.close[lookback:] <= lowest[lookback - 1 : -1]
    return Turns(up, down)


def moving(rows: Rows, lookback: int, window: int, threshold: float) -> Turns:
    """The move of ``lookback`` bars exceeds ``threshold`` times the usual deviation of the ``window`` bars before it."""
    _, np = indicators.load()
    needed = lookback + window + 2
    if len(rows.close) < needed:
        return _never(rows)
    returns = np.diff(np.log(rows.close))
    # Deviations are sums of squares less a square: taken from the mean of all, what is lost to rounding is little.
    off = returns - returns.mean()
    mean, square = _average(off, window), _average(off * off, window)
    usual = np.sqrt(np.maximum(square - mean * mean, 0.0) * window / (window - 1))
    beyond = np.full(len(rows.close), np.nan)
    # At bar i the move is that of the last ``lookback`` returns, and the window ends before it.
    moves = np.log(rows.close[lookback:] / rows.close[:-lookback])
    before = np.concatenate((np.full(1, np.nan), usual))[: len(moves)]
    least = 1e-7 * float(np.max(np.abs(off), initial=0.0)) + 1e-13
    with np.errstate(divide="ignore", invalid="ignore"):
        beyond[lookback:] = moves / (before * np.sqrt(lookback))
    doubtful = np.zeros(len(rows.close), dtype=bool)
    doubtful[lookback:] = ~(before > least) & ~np.isnan(before)
    turns = _turning(beyond - threshold, 1e-6 * threshold, beyond + threshold)
    near = doubtful | _later(doubtful)
    return Turns(turns.up | near, turns.down | near)


def _turning(over: Floats, zone: Floats | float, under: Floats | None = None) -> Turns:
    """Where a number goes above zero, or below it; ``under``: another number for the way down. What lies within ``zone`` may be either."""
    _, np = indicators.load()
    below = over if under is None else under
    up, down = np.zeros(len(over), dtype=bool), np.zeros(len(over), dtype=bool)
    wide = zone if isinstance(zone, float) else zone[1:]
    past = zone if isinstance(zone, float) else zone[:-1]
    with np.errstate(invalid="ignore"):
        up[1:] = (over[:-1] <= past) & (over[1:] >= -wide)
        down[1:] = (below[:-1] >= -past) & (below[1:] <= wide)
    return Turns(up, down)


def _average(values: Floats, n: int) -> Floats:
    """The mean of the last ``n`` values at each; not a number where there are fewer."""
    _, np = indicators.load()
    found = np.full(len(values), np.nan)
    for first in range(n - 1, len(values), _PIECE):
        piece = values[first - n + 1 : first + _PIECE]
        total = np.concatenate((np.zeros(1, dtype=np.longdouble), np.cumsum(piece, dtype=np.longdouble)))
        found[first : first + _PIECE] = (total[n:] - total[:-n]) / n
    return found  # type: ignore[no-any-return]  # an array


def _later(flags: Flags) -> Flags:
    _, np = indicators.load()
    return np.concatenate((np.zeros(1, dtype=bool), flags[:-1]))  # type: ignore[no-any-return]  # an array


def _never(rows: Rows) -> Turns:
    _, np = indicators.load()
    none = np.zeros(len(rows.close), dtype=bool)
    return Turns(none, none)
