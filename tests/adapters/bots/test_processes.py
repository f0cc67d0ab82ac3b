"""Bots in processes of their own: whatever one of them does, it costs that bot its answer and nobody else anything."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hydra.adapters.bots.line import Worker
from hydra.adapters.bots.processes import ProcessBotHost
from hydra.model.errors import Refused
from hydra.model.snapshot import STARTING, Answer
from hydra.ports import Question
from tests.adapters.bots import foreign
from tests.adapters.bots.hosts import FULL, REPOSITORY, begin, children, descendants, host_of
from tests.contracts.bot_host_bots import raises, wish
from tests.contracts.bot_host_contract import BotHostContract, question

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the guards are Linux's")


@contextmanager
def hosting(bots, **more) -> Iterator[ProcessBotHost]:
    host = host_of(bots, **more)
    try:
        yield host
    finally:
        host.close()


class TestProcesses(BotHostContract):
    @pytest.fixture
    def make(self):
        hosts = []

        def make(bots):
            hosts.append(host_of(bots))
            return hosts[-1]

        yield make
        for host in hosts:
            host.close()


LOST = {
    "hangs_asleep": ("timeout", "no answer, at most 1000 ms"),
    "hangs_busy": ("timeout", "no answer, at most 1000 ms"),
    "exits_hard": ("exited", "exited with code 7"),
    "segfaults": ("killed", "ended by SIGSEGV"),
    "is_killed": ("killed", "ended by SIGABRT"),
    "prints_without_end": ("timeout", "no answer, at most 1000 ms"),
    "claims_a_giant": ("oversized", "a frame of 4294967295 bytes, at most 262144"),
    "speaks_nonsense": ("malformed", "number"),
    "speaks_out_of_turn": ("malformed", "it says what it was not asked"),
    "answers_as_another": ("malformed", "it answers as 'good'"),
    "answers_twice": ("malformed", "it says more than one thing at a time"),
    "says_it_is_apart": ("malformed", "it says what it was not asked"),
    "remembers_too_much_in_its_own_words": ("malformed", "the memory has 100008 bytes, at most 65536"),
    "stops_halfway": ("timeout", "no answer, at most 1000 ms"),
    "closes_its_line": ("killed", "ended by SIGKILL"),
}


NOT_YET = (STARTING, "ended")


def _heard(host: ProcessBotHost, questions: list[Question]) -> list[Answer]:
    """Everybody's answer; who is still being made after its last end is asked once more, on a machine that is busy."""
    heard = {answer.bot: answer for answer in host.ask(questions)}
    for _ in range(100):
        starting = [q for q in questions if (failure := heard[q.bot].failure) is not None and failure.kind in NOT_YET]
        if not starting:
            break
        time.sleep(0.1)
        heard |= {answer.bot: answer for answer in host.ask(starting)}
    return [heard[question.bot] for question in questions]


def test_all_of_them_at_once_cost_a_good_bot_nothing_and_are_all_there_again_in_the_next_cycle() -> None:
    bots = {name: getattr(foreign, name) for name in LOST}
    with hosting({**bots, "good": foreign.wishes}, deadline_ms=1000) as host:
        assert host.start() == {}
        for cycle in range(2):
            asked = [question(name) for name in LOST]
            *lost, good = _heard(host, [*asked, question("good", {"count": cycle})])
            assert good == Answer(bot="good", intents=(wish("good"),), memory={"count": cycle + 1})
            for (name, (kind, reason)), answer in zip(LOST.items(), lost, strict=True):
                assert answer.failure is not None, name
                assert (answer.bot, answer.failure.what, answer.failure.kind) == (name, name, kind), answer
                assert reason in answer.failure.reason
                assert (answer.intents, answer.memory) == ((), None)


def test_a_worker_stays_and_one_that_failed_is_another() -> None:
    with hosting({"a": foreign.says_its_process, "b": foreign.exits_hard}) as host:
        first, _ = host.ask([question("a"), question("b")])
        again, _ = host.ask([question("a"), question("b")])
        assert first.memory is not None
        assert first == again
        assert first.memory["pid"] != os.getpid()


def test_memory_beyond_the_limit_is_a_memory_error() -> None:
    with hosting({"a": foreign.allocates}, memory_mb=128) as host:
        (answer,) = host.ask([question("a")])
        assert answer.failure is not None
        assert answer.failure.kind == "MemoryError"


def test_what_a_bot_prints_goes_nowhere_and_is_no_failure(capfd: pytest.CaptureFixture[str]) -> None:
    with hosting({"a": foreign.prints_much}) as host:
        (answer,) = host.ask([question("a")])
    assert answer.memory == {"printed": True}
    assert capfd.readouterr() == ("", "")


def test_what_a_bot_does_to_what_it_was_given_is_seen_by_nobody() -> None:
    asked = question("a", {"count": 5})
    with hosting({"a": foreign.changes_what_it_was_given}) as host:
        (answer,) = host.ask([asked])
        assert answer == Answer(bot="a", memory={"count": 1})
    assert asked == question("a", {"count": 5})


def test_one_that_ended_between_two_cycles_is_told_of_at_once() -> None:
    names = ["a", *(f"b-{n}" for n in range(8)), "z"]
    with hosting(dict.fromkeys(names, foreign.says_its_process), deadline_ms=20_000) as host:
        answers = host.ask([question(name) for name in names])
        for answer in (answers[0], answers[-1]):
            assert answer.memory is not None
            os.kill(answer.memory["pid"], signal.SIGKILL)
        again = host.ask([question(name) for name in names])
        kinds = [None if answer.failure is None else answer.failure.kind for answer in again]
        assert kinds[1:-1] == [None] * 8
        assert {kinds[0], kinds[-1]} <= {"killed", "ended"}  # by its deadline each would have been a timeout


