"""Bots that take: time, memory, processes, threads, descriptors, output. Every one of them ends by itself within seconds."""

from __future__ import annotations

import gc
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NoReturn

from hydra.model.snapshot import View
from hydra.ports import Bot, Setting
from hydra.qc.hostile.kit import (
    Attempt,
    Memory,
    asked_before,
    attempting,
    called,
    libc,
    never,
    outcome_of,
    refused_by,
    targets_of,
    told,
)

_MOST_BYTES = 4 << 30
_BLOCK_BYTES = 16 << 20
_SLEEP_SECONDS = 20.0
_BUSY_SECONDS = 5.0
_CHILD_SECONDS = 2.0
_GRANDCHILD_SECONDS = 30.0
_CHILDREN_MOST = 4
_THREADS_MOST = 32
_OUTPUT_BYTES = 1 << 30
_OUTPUT_SECONDS = 0.1
_EARLY, _LATE = 0.6, 1.3
_TIDY_SECONDS = 0.2
_AGAIN = 11


def sleeps(_setting: Setting) -> Bot:
    """Hangs, asleep."""

    def bot(_view: View, memory: Memory) -> Any:
        time.sleep(_SLEEP_SECONDS)
        return (), memory

    return bot


def spins(_setting: Setting) -> Bot:
    """Hangs, busy, where no signal handler of Python's is ever run."""

    def bot(_view: View, memory: Memory) -> Any:
        end = time.monotonic() + _BUSY_SECONDS
        while time.monotonic() < end:
            sum(range(10_000_000))
        return (), memory

    return bot


def deaf(_setting: Setting) -> Bot:
    """Blocks every signal that can be blocked, and then sleeps."""

    def bot(_view: View, memory: Memory) -> Any:
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        time.sleep(_SLEEP_SECONDS)
        return (), memory

    return bot


def allocates(_setting: Setting) -> Bot:
    """Takes 4 GB at once."""

    def bot(_view: View, memory: Memory) -> Any:
        # Where nothing holds it, nothing is behind it either: a page comes when it is touched.
        taken = bytearray(_MOST_BYTES)
        return (), told(memory, {"4 GB at once": f"GOT IT: {len(taken):,} bytes"})

    return bot


