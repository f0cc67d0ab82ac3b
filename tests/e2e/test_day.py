"""The default way: qc, run, replay. And what interrupts it: signals and kill -9."""

from __future__ import annotations

import signal
import time

import pytest

from tests.e2e.place import Place, kinds


def test_qc_and_run_trade_a_day_in_less_than_a_minute_and_replay_is_identical(fresh: Place) -> None:
    began = time.monotonic()
    assert fresh.hydra("qc").code == 0
    run = fresh.hydra("run", "--json")
    assert time.monotonic() - began < 60

    assert run.code == 0
    assert run.document["trades"]["closed"] > 0
    assert kinds(fresh.events())[-1] == "run_closed"

    replay = fresh.hydra("replay", "logs", "--json")
    assert replay.code == 0
    assert replay.document["difference"] is None
    assert replay.document["orders"] == run.document["orders"]["sent"]
    assert not replay.document["open_tail"]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_run_in_order_and_a_second_start_goes_on(
    held: Place, number: signal.Signals, code: int
) -> None:
    head = held.head()
    running = held.start("run", "--speed", "600", "--json")
    running.until(lambda: held.head() > head + 20)
    running.signal(number)
    told = running.end()

    assert told.code == code
    assert told.document["ending"]["reason"] == f"stopped by signal {int(number)}"
    last = held.events()[-1]
    assert (last["kind"], last["data"]["exit_code"]) == ("run_closed", code)
    assert held.hydra("run", "--cycles", "3").code == 0
    assert held.hydra("replay", "logs").code == 0


@pytest.mark.drill
def test_a_killed_run_is_finished_by_the_next_one_and_replays_identically(held: Place, day_once: Place) -> None:
    head = held.head()
    running = held.start("run", "--speed", "1200")
    running.until(lambda: held.head() > head + 60)
    running.kill()
    assert kinds(held.events())[-1] != "run_closed"

    again = held.hydra("run", "--json")
    assert again.code == 0, again.text
    replay = held.hydra("replay", "logs", "--json")
    assert replay.document["difference"] is None
    assert not replay.document["open_tail"]
    assert [o["symbol"] for o in held.venue_entries()] == [o["symbol"] for o in day_once.venue_entries()]
    ids = [order["client_id"] for order in held.venue_orders()]
    assert len(ids) == len(set(ids))


def test_a_run_whose_reader_goes_away_still_plays_its_day(certified: Place) -> None:
    running = certified.start("run")
    assert running.process.stdout is not None
    running.process.stdout.close()
    assert running.process.stderr is not None
    err = running.process.stderr.read()
    assert running.process.wait(60) == 0, err
    assert "Traceback" not in err
    assert kinds(certified.events())[-1] == "run_closed"


def test_two_runs_of_one_state_are_one_writer_too_many(held: Place) -> None:
    head = held.head()
    first = held.start("run", "--speed", "60")
    first.until(lambda: held.head() > head + 4)
    second = held.hydra("run", "--json")
    qc = held.hydra("qc", "--json")
    assert second.code == 3
    assert f"pid {first.process.pid}" in second.document["error"]
    assert "held by `run`" in second.document["error"]
    assert qc.code == 1
    assert f"pid {first.process.pid}" in qc.text
    first.signal(signal.SIGTERM)
    assert first.end().code == 143
