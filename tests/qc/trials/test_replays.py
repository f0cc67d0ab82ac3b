"""The trial of replay identity."""

from __future__ import annotations

from pathlib import Path

import pytest

from hydra.bootstrap.trials import opened
from hydra.engine.run import Loop
from hydra.model.errors import Refused
from hydra.policy import Policy
from hydra.qc.rehearsal.play import play
from hydra.qc.trial import Trial
from hydra.qc.trials import replays
from tests.qc.trials.desk import policy_with, trial_on


def played(folder: Path, policy: Policy, cycles: int = 25) -> Trial:
    """A trial to which a recovery has left one journal."""
    trial = trial_on(folder, policy)
    left = trial.folder / "kill_and_recover" / "kills-0"
    with opened(policy, left / "state", left / "logs") as stage:
        Loop(
            engine=stage.engine,
            segment=stage.segment,
            cycles_max=cycles,
            interval_seconds=1,
            stopped=lambda: None,
            watch=lambda _report: None,
        ).run()
    trial.told["kill_and_recover"] = {"journals": [str(left)]}
    return trial


def test_the_same_decisions_are_identical_and_counted(tmp_path: Path) -> None:
    trial = played(tmp_path, policy_with())
    found = replays.ask(trial)
    assert found.good, found.reason
    assert found.reason.startswith("identical: 1 journals, 25 cycles, 25 decisions")
    assert trial.told["replay_identity"]["differences"] == []


def test_a_bot_that_answers_differently_the_second_time_is_named(tmp_path: Path) -> None:
    found = replays.ask(played(tmp_path, policy_with("fickle"), cycles=4))
    assert found.good is False
    assert "answered" in found.reason
    assert "recorded" in found.reason


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The journal of a voyage of the rehearsal."""
    trial = trial_on(tmp_path_factory.mktemp("rehearsed"), policy_with())
    file = trial.folder / "1.journal"
    assert not play(trial.world, trial.policy, trial.seed, 1, str(file)).problems
    return file.read_bytes()


def left(folder: Path, journal: bytes) -> Trial:
    """A trial to which the rehearsal has left this journal."""
    trial = trial_on(folder, policy_with())
    file = trial.folder / "rehearsal" / "1.journal"
    file.parent.mkdir()
    file.write_bytes(journal)
    return trial


def test_the_journals_of_the_rehearsal_are_decided_again(tmp_path: Path, rehearsed: bytes) -> None:
    found = replays.ask(left(tmp_path, rehearsed))
    assert found.good, found.reason


def test_a_rehearsal_whose_recorded_decision_is_another_is_a_no(tmp_path: Path, rehearsed: bytes) -> None:
    lines = rehearsed.splitlines(keepends=True)
    place, line = next((n, line) for n, line in enumerate(lines) if b'"kind":"decided"' in line)
    lines[place] = line.replace(b'"mode":"active"', b'"mode":"halted"')
    assert lines[place] != line
    found = replays.ask(left(tmp_path, b"".join(lines)))
    assert found.good is False
    assert "decided.mode: recorded halted, recomputed active" in found.reason


def test_without_any_journal_nothing_was_shown(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="no journal was left"):
        replays.ask(trial_on(tmp_path, policy_with()))
