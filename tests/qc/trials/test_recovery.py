"""The trial of outages: killed, robbed of its power, recovered, compared."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from hydra.bootstrap.outages.sail import Sailed
from hydra.qc.outages.tally import Tally
from hydra.qc.trials import recovery
from tests.qc.trials.desk import policy_with, trial_on
from tests.qc.trials.planted import careless_sail, short_sail


def hanging_up(*_job: Any) -> None:
    """A voyage that ends its process."""
    os._exit(7)


def becalmed(kind: str, _seed: int, number: int, *_rest: Any) -> Sailed:
    """A voyage on which nothing happened."""
    return Sailed(kind=kind, number=number, problems=(), tally=Tally().document(), seconds=0.0)


def test_an_outside_that_does_not_sync_is_a_no_with_the_command_that_repeats_it(tmp_path: Path) -> None:
    trial = trial_on(tmp_path, policy_with(), forks=False, sail=careless_sail, recovery_seconds=30)
    found = recovery.ask(trial)
    assert found.good is False
    assert "losses:" in found.reason
    assert "--config" in found.reason
    assert "--voyage losses:" in found.reason
    assert trial.told["kill_and_recover"]["problems"]


def test_where_nothing_can_be_forked_the_trial_is_a_skip_that_says_what_was_done(tmp_path: Path) -> None:
    trial = trial_on(tmp_path, policy_with(), forks=False, sail=short_sail, recovery_seconds=0.1)
    found = recovery.ask(trial)
    assert found.good is None
    assert "cannot fork" in found.reason
    assert "losses of power" in found.reason
    told = trial.told["kill_and_recover"]
    assert told["losses"] >= 3
    assert told["kills"] == 0


def test_outages_that_did_not_come_about_show_nothing(tmp_path: Path) -> None:
    trial = trial_on(tmp_path, policy_with(), sail=becalmed, recovery_seconds=-1)
    found = recovery.ask(trial)
    assert found.good is False
    assert "no kills and no losses" in found.reason


def test_a_voyage_without_an_answer_is_a_no(tmp_path: Path) -> None:
    found = recovery.ask(trial_on(tmp_path, policy_with(), sail=hanging_up, recovery_seconds=10))
    assert found.good is False
    assert "has no answer" in found.reason


@pytest.mark.drill
@pytest.mark.timeout(180)
def test_real_kills_and_losses_on_a_policy_lose_and_double_nothing(tmp_path: Path) -> None:
    trial = trial_on(tmp_path, policy_with(), recovery_seconds=15)
    found = recovery.ask(trial)
    assert found.good, found.reason
    told = trial.told["kill_and_recover"]
    assert told["kills"]
    assert told["losses"]
    assert told["comparisons"]["settled"]
