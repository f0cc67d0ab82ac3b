"""The harness: what it sees, and that it would say so."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import pytest
from rich.console import Console

from hydra.bootstrap import stress as program
from hydra.bootstrap.stress_screen import stress_table
from hydra.model.isolation import Isolation
from hydra.model.snapshot import Answer
from hydra.model.values import replace
from hydra.ports import BotHost, Question
from hydra.qc.ground import descendants, left_behind
from hydra.qc.hostile.table import HOSTILE
from hydra.qc.stress import GOOD, play
from hydra.qc.stress_report import StressReport
from tests.adapters.bots.hosts import FULL
from tests.stress.stage import KEY, in_memory, in_processes, stress_of

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="what keeps bots apart is Linux's")


class Meddling:
    """A host that changes answers on their way."""

    def __init__(self, host: BotHost, change: Callable[[Answer, int], Answer]) -> None:
        self._host, self._change, self._asked = host, change, 0

    @property
    def isolation(self) -> Isolation:
        return self._host.isolation

    def ask(self, questions: Sequence[Question]) -> tuple[Answer, ...]:
        self._asked += 1
        answers = self._host.ask(questions)
        return tuple(self._change(answer, self._asked) for answer in answers) if len(answers) > 1 else answers

    def close(self) -> None:
        self._host.close()


def played(folder: Path, *bots: str, change: Callable[[Answer, int], Answer] | None = None) -> StressReport:
    if change is None:
        return play(stress_of(*bots), folder, in_memory())
    return play(stress_of(*bots), folder, in_memory(lambda host: Meddling(host, change)))


def test_bots_that_only_fail_and_a_good_one_beside_them_held(tmp_path: Path) -> None:
    report = played(tmp_path, "raises", "system-exit", "unspeakable", "nan-size", "other-bots", "unknown-symbol")
    assert report.problems == ()
    assert report.differs == ""
    assert report.good_intents > 2
    assert report.good_sends > 2
    assert {bot.bot: bot.asked for bot in report.bots} == dict.fromkeys([bot.bot for bot in report.bots], 8)
    assert report.bots[0].failures == {"RuntimeError": 8}


def test_what_is_open_inline_is_told_with_the_guard_that_would_hold_it(tmp_path: Path) -> None:
    report = played(tmp_path, "files", "venue", "deletes")
    told = "\n".join(report.problems)
    assert "files: GOT .env: " in told
    assert "a key, sha256 " in told
    assert "against files which is open here" in told
    assert "planted: state/trading_state.db is gone" in told
    assert "the listener was reached by TCP" in told
    assert KEY not in told


def test_a_key_that_gets_into_an_answer_is_found_wherever_it_went(tmp_path: Path) -> None:
    def leaking(answer: Answer, _asked: int) -> Answer:
        Path(tmp_path, "crowd", "found").write_text(f"{answer.bot} has {KEY}")
        return answer

    report = played(tmp_path, "raises", change=leaking)
    assert report.keys_in == ("crowd/found",)
    assert "the planted key is in crowd/found" in report.problems


def test_a_good_bot_that_is_not_the_same_is_noticed(tmp_path: Path) -> None:
    def meddling(answer: Answer, asked: int) -> Answer:
        return replace(answer, intents=(), memory=None) if answer.bot == GOOD and asked == 3 else answer

    report = played(tmp_path, "raises", change=meddling)
    assert report.differs.startswith("answer 3: ")
    assert any(problem.startswith("the good bot is not the same: answer 3") for problem in report.problems)


def test_an_end_that_was_not_expected_is_a_problem(tmp_path: Path) -> None:
    def answering(answer: Answer, _asked: int) -> Answer:
        return Answer(bot=answer.bot) if answer.bot == "raises" else answer

    report = played(tmp_path, "raises", change=answering)
    assert "raises: answered 8 times; expected RuntimeError" in report.problems


def test_nothing_that_was_asked_is_no_success() -> None:
    report = msgspec.convert(
        {
            "cycles": 0,
            "deadline_ms": 500,
            "seconds": 0.0,
            "isolation": {"host": "process"},
            "asks": {"cycles": 0, "median_ms": 0.0, "p99_ms": 0.0, "longest_ms": 0.0},
            "asks_alone": {"cycles": 0, "median_ms": 0.0, "p99_ms": 0.0, "longest_ms": 0.0},
            "good_intents": 0,
            "good_sends": 0,
        },
        StressReport,
    )
    assert report.breaches == ()
    assert report.problems == (
        "0 hostile bots in 0 cycles: nothing was tried",
        "the good bot wished for nothing: that it is the same says nothing",
    )


def test_an_ask_that_took_too_long_and_a_process_left_behind_are_problems(tmp_path: Path) -> None:
    report = played(tmp_path, "raises")
    late = replace(report, asks=replace(report.asks, longest_ms=9000.0), left=("sleep (7, child of 1)",))
    assert late.breaches == ("left behind: sleep (7, child of 1)",)
    assert late.problems == (
        *late.breaches,
        "the longest ask took 9000 ms; the deadline is 500, 725 are allowed for everybody together",
    )


def test_descriptors_that_stay_open_and_orders_of_hostile_bots_are_breaches(tmp_path: Path) -> None:
    report = played(tmp_path, "raises")
    (bot,) = report.bots
    leaking = replace(report, descriptors=500, descriptors_left=400, bots=(replace(bot, sends=2),))
    assert leaking.breaches == (
        "500 more descriptors were open at one time, 43 may be; 400 afterwards, 40 may be",
        "raises: 2 orders were sent for it",
    )


def test_an_engine_that_ends_before_its_time_is_a_breach(tmp_path: Path) -> None:
    class Broken(Meddling):
        def ask(self, questions: Sequence[Question]) -> tuple[Answer, ...]:
            raise TypeError("not to be asked")

    report = play(stress_of("raises"), tmp_path, in_memory(lambda host: Broken(host, lambda answer, _asked: answer)))
    assert report.breaches[0] == "the engine did not go on to the end: TypeError: not to be asked"


def test_an_attempt_that_could_not_be_made_is_no_refusal(tmp_path: Path) -> None:
    report = played(tmp_path, "raises")
    (bot,) = report.bots
    tried = replace(bot, attempts={"read it": {"failed: FileNotFoundError nothing there": 3, "refused: EACCES": 5}})
    problems = replace(report, bots=(tried,)).problems
    assert problems == ("raises: could not be tried: read it: FileNotFoundError nothing there (3 times)",)


@LINUX
def test_a_process_that_was_left_behind_is_found_and_ended() -> None:
    before = descendants(os.getpid())
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as left:
        (found,) = left_behind(before, 0.0)
        assert f"({left.pid}, child of {os.getpid()})" in found
    assert left_behind(before, 0.0) == ()


@pytest.mark.parametrize("width", [80, 120])
def test_the_table_fits_and_has_every_bot(tmp_path: Path, width: int) -> None:
    report = played(tmp_path, "raises", "files")
    console = Console(width=width, record=True, file=open(os.devnull, "w"))  # noqa: SIM115, PTH123  # recorded, not written
    console.print(stress_table(report))
    lines = console.export_text().splitlines()
    assert max(map(len, lines)) <= width
    assert any(line.startswith("raises ") and "RuntimeError 8" in line for line in lines)
    assert any(line.startswith("NOT HELD: ") for line in lines)


def test_the_document_says_whether_it_held(tmp_path: Path) -> None:
    document = played(tmp_path, "raises").document()
    assert document["held"] is True
    assert document["problems"] == []
    assert document["bots"][0]["bot"] == "raises"


@FULL
def test_all_of_them_in_processes_beside_a_good_one(tmp_path: Path) -> None:
    """The slice of the gate: everything at once, and once again in new processes."""
    report = play(stress_of(*HOSTILE, cycles=2, deadline_ms=800), tmp_path, in_processes(800))
    assert report.breaches == ()
    assert report.isolation.complete, report.isolation
    assert {bot.asked for bot in report.bots} == {2}


@FULL
@pytest.mark.drill
@pytest.mark.timeout(7200)
def test_a_thousand_cycles() -> None:
    report = program.run(stress_of(*HOSTILE, cycles=1000))
    assert report.problems == ()
