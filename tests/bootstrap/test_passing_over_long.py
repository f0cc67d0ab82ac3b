"""Many random worlds, passed over and gone through: the rehearsal of what ``test_passing_over`` shows."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import pytest

from hydra.adapters.markets.recorded import RecordedFeed
from hydra.bootstrap.config import load_policy
from tests.bootstrap.test_passing_over import BOTS, COIN, CONFIG, LIMIT, assert_same, feed_of, policy, walk
from tests.shared_data import shared_data

WORLDS = 60
SIGNALS: tuple[Mapping[str, Any], ...] = (
    {"signal": "sma_cross", "parameters": {"fast": 3, "slow": 12}},
    {"signal": "sma_cross", "parameters": {"fast": 10, "slow": 40}},
    {"signal": "breakout", "parameters": {"lookback": 15}},
    {"signal": "rate_of_change", "parameters": {"lookback": 3, "window": 30, "threshold": 1.5}},
)


def bot_of(chance: random.Random, number: int) -> dict[str, Any]:
    """A bot that nobody would write."""
    bot: dict[str, Any] = {**COIN, **chance.choice(SIGNALS), "id": f"bot-{number}"}
    bot["symbols"] = chance.choice((["AAA-USD"], ["BBB-USD"], ["AAA-USD", "BBB-USD", "CCC-USD"]))
    bot["stop_loss"] = chance.choice(("0.002", "0.01", "0.05"))
    bot["size"] = chance.choice(
        ({"by": "risk", "amount": "0.002"}, {"by": "notional", "amount": "3000"}, {"by": "quantity", "amount": "7"})
    )
    options: Mapping[str, tuple[Any, ...]] = {
        "take_profit": ("0.005", "0.008"),
        "break_even": ("0.001", "0.004"),
        "time_stop_minutes": (7, 60, 300),
        "trailing": ({"by": "percent", "distance": "0.003"}, {"by": "atr", "distance": "2", "bars": 10}),
        "entry": (LIMIT, {**LIMIT, "slippage": "0"}),
        "budget": ({"daily_loss": "0.02", "open_risk": "1"},),
    }
    for name, values in options.items():
        if chance.random() < 0.35:
            bot[name] = chance.choice(values)
    return bot


@pytest.mark.drill
@pytest.mark.timeout(120)
@pytest.mark.parametrize("seed", range(WORLDS))
def test_a_random_world_comes_to_the_same(seed: int) -> None:
    chance = random.Random(seed)
    bots = [bot_of(chance, number) for number in range(chance.randint(1, 3))]
    wild = chance.choice((0.0003, 0.001, 0.004))
    limits: dict[str, Any] = (
        {} if chance.random() < 0.7 else {"daily_loss": "0.003", "rules": ["order_notional", "buying_power"]}
    )
    feed = feed_of(
        AAA=walk(seed, 900, wild=wild, gaps=chance.choice((0.0, 0.02))),
        BBB=walk(seed + 1000, 180, minutes=5, wild=2 * wild),
        CCC=walk(seed + 2000, 60, minutes=15, wild=3 * wild, gaps=0.1),
    )
    told = policy(*bots, **limits)
    assert_same(told, feed)


@pytest.mark.drill
@pytest.mark.timeout(300)
def test_the_usual_policy_as_it_is_comes_to_the_same_on_real_bars() -> None:
    feed = RecordedFeed.open([shared_data() / "bars"], symbols=("AAPL", "BTC-USD", "ETH-USD", "SPY"))
    slow, fast = assert_same(load_policy(CONFIG, {}, None), feed)
    assert fast.looks * 4 < slow.looks


def test_the_bots_of_the_short_version_are_among_those_of_the_long_one() -> None:
    assert {bot["signal"] for bots in BOTS.values() for bot in bots} == {each["signal"] for each in SIGNALS}
