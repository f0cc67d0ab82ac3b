"""``hydra doctor`` as a person uses it: everything that is wrong is said at once, what is safe is mended, the rest is told and left."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from hydra.adapters.lock import WriterLock
from hydra.bootstrap.setup import this_process
from tests.e2e.place import Place, Told, kinds

GONE = 2**22 + 1


def problems(told: Told) -> dict[str, dict[str, Any]]:
    """What is wrong and critical, by name."""
    return {one["name"]: one for one in told.document["problems"] if one["status"] == "fail"}


def status_of(told: Told) -> dict[str, str]:
    return {check["name"]: check["status"] for check in told.document["checks"]}


def seven_at_once(place: Place) -> None:
    (place.folder / ".env").write_text("A=b\n")
    (place.folder / ".env").chmod(0o644)
    place.config.chmod(0o666)
    (place.state / "inbox" / "20260101T000000.000000Z-halt-aa.json").write_bytes(b'{"nope')
    (place.state / f".lock.{GONE}-0.tmp").write_text("half")
    with place.segments()[-1].open("ab") as segment:
        segment.write(b'{"v":1,"seq":')
    database = place.state / "trading_state.db"
    database.write_bytes(database.read_bytes()[:5000])
    (place.state / "cache" / "sessions-XNYS.json").unlink(missing_ok=True)
    (place.state / "cache" / "sessions-XNYS.json").mkdir(parents=True)


def test_seven_troubles_at_once_are_all_said_then_all_mended_and_journaled_and_then_there_is_nothing(
    held: Place,
) -> None:
    holdings = held.hydra("status", "--json").document["holdings"]
    seven_at_once(held)
    seen = held.hydra("doctor", "--json")
    assert seen.code == 1
    assert set(problems(seen)) == {"env_file", "permissions", "store"}
    assert {one["name"] for one in seen.document["problems"]} >= {
        "env_file",
        "permissions",
        "store",
        "inbox",
        "leftovers",
    }
    for one in seen.document["problems"]:
        assert one["wrong"]
        assert one["matters"]
        assert one["do"]
        assert one["fix"]
    assert seen.document["mended"] == {}

    mended = held.hydra("doctor", "--fix", "--json")
    assert mended.code == 0, mended.text
    assert set(mended.document["mended"]) == {
        "env_file", "permissions", "calendars", "inbox", "leftovers", "journal", "store",
    }  # fmt: skip
    told = {event["data"]["what"]: event["data"]["note"] for event in held.events() if event["kind"] == "mended"}
    assert told == mended.document["mended"]
    assert not (held.state / "mended.jsonl").exists()
    assert held.hydra("status", "--json").document["holdings"] == holdings

    again = held.hydra("doctor", "--fix", "--json")
    assert (again.code, again.document["mended"], problems(again)) == (0, {}, {})
    assert held.hydra("replay", "logs").code == 0


def test_a_day_that_began_with_another_equity_in_the_store_begins_again_with_the_journal_s(held: Place) -> None:
    began = held.hydra("status", "--json").document["day_start_equity"]
    with closing(sqlite3.connect(held.state / "trading_state.db")) as database, database:
        database.execute("UPDATE position SET day_start_equity = '200000'")
    seen = held.hydra("doctor", "--json")
    assert seen.code == 1
    assert "day.start_equity is 200000 in the store" in problems(seen)["same_store"]["wrong"]
    assert status_of(seen)["start"] == "skip"
    assert held.hydra("doctor", "--fix", "--json").code == 0
    assert held.hydra("status", "--json").document["day_start_equity"] == began


@pytest.mark.altered_journal("a line of it is another one")
def test_a_damaged_journal_hides_nothing_else_and_is_not_touched(held: Place) -> None:
    held.hydra("halt", "--reason", "lunch")
    (held.folder / ".env").write_text("A=b\n")
    (held.folder / ".env").chmod(0o644)
    segment = held.segments()[0]
    segment.write_bytes(segment.read_bytes().replace(b'"run":"2', b'"run":"3', 1))
    before = segment.read_bytes()
    told = held.hydra("doctor", "--fix", "--json")
    assert told.code == 1
    assert set(problems(told)) >= {"journal", "halts"}
    assert "lunch" in problems(told)["halts"]["wrong"]
    assert "from a backup" in problems(told)["journal"]["do"]
    assert set(told.document["mended"]) == {"env_file"}
    assert segment.read_bytes() == before
    assert status_of(told)["start"] == "skip"


def test_a_mend_that_could_not_be_journaled_is_journaled_by_the_next_command_that_can(held: Place) -> None:
    (held.folder / ".env").write_text("A=b\n")
    (held.folder / ".env").chmod(0o644)
    books = held.state / "exchange.db"
    books.rename(held.folder / "books")
    books.mkdir()
    told = held.hydra("doctor", "--fix", "--json")
    assert told.code == 1
    assert "env_file" in told.document["mended"]
    assert "mended" not in kinds(held.events())
    books.rmdir()
    (held.folder / "books").rename(books)
    assert held.hydra("qc", "--json").code == 0
    assert [event["data"]["what"] for event in held.events() if event["kind"] == "mended"] == ["env_file"]


def test_notes_of_mends_that_cannot_be_read_halt_because_a_halt_may_have_stood_there(held: Place) -> None:
    (held.state / "mended.jsonl").write_bytes(b"garbage\n")
    told = held.hydra("doctor", "--json")
    assert told.code == 1
    assert "a halt may have stood in it" in problems(told)["halts"]["wrong"]


@pytest.mark.parametrize("text", ["mode = [\n", None], ids=["broken", "missing"])
def test_without_a_configuration_the_disk_is_examined_all_the_same(held: Place, text: str | None) -> None:
    held.config.unlink()
    if text is not None:
        held.config.write_text(text)
    (held.folder / ".env").write_text("A=b\n")
    (held.folder / ".env").chmod(0o644)
    told = held.hydra("doctor", "--fix", "--json")
    assert told.code == 2
    assert told.document["kind"] == "BadConfig"
    assert set(problems(told)) == {"configuration"}
    assert set(told.document["mended"]) == {"env_file"}
    assert {name: status for name, status in status_of(told).items() if status == "pass"}.keys() >= {
        "journal",
        "store",
        "halts",
    }


def test_an_env_file_that_cannot_be_read_is_a_configuration_that_cannot_be_and_its_words_are_nowhere(
    held: Place,
) -> None:
    (held.folder / ".env").write_bytes(b"HYDRA_JOURNAL_KEY='very secret\xff\n")
    told = held.hydra("doctor", "--json")
    assert (told.code, set(problems(told))) == (2, {"configuration", "env_file", "permissions"})
    assert "very secret" not in told.out + told.err


def test_under_a_running_command_it_says_what_it_can_and_mends_nothing(held: Place) -> None:
    held.hydra("halt", "--reason", "lunch")
    (held.state / f".lock.{GONE}-0.tmp").write_text("half")
    head = held.head()
    with WriterLock(held.state / "lock", this_process("run", "r1")):
        told = held.hydra("doctor", "--fix", "--json")
    assert told.code == 1
    assert set(problems(told)) == {"halts"}
    assert told.document["mended"] == {}
    assert "not under a running command" in told.document["not_mended"]["leftovers"]
    assert status_of(told)["recover"] == "skip"
    assert held.head() == head


def test_a_doctor_killed_in_the_middle_of_a_mend_leaves_things_no_worse(held: Place) -> None:
    before = held.hydra("status", "--json").document
    database = held.state / "trading_state.db"
    database.write_bytes(database.read_bytes()[:5000])
    running = held.start("doctor", "--fix")
    running.until(lambda: list(held.state.glob("damaged-*")))
    running.kill()
    told = held.hydra("doctor", "--fix", "--json")
    assert told.code == 0, told.text
    after = held.hydra("status", "--json").document
    assert (after["holdings"], after["orders"]) == (before["holdings"], before["orders"])


@pytest.mark.parametrize("columns", [80, 120])
def test_no_line_is_wider_than_the_screen(held: Place, columns: int) -> None:
    seven_at_once(held)
    told = held.hydra("doctor", COLUMNS=str(columns))
    assert told.code == 1
    assert max(map(len, told.out.splitlines())) <= columns
    assert "FAIL store" in told.text


def test_a_day_that_was_traded_in_order_has_nothing_wrong(day_once: Place, tmp_path: Path) -> None:
    place = day_once.copied(tmp_path / "place")
    told = place.hydra("doctor", "--fix", "--json")
    assert (told.code, problems(told), told.document["mended"]) == (0, {}, {})
