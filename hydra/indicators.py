"""Indicators: closed bars in, one number out, or ``None`` where there are too few bars to say.

Thin functions over TA-Lib (numpy where it has none), for whoever thinks in prices: signals, sizes, trailing stops. Numbers are
floats, for statistics only; what is an actual price of the past (a channel's edge) stays the ``Decimal`` it was.

Bars are oldest first. Each function looks at as many of the last ones as its definition needs and no further, so a longer
window neither changes the answer nor makes it dearer. The one exception is ``atr``, whose smoothing never forgets entirely: see
there. What comes out as NaN or infinite is ``None``.

TA-Lib is imported on first use, and ``load`` is that first use for whoever may not be late. It wraps every function for pandas
where that can be imported, half a second at every start and more than the function itself at every call; it is not shown one.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from functools import cache
from math import isfinite, sqrt
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from hydra.model.market import Bar

    Floats = NDArray[np.float64]

T = TypeVar("T")
_KEPT_MOST = 512
"""More symbols than this nobody looks at in turn; beyond it what was kept is forgotten."""
_ATR_SETTLES_IN = 10
"""After so many lengths, what Wilder's average began with weighs less than a part in ten thousand."""


@cache
def load() -> tuple[Any, Any]:
    """TA-Lib and numpy, imported on the first call."""
    import numpy as np

    with _unseen("pandas"), _unseen("polars"):
        import talib

    return talib, np


@contextmanager
def _unseen(module: str) -> Iterator[None]:
    """``import module`` finds nothing meanwhile, unless it is imported already (``None`` in ``sys.modules`` says so)."""
    if module in sys.modules:
        yield
        return
    sys.modules[module] = None  # type: ignore[assignment]  # how the import system is told that there is none
    try:
        yield
    finally:
        del sys.modules[module]


def closes(bars: Sequence[Bar]) -> Floats:
    """The closing prices."""
    return floats(closing(bars))


def floats(values: Sequence[float]) -> Floats:
    """Numbers as an array."""
    _, np = load()
    return np.array(values, dtype=np.float64)  # type: ignore[no-any-return]  # an array


class Kept(Generic[T]):
    """What was made of a symbol's last ``length`` bars, for whoever looks at the next bar: the last of each symbol.

    It is given back for the very bars that it was made of and for no others, so nothing that is found here can be of another history.
    What is kept must not change any more.
    """

    __slots__ = ("_before", "_by_symbol", "_now")

    def __init__(self, length: int) -> None:
        self._before, self._now = slice(-length - 1, -1), slice(-length, None)
        self._by_symbol: dict[str, tuple[tuple[Bar, ...], T]] = {}

    def one_bar_ago(self, bars: Sequence[Bar]) -> T | None:
        """What was kept of the bars before the last one; ``None`` when that is not known."""
        known = self._by_symbol.get(bars[-1].symbol)
        # Bars that are the same objects are not compared any further, and nearly always they are.
        return None if known is None or known[0] != bars[self._before] else known[1]

    def keep(self, bars: Sequence[Bar], made: T) -> None:
        """Keep what was made of these bars, the last one included."""
        if len(self._by_symbol) >= _KEPT_MOST:
            self._by_symbol.clear()
        self._by_symbol[bars[-1].symbol] = (tuple(bars[self._now]), made)


_CLOSES: dict[tuple[str, int], tuple[tuple[Bar, ...], list[float]]] = {}


def closing(bars: Sequence[Bar]) -> list[float]:
    """The closing prices in a list, which is nobody's to change.

    The last window of each symbol and length is kept: the next one is usually the same, or one bar further.

    Which it is, the bars themselves say; where nobody made new ones of them, comparing is nothing beside making floats of decimals.
    """
    if not bars:
        return []
    bars = tuple(bars)
    key = (bars[-1].symbol, len(bars))
    known, values = _CLOSES.get(key, ((), []))
    if known == bars:
        return values
    if known and known[1:] == bars[:-1]:
        values = [*values[1:], float(bars[-1].close)]
    else:
        values = [float(bar.close) for bar in bars]
        if len(_CLOSES) >= _KEPT_MOST:
            _CLOSES.clear()
    _CLOSES[key] = (bars, values)
    return values


def sma(values: Floats, n: int) -> float | None:
    """The simple moving average: the mean of the last ``n`` values."""
    if not 1 <= n <= len(values):
        return None
    talib, _ = load()
    return _number(values[-1] if n == 1 else talib.SMA(values[-n:], timeperiod=n)[-1])


