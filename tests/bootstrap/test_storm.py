"""The storm: what is kept of it, that it goes on where it was killed and counts nothing twice, and what it refuses."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.bootstrap.storm import main
from hydra.bootstrap.storm_log import KINDS, Log, Numbers, add, take_up, write_whole
from hydra.model.errors import BadConfig
from hydra.qc.report.page import page
from tests.bootstrap.quick_storm import CYCLES, job
from tests.docs.pages import ROOT

ASKED = {"seed": 1, "policy hash": "aa" * 32, "code": "bb" * 32, "began": "now", "policy": "x.toml"}


def storm(folder: Path, *line: str, wait: bool = True) -> subprocess.Popen[str]:
    """A storm of made-up voyages in a process of its own."""
    program = "from hydra.bootstrap.storm import start; from tests.bootstrap.quick_storm import job; start(job)"
    command = [sys.executable, "-c", program, "--config", str(ROOT / "configs" / "paper.toml")]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HYDRA_")}
    process = subprocess.Popen(
        [*command, "--report", str(folder / "storm.json"), *line],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if wait:
        process.told = process.communicate(timeout=60)[0]  # type: ignore[attr-defined]  # what it has said
    return process


def told(folder: Path) -> dict[str, Any]:
    """The report."""
    document: dict[str, Any] = orjson.loads((folder / "storm.json").read_bytes())
    return document


def numbers_of(document: dict[str, Any]) -> dict[str, int]:
    """How often every voyage was counted."""
    counted: dict[str, int] = {}
    for kind in KINDS:
        add(counted, document["tallies"][kind].get("numbers", {}))
    return counted


def cycles_in(folder: Path) -> int:
    """What the report has counted by now."""
    return sum(told(folder)["cycles"].values()) if (folder / "storm.json").exists() else -1


def under_way(process: subprocess.Popen[str], folder: Path, beyond: int = 0) -> bool:
    """Wait until something more is counted; whether it is still at work then."""
    ends_at = time.monotonic() + 40
    while time.monotonic() < ends_at and process.poll() is None and cycles_in(folder) <= beyond:
        time.sleep(0.02)
    return process.poll() is None


def test_a_storm_that_is_killed_goes_on_and_counts_nothing_twice(tmp_path: Path) -> None:
    chance, starts = random.Random(1), 1
    for _ in range(2):
        process = storm(tmp_path, "--cycles", "4000", "--cores", "2", wait=False)
        starts += under_way(process, tmp_path, cycles_in(tmp_path))
        time.sleep(chance.uniform(0, 0.2))
        process.kill()
        process.communicate()
    done = cycles_in(tmp_path)
    assert 0 < done < 4000
    last = storm(tmp_path, "--cycles", str(done + 500), "--cores", "2")
    assert last.returncode == 0
    document = told(tmp_path)
    counted = numbers_of(document)
    assert set(counted.values()) == {1}, "every voyage counts once"
    voyages = sum(row["voyages"] for row in document["rows"])
    assert len(counted) == voyages
    assert sum(document["cycles"].values()) == voyages * CYCLES >= done + 500
    assert document["begun"] == starts
    assert sorted(path.name for path in tmp_path.iterdir()) == [".storm.json.lock", "storm.html", "storm.json"]


def in_here(folder: Path, *line: str) -> int:
    """A storm of made-up voyages from this process; its exit code."""
    config, report = str(ROOT / "configs" / "paper.toml"), str(folder / "storm.json")
    return main(["--config", config, "--report", report, "--cores", "1", *line], make=job)


def test_a_claim_that_breaks_ends_it_and_is_told_with_the_command_that_repeats_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = ["--cycles", "100000", "--seed", "13", "--only", "kills"]
    assert in_here(tmp_path, *line) == 1
    said = capsys.readouterr().out
    assert "BROKEN kills:13" in said
    again = f"python -m hydra.bootstrap.storm --config {ROOT}/configs/paper.toml --seed 13 --voyage kills:13"
    assert again in said.replace("\n", " ")
    document = told(tmp_path)
    assert (document["ok"], document["exit_code"], document["verdict"]) == (False, 1, "Broken")
    assert again in document["again"]
    assert "made up: on purpose" in (tmp_path / "storm.html").read_text(encoding="utf-8")
    assert in_here(tmp_path, *line) == 1, "it stays broken, and is not gone on with"
    assert told(tmp_path)["cycles"] == document["cycles"]
    assert in_here(tmp_path, "--cycles", "400", "--seed", "13", "--only", "kills", "--keep-going") == 1
    assert told(tmp_path)["cycles"]["kills"] >= 400


def test_a_storm_in_which_nothing_was_played_has_shown_nothing(tmp_path: Path) -> None:
    over = storm(tmp_path, "--seconds", "0.000001")
    assert over.returncode == 1
    document = told(tmp_path)
    assert (document["ok"], document["verdict"]) == (False, "Nothing was shown")
    assert "0 of 1,000,000 cycles: no claim was judged; no voyage came to its end" in document["message"]
    assert "Nothing was shown" in (tmp_path / "storm.html").read_text(encoding="utf-8")


def test_a_voyage_that_kills_its_process_is_a_finding(tmp_path: Path) -> None:
    assert in_here(tmp_path, "--cycles", "100000", "--seed", "7", "--only", "losses") == 1
    (broken,) = told(tmp_path)["broken"]
    assert broken["name"] == "losses:7"
    assert broken["problems"] == ["the process ended with -9 before it answered"]


def test_one_storm_at_a_time_and_one_that_is_told_to_stop_keeps_what_is_done(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    process = storm(tmp_path, "--cycles", "1000000", wait=False)
    try:
        assert under_way(process, tmp_path)
        assert in_here(tmp_path) == 2
        assert str(process.pid) in capsys.readouterr().err
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=40)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 143, said
    assert "told to stop" in told(tmp_path)["message"]
    assert set(numbers_of(told(tmp_path)).values()) == {1}
    assert (tmp_path / "storm.html").exists()


@pytest.mark.drill
@pytest.mark.timeout(300)
def test_a_real_storm_of_every_kind_holds(tmp_path: Path) -> None:
    """Two voyages of each kind at least."""
    assert (
        main(
            ["--config", str(ROOT / "configs" / "paper.toml"), "--report", str(tmp_path / "r.json"), "--seconds", "60"]
        )
        == 0
    )
    document: dict[str, Any] = orjson.loads((tmp_path / "r.json").read_bytes())
    assert all(row["voyages"] and row["troubles"] for row in document["rows"])


@pytest.mark.parametrize("line", [["--cycles", "0"], ["--cycles", "-3"], ["--seed", "x"], ["--seconds", "nan"], ["--seconds", "-1"],
    ["--voyage", "kills:0"], ["--voyage", "ships:3"], ["--only", "ships"], ["--cores", "0"], ["--config", "nowhere.toml"],
    ["--report", "nowhere/storm.json"]], ids=" ".join)  # fmt: skip
def test_a_line_that_cannot_be_is_refused(line: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given_line = ["--config", str(ROOT / "configs" / "paper.toml"), "--report", str(tmp_path / "storm.json"), *line]
    try:
        code: object = main(given_line)
    except SystemExit as ending:
        code = ending.code
    assert code == 2
    assert capsys.readouterr().err
    assert not (tmp_path / "storm.json").exists()


@pytest.mark.parametrize("name", ["seed", "policy hash", "code"])
def test_a_report_of_another_storm_is_refused_by_name(name: str, tmp_path: Path) -> None:
    path = tmp_path / "storm.json"
    write_whole(path, orjson.dumps(Log(asked=dict(ASKED)).record()))
    assert take_up(path, dict(ASKED)).total == 0
    word = name.removesuffix(" hash")
    with pytest.raises(BadConfig, match=f"is a storm of another {word} .* name another --report, or begin anew"):
        take_up(path, {**ASKED, name: "other"})
    assert take_up(path, {**ASKED, name: "other"}, fresh=True).begun == 0


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"{}", b'{"form":1,"asked":{}}', b'{"form":2,"asked":{}}', b"\xff"]
)
def test_a_file_that_is_no_report_is_refused_and_kept(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "storm.json"
    path.write_bytes(content)
    with pytest.raises(BadConfig, match="is not the report of a storm"):
        take_up(path, dict(ASKED))
    assert path.read_bytes() == content


@settings(derandomize=True, deadline=None)
@given(order=st.permutations(range(1, 12)), cut=st.integers(0, 11))
def test_what_is_kept_is_what_was_counted_whatever_the_order(order: list[int], cut: int) -> None:
    log = Log(asked=dict(ASKED))
    for number in order[:cut]:
        log.take("memory", number, 1.0, 10, {"counts": {"cycles": 10}, "deep": {"er": {str(number): 1}}, "plain": 1})
    kept = orjson.loads(orjson.dumps(log.record()))
    done = Numbers(kept["done"]["memory"]["through"], set(kept["done"]["memory"]["beyond"]))
    assert [number in done for number in range(1, 12)] == [number in order[:cut] for number in range(1, 12)]
    assert len(done) == cut
    assert log.total == 10 * cut
    assert log.tallies["memory"].get("plain", 0) == cut
    with pytest.raises(AssertionError, match="counted already"):
        log.take("memory", [*order[:cut], 0][0], 1.0, 10, {})


def test_the_report_of_nothing_is_a_page(tmp_path: Path) -> None:
    from hydra.bootstrap.storm_report import document, page_document

    made = document(Log(asked=dict(ASKED)), goal=10, ending="", exit_code=0)
    assert "Nothing was shown" in page(page_document(made, practice=False))
