"""The process that workers are forked from: a fresh interpreter with trusted code only and nothing of anybody's secrets.

It is started once by the host, with a scrubbed environment and no descriptor but its end of the control line, and imports what every
worker needs, so that a worker costs a fork. It never runs a bot's code. It is its workers' parent: it alone can end one and
say how it ended, without ever hitting a number that belongs to somebody else by now. When the control line closes, for
whatever reason, it ends every worker and itself.

Requests are five bytes, an operation and a number; replies are nine, the operation, a process number and how it ended:

    f 0      with a socket attached: fork a worker on it          -> f, pid, 0
    e PID    end a worker, and whatever it has left behind        -> e, pid, wait status

Forks are answered in their order. An end is answered when it has come: what takes long to end holds up nobody.
"""

from __future__ import annotations

import ctypes
import gc
import os
import select
import signal
import socket
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from hydra.adapters.sandbox.enter import conceal, prepare
from hydra.adapters.sandbox.limits import first_to_go

REQUEST = struct.Struct("<cI")
REPLY = struct.Struct("<cIi")
FORK, END = b"f", b"e"
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_LINUX = sys.platform == "linux"
_FIRST_DESCRIPTOR = 3
_LOOK_SECONDS = 0.001
_WORKERS_NICE = 5
"""The engine goes before its bots."""

Work = Callable[[socket.socket], None]
"""What a worker does with its line; when it returns the worker ends."""


def serve(control: socket.socket, work: Work) -> None:
    """Fork and end workers as asked, until the control line closes."""
    _settle_in()
    living: set[int] = set()
    dying: set[int] = set()
    with suppress(OSError):
        while True:
            if select.select([control], [], [], _LOOK_SECONDS if dying else None)[0]:
                request, lines = _request(control)
                if len(request) < REQUEST.size:
                    break
                operation, number = REQUEST.unpack(request)
                if operation == FORK and lines:
                    pid = _forked(control, lines[0], work)
                    os.close(lines[0])
                    living.add(pid)
                    control.sendall(REPLY.pack(FORK, pid, 0))
                elif operation == END and number in living:
                    living.discard(number)
                    dying.add(number)
                    _kill(number)
                else:
                    control.sendall(REPLY.pack(operation, number, 0))
            for pid, status in _ended(dying):
                control.sendall(REPLY.pack(END, pid, status))
                _sweep(living | dying)
    for pid in living:
        _kill(pid)
    for pid in living | dying:
        _wait(pid)
    _sweep(set())


def _settle_in() -> None:
    """Orphans of its workers come to it; what it has imported is shared with them, page by page; nobody looks into it."""
    prepare()
    first_to_go()  # before it conceals itself: its workers could not say it any more
    conceal()
    if _LINUX:
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    gc.collect()
    gc.freeze()


def _request(control: socket.socket) -> tuple[bytes, list[int]]:
    data, lines, _flags, _address = socket.recv_fds(control, REQUEST.size, 1)
    while data and len(data) < REQUEST.size:
        more = control.recv(REQUEST.size - len(data))
        if not more:
            break
        data += more
    return data, lines


def _forked(control: socket.socket, line: int, work: Work) -> int:
    """A worker on its line: in a group of its own, with no other descriptor, and gone when the nursery is."""
    nursery = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        os.setpgid(0, 0)
        if _LINUX:
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            if os.getppid() != nursery:
                os._exit(0)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        os.nice(_WORKERS_NICE)
        control.detach()
        nowhere = os.open(os.devnull, os.O_RDWR)
        for standard in range(_FIRST_DESCRIPTOR):
            os.dup2(nowhere, standard)
        mine = os.dup2(line, _FIRST_DESCRIPTOR) if line != _FIRST_DESCRIPTOR else line
        os.closerange(_FIRST_DESCRIPTOR + 1, os.sysconf("SC_OPEN_MAX"))
        work(socket.socket(fileno=mine))
        code = 0
    finally:
        os._exit(code)


def _ended(dying: set[int]) -> list[tuple[int, int]]:
    """Those of them that have ended, and how; they are taken out."""
    found = []
    for pid in sorted(dying):
        try:
            ended, status = os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            ended, status = pid, 0
        if ended:
            dying.discard(pid)
            found.append((pid, status))
    return found


def _kill(pid: int) -> None:
    """It is our child and not yet waited for: the number is its own, and so is its group's."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _wait(pid: int) -> int:
    try:
        return os.waitpid(pid, 0)[1]
    except ChildProcessError:
        return 0


def _sweep(children: set[int]) -> None:
    """End and take up what dead workers have left behind: it became ours."""
    for _ in range(64):
        try:
            listed = Path(f"/proc/self/task/{os.getpid()}/children").read_text()
        except OSError:
            break
        strangers = {int(pid) for pid in listed.split()} - children
        if not strangers:
            break
        for pid in strangers:
            _kill(pid)
            _wait(pid)
