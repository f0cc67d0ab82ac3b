"""``hydra qc --full``: the line, the order of things, what makes it a no, its report, and leaving it early."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from hydra.adapters.lock import WriterLock
from hydra.bootstrap.setup import read_setup, this_process
from hydra.cli.commands import full, qc
from hydra.cli.commands.fast import Fast
from hydra.cli.frame import Frame, Result, in_frame
from hydra.cli.main import main
from hydra.cli.page import Page
from hydra.model.errors import BadConfig
from hydra.model.portfolio import Certificate
from hydra.qc.check import CheckResult, Status
from hydra.qc.lists import FULL
from tests.docs.make_events import call, elsewhere, options
from tests.docs.pages import ROOT
from tests.docs.test_cli import keys_in

ASKED = {"full": True, "seed": None, "storms": None, "voyage": None, "report": None}


def result_of(name: str, status: Status = Status.PASS, reason: str = "well") -> CheckResult:
    """An answer."""
    return CheckResult(name=name, plug=name, status=status, reason=reason, ms=1.0, remedy="mend it")


CERTIFICATE = Certificate(
    wall=datetime(2024, 1, 1, tzinfo=UTC),
    minutes=15,
    head="",
    policy_hash="",
    code_hash="",
    account_id="",
    url="",
    mode="paper",
    host="",
)
TRIED = tuple(result_of(name) for name in FULL)


def fast(*statuses: Status, certificate: Certificate | None = CERTIFICATE) -> Callable[..., Fast]:
    """A fast preflight that comes out like this, time after time; it leaves a certificate when it may."""
    answers = iter(statuses)

    def ask(_frame: Frame, _setup: object, *, certifying: bool) -> Fast:
        status = next(answers)
        good = certifying and status is Status.PASS
        ending = "allowed to trade" if good else "not certified"
        return Fast(results=(result_of("disk", status),), ending=ending, certificate=certificate if good else None)

    return ask


def checked(
    place: Path, ask_fast: Callable[..., Fast], tried: Callable[..., Any] = lambda _: TRIED, **more: Any
) -> Result:
    """A full check of made-up parts."""
    told = options(place, **{**ASKED, **more})
    setup = read_setup(told["config"], told["state_dir"], told["log_dir"], os.environ)
    frame = Frame(command="qc", options=told)
    page = None if told["report"] is None else Page.at(told["report"])
    return full.FullCheck(frame=frame, setup=setup, page=page, ask_fast=ask_fast, try_all=tried).result()


@pytest.fixture
def desk(tmp_path: Path) -> Any:
    """Another folder to work in."""
    with elsewhere(tmp_path):
        yield tmp_path


# -- the line


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (["--seed", "3"], "--seed: only with --full"),
        (["--storms", "3", "--voyage", "2"], "--storms, --voyage: only with --full"),
        (["--report", "x.html"], "--report: only with --full"),
        (["--full", "--seed", "-1"], "--seed"),
        (["--full", "--seed", "seven"], "--seed"),
        (["--full", "--storms", "0"], "--storms"),
        (["--full", "--storms", "nan"], "--storms"),
        (["--full", "--voyage", "0"], "--voyage"),
        (["--full", "--voyage", "3", "--report", "x.html"], "goes without --report"),
        (["--full", "--voyage", "3", "--storms", "4"], "goes without --storms"),
        (["--full", "--report", "."], "is a folder"),
        (["--full", "--report", "nowhere/x.html"], "nowhere/x.html: cannot be written: No such file"),
        (["--full", "--report", "/proc/x.html"], "/proc/x.html: cannot be written"),
        (["--full", "--report", "/dev/null"], "is a device"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_line_that_cannot_be_is_refused_before_anything_is_asked(
    line: list[str], told: str, desk: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["hydra", "qc", *line, "--json"])
    with pytest.raises(SystemExit) as ending:
        main()
    assert ending.value.code == 2
    document = json.loads(capfd.readouterr().out)
    assert told in document["error"]
    assert document["exit_code"] == 2
    assert not any(desk.iterdir()), "and nothing was touched"


def environment() -> dict[str, str]:
    """This one's, with this tree first, and nothing of Hydra."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("HYDRA_")}
    return {**plain, "PYTHONPATH": str(ROOT)}


# -- the order of things


