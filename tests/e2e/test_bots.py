"""``hydra bots``: a bot that is written runs as it is, all are listed, and what is wrong with one stops nobody from getting out."""

from __future__ import annotations

import pytest

from tests.e2e.place import Place


@pytest.fixture
def written(fresh: Place) -> Place:
    """A place with a bot of its own, named in its configuration."""
    told = fresh.hydra("bots", "new", "rising", "--json")
    assert told.code == 0, told.text
    assert told.document["written"] == ["configs/bots/rising.py", "configs/bots/test_rising.py"]
    fresh.config.write_text(f"{fresh.config.read_text()}\n{told.document['entry']}", encoding="utf-8")
    return fresh


def test_a_new_bot_is_listed_certified_run_and_replayed_as_it_was_written(written: Place) -> None:
    told = written.hydra("bots", "list", "--json")
    assert told.code == 0, told.text
    mine = told.document["bots"][-1]
    assert (mine["id"], mine["code"], mine["kind"], mine["state"]) == (
        "rising",
        "bots/rising.py:make",
        "file",
        "enabled",
    )
    assert (told.document["day"], mine["share"]) == (None, None)
    assert [one["name"] for one in told.document["installed"]] == ["crypto", "options"]
    assert written.hydra("qc").code == 0
    ran = written.hydra("run", "--cycles", "640")
    assert ran.code == 0, ran.text
    assert {entry["data"]["order"]["bot"] for entry in written.entries()} >= {"rising"}
    assert written.hydra("replay", "logs").code == 0
    after = written.hydra("bots", "list", "--json").document
    assert after["day"] == "2025-01-06"
    assert after["bots"][-1]["trades_today"] >= 1
    assert after["bots"][-1]["share"] == "125"


@pytest.mark.drill
@pytest.mark.altered_journal("its bot cannot be imported any more")
def test_an_edit_of_a_bot_ends_the_certificate_and_a_broken_one_is_refused_but_where_positions_are_closed(
    written: Place,
) -> None:
    assert written.hydra("qc").code == 0
    file = written.folder / "configs" / "bots" / "rising.py"
    file.write_text(f"{file.read_text()}\n# edited\n", encoding="utf-8")
    told = written.hydra("run", "--cycles", "3")
    assert told.code == 3
    assert "made for another code_hash" in told.text
    file.write_text("def make(setting) return 1\n", encoding="utf-8")
    for line in (["qc"], ["run"], ["bots", "list"]):
        told = written.hydra(*line)
        assert told.code == 2, told.text
        assert "configs/paper.toml: bots (rising).bot: " in told.text
        assert "rising.py, line 1: SyntaxError" in told.text
    flat = written.hydra("flatten", "--yes")
    assert flat.code in (0, 3), flat.text
    assert "not asked: bots (rising).bot: " in flat.text


def test_every_width_has_every_bot(certified: Place) -> None:
    for width in ("80", "120"):
        told = certified.hydra("bots", "list", COLUMNS=width)
        assert told.code == 0, told.text
        assert max(map(len, told.out.splitlines())) <= int(width)
        assert all(bot in told.out for bot in ("spy-trend", "spy-breakout", "aapl-trend"))


def test_a_name_that_is_taken_is_refused_and_nothing_is_written_over(written: Place) -> None:
    before = (written.folder / "configs" / "bots" / "rising.py").read_bytes()
    for name in ("rising", "spy_trend", "Rising", "json"):
        told = written.hydra("bots", "new", name)
        assert (told.code, "NAME" in told.text) == (2, True), told.text
    written.config.write_text(written.config.read_text().replace('id = "rising"', 'id = "other"'), encoding="utf-8")
    told = written.hydra("bots", "new", "rising")
    assert told.code == 2
    assert "exists; nothing is written over" in told.text
    assert (written.folder / "configs" / "bots" / "rising.py").read_bytes() == before
