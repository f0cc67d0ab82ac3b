"""Indicators against published worked examples, and against their definitions written out in plain Python.

The figures come from: StockCharts ChartSchool, "Moving Averages" (cs-movavg), "Rate of Change (ROC)", "Average True Range (ATR)"
(cs-atr, QQQ, after J. Welles Wilder, New Concepts in Technical Trading Systems, 1978) and "Volume-Weighted Average Price" (IBM,
one-minute bars), and J. C. Hull, Options, Futures, and Other Derivatives, chapter "The Black-Scholes-Merton Model" (the
table of 21 daily prices, and the exercise on 15 weekly ones).
"""

from __future__ import annotations

import math
import statistics
import subprocess
import sys
from datetime import timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra import indicators
from hydra.model.market import Bar
from hydra.model.values import replace
from tests.fakes.outside import OPEN

D = Decimal

SMA_CLOSES = """22.27 22.19 22.08 22.17 22.18 22.13 22.23 22.43 22.24 22.29 22.15 22.39 22.38 22.61 23.36 24.05 23.75 23.83
    23.95 23.63 23.82 23.87 23.65 23.19 23.10 23.33 22.68 23.10 22.40 22.17"""
SMA_10 = """22.22 22.21 22.23 22.26 22.31 22.42 22.61 22.77 22.91 23.08 23.21 23.38 23.53 23.65 23.71 23.69 23.61 23.51 23.43
    23.28 23.13"""

ROC_CLOSES = """11045.27 11167.32 11008.61 11151.83 10926.77 10868.12 10520.32 10380.43 10785.14 10748.26 10896.91 10782.95
    10620.16 10625.83 10510.95 10444.37 10068.01 10193.39 10066.57 10043.75"""
ROC_12 = "-3.85 -4.85 -4.52 -6.34 -7.86 -6.21 -4.31 -3.24"

ATR_HIGHS = """48.70 48.72 48.90 48.87 48.82 49.05 49.20 49.35 49.92 50.19 50.12 49.66 49.88 50.19 50.36 50.57 50.65 50.43
    49.63 50.33 50.29 50.17 49.32 48.50 48.32 46.80 47.80 48.39 48.66 48.79"""
ATR_LOWS = """47.79 48.14 48.39 48.37 48.24 48.64 48.94 48.86 49.50 49.87 49.20 48.90 49.43 49.73 49.26 50.09 50.30 49.21
    48.98 49.61 49.20 49.43 48.08 47.64 41.55 44.28 47.31 47.20 47.90 47.73"""
ATR_CLOSES = """48.16 48.61 48.75 48.63 48.74 49.03 49.07 49.32 49.91 50.13 49.53 49.50 49.75 50.03 50.31 50.52 50.41 49.34
    49.37 50.23 49.24 49.93 48.43 48.18 46.57 45.41 47.77 47.72 48.62 47.85"""
ATR_14 = "0.56 0.59 0.59 0.57 0.62 0.62 0.64 0.67 0.69 0.78 0.78 1.21 1.30 1.38 1.37 1.34 1.32"

HULL_DAILY = """20.00 20.10 19.90 20.00 20.50 20.25 20.90 20.90 20.90 20.75 20.75 21.00 21.10 20.90 20.90 21.25 21.40 21.40
    21.25 21.75 22.00"""
HULL_WEEKLY = "30.2 32.0 31.1 30.1 30.2 30.3 30.6 33.0 32.9 33.0 33.5 33.5 33.7 33.5 33.2"

IBM = """127.36 126.99 127.28 89329  127.31 127.10 127.11 16137  127.21 127.11 127.15 23945  127.15 126.93 127.04 20679
    127.08 126.98 126.98 27252  127.19 126.99 127.07 20915  127.09 126.82 126.93 17372  127.08 126.95 127.05 17600
    127.18 127.05 127.11 13896  127.16 127.05 127.15 6700  127.31 127.08 127.30 13848  127.35 127.20 127.28 9925
    127.34 127.25 127.28 5540  127.29 127.17 127.29 10803  127.36 127.25 127.25 19400  127.30 127.19 127.22 9322
    127.24 127.11 127.19 9982  127.23 127.17 127.20 8723  127.25 127.10 127.10 7735  127.13 127.05 127.06 30330
    127.09 127.04 127.06 8486  127.09 127.04 127.07 9885  127.09 127.05 127.09 10728  127.14 127.07 127.14 10796
    127.14 127.07 127.13 21740  127.12 126.90 126.90 43638  126.92 126.87 126.89 8000  126.90 126.84 126.84 10340
    126.94 126.84 126.94 10515  126.95 126.69 126.69 26587"""