def test_many_that_are_slow_do_not_wait_for_one_another() -> None:
    names = [f"slow-{n}" for n in range(20)]
    with hosting(dict.fromkeys(names, foreign.is_slow)) as host:
        assert host.start() == {}
        began = time.perf_counter()
        answers = host.ask([question(name) for name in names])
        assert time.perf_counter() - began < 5  # one after the other: ten seconds
        assert all(answer.memory == {"slow": True} for answer in answers)


def test_one_that_speaks_byte_by_byte_does_not_keep_the_others_waiting() -> None:
    hung = [f"hung-{n}" for n in range(16)]
    bots = {"trickles": foreign.trickles, **dict.fromkeys(hung, foreign.hangs_asleep)}
    with hosting(bots, deadline_ms=1000) as host:
        assert host.start() == {}
        began = time.perf_counter()
        answers = host.ask([question(name) for name in bots])
        assert time.perf_counter() - began < 3  # four at a time: more than four seconds
        assert {answer.failure.kind for answer in answers if answer.failure is not None} == {"timeout"}


def test_one_that_was_replaced_is_asked_in_the_next_cycle_however_late_that_is() -> None:
    with hosting({"a": raises}, deadline_ms=500) as host:
        for _ in range(2):
            (answer,) = host.ask([question("a")])
            assert answer.failure is not None
            assert answer.failure.kind == "RuntimeError"
            time.sleep(1)  # longer than the deadline: what its process has said meanwhile lies unheard


def test_one_that_stays_busy_after_its_answer_is_ended_before_it_is_asked_again() -> None:
    with hosting({"bad": foreign.stays_busy_afterwards}) as host:
        (first,) = host.ask([question("bad")])
        assert first.memory == {"a": 1}
        time.sleep(0.4)
        (second,) = host.ask([question("bad")])
        assert second.failure is not None
        assert second.failure.kind == "busy"
        assert "it was not asked" in second.failure.reason


def test_what_a_worker_used_before_its_number_was_known_is_not_held_against_it() -> None:
    worker = Worker(begin("a", foreign.wishes))
    worker.answered()
    worker.pid = os.getpid()  # a process that has used the processor
    assert worker.busy() is None
    assert worker.busy() is None


@pytest.mark.parametrize(
    ("maker", "reason"),
    [
        ("made_not_at_all", "bad: ValueError: no such luck"),
        ("made_by_a_crash", "bad: ended by SIGSEGV while it was being made"),
        ("made_never", "bad: was not made within 3 s"),
    ],
)
def test_one_that_cannot_be_made_is_named_at_the_start_and_the_others_are_made(maker: str, reason: str) -> None:
    with hosting(
        {"bad": getattr(foreign, maker), "good": foreign.wishes},
        deadline_ms=200,
        start_seconds=3.0,
    ) as host:
        assert host.start() == {"bad": reason}
        bad, good = host.ask([question("bad"), question("good")])
        assert bad.failure is not None
        assert bad.failure.kind in ("unfit", "killed", "starting")
        assert good.intents == (wish("good"),)


def test_without_a_nursery_everybody_abstains_and_the_next_cycle_begins_anew() -> None:
    with hosting({"a": foreign.wishes}) as host:
        before = children(os.getpid())
        assert host.start() == {}
        (nursery,) = children(os.getpid()) - before
        workers = descendants(nursery)
        os.kill(nursery, signal.SIGKILL)
        _gone(workers)
        (answer,) = host.ask([question("a")])
        assert answer.failure is not None
        assert host.ask([question("a")])[0].intents == (wish("a"),)


def test_a_program_that_cannot_run_refuses_with_what_it_said() -> None:
    program = (sys.executable, "-c", "raise SystemExit('no luck today')")
    host = ProcessBotHost([begin("a", foreign.wishes)], program, {}, deadline_ms=1000, start_seconds=10)
    with pytest.raises(Refused, match="no luck today"):
        host.start()
    (answer,) = host.ask([question("a")])
    assert answer.failure is not None
    assert "no luck today" in answer.failure.reason
    host.close()


@FULL
def test_every_guard_is_tried_and_held() -> None:
    with hosting({"a": foreign.wishes, "b": foreign.wishes}, required=True) as host:
        assert host.isolation.held == ()
        assert host.start() == {}
        assert host.isolation.complete
        assert host.isolation.landlock


def test_nothing_is_left_behind() -> None:
    before = descendants(os.getpid())
    with hosting({"a": foreign.wishes, "b": foreign.hangs_asleep, "c": foreign.exits_hard}, deadline_ms=100) as host:
        host.ask([question("a"), question("b"), question("c")])
        assert descendants(os.getpid()) - before
    assert descendants(os.getpid()) == before


_KILLED = """
import sys, time
from tests.adapters.bots import foreign
from tests.adapters.bots.hosts import host_of
host = host_of({"a": foreign.wishes, "b": foreign.hangs_busy})
host.start()
print("ready", flush=True)
time.sleep(600)
"""


def test_when_the_engine_is_killed_its_workers_end_too() -> None:
    engine = subprocess.Popen([sys.executable, "-c", _KILLED], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
    assert engine.stdout is not None
    assert engine.stdout.readline() == "ready\n"
    workers = descendants(engine.pid)
    assert len(workers) == 3
    engine.kill()
    engine.communicate()
    _gone(workers)


def _gone(workers: set[int]) -> None:
    """Wait until these processes are no more."""
    assert workers
    ends_at = time.monotonic() + 10
    while any(map(_lives, workers)):
        assert time.monotonic() < ends_at, "a worker outlives what it came from"
        time.sleep(0.02)


def _lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"  # ended, and nobody has taken it up yet
