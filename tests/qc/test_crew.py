"""Workers on every core: answers, lost jobs, and that nothing of them is left, however their maker ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hydra.qc.crew import Crew, Job, Lost
from hydra.qc.ground import descendants
from tests.qc import crew_jobs as jobs

ROOT = Path(__file__).resolve().parents[2]


def wait_for(what: Callable[[], bool], seconds: float = 10.0) -> bool:
    """Whether it came true in time."""
    ends_at = time.monotonic() + seconds
    while time.monotonic() < ends_at:
        if what():
            return True
        time.sleep(0.02)
    return what()


def alive(pid: int) -> bool:
    """Whether a process runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def test_every_job_is_answered_and_what_goes_wrong_is_an_answer_too() -> None:
    before = set(descendants(os.getpid()))
    asked = [Job(jobs.double, (number,)) for number in range(20)]
    asked[3] = Job(jobs.fail, ("on purpose",))
    asked[7] = Job(jobs.die)
    asked[11] = Job(jobs.unsendable)
    with Crew(2) as crew:
        answers = {id(job): answer for job, answer in crew.play(iter(asked))}
    assert [answers[id(job)] for job in asked if job.call is jobs.double] == [
        2 * number for number in range(20) if number not in (3, 7, 11)
    ]
    assert answers[id(asked[3])] == Lost("ValueError: on purpose")
    assert answers[id(asked[7])] == Lost("the process ended with -9 before it answered")
    assert "cannot be sent" in answers[id(asked[11])].reason
    assert set(descendants(os.getpid())) <= before


def test_a_job_that_cannot_be_read_is_lost_and_its_worker_is_not() -> None:
    with Crew(1) as crew:
        answers = [answer for _, answer in crew.play([Job(jobs.double, (jobs.Unreadable(),)), Job(jobs.double, (2,))])]
    assert "the job cannot be read" in answers[0].reason
    assert answers[1] == 4


def test_a_job_that_does_not_end_is_lost_and_the_others_go_on() -> None:
    asked = [Job(jobs.sleep, (60.0,)), *[Job(jobs.double, (number,)) for number in range(5)]]
    began = time.monotonic()
    with Crew(2, deadline_seconds=1.0) as crew:
        answers = {id(job): answer for job, answer in crew.play(asked)}
    assert answers[id(asked[0])] == Lost("no answer within 1 s")
    assert len(answers) == 6
    assert time.monotonic() - began < 20


def test_a_worker_has_one_thread_and_nobodys_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYDRA_ALPACA__SECRET", "a secret of the user")
    with Crew(1) as crew:
        ((_, (threads, environment)),) = crew.play([Job(jobs.surroundings)])
    assert threads == 1
    assert set(environment) <= {"TMPDIR", "PYDANTIC_DISABLE_PLUGINS", "LC_CTYPE"}


class Stopped(BaseException):
    """The user has pressed Ctrl-C."""


def test_what_a_tick_raises_ends_the_play_and_every_worker(tmp_path: Path) -> None:
    before = set(descendants(os.getpid()))
    told = tmp_path / "told"

    def tick() -> None:
        if told.exists():
            raise Stopped

    with pytest.raises(Stopped), Crew(2) as crew:
        list(crew.play([Job(jobs.fork_and_sleep, (str(told),)), Job(jobs.sleep, (60.0,))], tick))
    started = [int(pid) for pid in told.read_text(encoding="utf-8").split()]
    assert wait_for(lambda: not any(alive(pid) for pid in started))
    assert set(descendants(os.getpid())) <= before


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a worker ends after its job")
def test_a_worker_ends_when_its_maker_is_killed(tmp_path: Path) -> None:
    told = tmp_path / "told"
    program = (
        "from hydra.qc.crew import Crew, Job; from tests.qc import crew_jobs as jobs\n"
        f"with Crew(1) as crew: list(crew.play([Job(jobs.fork_and_sleep, ({str(told)!r},))]))"
    )
    maker = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT)
    try:
        assert wait_for(told.exists, 20)
        worker, forked = map(int, told.read_text(encoding="utf-8").split())
    finally:
        maker.send_signal(signal.SIGKILL)
        maker.wait()
    try:
        assert wait_for(lambda: not alive(worker))
    finally:
        os.kill(forked, signal.SIGKILL)  # a child that a job forked is the job's business