IBM_VWAP = """127.2100 127.2044 127.1956 127.1741 127.1494 127.1424 127.1267 127.1191 127.1188 127.1188 127.1246 127.1300
    127.1332 127.1374 127.1467 127.1493 127.1502 127.1515 127.1514 127.1457 127.1439 127.1420 127.1403 127.1397 127.1384
    127.1235 127.1198 127.1145 127.1102 127.0938"""


def numbers(text: str) -> list[float]:
    return [float(word) for word in text.split()]


def array(text: str) -> Any:
    return np.array(numbers(text))


def made(high: Any, low: Any, close: Any, volume: Any = 1, *, minute: int = 0) -> Bar:
    high, low, close = (D(str(price)) for price in (high, low, close))
    return Bar(
        symbol="SPY",
        at=OPEN + timedelta(minutes=minute),
        seconds=60,
        open=close,
        high=high,
        low=low,
        close=close,
        volume=D(str(volume)),
    )


def bars_of(highs: list, lows: list, closes: list) -> tuple[Bar, ...]:
    return tuple(made(*prices, minute=n) for n, prices in enumerate(zip(highs, lows, closes, strict=True)))


ATR_BARS = bars_of(ATR_HIGHS.split(), ATR_LOWS.split(), ATR_CLOSES.split())


# -- published examples


def test_the_moving_average_is_the_published_one() -> None:
    values, published = array(SMA_CLOSES), numbers(SMA_10)
    ours = [indicators.sma(values[:end], 10) for end in range(10, len(values) + 1)]
    assert ours == pytest.approx(published, abs=0.0075)  # of closes before they were rounded
    assert indicators.sma(values[:9], 10) is None


def test_the_rate_of_change_is_the_published_one() -> None:
    values, published = array(ROC_CLOSES), numbers(ROC_12)
    ours = [indicators.rate_of_change(values[:end], 12) for end in range(13, len(values) + 1)]
    assert [round(100 * (one or 0), 2) for one in ours] == published
    assert indicators.rate_of_change(values[:12], 12) is None


def test_the_average_true_range_is_the_published_one() -> None:
    published = numbers(ATR_14)
    ours = [indicators.atr(ATR_BARS[:end], 14) for end in range(14, len(ATR_BARS) + 1)]
    assert ours == pytest.approx(published, abs=0.006)  # the table's prices are rounded, its ranges are not
    assert indicators.atr(ATR_BARS[:13], 14) is None


@pytest.mark.parametrize(
    ("prices", "a_year", "deviation", "annual"), [(HULL_DAILY, 252, 0.01216, 0.193), (HULL_WEEKLY, 52, 0.02884, 0.2079)]
)
def test_the_volatility_is_the_published_one(prices: str, a_year: int, deviation: float, annual: float) -> None:
    values = array(prices)
    n = len(values) - 1
    assert round(indicators.volatility(values, n, 1) or 0, 5) == deviation
    assert indicators.volatility(values, n, a_year) == pytest.approx(annual, abs=5e-5)
    assert indicators.volatility(values, n + 1, a_year) is None


def test_the_volume_weighted_average_is_the_published_one() -> None:
    flat = IBM.split()
    bars = [made(*flat[n : n + 4], minute=n) for n in range(0, len(flat), 4)]
    ours = [indicators.vwap(bars[:end]) for end in range(1, len(bars) + 1)]
    assert [round(one or 0, 4) for one in ours] == numbers(IBM_VWAP)


# -- definitions

prices = st.integers(min_value=1, max_value=10**6).map(lambda cents: D(cents) / 100)


@st.composite
def windows(draw: st.DrawFn) -> tuple[Bar, ...]:
    """Bars with gaps from one to the next, flat ones among them, and minutes without volume."""
    made_of = draw(st.lists(st.tuples(prices, prices, prices, st.integers(0, 10**6)), max_size=40))
    return tuple(made(max(p), min(p), p[0], v, minute=n) for n, (*p, v) in enumerate(made_of))


