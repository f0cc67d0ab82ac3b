"""``hydra tournament report`` as it is typed: exit codes, one document, a page, and refusals that say what would do."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hydra.cli.main import app
from hydra.gladiators.consensus import SURE
from hydra.gladiators.controls import CONTROLS, FACTOR
from hydra.gladiators.score.chance import BLOCKS_LEAST, DRAWS, calls_needed
from hydra.gladiators.score.measure import LEAST, STAKE
from hydra.gladiators.score.pooling import SHRINK_CALLS
from hydra.gladiators.score.proper import SUREST
from tests.docs.pages import read, rows, sections
from tests.study.tournament.left import leave


def typed(*arguments: str | Path) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["tournament", "report", *map(str, arguments)], env={"COLUMNS": "120"})
    return done.exit_code, done.stdout, done.stderr


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("logs")
    leave(folder / "tournament", iterations=60)
    leave(folder / "tournament-rescaled", run="scaled", iterations=60, control="rescaled")
    leave(folder / "tournament-inverted", run="turned", iterations=60, control="inverted")
    return folder


def test_the_last_run_is_told_and_a_page_written(logs: Path, tmp_path: Path) -> None:
    code, out, _ = typed("--log-dir", logs, "--report", tmp_path / "page.html")
    assert code == 0
    assert "seat A" in out
    assert (tmp_path / "page.html").read_text().startswith("<!doctype html>")


def test_with_json_there_is_one_document_and_nothing_else(logs: Path) -> None:
    code, out, _ = typed("--log-dir", logs, "--json")
    told = json.loads(out)
    assert (code, told["ok"], told["command"], told["exit_code"]) == (0, True, "tournament report", 0)
    assert told["message"].startswith("consensus: ")
    assert told["controlled"] is None


def test_a_control_that_held_is_0_and_one_that_rules_broke_is_1(logs: Path) -> None:
    code, out, _ = typed("scaled", "--log-dir", logs)
    assert code == 0
    assert "every vote of the rules is the same vote" in out
    code, out, _ = typed(logs / "tournament-inverted", "--against", logs / "tournament", "--json")
    told = json.loads(out)
    assert (code, told["ok"], told["controlled"]["held"]) == (1, False, False)


def test_every_key_of_the_document_is_documented_and_no_other(logs: Path, tmp_path: Path) -> None:
    _, out, _ = typed("--log-dir", logs, "--json", "--report", tmp_path / "page.html")
    section = sections(read("reference/cli.md"), 3)["hydra tournament report"]
    documented = {name for row in rows(section) for name in re.findall(r"`([a-z_]+)`", row[0])}
    assert set(json.loads(out)) - {"command", "ok", "exit_code"} == documented


def test_the_numbers_of_the_page_on_scores_are_those_of_the_code() -> None:
    page = read("reference/tournament-score.md")
    for told in (
        f"Below **{LEAST}** independent calls", f"below **{LEAST}** forecasts", f"below **{BLOCKS_LEAST}** blocks", f"iterations {DRAWS:,} times",
        f"{calls_needed(0.52):,} for 52%, {calls_needed(0.55):,} for 55%", f"worth {SHRINK_CALLS} calls", f"shown ${STAKE} a call",
        f"none held surer than {SUREST:.1%}", f"none held surer than {SURE:.0%}", "42 of 81, or 54 of 81", f"every price times {FACTOR}",
    ):  # fmt: skip
        assert told in page, told
    assert [row[0].strip("`") for row in rows(sections(page, 2)["Controls"])] == list(CONTROLS)


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (["nobody"], "no run 'nobody'"),
        (["--against", "scaled"], "is no control run"),
        (["--report", "/proc/none/page.html"], "cannot be written"),
        (["--data", "nowhere.csv"], "nowhere.csv"),
        (["scaled", "--against", "nobody"], "no run 'nobody'"),
    ],
)
def test_what_cannot_be_done_is_refused_with_2(logs: Path, arguments: list[str], found: str) -> None:
    code, out, err = typed(*arguments, "--log-dir", logs)
    assert code == 2
    assert found in " ".join((out + err).split())


def test_a_damaged_history_is_3_and_says_where(tmp_path: Path) -> None:
    leave(tmp_path / "tournament", iterations=3)
    with (tmp_path / "tournament" / "vote_history.jsonl").open("ab") as file:
        file.write(b"garbage\n")
    code, out, err = typed("--log-dir", tmp_path)
    assert code == 3
    assert "line 16" in out + err
