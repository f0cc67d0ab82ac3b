"""A latched halt: with positions it reduces, without it does not start, and only an operator lifts it."""

from __future__ import annotations

import signal
from datetime import timedelta

import pytest

from tests.e2e.place import Place, kinds
from tests.e2e.tape import OPEN, swings, write_bars


def test_a_halt_with_positions_reduces_and_ends_when_flat_and_without_does_not_start(held: Place) -> None:
    head = held.head()
    halt = held.hydra("halt", "--reason", "a bad feeling", "--json")
    assert halt.code == 0
    assert halt.document["delivered"] == "journal"
    assert held.hydra("qc").code == 1

    reducing = held.hydra("run", "--json")
    assert reducing.code == 3
    assert reducing.document["ending"]["reason"] == "halted and flat (operator: a bad feeling)"
    assert any("reducing only" in note for note in reducing.document["notes"])
    assert held.entries(after=head) == []
    assert {order.get("status") for order in held.venue_orders()} <= {"filled", "canceled", "expired", "rejected"}

    ended = held.head()
    at_once = held.hydra("run", "--json")
    assert at_once.code == 3
    assert "halted (operator: a bad feeling); nothing is left to reduce" in at_once.document["error"]
    assert "decided" not in kinds([event for event in held.events() if event["seq"] > ended])

    assert held.hydra("resume", "--reason", "it passed").code == 0
    assert held.hydra("run", "--cycles", "1").code == 0
    assert held.hydra("replay", "logs").code == 0


def test_a_running_engine_reads_halt_and_resume_from_its_inbox(held: Place) -> None:
    head = held.head()
    running = held.start("run", "--speed", "300", "--json")
    running.until(lambda: held.head() > head + 6)
    halt = held.hydra("halt", "--reason", "too quiet", "--json")
    assert halt.code == 0
    assert halt.document["delivered"] == "inbox"
    running.until(lambda: "halted" in kinds(held.events()))
    halted = held.head()
    resume = held.hydra("resume", "--reason", "loud enough", "--json")
    assert resume.document["delivered"] == "inbox"
    running.until(lambda: "resumed" in kinds(held.events()))
    resumed = next(event["seq"] for event in held.events() if event["kind"] == "resumed")
    running.signal(signal.SIGTERM)
    assert running.end().code == 143

    between = [order["seq"] for order in held.entries(after=halted - 1) if order["seq"] < resumed]
    assert between == []
    (word,) = [event["data"] for event in held.events() if event["kind"] == "resumed"]
    assert word["reason"] == "loud enough"
    assert "@" in word["by"]
    assert list((held.state / "inbox").glob("*.json")) == []


@pytest.mark.drill
def test_a_day_that_loses_too_much_halts_and_stays_halted_over_restart_and_night(certified: Place) -> None:
    tape, tomorrow = certified.folder / "tape", certified.folder / "tomorrow"
    for symbol in ("SPY", "AAPL"):
        write_bars(tape, symbol, lambda minute: swings(minute) * (1 if minute < 93 else 0.75))
        write_bars(tomorrow, symbol, swings, day=OPEN + timedelta(days=1))
    crash = certified.hydra("run", "--data", "tape", "--json")
    assert crash.code == 3
    assert "halted and flat (daily_loss: equity" in crash.document["ending"]["reason"]
    assert len(certified.entries()) == 3
    head = certified.head()

    for data in ("tape", "tomorrow"):
        again = certified.hydra("run", "--data", data, "--json")
        assert again.code == 3
        assert "halted (daily_loss: equity" in again.document["error"]
    refused = certified.hydra("resume", "--reason", "it will rise again", "--json")
    assert refused.code == 3
    assert "daily_loss" in refused.document["error"]
    assert "use --force" in refused.document["error"]
    assert certified.entries(after=head) == []
    assert certified.hydra("status", "--json").document["halts"][0]["kind"] == "daily_loss"
    assert certified.hydra("resume", "--reason", "it will rise again", "--force").code == 0
    assert certified.hydra("replay", "logs").code == 0