def donchian(bars: Sequence[Bar], n: int) -> tuple[Decimal, Decimal] | None:
    """The Donchian channel: lowest low and highest high of the ``n`` bars before the last one."""
    if not 1 <= n < len(bars):
        return None
    last = bars[-2]
    key = (last.symbol, n)
    known = _CHANNELS.get(key)
    low = high = None
    if known is not None and known[0] == bars[-n - 1 : -2]:
        # One bar further: an edge stays unless the bar that left may have been it, or the one that came lies beyond.
        _, left, lowest, highest = known
        low = last.low if last.low < lowest else lowest if left.low > lowest else None
        high = last.high if last.high > highest else highest if left.high < highest else None
    elif len(_CHANNELS) >= _KEPT_MOST:
        _CHANNELS.clear()
    if low is None:
        low = min([bar.low for bar in bars[-n - 1 : -1]])
    if high is None:
        high = max([bar.high for bar in bars[-n - 1 : -1]])
    _CHANNELS[key] = (tuple(bars[-n:-1]), bars[-n - 1], low, high)
    return low, high


_CHANNELS: dict[tuple[str, int], tuple[tuple[Bar, ...], Bar, Decimal, Decimal]] = {}
"""By symbol and length the last channel: its bars without the oldest, which the next one begins with, the oldest, and the edges."""


def rate_of_change(values: Floats, n: int) -> float | None:
    """The change against the value ``n`` values before the last one, as a fraction: 0.01 is one percent up."""
    if not 1 <= n < len(values):
        return None
    talib, _ = load()
    return _number(talib.ROCP(values[-n - 1 :], timeperiod=n)[-1])


def atr(bars: Sequence[Bar], n: int) -> float | None:
    """The average true range in dollars, as J. Welles Wilder defines it (New Concepts in Technical Trading Systems, 1978).

    The mean of the first ``n`` true ranges, then (n - 1) / n of the average plus 1 / n of each new one. A bar without one before
    it has its high less its low as its true range, so ``n`` bars are enough. The average begins at most ten lengths
    back: there is no end to what it remembers, and after those there is nothing to tell.
    """
    if not 1 <= n <= len(bars):
        return None
    talib, np = load()
    seen = bars[-_ATR_SETTLES_IN * n - 1 :]
    seen = (seen[0], *seen) if len(seen) == len(bars) else seen
    high, low, close = (
        np.array([float(price) for price in prices], dtype=np.float64)
        for prices in ([bar.high for bar in seen], [bar.low for bar in seen], [bar.close for bar in seen])
    )
    ranges = talib.TRANGE(high, low, close) if n == 1 else talib.ATR(high, low, close, timeperiod=n)
    return _number(ranges[-1])


def volatility(values: Floats, n: int, bars_a_year: float) -> float | None:
    """The annualised volatility as a fraction: sample deviation of the last ``n`` log returns, times the root of a year's bars.

    Hull, Options, Futures, and Other Derivatives, "Estimating volatility from historical data".
    """
    if not 2 <= n < len(values):
        return None
    _, np = load()
    tail = values[-n - 1 :]
    if not np.minimum.reduce(tail) > 0:
        return None
    returns = np.log(tail[1:] / tail[:-1])
    # What std(ddof=1) does, without what it asks before it does it: rows are short here, and there are many.
    off = returns - np.add.reduce(returns) / n
    return _number(sqrt(np.add.reduce(off * off) / (n - 1)) * sqrt(bars_a_year))


def vwap(bars: Sequence[Bar]) -> float | None:
    """The volume-weighted average of the typical prices, (high + low + close) / 3; ``None`` without any volume.

    The sums over the last bars of each symbol are kept: the next ones are usually the same, or have one more behind them.
    """
    if not bars:
        return None
    bars, symbol = tuple(bars), bars[-1].symbol
    known, volume, worth = _SUMS.get(symbol, ((), _NOTHING, _NOTHING))
    if known != bars:
        more = bars
        if known and known == bars[:-1]:
            more = bars[-1:]
        else:
            volume = worth = _NOTHING
            if len(_SUMS) >= _KEPT_MOST:
                _SUMS.clear()
        # One after the other, so that sums which went on are to the last digit those which begin anew.
        for bar in more:
            volume += bar.volume
            worth += (bar.high + bar.low + bar.close) * bar.volume
        _SUMS[symbol] = (bars, volume, worth)
    return _number(worth / volume / 3) if volume else None


_NOTHING = Decimal(0)
_SUMS: dict[str, tuple[tuple[Bar, ...], Decimal, Decimal]] = {}


def _number(value: Any) -> float | None:
    number = float(value)
    return number if isfinite(number) else None
