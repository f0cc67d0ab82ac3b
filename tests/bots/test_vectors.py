"""Signals over a whole history mark every bar at which they speak, whatever comes after it, and few others."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.bots import signals, vectors
from hydra.bots.signals import Look, Signal
from hydra.model.market import Bar
from hydra.model.rows import Rows

SIGNALS: dict[str, Signal] = {
    "sma_cross": signals.sma_cross({"fast": 3, "slow": 8}),
    "sma_cross of one": signals.sma_cross({"fast": 1, "slow": 2}),
    "breakout": signals.breakout({"lookback": 5}),
    "rate_of_change": signals.rate_of_change({"lookback": 2, "window": 10, "threshold": 1.0}),
}
START = datetime(2024, 1, 2, tzinfo=UTC)


def rows_of(bars: list[Bar]) -> Rows:
    columns = {name: [getattr(bar, name) for bar in bars] for name in ("open", "high", "low", "close", "volume")}
    floats = {name: np.array([float(one) for one in column]) for name, column in columns.items()}
    opened = np.array([int(bar.at.timestamp()) * 1_000_000 for bar in bars], dtype=np.int64)
    return Rows(opened=opened, known=opened + 60_000_000, **floats, exact=tuple(columns.values()))


def bars_of(closes: list[int], scale: int) -> list[Bar]:
    """Bars with these closes in hundredths, times ``scale``."""
    found, before = [], closes[0]
    for place, close in enumerate(closes):
        numbers: dict[str, Any] = {
            "open": before,
            "high": max(before, close),
            "low": min(before, close),
            "close": close,
        }
        prices = {name: Decimal(number * scale) / 100 for name, number in numbers.items()}
        at = START + timedelta(minutes=place)
        found.append(Bar(symbol="AAA-USD", at=at, seconds=60, **prices, volume=Decimal(1)))
        before = close
    return found


def spoken(signal: Signal, bars: list[Bar]) -> list[int]:
    """What it says at each bar, with its whole past before it."""
    return [
        signal.direction(Look(bars=tuple(bars[: place + 1]), at=bars[place].closes_at, minute=0))
        for place in range(len(bars))
    ]


CLOSES = st.one_of(
    st.lists(st.integers(9_900, 10_100), min_size=1, max_size=80),
    st.lists(st.sampled_from([10_000, 10_001]), min_size=1, max_size=60),  # ties, and averages that meet
)


@pytest.mark.parametrize("name", SIGNALS)
@settings(max_examples=60, derandomize=True, deadline=None)
@given(closes=CLOSES, scale=st.sampled_from([1, 7, 100_000]))
def test_every_bar_at_which_it_speaks_is_marked(name: str, closes: list[int], scale: int) -> None:
    signal, bars = SIGNALS[name], bars_of(closes, scale)
    assert signal.turns is not None
    turns = signal.turns(rows_of(bars))
    for place, way in enumerate(spoken(signal, bars)):
        assert way != 1 or turns.up[place], f"up at bar {place}"
        assert way != -1 or turns.down[place], f"down at bar {place}"


@pytest.mark.parametrize("name", SIGNALS)
@settings(max_examples=25, derandomize=True, deadline=None)
@given(closes=CLOSES, data=st.data())
def test_what_it_says_is_marked_whatever_comes_after_it(name: str, closes: list[int], data: st.DataObject) -> None:
    signal, bars = SIGNALS[name], bars_of(closes, 1)
    assert signal.turns is not None
    cut = data.draw(st.integers(1, len(bars)))
    whole, part = signal.turns(rows_of(bars)), signal.turns(rows_of(bars[:cut]))
    said = spoken(signal, bars[:cut])
    assert all(part.up[place] and whole.up[place] for place, way in enumerate(said) if way == 1)
    assert all(part.down[place] and whole.down[place] for place, way in enumerate(said) if way == -1)


@pytest.mark.parametrize("name", SIGNALS)
def test_of_a_wild_market_hardly_more_is_marked_than_is_said(name: str) -> None:
    random = np.random.default_rng(5)
    closes = (10_000 * np.exp(np.cumsum(0.002 * random.standard_normal(1500)))).astype(int).tolist()
    signal, bars = SIGNALS[name], bars_of(closes, 1)
    assert signal.turns is not None
    turns, said = signal.turns(rows_of(bars)), spoken(signal, bars[:1500])
    marked = int(turns.up.sum() + turns.down.sum())
    assert sum(map(abs, said)) > 50
    assert marked <= 1.1 * sum(map(abs, said)) + 5


def test_averages_over_a_long_history_are_those_of_whole_numbers_to_its_end() -> None:
    """They are summed in pieces, and nothing is lost where one ends and the next begins."""
    fast, slow = 3, 8
    closes = 10_000 + np.cumsum(np.random.default_rng(5).integers(-3, 4, 140_000))
    column, times = closes.astype(float), np.arange(len(closes)) * 60_000_000
    rows = Rows(
        opened=times,
        known=times + 60_000_000,
        open=column,
        high=column,
        low=column,
        close=column,
        volume=column,
        exact=(),
    )
    turns = vectors.crossing(rows, fast, slow, 1e-9)
    total = np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(closes)))
    gap = (total[slow:] - total[slow - fast : -fast]) * slow - (total[slow:] - total[:-slow]) * fast
    up, down = (gap[:-1] <= 0) & (gap[1:] >= 0), (gap[:-1] >= 0) & (gap[1:] <= 0)
    assert turns.up[slow:].tolist() == up.tolist()
    assert turns.down[slow:].tolist() == down.tolist()
