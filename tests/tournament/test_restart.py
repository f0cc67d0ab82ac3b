"""A process that dies in the middle: no iteration is lost, none is held twice, and the records are what the journal says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hydra.adapters.files import RealFiles
from hydra.adapters.journal.reader import read_journal
from hydra.bootstrap.hosts import replay_host
from hydra.bootstrap.plugs import rule_book
from hydra.bootstrap.tournament_records import NAMES, TRADES, VOTES, Lines
from hydra.engine.fold import fold
from hydra.engine.replay import replay
from hydra.model.portfolio import Ledger
from hydra.policy import Policy
from tests.tournament.arenas import Died, Evening, Script

WHOLE = 6
LINES = ("BBBH", "BBHH", "SSSH", "SSBH", "BBBB", "HHHH")


class ByMinute(Script):
    """The same votes for the same candle, whoever is asked again."""

    def ask(self, brief: Any, deadline: float, heard: Any = None) -> Any:
        """By the minute of the brief."""
        self._lines = (LINES[brief.at.minute % len(LINES)],)
        return super().ask(brief, deadline, heard)


def evening(folder: Path, waves: Path, die_at: int | None = None) -> Evening:
    return Evening(folder=folder, data=(waves,), assets=("BTC-USD", "ETH-USD"), asker=ByMinute("HHHH"), die_at=die_at)


def told(written: bytes, *apart_from: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in written.splitlines()]
    return [{name: value for name, value in line.items() if name not in apart_from} for line in lines]


def out_of_the_journal(folder: Path) -> dict[str, bytes]:
    lines, ledger = Lines(), Ledger()
    for event in read_journal(RealFiles(), folder):
        ledger = fold(ledger, event)
        lines.take(event, ledger)
    made = lines.taken()
    return {name: made.get(name, b"") for name in NAMES}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, waves: Path) -> Evening:
    whole = evening(tmp_path_factory.mktemp("whole"), waves)
    whole.hold(WHOLE)
    return whole


def deaths(kinds: list[str]) -> dict[str, int]:
    """Every event of the first cycle at which a process can end, by its kind."""
    first = kinds.index("observed")
    return {kind: n for n, kind in enumerate(kinds[: kinds.index("cycle_closed") + 1], start=1) if n > first}


def test_a_death_at_any_event_neither_loses_nor_repeats_an_iteration(
    tmp_path: Path, waves: Path, undisturbed: Evening
) -> None:
    """At each event of the cycle that buys, the process ends; the next one finishes the evening."""
    places = deaths(undisturbed.kinds)
    assert list(places) == ["observed", "voted", "answered", "decided", "order_sent", "order_accepted", "cycle_closed"]
    votes = told(undisturbed.records()[VOTES], "run")
    trades = told(undisturbed.records()[TRADES], "run", "order", "intent", "fills", "result")
    for name, die_at in places.items():
        folder = tmp_path / name
        with pytest.raises(Died):
            evening(folder, waves, die_at).hold(WHOLE)
        second = evening(folder, waves)
        done = 0 if name == "observed" else 1
        second.hold(WHOLE - done)
        assert told(second.records()[VOTES], "run") == votes, name
        after = told(second.records()[TRADES], "run", "order", "intent", "fills", "result")
        if name != "order_sent":
            assert after == trades, name
        assert second.records() == out_of_the_journal(second.log_dir), name
        assert replayed(second.log_dir) is None, name


def replayed(folder: Path) -> str | None:
    def resolve(document: Any) -> Any:
        policy = Policy.model_validate(document)
        return rule_book(policy), replay_host(policy)

    difference = replay(read_journal(RealFiles(), folder), resolve).difference
    return None if difference is None else difference.where


def test_two_evenings_are_one(tmp_path: Path, waves: Path, undisturbed: Evening) -> None:
    evening(tmp_path, waves).hold(2)
    second = evening(tmp_path, waves)
    second.hold(WHOLE - 2)
    assert told(second.records()[VOTES], "run") == told(undisturbed.records()[VOTES], "run")
    runs = told(second.records()["runs.jsonl"])
    assert runs[0]["continues"] == ""
    assert runs[1]["continues"] == runs[0]["run"]


def test_records_that_are_missing_torn_or_edited_are_written_anew_at_the_next_start(
    tmp_path: Path, waves: Path
) -> None:
    evening(tmp_path, waves).hold(4)
    folder = tmp_path / "logs" / "tournament"
    votes, trades = (folder / VOTES).read_bytes(), (folder / TRADES).read_bytes()
    (folder / VOTES).write_bytes(votes[:-40])
    (folder / TRADES).write_bytes(trades.replace(b'"BUY"', b'"SELL"'))
    (folder / "runs.jsonl").unlink()
    second = evening(tmp_path, waves)
    second.hold(1)
    assert (folder / VOTES).read_bytes().startswith(votes)
    assert (folder / TRADES).read_bytes().startswith(trades)
    assert second.records() == out_of_the_journal(folder)
    assert TRADES in second.notes
    assert "runs.jsonl" in second.notes


def test_a_record_that_cannot_be_written_ends_nothing(tmp_path: Path, waves: Path) -> None:
    def watch(voted: Any, _report: Any) -> None:
        path = tmp_path / "logs" / "tournament" / VOTES
        if voted.iteration == 1:
            path.unlink()
            path.mkdir()

    first = evening(tmp_path, waves)
    first.watch = watch
    assert first.hold(3).exit_code == 0
    (tmp_path / "logs" / "tournament" / VOTES).rmdir()
    second = evening(tmp_path, waves)
    second.hold(1)
    assert len(told(second.records()[VOTES])) == 16
