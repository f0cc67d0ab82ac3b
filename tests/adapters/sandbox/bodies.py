"""What the tests run inside the sandbox, one function a test: it gets the order and returns what JSON can hold."""

import ctypes
import errno
import os
import signal
import socket
import threading
from pathlib import Path
from typing import Any

from hydra.adapters.sandbox import kernel, landlock, limits
from hydra.adapters.sandbox.attempts import attempts, trials
from hydra.adapters.sandbox.calls import CALLS
from hydra.adapters.sandbox.enter import Limits, enter, enter_with, in_force, prepare
from hydra.adapters.sandbox.offer import Offer, offered

Order = dict[str, Any]

_UNFILTERED = (
    335,
    336,
)  # x86_64: what the kernel's own probes return through; it lets them past every filter, and ends who calls them


def compute(order: Order) -> list[Any]:
    """Import what bots use, for the first time and inside, and compute with it."""
    from datetime import datetime
    from decimal import Decimal
    from zoneinfo import ZoneInfo

    import numpy as np
    import pydantic
    import QuantLib  # type: ignore[import-untyped]  # it has no types of its own
    import talib

    class Wish(pydantic.BaseModel):
        size: Decimal

    square = np.arange(40_000, dtype=float).reshape(200, 200)
    option = QuantLib.EuropeanOption(
        QuantLib.PlainVanillaPayoff(QuantLib.Option.Call, 100), QuantLib.EuropeanExercise(QuantLib.Date(1, 1, 2030))
    )
    compare = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)(lambda number: number + 1)
    return [
        float((square @ np.eye(200))[1, 0]),
        float(talib.SMA(np.arange(10.0), 3)[-1]),
        option.isExpired(),
        str(Wish(size=Decimal("1.5")).size),
        datetime(2015, 6, 1, tzinfo=ZoneInfo("America/New_York")).strftime("%z"),
        compare(1),
    ]


def converse(order: Order) -> str:
    """Speak over a socket that was open before, as a bot's process does, with a poll and a deadline."""
    import select
    import selectors

    ours, theirs = socket.socketpair()
    poll = select.poll()
    _enter(order)
    said = []
    ours.sendall(b"ask")
    poll.register(theirs, select.POLLIN)
    assert poll.poll(1000)
    said.append(theirs.recv(10).decode())
    theirs.settimeout(1.0)
    theirs.sendmsg([b"answer"])
    ours.setblocking(False)
    with selectors.DefaultSelector() as selector:
        selector.register(ours, selectors.EVENT_READ)
        assert selector.select(1)
    said.append(ours.recvmsg(10)[0].decode())
    theirs.shutdown(socket.SHUT_RDWR)
    said.append(ours.recv(10).decode())
    return " ".join(said)


def isolation(order: Order) -> dict[str, Any]:
    """What ``attempts`` says, with the environment this process has."""
    told = attempts(_strangers(order), order["closed"], order["names"])
    left = os.path.lexists(f"/tmp/hydra-attempt-{os.getpid()}")  # noqa: S108  # where attempts creates its file
    return {"held": told.held, "open": told.open, "landlock": told.landlock, "seccomp": told.seccomp, "left": left}


def every_trial(order: Order) -> list[Any]:
    return [
        [one.guard, one.what, one.refused, one.answer]
        for one in trials(_strangers(order), order["closed"], order["names"])
    ]


def with_a_name_past_python(order: Order) -> list[Any]:
    ctypes.CDLL(None).setenv(b"HYDRA_PLANTED", b"1", 1)
    return every_trial(order)