def test_when_the_fast_list_fails_no_trial_is_begun(desk: Path) -> None:
    begun: list[object] = []

    def tried(one: object) -> tuple[CheckResult, ...]:
        begun.append(one)
        return TRIED

    result = checked(desk, fast(Status.FAIL), tried)
    assert result.exit_code == 1
    assert begun == []
    assert result.document["message"] == "1 of 1 checks failed: disk; the trials were not begun"


def test_everything_is_asked_again_before_it_is_certified(desk: Path) -> None:
    result = checked(desk, fast(Status.PASS, Status.PASS))
    assert result.exit_code == 0
    assert result.document["message"] == "allowed to trade"
    assert [one["name"] for one in result.document["checks"]] == ["disk", *FULL, "unchanged"]
    late = checked(desk, fast(Status.PASS, Status.FAIL))
    assert late.exit_code == 1
    assert late.document["message"] == "2 of 9 checks failed: disk, certificate"


@pytest.mark.parametrize("name", FULL)
def test_a_trial_that_fails_or_was_not_made_is_a_no(name: str, desk: Path) -> None:
    failed = tuple(result_of(one, Status.FAIL if one == name else Status.PASS) for one in FULL)
    left_out = tuple(one for one in TRIED if one.name != name)
    for trials in (failed, left_out):
        result = checked(desk, fast(Status.PASS), lambda _, trials=trials: trials)
        assert result.exit_code == 1
        assert name in result.document["message"]


def test_trials_that_cannot_be_begun_are_a_no(desk: Path) -> None:
    def tried(_one: object) -> tuple[CheckResult, ...]:
        raise OSError(30, "Read-only file system", "state")

    result = checked(desk, fast(Status.PASS), tried)
    assert result.exit_code == 1
    assert "Read-only file system" in str(result.document["checks"])


def test_without_a_certificate_it_is_a_no_whatever_was_answered(desk: Path) -> None:
    result = checked(desk, fast(Status.PASS, Status.PASS, certificate=None))
    assert result.exit_code == 1
    assert "certificate" in result.document["message"]


def test_a_configuration_that_is_changed_meanwhile_was_not_tried(desk: Path) -> None:
    config = desk / "mine.toml"
    config.write_bytes((ROOT / "configs" / "paper.toml").read_bytes())

    def tried(_one: object) -> tuple[CheckResult, ...]:
        config.write_text(config.read_text().replace("interval_seconds = 5", "interval_seconds = 6"))
        return TRIED

    result = checked(desk, fast(Status.PASS), tried, config=config)
    assert result.exit_code == 1
    (unchanged,) = (one for one in result.document["checks"] if one["name"] == "unchanged")
    assert "the policy was changed meanwhile" in unchanged["reason"]


def test_the_seed_and_the_command_that_repeats_it_are_said(desk: Path) -> None:
    result = checked(desk, fast(Status.PASS, Status.PASS), seed=7, storms=3)
    assert (result.document["seed"], result.document["storms"]) == (7, 3)
    assert result.document["again"] == [f"hydra qc --full --config {ROOT}/configs/paper.toml --seed 7 --storms 3"]
    assert (
        checked(desk, fast(Status.FAIL)).document["seed"]
        == read_setup(ROOT / "configs" / "paper.toml", desk, desk, {}).policy.engine.seed
    )


def test_its_documents_have_the_documented_keys(desk: Path) -> None:
    alone = {"seed", "voyage", "problems", "beats", "told", "message"}
    result = checked(desk, fast(Status.PASS, Status.PASS))
    assert set(result.document) | alone == keys_in("qc")
    voyage = call(qc.command, "qc", desk, **{**ASKED, "voyage": 1, "seed": 3})
    assert set(voyage.document) == alone
    assert voyage.exit_code == (1 if voyage.document["problems"] else 0)


# -- the report


@pytest.mark.parametrize("good", [True, False])
def test_the_report_says_what_came_of_it_and_replaces_the_one_before(good: bool, desk: Path) -> None:
    path = desk / "report <x>.html"
    path.write_text("an older one")
    ends = (Status.PASS, Status.PASS) if good else (Status.FAIL,)
    result = checked(desk, fast(*ends), report=path)
    text = path.read_text(encoding="utf-8")
    assert ("<h1>Allowed to trade</h1>" in text, "<h1>Not allowed to trade</h1>" in text) == (good, not good)
    assert result.document["report"] == str(path)
    assert result.document["asked"]["policy hash"] in text
    assert sorted(one.name for one in desk.iterdir()) == [path.name], "nothing is left beside it"


