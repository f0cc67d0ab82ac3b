"""Asking side by side: a mute server costs one deadline, and the others answer."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from hydra.adapters.reads import ParallelReads, read_inline

DEADLINE = 0.15


@pytest.fixture
def reads() -> Iterator[ParallelReads]:
    made = ParallelReads(DEADLINE)
    yield made
    made.close()


def fails() -> None:
    raise ConnectionError("reset by peer")


@pytest.mark.parametrize("ask", [read_inline, ParallelReads(5)], ids=["inline", "parallel"])
def test_every_name_gets_its_answer_or_its_failure_in_order(ask) -> None:
    answers = ask({"a": lambda: 1, "b": fails, "c": lambda: None})
    assert list(answers) == ["a", "b", "c"]
    assert answers["a"].value == 1
    assert answers["b"].failure is not None
    assert (answers["b"].failure.what, answers["b"].failure.kind) == ("b", "ConnectionError")
    assert (answers["c"].value, answers["c"].failure) == (None, None)
    assert ask({}) == {}


def test_reads_run_side_by_side(reads: ParallelReads) -> None:
    together = threading.Barrier(8, timeout=DEADLINE)
    answers = reads({f"r{n}": together.wait for n in range(8)})
    assert {outcome.value for outcome in answers.values()} == set(range(8))


def test_a_hanging_read_costs_one_deadline_and_then_fails_at_once(reads: ParallelReads) -> None:
    release, asked = threading.Event(), []

    def hangs() -> str:
        asked.append(1)
        release.wait(20)
        return "late"

    began = time.monotonic()
    answers = reads({"mute": hangs, "well": lambda: "fine"})
    first = time.monotonic() - began
    assert answers["well"].value == "fine"
    assert answers["mute"].failure is not None
    assert (answers["mute"].failure.kind, answers["mute"].failure.reason) == ("timeout", "no answer within 0.15 s")
    assert DEADLINE <= first < DEADLINE + 2

    began = time.monotonic()
    for _ in range(20):
        answers = reads({"mute": hangs, "well": lambda: "fine"})
        assert answers["mute"].failure is not None
        assert answers["mute"].failure.reason == "still no answer"
        assert answers["well"].value == "fine"
    assert time.monotonic() - began < DEADLINE + 2
    assert asked == [1]

    release.set()
    for _ in range(200):
        answers = reads({"mute": hangs})
        if answers["mute"].failure is None:
            break
        time.sleep(0.01)
    assert answers["mute"].value == "late"
    assert len(asked) == 2


def test_a_read_that_exits_the_thread_is_a_failure_and_not_a_hole(reads: ParallelReads) -> None:
    def leaves() -> None:
        raise SystemExit(1)

    answers = reads({"leaves": leaves, "well": lambda: 1})
    assert answers["well"].value == 1
    assert answers["leaves"].failure is not None


def test_a_read_that_hangs_for_ever_does_not_keep_the_process_alive() -> None:
    program = (
        "import threading\n"
        "from hydra.adapters.reads import ParallelReads\n"
        "reads = ParallelReads(0.05)\n"
        "print(reads({'mute': threading.Event().wait})['mute'].failure.kind)\n"
        "reads.close()\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=20, check=True)
    assert done.stdout.strip() == "timeout"
