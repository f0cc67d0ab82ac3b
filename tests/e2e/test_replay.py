"""``hydra replay`` beside a running engine, and of a journal in which everything has happened."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.e2e.place import Place, Running, kinds


def listens(running: Running) -> bool:
    """Whether a process has taken SIGTERM into its own hands, as it does with SIGINT at the same time."""
    status = Path(f"/proc/{running.process.pid}/status").read_text(encoding="utf-8")
    caught = next(line.split()[1] for line in status.splitlines() if line.startswith("SigCgt"))
    return bool(int(caught, 16) >> (signal.SIGTERM - 1) & 1)


@pytest.mark.drill
def test_a_journal_in_which_everything_happened_is_decided_again_and_every_cycle_told(held: Place) -> None:
    head = held.head()
    running = held.start("run", "--speed", "1200")
    running.until(lambda: held.head() > head + 20)
    running.kill()
    with held.segments()[-1].open("ab") as segment:
        segment.write(b'{"v":1,"seq":')
    assert held.hydra("run", "--cycles", "2").code == 0
    for line in (
        ("halt", "--reason", "lunch"),
        ("resume", "--reason", "back"),
        ("test-broker",),
        ("flatten", "--yes"),
        ("resume", "--reason", "again", "--force"),
        ("bots", "release", "spy-trend", "--reason", "a test"),
        ("doctor", "--fix"),
        ("qc",),
        ("run", "--cycles", "3"),
    ):
        held.hydra(*line)
    assert {"halted", "resumed", "recovered", "certified"} <= set(kinds(held.events()))
    told = held.hydra("replay", "logs", "--json")
    assert (told.code, told.document["difference"]) == (0, None)

    cycles = sorted(event["data"]["cycle"] for event in held.events() if event["kind"] == "observed")
    for cycle in (cycles[0], cycles[len(cycles) // 2], *cycles[-3:]):
        story = held.hydra("replay", "logs", "--cycle", str(cycle), "--json")
        assert (story.code, story.document["identical"], story.document["cycle"]) == (0, True, cycle)
    missed = held.hydra("replay", "logs", "--cycle", str(cycles[-1] + 1))
    assert (missed.code, f"it has the cycles 1 to {cycles[-1]:,}" in missed.text) == (2, True)


def test_a_running_engine_is_followed_to_its_end_and_an_interrupt_ends_only_the_following(held: Place) -> None:
    head = held.head()
    running = held.start("run", "--speed", "1200")
    running.until(lambda: held.head() > head + 5)
    stopped, ended = (held.start("replay", "logs", "--follow", "--json") for _ in range(2))
    stopped.until(lambda: listens(stopped))
    stopped.signal(signal.SIGINT)
    told = stopped.end()
    assert (told.code, told.document["difference"], told.document["open_tail"]) == (130, None, True)
    running.signal(signal.SIGINT)
    assert running.end().code == 130
    told = ended.end()
    assert (told.code, told.document["difference"], told.document["open_tail"]) == (0, None, False)
    assert told.document["events"] == held.head()


@pytest.mark.drill
def test_a_whole_day_under_its_own_policy_is_decided_and_filled_the_same_and_under_another_it_parts(
    day_once: Place,
) -> None:
    same = day_once.hydra("replay", "logs", "--what-if", "configs/paper.toml", "--json").document
    assert (same["differing"], same["parting"]) == (0, None)
    assert same["recorded"] == same["what_if"]
    assert same["recorded"]["fills"] > 0

    text = day_once.config.read_text()
    assert "order_notional = 25000" in text
    smaller = day_once.config.with_name("smaller.toml")
    smaller.write_text(text.replace("order_notional = 25000", "order_notional = 2500"))
    other = day_once.hydra("replay", "logs", "--what-if", "configs/smaller.toml", "--json").document
    first = day_once.entries()[0]["data"]["order"]["cycle"]
    assert other["parting"]["cycle"] <= first
    assert other["what_if"] != other["recorded"]
    smaller.unlink()
