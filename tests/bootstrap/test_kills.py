"""A comparison after a kill has something to compare: a journal that has vanished is not taken for one that had not begun."""

from __future__ import annotations

from pathlib import Path

import pytest

from hydra.adapters.files import RealFiles
from hydra.bootstrap.outages.kills import Kills
from hydra.bootstrap.outages.weather import weather_of
from hydra.bootstrap.writer import Writer
from hydra.qc.outages.claims import CLAIMS, read_events
from hydra.qc.outages.tally import Tally


def test_a_journal_that_vanished_after_it_was_seen_is_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    voyage = Kills(tmp_path, 1, 1, Tally(), weather_of(1))
    assert voyage._compare(CLAIMS, "dead at birth") == []
    with Writer(setup=voyage.setup, command="storm"):
        pass
    assert voyage._compare(CLAIMS, "dead") == []
    assert read_events(RealFiles(), voyage.setup.log_dir)
    for segment in voyage.setup.log_dir.glob("*.jsonl*"):
        segment.unlink()
    (problem,) = voyage._compare(CLAIMS, "dead")
    assert problem.startswith("dead: ")
    assert "the end of the journal after event 0" in problem