lengths = st.integers(min_value=-1, max_value=45)
checked = settings(max_examples=120, deadline=None, derandomize=True)


def wilder(bars: tuple[Bar, ...], n: int) -> float | None:
    """Average true range as the book words it, in exact arithmetic."""
    ranges = [
        bar.high - bar.low
        if before is None
        else max(bar.high - bar.low, abs(bar.high - before.close), abs(bar.low - before.close))
        for before, bar in zip((None, *bars), bars, strict=False)
    ]
    if not 1 <= n <= len(ranges):
        return None
    average = sum(ranges[:n], D(0)) / n
    for one in ranges[n:]:
        average = (average * (n - 1) + one) / n
    return float(average)


@given(bars=windows(), n=lengths)
@checked
def test_what_a_definition_in_plain_python_says_is_what_comes_out(bars: tuple[Bar, ...], n: int) -> None:
    values = indicators.closes(bars)
    closes = [float(bar.close) for bar in bars]
    assert values.tolist() == closes
    enough = 1 <= n < len(bars)
    expected: dict[str, Any] = {
        "sma": statistics.fmean(closes[-n:]) if 1 <= n <= len(bars) else None,
        "rate_of_change": closes[-1] / closes[-1 - n] - 1 if enough else None,
        "volatility": statistics.stdev([math.log(b / a) for a, b in zip(closes[-n - 1 : -1], closes[-n:], strict=True)])
        * 2
        if enough and n >= 2
        else None,
        "atr": wilder(bars, n),
        "vwap": None,
    }
    volume = sum(bar.volume for bar in bars)
    if volume:
        expected["vwap"] = float(sum((b.high + b.low + b.close) / 3 * b.volume for b in bars) / volume)
    ours = {
        "sma": indicators.sma(values, n),
        "rate_of_change": indicators.rate_of_change(values, n),
        "volatility": indicators.volatility(values, n, 4),
        "atr": indicators.atr(bars, n),
        "vwap": indicators.vwap(bars),
    }
    for name, value in expected.items():
        assert ours[name] == (None if value is None else pytest.approx(value, rel=1e-9, abs=1e-9)), name
    channel = (min(b.low for b in bars[-n - 1 : -1]), max(b.high for b in bars[-n - 1 : -1])) if enough else None
    assert indicators.donchian(bars, n) == channel


@given(bars=windows(), older=windows(), n=lengths)
@checked
def test_older_bars_change_nothing(bars: tuple[Bar, ...], older: tuple[Bar, ...], n: int) -> None:
    short, long = indicators.closes(bars), indicators.closes((*older, *bars))
    if 1 <= n < len(bars):
        assert indicators.sma(short, n) == indicators.sma(long, n)
        assert indicators.rate_of_change(short, n) == indicators.rate_of_change(long, n)
        assert indicators.volatility(short, n, 252) == indicators.volatility(long, n, 252)
        assert indicators.donchian(bars, n) == indicators.donchian((*older, *bars), n)


def test_a_long_history_changes_the_average_true_range_by_less_than_a_part_in_ten_thousand() -> None:
    calm = tuple(made(101, 99, 100, minute=n) for n in range(300))
    wild = tuple(made(150, 50, 100, minute=n) for n in range(100))
    for n in (1, 2, 14, 20):
        seen = (*wild, *calm)[: 100 + 10 * n]
        assert indicators.atr(seen, n) == pytest.approx(wilder(seen, n), abs=(100 - 2) / 10_000)
        assert indicators.atr(seen, n) == pytest.approx(2)


def test_nothing_is_made_up_where_there_is_nothing() -> None:
    none = indicators.closes(())
    assert none.dtype == np.float64
    assert (len(none), indicators.sma(none, 1), indicators.vwap(()), indicators.atr((), 1)) == (0, None, None, None)
    assert indicators.vwap([made(1, 1, 1, 0)]) is None
    assert indicators.sma(np.array([1.0, math.nan]), 2) is None
    assert indicators.rate_of_change(np.array([0.0, 1.0]), 1) in (None, 0.0)
    assert indicators.volatility(np.array([1.0, 0.0, 1.0]), 2, 252) is None


