"""Without a fresh certificate for exactly this nothing starts; when the program changes under a run, entries end."""

from __future__ import annotations

import contextlib
import shutil
import signal
from datetime import timedelta
from pathlib import Path

import pytest

from hydra.bootstrap.setup import read_setup, wall_now
from hydra.bootstrap.writer import Writer
from hydra.qc.preflight import certify
from tests.e2e.place import INLINE, Place, first_refusal, refusals


def _certify(place: Place, *, minutes_ago: float) -> None:
    """Leave a certificate as `hydra qc` would have left it then."""
    with contextlib.chdir(place.folder):
        setup = read_setup(Path("configs/paper.toml"), Path("state"), Path("logs"), INLINE)
        with Writer(setup=setup, command="qc") as writer:
            certify(writer.engine, writer.binding(), wall_now() - timedelta(minutes=minutes_ago), 15)


def test_a_run_without_a_certificate_is_refused(fresh: Place) -> None:
    told = fresh.hydra("run", "--json")
    assert told.code == 3
    assert told.document["error"] == "there is no certificate: run `hydra qc` first"
    assert fresh.venue_orders() == []


@pytest.mark.parametrize(
    ("minutes_ago", "reason"),
    [(16, "the certificate is 16 minutes old, good for 15"), (-3, "s in the future: run `hydra qc` again")],
)
def test_a_certificate_of_another_time_is_refused(held: Place, minutes_ago: int, reason: str) -> None:
    _certify(held, minutes_ago=minutes_ago)
    orders = held.venue_orders()
    told = held.hydra("run", "--json")
    assert told.code == 3
    assert reason in told.document["error"]
    assert held.venue_orders() == orders


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"daily_loss = 0.02 ": "daily_loss = 0.019 "}, "policy_hash"),
        ({"starting_cash = 100000 ": "starting_cash = 90000 "}, "policy_hash"),
    ],
)
def test_a_certificate_of_another_policy_is_refused(held: Place, change: dict[str, str], named: str) -> None:
    held.configure(change)
    orders = held.venue_orders()
    told = held.hydra("run", "--json")
    assert told.code == 3
    assert told.document["error"] == f"the certificate was made for another {named}: run `hydra qc` again"
    assert f"made for another {named}" in held.hydra("status").text
    assert held.venue_orders() == orders


def test_a_state_folder_that_was_moved_is_another_venue(held: Place) -> None:
    held.state.rename(held.folder / "elsewhere")
    told = held.hydra("run", "--state-dir", "elsewhere", "--json")
    assert told.code == 3
    assert "made for another url" in told.document["error"]


def test_an_edited_source_shuts_the_certificate_gate_of_a_running_engine(held: Place, tmp_path: Path) -> None:
    shutil.copytree(held.program, tmp_path / "program")
    held.program = tmp_path / "program"
    head = held.head()
    running = held.start("run", "--speed", "600", "--json")
    running.until(lambda: held.head() > head + 8)
    with (held.program / "hydra" / "risk" / "rules.py").open("a") as source:
        source.write("# edited\n")
    running.until(lambda: refusals(held.events(), "certificate"))
    seen = held.head()
    running.until(lambda: held.head() > seen + 40)
    running.signal(signal.SIGTERM)
    told = running.end()

    assert told.code == 143
    assert any("made for another code_hash" in reason for reason in refusals(held.events(), "certificate"))
    assert held.entries(after=first_refusal(held.events(), "certificate")) == []
    again = held.hydra("run", "--json")
    assert again.code == 3
    assert "made for another code_hash" in again.document["error"]
