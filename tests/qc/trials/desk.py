"""A trial for the tests: small policies, short times, everything real unless a test says otherwise."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hydra.bootstrap.config import load_policy
from hydra.bootstrap.setup import Setup
from hydra.bootstrap.trials import trial_of
from hydra.policy import Policy
from hydra.qc.trial import Trial

PAPER = Path(__file__).resolve().parents[3] / "configs" / "paper.toml"
PLANTED = "tests.qc.trials.planted"


def unheard(_trial: str, _done: int, _of: int) -> None:
    """Nobody listens."""


def policy_with(bot: str = "", *, interval: str = "5", deadline_ms: int = 500, host: str = "inline") -> Policy:
    """A market that never closes with one bot on pairs: a planted one, or a momentum bot that trades all the time."""
    paper = load_policy(PAPER, {}, None)
    document: dict[str, Any] = paper.document()
    changes: Mapping[str, Mapping[str, Any]] = {
        "market": {"sessions": "always", "days": 0},
        "engine": {"interval_seconds": interval, "bot_deadline_ms": deadline_ms, "window_bars": 12},
        "isolation": {"host": host},
        "health": {"disk_free_mb": 1},
    }
    for section, keys in changes.items():
        document[section] = {**document[section], **keys}
    one = dict(next(each for each in document["bots"] if each["id"] == "coins"))
    one |= {
        "trades_per_day": 1000,
        "parameters": {"lookback": 2},
        "signal": "breakout",
        "size": {"by": "notional", "amount": 500},
    }
    if bot:
        one |= {"bot": f"{PLANTED}:{bot}", "signal": None, "parameters": {}}
    return Policy.model_validate({**document, "practice": True, "bots": [one]})


def trial_on(folder: Path, policy: Policy, **tools: Any) -> Trial:
    """A trial in a folder, with these tools instead of the real ones."""
    setup = Setup(
        config=folder / "policy.toml",
        state_dir=folder / "state",
        log_dir=folder / "logs",
        policy=policy,
        journal_key=None,
    )
    places = folder / "trial", folder / "trial-logs"
    for place in places:
        place.mkdir()
    trial = trial_of(setup, *places, seed=1, storms=1, cores=1, told=unheard, environ=os.environ)
    trial.tools.update(tools)
    return trial