def run_out_of_memory(order: Order) -> list[str]:
    held: list[bytearray] = []
    said = []
    try:
        while True:
            held.append(bytearray(8 * 1024 * 1024))
    except MemoryError:
        said.append("MemoryError")
    said.append(f"{len(held) * 8 <= order['memory_mb']}")
    held.clear()
    said.append(str(len(bytearray(8 * 1024 * 1024)) // 1024 // 1024))
    return said


def every_version(order: Order) -> list[str]:
    """A domain a version, each in a child, because a domain is for good; the answer to opening what none allows."""
    return [_opened_under(version) for version in order["versions"]]


def _opened_under(version: int) -> str:
    child = os.fork()
    if child == 0:
        kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
        landlock.restrict(version, ["/usr/lib", "/etc/hosts"])
        os.close(os.open("/etc/hosts", os.O_RDONLY))
        try:
            os.close(os.open("/etc/passwd", os.O_RDONLY))
        except OSError as error:
            os._exit(error.errno or 0)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return errno.errorcode.get(os.waitstatus_to_exitcode(status), "opened")


def segfault(order: Order) -> None:
    ctypes.string_at(0)


def abort(order: Order) -> None:
    os.abort()


def raise_own_signal(order: Order) -> list[int]:
    heard: list[int] = []
    signal.signal(signal.SIGUSR1, lambda number, frame: heard.append(number))
    signal.raise_signal(signal.SIGUSR1)
    return heard


def call_of_x32(order: Order) -> None:
    ctypes.CDLL(None).syscall(ctypes.c_long(0x4000_0000 + 39))


def all_other_calls(order: Order) -> dict[str, list[int]]:
    """By the kernel's answer, the numbers of the calls that are not in the table, made for real with arguments of no use."""
    machine, library = os.uname().machine, ctypes.CDLL(None, use_errno=True)
    allowed = {getattr(call, machine) for call in CALLS} | set(_UNFILTERED)
    answers: dict[str, list[int]] = {}
    for number in range(600):
        if number not in allowed:
            done = library.syscall(ctypes.c_long(number), *[ctypes.c_long(-1)] * 6)
            said = "done" if done != -1 else errno.errorcode[ctypes.get_errno()]
            answers.setdefault(said, []).append(number)
    return answers


def powers(order: Order) -> dict[str, str]:
    """The lines of /proc/self/status that tell what this process may; readable because the order says so."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    told = dict(line.split(":", 1) for line in lines)
    told["oom_score_adj"] = Path("/proc/self/oom_score_adj").read_text(encoding="utf-8")
    return {name: text.strip() for name, text in told.items()}


def entered_with_two_threads(order: Order) -> str:
    gate = threading.Event()
    other = threading.Thread(target=gate.wait)
    other.start()
    try:
        _enter(order)
    except OSError as error:
        return str(error)
    finally:
        gate.set()
        other.join()
    return "entered"


def entered_twice(order: Order) -> str:
    """The second time the kernel's own calls for it are refused: nothing can be loosened, and it is told."""
    _enter(order)
    try:
        _enter(order)
    except OSError as error:
        return type(error).__name__
    return "entered"


def entered_with_more_than_there_is(order: Order) -> str:
    """What is told to be offered and is not."""
    try:
        enter_with(Limits(memory_mb=64), [], Offer(landlock=99))
    except OSError as error:
        return errno.errorcode[error.errno or 0]
    return f"entered with {in_force()}"


def concealed(order: Order) -> list[str]:
    """Whether a process of the same user can inspect this one, before and after it concealed itself."""
    said = [_inspected()]
    limits.conceal()
    return [*said, _inspected()]


def offered_inside(order: Order) -> list[Any]:
    told = offered()
    return [told.landlock, told.seccomp]


def _inspected() -> str:
    pid, status = os.getpid(), 0
    child = os.fork()
    if child == 0:
        try:
            os.close(os.open(f"/proc/{pid}/environ", os.O_RDONLY))
        except PermissionError:
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return "read" if os.waitstatus_to_exitcode(status) == 0 else "refused"


def _enter(order: Order) -> None:
    prepare()
    enter(Limits(memory_mb=order["memory_mb"]), order["readable"])


def _strangers(order: Order) -> list[int]:
    return [order["stranger"]] if order.get("stranger_named", True) else []