def test_nothing_secret_stands_in_the_report(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HYDRA_ALPACA__KEY", "HYDRA_ALPACA__SECRET", "HYDRA_JOURNAL_KEY", "HYDRA_ARM_LIVE"):
        monkeypatch.setenv(name, "a-secret-of-the-user")
    path = desk / "report.html"
    result = checked(desk, fast(Status.PASS, Status.PASS), report=path)
    assert "a-secret-of-the-user" not in path.read_text(encoding="utf-8")
    assert "a-secret-of-the-user" not in str(result.document)


def test_a_link_stays_and_what_it_points_to_is_replaced(desk: Path) -> None:
    (desk / "real.html").write_text("old")
    (desk / "link.html").symlink_to(desk / "real.html")
    checked(desk, fast(Status.FAIL), report=desk / "link.html")
    assert (desk / "link.html").is_symlink()
    assert "Not allowed" in (desk / "real.html").read_text(encoding="utf-8")


def test_a_report_that_cannot_be_written_in_the_end_is_said_and_is_a_no(desk: Path) -> None:
    (desk / "there").mkdir()

    def tried(_one: object) -> tuple[CheckResult, ...]:
        (desk / "there").rmdir()
        return TRIED

    result = checked(desk, fast(Status.PASS, Status.PASS), tried, report=desk / "there" / "x.html")
    assert result.exit_code == 1
    assert "the report could not be written" in result.document["message"]


def test_a_configuration_that_cannot_be_read_is_a_failed_check(desk: Path) -> None:
    (desk / "bad.toml").write_text("mode = ")
    result = call(qc.command, "qc", desk, config=desk / "bad.toml", **ASKED)
    assert result.exit_code == 2
    assert result.document["checks"][0]["name"] == "configuration"


def test_a_usage_error_is_told_by_the_frame(desk: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    told = options(desk, **{**ASKED, "full": False, "seed": 3})
    assert in_frame("qc", told, qc.command) == 2
    assert orjson.loads(capfdbinary.readouterr().out)["error"] == "--seed: only with --full"
    with pytest.raises(BadConfig, match="is a folder"):
        Page.at(desk)


# -- leaving it early


@pytest.mark.parametrize(
    ("number", "code"),
    [
        pytest.param(signal.SIGINT, 130, id="ctrl-c", marks=pytest.mark.drill),
        pytest.param(signal.SIGTERM, 143, id="term", marks=pytest.mark.drill),
    ],
)
def test_it_can_be_left_at_any_time_and_leaves_nothing(number: signal.Signals, code: int, tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "logs").mkdir()
    line = [sys.executable, "-m", "hydra", "qc", "--full", "--config", str(ROOT / "configs" / "paper.toml"), "--json"]
    with (tmp_path / "told").open("w+") as told:
        process = subprocess.Popen(
            line, cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=told, start_new_session=True
        )
        try:
            assert wait_for(lambda: "rehearsal: begun" in (tmp_path / "told").read_text(), 40)
            assert wait_for(lambda: bool(below(process.pid)), 20)
            with WriterLock(tmp_path / "state" / "lock", this_process("run")):
                pass  # the trials do not hold it
            workers = below(process.pid)
            process.send_signal(number)
            out, _ = process.communicate(timeout=20)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
    assert process.returncode == code
    document = json.loads(out)
    assert (document["ok"], document["exit_code"], document["kind"]) == (False, code, "KeyboardInterrupt")
    assert not [pid for pid in workers if Path(f"/proc/{pid}/cmdline").exists() and b"crew" in cmdline(pid)]
    left = [path.name for folder in ("state", "logs") for path in (tmp_path / folder).iterdir()]
    assert not [name for name in left if name.startswith(".hydra-trial")]


def below(pid: int) -> list[int]:
    """The processes that a process has started."""
    try:
        told = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8")
    except OSError:
        return []
    threads = Path(f"/proc/{pid}/task").iterdir()
    every = [told, *((thread / "children").read_text(encoding="utf-8") for thread in threads)]
    return [int(word) for words in every for word in words.split()]


def cmdline(pid: int) -> bytes:
    """What a process was started as; nothing when it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def wait_for(what: Callable[[], bool], seconds: float) -> bool:
    """Whether it came true in time."""
    ends_at = time.monotonic() + seconds
    while time.monotonic() < ends_at:
        if what():
            return True
        time.sleep(0.05)
    return what()