def test_what_is_loaded_for_an_indicator_is_not_pandas() -> None:
    told = (
        "import sys; from hydra.indicators import load; load(); print('pandas' in sys.modules, 'talib' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, timeout=60, check=True)
    assert ran.stdout.split() == ["False", "True"]


# -- what is kept of the last window, and must not show


@given(
    prices=st.lists(st.integers(95, 105), min_size=6, max_size=40),
    n=st.integers(1, 5),
    jumps=st.lists(st.integers(0, 40), max_size=12),
)
@settings(deadline=None, derandomize=True)
def test_a_window_that_moves_on_is_read_like_one_that_nobody_has_seen(
    prices: list[int], n: int, jumps: list[int]
) -> None:
    """Bar by bar, from anywhere again, and of another history of the same symbol in between."""
    bars = [made(price + 1, price - 1, price, minute=minute) for minute, price in enumerate(prices)]
    other = [made(price + 3, price - 3, price, minute=minute) for minute, price in enumerate(reversed(prices))]
    for end in [*range(1, len(bars) + 1), *jumps]:
        for history in (bars, other) if end in jumps else (bars,):
            seen = tuple(history[:end])
            assert list(indicators.closes(seen[-n:])) == [float(bar.close) for bar in seen[-n:]]
            channel = seen[-n - 1 : -1]
            wanted = (min(bar.low for bar in channel), max(bar.high for bar in channel)) if len(channel) == n else None
            assert indicators.donchian(seen, n) == wanted
            worth = sum(((bar.high + bar.low + bar.close) * bar.volume for bar in seen), D(0))
            average = float(worth / sum(bar.volume for bar in seen) / 3) if seen else None
            assert indicators.vwap(seen) == average


WINDOW = tuple(made(price + 1, price - 1, price, minute=minute) for minute, price in enumerate((10, 11, 12, 13, 14)))


def kept_of(bars: tuple[Bar, ...], made_of_them: str = "made") -> indicators.Kept[str]:
    kept: indicators.Kept[str] = indicators.Kept(3)
    kept.keep(bars, made_of_them)
    return kept


def test_what_was_made_of_a_window_is_known_at_the_next_bar_and_to_no_other_window() -> None:
    kept = kept_of(WINDOW[:4])
    assert kept.one_bar_ago(WINDOW) == kept.one_bar_ago(WINDOW[1:]) == "made"
    assert kept.one_bar_ago(WINDOW[:4]) is None  # the same bars again
    assert kept.one_bar_ago((*WINDOW, WINDOW[-1])) is None  # two bars further
    assert kept.one_bar_ago(WINDOW[2:]) is None  # a bar too few


@pytest.mark.parametrize("place", [1, 2, 3])
def test_what_was_made_of_a_window_is_not_known_of_one_in_which_a_bar_was_corrected(place: int) -> None:
    corrected = list(WINDOW)
    corrected[place] = made(20, 9, "12.5", minute=place)
    assert kept_of(WINDOW[:4]).one_bar_ago(tuple(corrected)) is None


def test_what_is_kept_of_a_symbol_goes_when_another_window_of_it_comes() -> None:
    kept = kept_of(WINDOW[:4])
    other = tuple(made(9, 7, 8, minute=minute) for minute in range(5))
    kept.keep(other[:4], "other")
    assert (kept.one_bar_ago(WINDOW), kept.one_bar_ago(other)) == (None, "other")


def test_what_is_kept_does_not_grow_without_end() -> None:
    kept = kept_of(WINDOW[:4])
    for number in range(1000):
        kept.keep(tuple(replace(bar, symbol=f"S{number}") for bar in WINDOW[:4]), "more")
    assert kept.one_bar_ago(WINDOW) is None
    assert kept.one_bar_ago(tuple(replace(bar, symbol="S999") for bar in WINDOW)) == "more"


def test_a_list_of_bars_that_is_changed_afterwards_changes_nothing_that_is_kept() -> None:
    bars = list(WINDOW[:4])
    kept: indicators.Kept[str] = indicators.Kept(3)
    kept.keep(bars, "made")
    bars[-1] = made(20, 9, 12, minute=3)
    assert kept.one_bar_ago(WINDOW) == "made"
    assert kept.one_bar_ago((*bars, WINDOW[-1])) is None
