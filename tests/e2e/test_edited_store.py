"""A store that somebody has changed by hand is not taken for the truth: no command opens a segment on it, and the doctor makes it again."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from tests.e2e.place import Place

EDITS = {
    "the day's first equity": (
        "UPDATE position SET day_start_equity = '200000'",
        "day.start_equity is 200000 in the store",
    ),
    "a holding taken away": ("DELETE FROM holdings", "holdings"),
}


def edit(place: Place, statement: str) -> None:
    with closing(sqlite3.connect(place.state / "trading_state.db")) as database, database:
        assert database.execute(statement).rowcount > 0


@pytest.mark.parametrize("name", EDITS)
def test_qc_names_the_first_field_of_an_edited_store_and_opens_nothing_on_it(held: Place, name: str) -> None:
    statement, said = EDITS[name]
    edit(held, statement)
    before = [path.read_bytes() for path in held.segments()]
    told = held.hydra("qc", "--json")
    assert told.code == 1
    (failed,) = [one for one in told.document["checks"] if one["status"] == "fail"]
    assert failed["name"] == "store"
    assert said in failed["reason"]
    assert "by the journal, at event" in failed["reason"]
    assert "`hydra doctor --fix`" in failed["remedy"]
    assert len([one for one in told.document["checks"] if one["name"] == "store"]) == 1
    assert [path.read_bytes() for path in held.segments()] == before


def test_no_command_builds_on_an_edited_store_a_halt_is_still_heard_and_after_the_doctor_all_is_well(
    held: Place,
) -> None:
    assert held.hydra("qc").code == 0
    edit(held, EDITS["the day's first equity"][0])
    before = [path.read_bytes() for path in held.segments()]
    for command in (("run", "--cycles", "3"), ("flatten", "--yes"), ("verify-balance",)):
        told = held.hydra(*command)
        assert "day.start_equity is 200000 in the store" in told.text, command
        assert "`hydra doctor --fix`" in told.text
        assert told.code == (1 if command == ("verify-balance",) else 3)
    assert held.hydra("halt", "--reason", "lunch").code == 0
    assert [path.read_bytes() for path in held.segments()] == before
    assert held.hydra("doctor", "--fix", "--json").document["mended"].keys() >= {"same_store"}
    waiting = held.hydra("qc", "--json")
    (failed,) = [one for one in waiting.document["checks"] if one["status"] == "fail"]
    assert failed["name"] == "halts"
    assert "a halt waits in the inbox" in failed["reason"]
    assert "lunch" in failed["reason"]


def test_a_store_that_was_edited_while_its_tail_was_not_folded_is_found_too(held: Place) -> None:
    with closing(sqlite3.connect(held.state / "trading_state.db")) as database, database:
        seq, head = database.execute("SELECT seq, hash FROM position").fetchone()
        line = next(event for event in held.events() if event["seq"] == seq - 2)
        database.execute("UPDATE position SET seq = ?, hash = ?, cash = '5'", (line["seq"], line["hash"]))
    told = held.hydra("qc", "--json")
    assert told.code == 1, (seq, head)
    (failed,) = [one for one in told.document["checks"] if one["status"] == "fail"]
    assert "cash is 5 in the store" in failed["reason"]


def test_what_rests_at_the_venue_is_told_by_the_journal_too_when_the_store_has_lost_it(held: Place) -> None:
    edit(held, "DELETE FROM holdings")
    error = held.hydra("run", "--json").document["error"]
    assert "by the store, nothing is held" in error
    assert "by the journal, spy-trend holds" in error
    assert "at the venue rests stop" in error
