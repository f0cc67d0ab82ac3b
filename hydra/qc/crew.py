"""A process for every core, given one job after the other, that ends when its maker does, however that ends.

A job is a function of a module with plain arguments; its answer comes back as a value. A worker that dies, hangs or cannot answer
loses its job, and that is an answer too (``Lost``): what a job does to its process never ends whoever gave it. Each worker leads a
process group of its own, has one thread and no credentials in its environment: it may fork, a Ctrl-C at the terminal does not reach
it, and when it is ended everything it forked ends with it.

Not a pool of the standard library: there the workers of a maker that was killed wait for ever, and an interrupted maker waits for them.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from pickle import UnpicklingError
from tempfile import gettempdir
from time import monotonic
from types import TracebackType
from typing import Any, Self

from hydra.adapters.sandbox import kernel
from hydra.guard import attempt

_PARENT_DEATH_SIGNAL = 1
_PATIENCE_SECONDS = 0.2
_ENVIRONMENT = {"PYDANTIC_DISABLE_PLUGINS": "__all__"}
"""All that a worker gets, but for the place of temporary files."""
_START = "import sys; sys.path[:] = {path!r}; from hydra.qc.crew import serve; serve({line}, {maker})"


@dataclass(frozen=True, slots=True)
class Job:
    """What a worker is to call: a function that can be imported by its name, and arguments that can be pickled."""

    call: Callable[..., Any]
    arguments: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Lost:
    """Instead of an answer: why there is none."""

    reason: str


@dataclass(slots=True)
class _Worker:
    """A process and the line to it; ``job`` is what it is doing, since ``began`` by the monotonic clock."""

    process: subprocess.Popen[bytes]
    line: Connection
    job: Job | None = None
    began: float = 0.0


class Crew:
    """So many workers. Use as a context manager: none of them, and nothing they forked, is left afterwards."""

    def __init__(self, cores: int, *, deadline_seconds: float = 300.0) -> None:
        self._cores = cores
        self._deadline_seconds = deadline_seconds
        self._workers: list[_Worker] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def play(self, jobs: Iterable[Job], tick: Callable[[], None] = lambda: None) -> Iterator[tuple[Job, Any]]:
        """Every job with its answer, or with ``Lost``, as they come. Jobs are taken only when a worker is free.

        ``tick`` is called several times a second while nothing comes; what it raises ends the play.
        """
        waiting = iter(jobs)
        self._give(waiting)
        while any(worker.job is not None for worker in self._workers):
            busy = {worker.line: worker for worker in self._workers if worker.job is not None}
            ready = wait(list(busy), _PATIENCE_SECONDS)
            done = [self._hear(busy[line]) for line in ready if isinstance(line, Connection)]
            done += [
                self._late(worker) for worker in busy.values() if worker.line not in ready and self._is_late(worker)
            ]
            self._give(waiting)
            yield from done
            tick()

    def end(self) -> None:
        """End every worker at once, with what it forked."""
        while self._workers:
            self._bury(self._workers.pop())

    # -- inside

    def _give(self, waiting: Iterator[Job]) -> None:
        """A job to everyone who has none. A line that broke meanwhile is noticed when it is listened to."""
        for place in range(self._cores):
            if place < len(self._workers) and self._workers[place].job is not None:
                continue
            job = next(waiting, None)
            if job is None:
                return
            if place == len(self._workers):
                self._workers.append(_hire())
            worker = self._workers[place]
            worker.job, worker.began = job, monotonic()
            with suppress(OSError):
                worker.line.send((job.call, job.arguments))

    def _hear(self, worker: _Worker) -> tuple[Job, Any]:
        job = worker.job
        assert job is not None
        try:
            answer = worker.line.recv()
        except (EOFError, OSError):
            self._replace(worker)
            return job, Lost(f"the process ended with {worker.process.returncode} before it answered")
        worker.job = None
        return job, answer

    def _is_late(self, worker: _Worker) -> bool:
        return monotonic() - worker.began > self._deadline_seconds

    def _late(self, worker: _Worker) -> tuple[Job, Any]:
        job = worker.job
        assert job is not None
        self._replace(worker)
        return job, Lost(f"no answer within {self._deadline_seconds:g} s")

    def _replace(self, worker: _Worker) -> None:
        self._bury(worker)
        self._workers[self._workers.index(worker)] = _hire()

    @staticmethod
    def _bury(worker: _Worker) -> None:
        with suppress(ProcessLookupError):
            os.killpg(worker.process.pid, signal.SIGKILL)
        worker.process.wait()
        worker.line.close()


def _hire() -> _Worker:
    """Start a process that serves."""
    ours, theirs = Pipe()
    try:
        program = _START.format(path=sys.path, line=theirs.fileno(), maker=os.getpid())
        process = subprocess.Popen(  # noqa: S603  # this very interpreter
            [sys.executable, "-c", program],
            pass_fds=(theirs.fileno(),),
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr.fileno() if _has_stderr() else subprocess.DEVNULL,
            env={**_ENVIRONMENT, "TMPDIR": gettempdir()},
            start_new_session=True,
        )
    except BaseException:
        ours.close()
        raise
    finally:
        theirs.close()
    return _Worker(process, ours)


def _has_stderr() -> bool:
    """Whether there is a real stream for what a worker prints, which is not part of any answer."""
    try:
        return sys.stderr is not None and sys.stderr.fileno() >= 0
    except (OSError, ValueError):
        return False


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def serve(number: int, maker: int) -> None:
    """A worker: one job after the other until the line ends, which it does with the maker."""
    if sys.platform == "linux":
        kernel.prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL)  # also in the middle of a job
    line = Connection(number)
    while os.getppid() == maker:
        try:
            call, arguments = line.recv()
        except (EOFError, OSError):
            return
        except (AttributeError, ImportError, UnpicklingError) as error:
            line.send(Lost(f"the job cannot be read: {error}"))
            continue
        asked = attempt("the job", partial(call, *arguments))
        answer = asked.value if asked.failure is None else Lost(f"{asked.failure.kind}: {asked.failure.reason}")
        sent = attempt("the answer", partial(line.send, answer))
        if sent.failure is not None:
            with suppress(OSError):
                line.send(Lost(f"the answer cannot be sent: {sent.failure.kind}: {sent.failure.reason}"))
