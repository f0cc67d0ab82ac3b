"""Forked children: each runs one function and never comes back; the parent hears what it says and sees how it ends.

Fork from a process with one thread only. A child is killed by its own hand at a named place, or by the parent at a moment of the
wall clock; it ends with its parent, however that ends, where the kernel offers so.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import NoReturn

from hydra.adapters.sandbox import kernel
from hydra.qc.outages.places import ANYWHERE, OPENING, Blow

LIFE_CYCLES_MAX, LIFE_SECONDS_MAX = 150, 10.0
"""How long a victim may look for its place before it is killed where it stands: so many cycles, which a busy machine does not make
fewer, and so long at most."""
NOW, OPEN = b"now\n", b"open\n"
"""What a victim says when it has come to its place, and when it begins to trade."""
_HANG_SECONDS = 60.0
_PARENT_DEATH_SIGNAL = 1
_FAILED = 70

Say = Callable[[bytes], None]


@dataclass(slots=True)
class Death:
    """How a child ended: by which signal, with which exit code, and what it had said."""

    killed: bool
    code: int
    said: bytes


def watch(child: Callable[[Say], None], blow: Blow | None) -> Death:
    """Fork, run ``child`` in it, and wait for its end; with a blow, see to its end. No child is left whatever is raised."""
    reader, writer = os.pipe()
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        _be(child, writer, parent)
    os.close(writer)
    try:
        said = _listen(pid, reader, blow)
    except BaseException:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        raise
    finally:
        os.close(reader)
        _, status = os.waitpid(pid, 0)
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    return Death(killed, -1 if os.WIFSIGNALED(status) else os.WEXITSTATUS(status), said)


def strike(blow: Blow, say: Say) -> None:
    """The victim has come to its place: it ends here, or the parent ends it within the call that follows."""
    say(NOW)
    if not blow.place.endswith(".within"):
        os.kill(os.getpid(), signal.SIGKILL)


def _be(child: Callable[[Say], None], writer: int, parent: int) -> NoReturn:
    """Run in the forked child and never return into the parent's code."""
    code = _FAILED
    try:
        if sys.platform == "linux":
            kernel.prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL)
        if os.getppid() == parent:
            child(partial(_say, writer))
            code = 0
    finally:  # whatever was raised, the child ends here and the parent is told
        if code:
            _say(writer, traceback.format_exc().encode())
        os._exit(code)


def _say(writer: int, words: bytes) -> None:
    while words:
        words = words[os.write(writer, words) :]


def _listen(pid: int, reader: int, blow: Blow | None) -> bytes:
    started = time.monotonic()
    kill_at = started + (LIFE_SECONDS_MAX if blow is not None else _HANG_SECONDS)
    if blow is not None and blow.place == OPENING:
        kill_at = started + blow.delay_seconds
    said = b""
    while True:
        ready, _, _ = select.select([reader], [], [], max(0.0, kill_at - time.monotonic()))
        if not ready:
            os.kill(pid, signal.SIGKILL)
            kill_at = time.monotonic() + _HANG_SECONDS
            continue
        words = os.read(reader, 1 << 16)
        if not words:
            return said
        said += words
        if blow is not None and ((words == OPEN and blow.place == ANYWHERE) or words.endswith(NOW)):
            kill_at = time.monotonic() + blow.delay_seconds
