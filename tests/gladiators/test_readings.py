"""Indicators against published worked examples, numbers only.

Sources: StockCharts ChartSchool's spreadsheets for RSI (cs-rsi), ATR (cs-atr), ADX (cs-adx) and Bollinger bands (cs-bbands), which work
Wilder's and Bollinger's definitions out row by row (chartschool.stockcharts.com; the last three also lie in the test data of
github.com/bukosabino/ta).
"""

from __future__ import annotations

from itertools import pairwise
from math import isfinite

import pytest

from hydra.gladiators.readings import readings_of
from tests.gladiators.candles import bars_of, closes, real_bars, wavy

# fmt: off
RSI_CLOSES = [
    44.3389, 44.0902, 44.1497, 43.6124, 44.3278, 44.8264, 45.0955, 45.4245, 45.8433, 46.0826, 45.8931, 46.0328, 45.6140, 46.2820,
    46.2820, 46.0028, 46.0328, 46.4116, 46.2222, 45.6439, 46.2122, 46.2521, 45.7137, 46.4515, 45.7835, 45.3548, 44.0288, 44.1783,
    44.2181, 44.5672, 43.4205, 42.6628, 43.1314,
]
RSI = [
    70.53, 66.32, 66.55, 69.41, 66.36, 57.97, 62.93, 63.26, 56.06, 62.38, 54.71, 50.42, 39.99, 41.46, 41.87, 45.46, 37.30, 33.08, 37.77,
]
ATR_ROWS = [
    (48.70, 47.79, 48.16), (48.72, 48.14, 48.61), (48.90, 48.39, 48.75), (48.87, 48.37, 48.63), (48.82, 48.24, 48.74),
    (49.05, 48.635, 49.03), (49.20, 48.94, 49.07), (49.35, 48.86, 49.32), (49.92, 49.50, 49.91), (50.19, 49.87, 50.13),
    (50.12, 49.20, 49.53), (49.66, 48.90, 49.50), (49.88, 49.43, 49.75), (50.19, 49.725, 50.03), (50.36, 49.26, 50.31),
    (50.57, 50.09, 50.52), (50.65, 50.30, 50.41), (50.43, 49.21, 49.34), (49.63, 48.98, 49.37), (50.33, 49.61, 50.23),
    (50.29, 49.20, 49.2375), (50.17, 49.43, 49.93), (49.32, 48.08, 48.43), (48.50, 47.64, 48.18), (48.3201, 41.55, 46.57),
    (46.80, 44.2833, 45.41), (47.80, 47.31, 47.77), (48.39, 47.20, 47.72), (48.66, 47.90, 48.62), (48.79, 47.7301, 47.85),
]
ATR = [
    0.555, 0.5939285714, 0.5857908163, 0.5689486152, 0.6154522855, 0.6179199794, 0.6423542666, 0.6743289618, 0.6927697503, 0.7754290538,
    0.7814698357, 1.209229133, 1.302619909, 1.380289916, 1.366697779, 1.336219366, 1.316482269,
]
BAND_CLOSES = [
    86.1557, 89.0867, 88.7829, 90.3228, 89.0671, 91.1453, 89.4397, 89.1750, 86.9302, 87.6752, 86.9596, 89.4299, 89.3221, 88.7241,
    87.4497, 87.2634, 89.4985, 87.9006, 89.1260, 90.7043, 92.9001, 92.9784, 91.8021, 92.6647, 92.6843, 92.3021, 92.7725, 92.5373,
    92.9490, 93.2039, 91.0669,
]
BANDS = [  # middle, upper, lower
    (88.707940, 91.291862, 86.124018), (89.045160, 91.949268, 86.141052), (89.239745, 92.612595, 85.866895),
    (89.390705, 92.934200, 85.847210), (89.507800, 93.311950, 85.703650), (89.688660, 93.728450, 85.648870),
    (89.746500, 93.899592, 85.593408), (89.913140, 94.266255, 85.560025), (90.081255, 94.565096, 85.597414),
    (90.382195, 94.786912, 85.977478), (90.658630, 95.043001, 86.274259), (90.863995, 94.907605, 86.820385),
]
ADX_ROWS = [
    (30.1983, 29.4072, 29.8720), (30.2776, 29.3182, 30.2381), (30.4458, 29.9611, 30.0996), (29.3478, 28.7443, 28.9028),
    (29.3477, 28.5566, 28.9225), (29.2886, 28.4081, 28.4775), (28.8334, 28.0818, 28.5566), (28.7346, 27.4289, 27.5576),
    (28.6654, 27.6565, 28.4675), (28.8532, 27.8345, 28.2796), (28.6356, 27.3992, 27.4882), (27.6761, 27.0927, 27.2310),
    (27.2112, 26.1826, 26.3507), (26.8651, 26.1332, 26.3309), (27.4090, 26.6277, 27.0333), (26.9441, 26.1332, 26.2221),
    (26.5189, 25.4307, 26.0144), (26.5189, 25.3518, 25.4605), (27.0927, 25.8760, 27.0333), (27.6860, 26.9640, 27.4487),
    (28.4477, 27.1421, 28.3586), (28.5267, 28.0123, 28.4278), (28.6654, 27.8840, 27.9530), (29.0116, 27.9928, 29.0116),
    (29.8720, 28.7643, 29.3776), (29.8028, 29.1402, 29.3576), (29.7529, 28.7127, 28.9107), (30.6546, 28.9290, 30.6149),
    (30.5951, 30.0304, 30.0502), (30.7635, 29.3863, 30.1890), (31.1698, 30.1365, 31.1202), (30.8923, 30.4267, 30.5356),
    (30.0402, 29.3467, 29.7827), (30.6645, 29.9906, 30.0402), (30.5951, 29.5152, 30.4861), (31.9724, 30.9418, 31.4670),
]
PLUS_DI = [
    6.7494187, 6.2919781, 5.7817867, 5.2866653, 8.6988073, 12.4910346, 16.6785194, 16.6292450, 16.6937202, 17.9332083, 22.7269847,
    21.6099390, 19.9520101, 23.8153238, 22.8134766, 20.6131527, 21.9656407, 20.8748381, 19.1217139, 22.3703123, 20.6576174, 27.9963105,
]
MINUS_DI = [
    32.4195605, 33.9457668, 36.4278403, 33.8872739, 30.0160112, 28.4668252, 25.8669450, 24.9019540, 23.4696294, 21.6526027, 19.9151478,
    18.9363056, 20.6365552, 18.1258276, 17.3633223, 20.1994349, 18.7390828, 17.8085094, 23.9419101, 22.4368271, 24.0894564, 21.6344053,
]
ADX = [33.5833461, 32.1534947, 29.9292238, 28.3576178, 26.8982694, 25.7764785, 23.9459048, 22.7832985, 22.0715260]
# fmt: on


