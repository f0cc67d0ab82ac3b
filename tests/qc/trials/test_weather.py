"""The user's policy as the simulated exchange plays it in a trial."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from hydra.bootstrap.config import load_policy
from hydra.bootstrap.outages.weather import asked_here, simulated_policy
from hydra.policy import Policy

FOLDER = Path(__file__).resolve().parents[3] / "configs"
CONFIGS = sorted(path for path in FOLDER.glob("*.toml") if path.stem != "tournament")
"""Policies; what a tournament is made from is none."""


@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: path.stem)
def test_every_configuration_can_be_played_with_its_own_bots_rules_and_limits(config: Path) -> None:
    policy = load_policy(config, {}, None)
    played = simulated_policy(policy, 3)
    assert (played.broker.name, played.market.name, played.mode) == ("sim", "synthetic", "paper")
    for section in ("bots", "risk", "budgets", "health", "options", "isolation", "certificate", "journal"):
        assert getattr(played, section) == getattr(policy, section)
    if policy.broker.name != "sim":
        assert played.broker.account == "alpaca"


def test_nothing_of_the_users_is_touched() -> None:
    policy = load_policy(CONFIGS[0], {}, None)
    store = policy.store.model_copy(update={"url": "postgresql://there/hydra"})
    broker = policy.broker.model_copy(update={"faults": "faults.toml", "starting_cash": Decimal(7)})
    played = simulated_policy(policy.model_copy(update={"store": store, "broker": broker}))
    assert played.store.url == ""
    assert played.broker.faults == ""


def test_only_this_programs_own_bots_are_asked_where_the_outages_are_played() -> None:
    policy = load_policy(CONFIGS[0], {}, None)
    assert asked_here(policy).isolation.host == "inline"
    foreign = policy.bots[0].model_copy(
        update={"bot": "tests.qc.trials.planted:steady", "signal": None, "parameters": {}}
    )
    with_foreign: Policy = policy.model_copy(update={"bots": (foreign, *policy.bots[1:])})
    assert asked_here(with_foreign).isolation == policy.isolation
