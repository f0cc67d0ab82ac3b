"""What ``--set`` says: keys in every spelling, values of every kind, and what is refused by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hydra.bootstrap.config import load_policy
from hydra.bootstrap.keys import keys
from hydra.bootstrap.sweep_keys import axis_of, grid_of
from hydra.bootstrap.sweep_play import Ground, changed
from hydra.model.errors import BadConfig
from hydra.policy import Policy

PAPER = Path(__file__).resolve().parents[2] / "configs" / "paper.toml"


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load_policy(PAPER, {}, None)


def ground(policy: Policy) -> Ground:
    return Ground(policy.document(), str(PAPER.parent), (), "", "", "", ())


@pytest.mark.parametrize(
    "key",
    [
        "bots[0].parameters.fast",
        "bots.0.parameters.fast",
        "bots[spy-trend].parameters.fast",
        "bots.spy-trend.parameters.fast",
        "HYDRA_BOTS__SPY_TREND__PARAMETERS__FAST",
    ],
)
def test_a_key_has_one_name_however_it_is_spelled(policy: Policy, key: str) -> None:
    axis = axis_of(f"{key}=5:15:5", policy)
    assert (axis.name, axis.location) == ("bots[spy-trend].parameters.fast", ("bots", 0, "parameters", "fast"))
    assert axis.values == (5, 10, 15)


@pytest.mark.parametrize(
    ("text", "kind", "values"),
    [
        ("risk.risk_per_trade=0.005,0.01", "number", ("0.005", "0.01")),
        ("risk.risk_per_trade=0.005:0.02:0.005", "number", ("0.005", "0.01", "0.015", "0.02")),
        ("risk.daily_loss=[0.01,0.02]", "number", ("0.01", "0.02")),
        ("engine.seed=1:3", "whole", (1, 2, 3)),
        ("bots[0].trades_per_day=5:1:-2", "whole", (5, 3, 1)),
        ("bots[0].enabled=true,false", "flag", (True, False)),
        ("bots[0].take_profit=0.01,", "number", ("0.01", None)),
        ("bots[0].session.trade_end=15:00,15:30", "text", ("15:00", "15:30")),
        ("bots[0].signal=sma_cross,breakout", "text", ("sma_cross", "breakout")),
        ('bots[0].symbols=[["SPY"],["SPY","AAPL"]]', "json", (["SPY"], ["SPY", "AAPL"])),
        ("market.start=2025-01-06,2025-02-03", "date", ("2025-01-06", "2025-02-03")),
        ("bots[0].parameters.fast=0.5,2", "number", (0.5, 2)),
        ("bots[0].parameters.new=abc", "text", ("abc",)),
        ('bots[0].parameters=[{"fast":3,"slow":9}]', "json", ({"fast": 3, "slow": 9},)),
        ('risk.groups.coins=[["BTC-USD","ETH-USD"]]', "json", (["BTC-USD", "ETH-USD"],)),
    ],
)
def test_values_are_read_as_their_key_has_them(policy: Policy, text: str, kind: str, values: tuple[Any, ...]) -> None:
    axis = axis_of(text, policy)
    assert (axis.kind, axis.values) == (kind, values)
    for value in values:
        changed(ground(policy), ((axis.location, value),))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("risk.daily_loss", "expected KEY=VALUES"),
        ("=1", "expected a key"),
        ("risk.dayly_loss=1", "did you mean daily_loss"),
        ("bots[9].stop_loss=1", "no such bot; there are spy-trend"),
        ("bots[spy-tend].stop_loss=1", "did you mean spy-trend"),
        ("bots=1", "is a table"),
        ("bots[0].session=1", "is a table; set one key of it"),
        ("risk.daily_loss=", "takes away an optional key"),
        ("risk.daily_loss=abc", "'abc' is no number"),
        ("risk.daily_loss=nan", "does not fit"),
        ("risk.daily_loss=0.01,0.01", '"0.01" is named twice'),
        ("risk.daily_loss=0.01,0.010", "named twice"),
        ("risk.daily_loss=0.01:0.05", "fractions need a step"),
        ("risk.daily_loss=inf:1:1", "is no range"),
        ("risk.daily_loss=1:2:3:4", "is no range"),
        ("bots[0].trades_per_day=1.5", "'1.5' is no whole number"),
        ("bots[0].trades_per_day=1:3:0.5", "expected whole numbers"),
        ("bots[0].trades_per_day=1:99999", "at most 10,000"),
        ("bots[0].trades_per_day=1:3:-1", "do not lead from 1 to 3"),
        ("bots[0].symbols=SPY", "JSON list"),
        ("risk.short=yes", "neither true nor false"),
        ("bots[0].stop_loss.x=1", "has no keys of its own"),
        ("risk.daily_loss=[]", "no values"),
        ("HYDRA_RISK__DAYLY_LOSS=1", "did you mean HYDRA_RISK__DAILY_LOSS"),
    ],
)
def test_what_cannot_be_is_refused_by_name(policy: Policy, text: str, said: str) -> None:
    with pytest.raises(BadConfig, match="--set") as refused:
        axis_of(text, policy)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    "key", ["mode", "journal.segment_mb", "store.url", "bots[0].id", "engine.interval_seconds", "certificate.minutes"]
)
def test_what_no_backtest_depends_on_is_not_swept_over(policy: Policy, key: str) -> None:
    with pytest.raises(BadConfig, match="a backtest does not depend on it"):
        axis_of(f"{key}=1,2", policy)


def test_every_key_is_either_swept_over_or_refused_with_its_reason(policy: Policy) -> None:
    reasons = 0
    for key in keys().values():
        name = key.name.replace("bots[]", "bots[0]")
        with pytest.raises(BadConfig) as refused:
            axis_of(f"{name}=[[[]]]", policy)  # fits no key
        reasons += "does not depend on it" in str(refused.value)
        assert "does not depend on it" in str(refused.value) or "does not fit" in str(refused.value), str(refused.value)
    assert 20 < reasons < len(keys()) / 2


def test_a_key_is_set_once(policy: Policy) -> None:
    with pytest.raises(BadConfig, match="is set twice"):
        grid_of(["risk.daily_loss=0.01", "HYDRA_RISK__DAILY_LOSS=0.02"], policy)
    with pytest.raises(BadConfig, match=r"once within bots\[spy-trend\]\.parameters"):
        grid_of(['bots[0].parameters=[{"fast":3,"slow":9}]', "bots[0].parameters.fast=5"], policy)
    with pytest.raises(BadConfig, match="nothing to vary"):
        grid_of([], policy)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("risk.daily_loss=7", 'risk.daily_loss = "7": expected a number, above 0, at most 1'),
        ("bots[0].stop_loss=", "stop_loss is needed: every entry carries a stop"),
        ("bots[0].shorts=true", "shorts = true needs risk.short = true"),
        ("bots[0].session.trade_end=08:00", "expected trade_start < trade_end"),
        ("bots[0].trailing.distance=0.1", "bots[0].trailing.by"),
        ("bots[0].size.bars=500", "engine.window_bars keeps 120"),
    ],
)
def test_a_combination_that_no_policy_allows_says_why(policy: Policy, text: str, said: str) -> None:
    axis = axis_of(text, policy)
    extra = ((("bots", 0, "size", "by"), "volatility"),) if "size.bars" in text else ()
    with pytest.raises(BadConfig) as refused:
        changed(ground(policy), (*extra, (axis.location, axis.values[0])))
    assert said in str(refused.value)


def test_nothing_changed_is_the_very_policy(policy: Policy) -> None:
    assert changed(ground(policy), ()).hash == policy.hash