def wilder(rows: list[tuple[float, float, float]], n: int = 14) -> list[tuple[float, float, float | None]]:
    """+DI, -DI and ADX as Wilder's worksheet goes: sums of the first ``n``, then less an n-th plus the new one."""
    ranges, plus, minus = [], [], []
    for (high_0, low_0, close_0), (high, low, _) in pairwise(rows):
        ranges.append(max(high - low, abs(high - close_0), abs(low - close_0)))
        up, down = high - high_0, low_0 - low
        plus.append(up if up > down and up > 0 else 0.0)
        minus.append(down if down > up and down > 0 else 0.0)
    sums = [sum(column[:n]) for column in (ranges, plus, minus)]
    found: list[tuple[float, float, float | None]] = []
    strengths: list[float] = []
    adx: float | None = None
    for index in range(n - 1, len(ranges)):
        if index >= n:
            columns = (ranges, plus, minus)
            sums = [total - total / n + column[index] for total, column in zip(sums, columns, strict=True)]
        plus_di, minus_di = 100 * sums[1] / sums[0], 100 * sums[2] / sums[0]
        strengths.append(100 * abs(plus_di - minus_di) / (plus_di + minus_di))
        if len(strengths) == n:
            adx = sum(strengths) / n
        elif len(strengths) > n:
            assert adx is not None
            adx = (adx * (n - 1) + strengths[-1]) / n
        found.append((plus_di, minus_di, adx))
    return found


def test_rsi_is_the_published_one() -> None:
    for number, published in enumerate(RSI, 15):
        assert readings_of(closes(RSI_CLOSES[:number]))["rsi_14"] == pytest.approx(published, abs=0.006)


def test_atr_is_the_published_one() -> None:
    for number, published in enumerate(ATR, 14):
        assert readings_of(bars_of(ATR_ROWS[:number]))["atr_14"] == pytest.approx(published, abs=1e-8)


def test_bollinger_bands_are_the_published_ones() -> None:
    for number, (middle, upper, lower) in enumerate(BANDS, 20):
        found = readings_of(closes(BAND_CLOSES[:number]))
        shown = [found["bollinger_middle"], found["bollinger_upper"], found["bollinger_lower"]]
        assert shown == pytest.approx([middle, upper, lower], abs=2e-6)
        z = (BAND_CLOSES[number - 1] - middle) / ((upper - lower) / 4)
        assert found["z_20"] == pytest.approx(z, abs=1e-4)


def test_the_worksheet_of_this_test_gives_the_published_adx() -> None:
    found = wilder(ADX_ROWS)
    assert [plus for plus, _, _ in found] == pytest.approx(PLUS_DI, abs=2e-4)
    assert [minus for _, minus, _ in found] == pytest.approx(MINUS_DI, abs=2e-4)
    assert [adx for _, _, adx in found if adx is not None] == pytest.approx(ADX, abs=2e-4)


@pytest.mark.parametrize("name", ["BTC-2017", "BTC-2018", "ETH-2017"])
def test_adx_of_a_real_brief_is_what_the_worksheet_gives(name: str) -> None:
    """TA-Lib begins its sums a candle earlier than the worksheet; after 240 candles nothing is left of that."""
    bars = real_bars(name)
    for start in (0, 500, 1000, 1500, 2000):
        piece = bars[start : start + 240]
        found = readings_of(piece)
        plus, minus, adx = wilder([(float(bar.high), float(bar.low), float(bar.close)) for bar in piece])[-1]
        shown = [found["plus_di_14"], found["minus_di_14"], found["adx_14"]]
        assert shown == pytest.approx([plus, minus, adx], rel=1e-3)


def test_too_few_candles_leave_readings_unknown_and_never_zero() -> None:
    for count in (1, 2, 13, 14, 15, 19, 20, 27, 28, 60, 99, 113):
        for name, value in readings_of(wavy(count)).items():
            assert value is None or isfinite(value), (count, name)
    assert set(readings_of(wavy(1)).values()) == {None}
    assert readings_of([]) == dict.fromkeys(readings_of(wavy(1)))
    assert None not in readings_of(wavy(240)).values()


def test_a_market_that_does_not_move_has_no_rsi_and_no_z_score() -> None:
    found = readings_of(bars_of([(100, 100, 100)] * 240))
    assert (found["rsi_14"], found["z_20"], found["atr_ratio"], found["bollinger_width_ratio"]) == (None,) * 4


def test_readings_look_back_only() -> None:
    bars = wavy(300)
    assert readings_of(bars[:240]) == readings_of(tuple(bars[:240]))
    assert readings_of(bars[:240]) != readings_of(bars[:241])