def fills_memory(_setting: Setting) -> Bot:
    """Takes memory block by block and touches it, up to 4 GB."""

    def bot(_view: View, memory: Memory) -> Any:
        taken = [bytearray(b"x") * _BLOCK_BYTES for _ in range(_MOST_BYTES // _BLOCK_BYTES)]
        return (), told(memory, {"4 GB of memory": f"GOT IT: {len(taken)} blocks"})

    return bot


def hoards(_setting: Setting) -> Bot:
    """Takes 8 MB more each time, and never gives any back."""
    hoard: list[bytes] = []

    def bot(_view: View, memory: Memory) -> Any:
        hoard.append(bytes(8 << 20))
        return (), {**memory, "asked": asked_before(memory) + 1}

    return bot


def forks(_setting: Setting) -> Bot:
    """Makes a child, and leaves it alone."""

    @refused_by(_AGAIN)
    def fork() -> str:
        pid = os.fork()
        if pid == 0:
            _idle_and_end(_CHILD_SECONDS)
        return "a child"

    return attempting({"fork": fork, "vfork": _spawned})


@refused_by(_AGAIN)
def _spawned() -> str:
    os.posix_spawn(sys.executable, [sys.executable, "-c", "import time; time.sleep(2)"], {})
    return "a program of its own"


def fork_bomb(_setting: Setting) -> Bot:
    """Children that make children: at most twenty, each gone after two seconds."""

    def bot(_view: View, memory: Memory) -> Any:
        return (), told(memory, {"fork bomb": outcome_of(_explode)})

    return bot


@refused_by(_AGAIN)
def _explode() -> str:
    for _ in range(_CHILDREN_MOST):
        if os.fork() == 0:
            with suppress(OSError):
                for _ in range(_CHILDREN_MOST):
                    if os.fork() == 0:
                        break
            _idle_and_end(_CHILD_SECONDS)
    return f"{_CHILDREN_MOST} children, each with as many"


def grandchild(_setting: Setting) -> Bot:
    """Leaves a process behind that nobody knows: forked twice, a session of its own, deaf to polite signals."""

    @refused_by(_AGAIN)
    def leave_behind() -> str:
        if os.fork() == 0:
            os.setsid()
            with suppress(OSError):
                if os.fork():
                    os._exit(0)
            for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
                signal.signal(number, signal.SIG_IGN)
            _idle_and_end(_GRANDCHILD_SECONDS)
        return "a grandchild in a session of its own"

    return attempting({"grandchild": leave_behind})


def _idle_and_end(seconds: float) -> NoReturn:
    time.sleep(seconds)
    os._exit(0)


def executes(_setting: Setting) -> Bot:
    """Puts another program in its place; it answers when it may not, and is silent when it may."""

    def execute() -> NoReturn:
        os.execv("/bin/sleep", ["sleep", "2"])  # noqa: S606  # that there is no shell is the point
        never()

    def interpreter() -> NoReturn:
        os.execv(sys.executable, [sys.executable, "-c", "import time; time.sleep(2)"])  # noqa: S606  # the same
        never()

    return attempting({"exec a program": execute, "exec the interpreter": interpreter})


def threads(_setting: Setting) -> Bot:
    """Leaves busy threads behind that go on between its questions."""

    def bot(_view: View, memory: Memory) -> Any:
        return (), told(memory, {"busy threads": outcome_of(_start_threads)})

    return bot


def _start_threads() -> str | None:
    started = 0
    for _ in range(_THREADS_MOST):
        try:
            threading.Thread(target=_spin, args=(_BUSY_SECONDS,), daemon=True).start()
        except RuntimeError:
            break
        started += 1
    # Threads of its own are no process: what they burn is counted, and ends with their process.
    return None if started else _no_threads()


def _no_threads() -> NoReturn:
    raise PermissionError(1, "no thread")


def _spin(seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        sum(range(100_000))


def busy_between(_setting: Setting) -> Bot:
    """Answers at once, and is busy whenever the interpreter tidies up behind it."""

    def bot(_view: View, memory: Memory) -> Any:
        if asked_before(memory) == 0 or len(gc.callbacks) == 0:
            gc.callbacks.append(lambda _phase, _info: _spin(_TIDY_SECONDS))
            gc.set_threshold(1, 1, 1)
        return (), {**memory, "asked": asked_before(memory) + 1}

    return bot


def timers(_setting: Setting) -> Bot:
    """Sets timers whose handler raises in whatever is running when they go off: the serving loop, mostly."""

    def handler(_number: int, _frame: object) -> NoReturn:
        raise SystemExit(0)

    def timer(which: int, number: int) -> Attempt:
        def attempt() -> str | None:
            signal.signal(number, handler)
            try:
                signal.setitimer(which, 0.05, 0.01)
            except signal.ItimerError as error:
                raise PermissionError(*error.args) from None
            # It is set, in its own process: whatever it raises there ends that process and nothing else.
            return None

        return attempt

    def alarm() -> None:
        signal.signal(signal.SIGALRM, handler)
        signal.alarm(1)

    return attempting(
        {
            "a timer": timer(signal.ITIMER_REAL, signal.SIGALRM),
            "a timer of its own time": timer(signal.ITIMER_VIRTUAL, signal.SIGVTALRM),
            "an alarm": alarm,
        }
    )


def prints(setting: Setting) -> Bot:
    """Prints a gigabyte on both outputs, or as much of it as fits into a tenth of a second."""
    engines = tuple(targets_of(setting).outputs.split())

    def bot(_view: View, memory: Memory) -> Any:
        outcomes = {f"output {n}": outcome_of(_printing(n, engines)) for n in (1, 2)}
        with suppress(OSError, ValueError):
            sys.stdout.write("")
        return (), told(memory, outcomes)

    return bot


def _printing(number: int, engines: tuple[str, ...]) -> Attempt:
    """Print, unless it is the engine's own output: that is told, and nobody's terminal filled."""

    @refused_by(9, 32)
    def attempt() -> str | None:
        found = os.fstat(number)
        if f"{found.st_dev}:{found.st_ino}" in engines:
            return "the engine's own output"
        block, written, end = b"x" * (1 << 20), 0, time.monotonic() + _OUTPUT_SECONDS
        os.set_blocking(number, False)
        while written < _OUTPUT_BYTES and time.monotonic() < end:
            try:
                written += os.write(number, block)
            except BlockingIOError:
                return f"a pipe that somebody has to empty: {written:,} bytes" if written else None
        return None

    return attempt


def just_before(setting: Setting) -> Bot:
    """Thinks for as long as it may, and answers before its deadline."""
    return _thinks(targets_of(setting).deadline_ms / 1000 * _EARLY)


def just_after(setting: Setting) -> Bot:
    """Answers when nobody waits for it any more: the answer must not pass for that to the next question."""
    return _thinks(targets_of(setting).deadline_ms / 1000 * _LATE)


def _thinks(seconds: float) -> Bot:
    def bot(_view: View, memory: Memory) -> Any:
        time.sleep(seconds)
        return (), {**memory, "asked": asked_before(memory) + 1}

    return bot


def descriptors(_setting: Setting) -> Bot:
    """Opens descriptors and never closes one."""
    kept: list[int] = []

    def open_many() -> str | None:
        while len(kept) < 100_000:
            kept.append(os.dup(0))
        return f"{len(kept):,} descriptors"

    return attempting({"100,000 descriptors": refused_by(24, 9)(open_many)})


def raises_its_limits(_setting: Setting) -> Bot:
    """Gives itself more of everything."""
    unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)

    def raising(which: int) -> Attempt:
        def attempt() -> str | None:
            before = resource.getrlimit(which)
            if before == unlimited:
                return None
            try:
                resource.setrlimit(which, unlimited)
            except ValueError:
                raise PermissionError(1, "not allowed to raise maximum limit") from None
            return f"from {before[1]} to no limit"

        return attempt

    names = ("AS", "DATA", "NPROC", "NOFILE", "FSIZE", "CORE")
    wanted: dict[str, Callable[[], str | None]] = {
        f"limit {name}": raising(getattr(resource, f"RLIMIT_{name}"))
        for name in names
        if hasattr(resource, f"RLIMIT_{name}")
    }
    wanted["real-time priority"] = _real_time
    wanted["to be ended last"] = _ended_last
    wanted["to outlive its parent"] = lambda: called(libc().prctl(1, 0, 0, 0, 0), "prctl")
    wanted["to be inspected"] = lambda: called(libc().prctl(4, 1, 0, 0, 0), "prctl")
    wanted["to adopt orphans"] = lambda: called(libc().prctl(36, 1, 0, 0, 0), "prctl")
    wanted["priority"] = refused_by(13)(lambda: f"nice {os.nice(-10)}")
    return attempting(wanted)


def _real_time() -> str:
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    return "before everybody else"


def _ended_last() -> str:
    with open("/proc/self/oom_score_adj", "wb", buffering=0) as file:  # noqa: PTH123  # the plainest call there is
        file.write(b"-1000")
    return "never ended for want of memory"
