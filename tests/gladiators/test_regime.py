"""Regimes: each is reached on real data, and the rules say what they say."""

from __future__ import annotations

from collections import Counter
from functools import cache

import pytest

from hydra.gladiators.brief import brief_of
from hydra.gladiators.regime import Regime, regime_of
from tests.gladiators.candles import FILES, bars_of, closes, real_bars


@cache
def reached(name: str) -> Counter[Regime]:
    bars = real_bars(name)
    return Counter(brief_of(bars[0].symbol, bars[n - 240 : n], 60).regime for n in range(240, len(bars), 10))


@pytest.mark.parametrize("regime", list(Regime), ids=str)
@pytest.mark.parametrize("name", list(FILES))
def test_every_regime_is_reached_on_real_data(name: str, regime: Regime) -> None:
    found = reached(name)
    assert found[regime] >= 0.01 * found.total(), found


KNOWN: dict[str, float | None] = {
    "adx_14": 15.0,
    "plus_di_14": 20.0,
    "minus_di_14": 20.0,
    "atr_ratio": 0.9,
    "rsi_14": 50.0,
    "z_20": 0.3,
    "bollinger_width_ratio": 0.8,
}


@pytest.mark.parametrize(
    ("changes", "regime"),
    [
        ({"adx_14": 25.0, "plus_di_14": 21.0}, Regime.TREND_UP),
        ({"adx_14": 24.9, "plus_di_14": 21.0}, Regime.RANGING),
        ({"adx_14": 30.0, "minus_di_14": 21.0}, Regime.TREND_DOWN),
        ({"adx_14": 30.0}, Regime.RANGING),
        ({"atr_ratio": 1.5}, Regime.VOLATILE),
        ({"atr_ratio": 1.5, "adx_14": 30.0, "plus_di_14": 21.0}, Regime.VOLATILE),
        ({"atr_ratio": 1.5, "adx_14": 40.0, "plus_di_14": 21.0}, Regime.TREND_UP),
        ({"atr_ratio": 1.1}, Regime.CHOPPY),
        ({"z_20": -2.1}, Regime.CHOPPY),
        ({"rsi_14": 39.0}, Regime.RANGING),
        ({"rsi_14": 39.0, "bollinger_width_ratio": 1.2}, Regime.CHOPPY),
        ({"adx_14": None}, Regime.CHOPPY),
        ({"rsi_14": None}, Regime.CHOPPY),
        ({"atr_ratio": None, "adx_14": 50.0, "plus_di_14": 30.0}, Regime.CHOPPY),
    ],
)
def test_the_first_rule_that_holds_decides(changes: dict[str, float | None], regime: Regime) -> None:
    assert regime_of(KNOWN | changes) is regime


def test_nothing_known_is_choppy() -> None:
    assert regime_of({}) is Regime.CHOPPY
    assert brief_of("BTC-USD", bars_of([(100, 100, 100)] * 240), 60).regime is Regime.CHOPPY


def test_a_steady_climb_is_a_trend_up_and_a_steady_fall_a_trend_down() -> None:
    assert brief_of("BTC-USD", closes(100 + n / 2 for n in range(240)), 60).regime is Regime.TREND_UP
    assert brief_of("BTC-USD", closes(300 - n / 2 for n in range(240)), 60).regime is Regime.TREND_DOWN
