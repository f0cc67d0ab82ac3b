"""A state store that another process has locked: entries stop, a halt latches, and when it is free again it catches up."""

from __future__ import annotations

import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from hydra.adapters.files import RealFiles
from hydra.adapters.journal.reader import read_journal
from hydra.adapters.store.store import SqlStore
from hydra.engine.recover import rebuild
from tests.e2e.place import Place, first_refusal, refusals


@contextmanager
def locked(database: Path) -> Iterator[None]:
    with closing(sqlite3.connect(database, isolation_level=None, timeout=20)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield
        connection.execute("ROLLBACK")


@pytest.mark.drill
def test_a_store_that_is_locked_before_the_start_lets_nothing_be_entered(held: Place) -> None:
    head = held.head()
    with locked(held.state / "trading_state.db"):
        run = held.hydra("run", "--cycles", "1", "--json")
    assert run.code == 0
    assert [gate["gate"] for gate in run.document["gates"]] == ["state_writable"]
    assert "is locked by another process" in run.document["gates"][0]["last_reason"]
    assert held.entries(after=head) == []


@pytest.mark.drill
def test_locked_books_of_the_exchange_are_a_venue_that_does_not_answer(held: Place) -> None:
    head = held.head()
    with locked(held.state / "exchange.db"):
        run = held.hydra("run", "--cycles", "1", "--json")
    assert run.code == 4
    assert "state/exchange.db do not open: database is locked" in run.document["error"]
    assert held.head() == head


@pytest.mark.drill
def test_a_store_that_gets_locked_stops_entries_latches_a_halt_and_catches_up_when_free(held: Place) -> None:
    # A market minute is a cycle, and one failed commit: the window must be wide enough to hold the limit's number.
    held.configure(
        {"failure_window_seconds = 60 ": "failure_window_seconds = 900 ", "failed_reads = 5 ": "failed_reads = 3 "}
    )
    assert held.hydra("qc").code == 0
    head = held.head()
    running = held.start("run", "--speed", "300")
    running.until(lambda: held.head() > head + 8)
    with locked(held.state / "trading_state.db"):
        running.until(lambda: "halted" in [event["kind"] for event in held.events()])
    halted = held.head()
    running.until(lambda: held.head() > halted + 8)
    running.signal(signal.SIGTERM)
    assert running.end().code == 143

    events = held.events()
    assert any("is locked by another process" in reason for reason in refusals(events, "state_writable"))
    (halt,) = [event["data"]["halt"] for event in events if event["kind"] == "halted"]
    assert halt["kind"] == "failure_window"
    assert held.entries(after=first_refusal(events, "state_writable")) == []
    assert len(held.venue_entries()) == len(held.entries())
    assert _kept(held) == _rebuilt(held)
    assert held.hydra("replay", "logs").code == 0


def _kept(place: Place) -> dict[str, list[tuple[Any, ...]]]:
    with closing(SqlStore(f"sqlite:///{place.state / 'trading_state.db'}", read_only=True)) as store:
        return store.dump()


def _rebuilt(place: Place) -> dict[str, list[tuple[Any, ...]]]:
    with closing(SqlStore(f"sqlite:///{place.folder / 'rebuilt.db'}")) as store:
        rebuild(store, lambda head: read_journal(RealFiles(), place.logs))
        return store.dump()
