"""What was written is not what is there: nothing starts, the place is named, and the doctor never makes it worse."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from tests.e2e.place import Place


def _alter(place: Place, which: Callable[[int], int]) -> str:
    segment = place.segments()[-1]
    lines = segment.read_bytes().split(b"\n")
    number = which(len(lines) - 1)
    assert b'"run":"2' in lines[number - 1]
    lines[number - 1] = lines[number - 1].replace(b'"run":"2', b'"run":"3', 1)
    segment.write_bytes(b"\n".join(lines))
    return f"{segment.name}: line {number}: expected hash"


def middle_line(place: Place) -> str:
    return _alter(place, lambda count: count // 2)


def last_line(place: Place) -> str:
    return _alter(place, lambda count: count)


def noise(place: Place) -> str:
    place.segments()[-1].write_bytes(os.urandom(4000))
    return "line 1: expected"


def last_segment_gone(place: Place) -> str:
    place.segments()[-1].unlink()
    return f"found the end of the journal after event {place.head()}"


def older_logs(place: Place) -> str:
    segment = place.segments()[-1]
    lines = segment.read_bytes().split(b"\n")
    segment.write_bytes(b"\n".join(lines[:-6]) + b"\n")
    return f"found the end of the journal after event {place.head()}"


def logs_gone(place: Place) -> str:
    shutil.rmtree(place.logs)
    return "found the end of the journal after event 0"


ALTERED = pytest.mark.altered_journal("a line of it is another one, or a segment is gone")


@ALTERED
@pytest.mark.parametrize("harm", [middle_line, last_line, noise, last_segment_gone, older_logs, logs_gone])
def test_a_journal_that_is_not_what_was_written_starts_nothing(held: Place, harm: Callable[[Place], str]) -> None:
    named = harm(held)
    orders = held.venue_orders()
    run = held.hydra("run", "--json")
    assert run.code == 3
    assert named in run.document["error"]
    assert " holds " in run.document["error"]
    assert held.venue_orders() == orders


def test_the_doctor_latches_a_halt_when_the_store_knew_more_than_the_journal(held: Place) -> None:
    older_logs(held)
    mended = held.hydra("doctor", "--fix", "--json")
    assert "journal" in mended.document["mended"]
    assert mended.code == 1
    assert [check["name"] for check in mended.document["checks"] if check["status"] == "fail"][:1] == ["halts"]
    assert held.hydra("status", "--json").document["halts"][0]["kind"] == "rebuilt"


def test_the_doctor_rebuilds_nothing_from_a_journal_that_is_gone(held: Place) -> None:
    logs_gone(held)
    (held.folder / "state" / "trading_state.db").write_bytes(b"no database at all, but it was one" * 100)
    before = (held.folder / "state" / "trading_state.db").read_bytes()
    mended = held.hydra("doctor", "--fix", "--json")
    assert mended.code == 1
    assert "nothing to rebuild the store from" in mended.document["not_mended"]["store"]
    assert (held.folder / "state" / "trading_state.db").read_bytes() == before
    assert held.hydra("run").code != 0


def test_a_halt_that_cannot_be_journaled_is_left_for_the_next_start(held: Place) -> None:
    (held.folder / "state" / "exchange.db").write_bytes(b"no books" * 1000)
    told = held.hydra("halt", "--reason", "looks wrong", "--json")
    assert told.code == 0
    assert told.document["delivered"] == "inbox"


@ALTERED
def test_a_segment_missing_in_the_middle_is_no_whole_journal(held: Place) -> None:
    # A start reads from where the store stands; the whole chain is the preflight's and the replay's.
    assert held.hydra("run", "--cycles", "2").code == 0
    _, gone, after = held.segments()
    gone.unlink()
    qc = held.hydra("qc", "--json")
    replay = held.hydra("replay", "logs", "--json")
    assert (qc.code, replay.code) == (1, 1)
    assert after.name in qc.text
    assert after.name in replay.document["error"]


def test_a_store_of_another_journal_is_refused(held: Place, day_once: Place) -> None:
    shutil.rmtree(held.logs)
    shutil.copytree(day_once.logs, held.logs)
    run = held.hydra("run", "--json")
    assert run.code == 3
    assert "this is another journal" in run.document["error"]


@ALTERED
def test_replay_names_the_altered_line(held: Place) -> None:
    named = middle_line(held)
    told = held.hydra("replay", "logs", "--json")
    assert told.code == 1
    assert named in told.document["error"]


def test_a_torn_last_line_is_told_and_dropped(held: Place) -> None:
    running = held.start("run", "--speed", "1200")
    head = held.head()
    running.until(lambda: held.head() > head + 10)
    running.kill()
    crashed = held.hydra("qc", "--json")
    assert crashed.code == 0, crashed.text
    with held.segments()[-1].open("ab") as segment:
        segment.write(b'{"v":1,"seq":')
    told = held.hydra("run", "--cycles", "1", "--json")
    assert told.code == 0
    assert any("a torn last line of 13 bytes was dropped" in note for note in told.document["notes"])
    assert held.hydra("replay", "logs").code == 0


@ALTERED
def test_the_doctor_leaves_the_store_alone_when_the_journal_is_damaged(held: Place) -> None:
    holdings = held.hydra("status", "--json").document["holdings"]
    named = middle_line(held)
    told = held.hydra("doctor", "--fix", "--json")
    assert told.code == 1
    assert named in told.document["not_mended"]["journal"]
    assert sorted(path.name for path in held.state.glob("damaged-*")) == []
    assert held.hydra("status", "--json").document["holdings"] == holdings
    assert holdings


def test_a_store_that_is_no_database_is_rebuilt_by_the_doctor_and_kept_beside(held: Place) -> None:
    before = held.hydra("status", "--json").document
    for path in held.state.glob("trading_state.db*"):
        path.unlink()
    (held.state / "trading_state.db").write_bytes(b"garbage " * 2000)
    run = held.hydra("run", "--json")
    assert run.code == 3
    assert "trading_state.db is not a database" in run.document["error"]
    status = held.hydra("status", "--json")
    assert (status.code, status.document["kind"]) == (1, "Corrupt")

    mended = held.hydra("doctor", "--fix", "--json")
    assert mended.code == 0, mended.text
    assert len(list(held.state.glob("damaged-*"))) == 1
    after = held.hydra("status", "--json").document
    assert (after["holdings"], after["orders"]) == (before["holdings"], before["orders"])


def test_a_latched_halt_outlives_the_store(held: Place) -> None:
    assert held.hydra("halt", "--reason", "a bad feeling").code == 0
    for path in held.state.glob("trading_state.db*"):
        path.unlink()
    status = held.hydra("qc", "--json")
    assert status.code == 1
    assert "operator: a bad feeling" in status.text


def test_books_of_the_exchange_that_are_gone_or_damaged_start_nothing(held: Place) -> None:
    books = held.state / "exchange.db"
    for path in held.state.glob("exchange.db*"):
        path.unlink()
    gone = held.hydra("run", "--json")
    assert gone.code == 4
    assert "fills cursor" in gone.document["error"]
    assert held.venue_entries() == []
    _emptied(held.state)
    books.write_bytes(b"garbage " * 2000)
    damaged = held.hydra("run", "--json")
    assert damaged.code == 3
    assert "exchange.db cannot be read: file is not a database" in damaged.document["error"]


def _emptied(state: Path) -> None:
    for path in state.glob("exchange.db*"):
        path.unlink()


def test_nonsense_in_the_inbox_is_journaled_as_refused_and_taken_away(held: Place) -> None:
    paper = held.state / "inbox" / "20260101T000000.000000Z-halt-aa.json"
    paper.write_bytes(b'{"nope')
    (held.state / "lock").write_bytes(b"\0" * 40)
    assert held.hydra("run", "--cycles", "1").code == 0
    assert not paper.exists()
    plan = next(
        orjson.loads(orjson.dumps(e["data"]["plan"])) for e in reversed(held.events()) if e["kind"] == "decided"
    )
    assert [skip["code"] for skip in plan["skips"] if skip["subject"].startswith("command")] == ["command_refused"]
