"""A worker as the host sees it: a line, a process number, and what passes over the line without ever blocking."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from collections.abc import Mapping
from enum import Enum, auto
from typing import Any

import msgspec
import orjson

from hydra.adapters.bots.news import NewsDesk, Seen
from hydra.adapters.bots.wire import REPLY_MAX_BYTES, Apart, AskOut, Begin, Frames, Ready, Reply, Unfit, framed
from hydra.model.errors import Invalid
from hydra.model.values import decode, encode, replace
from hydra.ports import Question

_READ_BYTES = 1 << 16
"""A larger buffer is mapped and unmapped anew for every read, which costs more than reading twice."""
_LINUX = sys.platform == "linux"
_IDLE_SECONDS = 0.1
_IDLE_SHARE = 0.05
"""What a worker may use of a processor while nobody asks it: to come back from an answer, and to tidy up."""

Heard = Apart | Ready | Unfit | Reply


class State(Enum):
    """Where a worker stands: begun, apart and making its bot, ready, asked. An ended one is replaced."""

    ENDED = auto()
    STARTING = auto()
    MAKING = auto()
    IDLE = auto()
    ASKED = auto()


BEING_MADE = (State.STARTING, State.MAKING)


class Gone(Exception):
    """The worker's line has closed."""


class Worker:
    """One bot's process, and the next one after it has ended. ``unfit`` says why the last one could not be made, if it could not."""

    def __init__(self, begin: Begin) -> None:
        self.begin = begin
        self.state = State.ENDED
        self.pid = 0
        self.since = 0.0
        self.number = 0
        self.unfit = ""
        self.line: socket.socket | None = None
        self.watched_for_room = False
        self._frames = Frames(REPLY_MAX_BYTES)
        self._unsent = bytearray()
        self._seen = Seen()
        self._memory: Mapping[str, Any] | None = None
        self._memory_bytes = msgspec.Raw(b"{}")
        self._used_seconds: float | None = None

    @property
    def bot(self) -> str:
        """Whose process it is."""
        return self.begin.bot

    @property
    def writing(self) -> bool:
        """True while it has not taken all that was said to it."""
        return bool(self._unsent)

    def take(self, line: socket.socket) -> None:
        """Begin anew on a line of which the other end is a worker's."""
        line.setblocking(False)
        self.line, self.state, self.pid, self.since = line, State.STARTING, 0, time.perf_counter()
        self.watched_for_room, self.number = False, 0
        self._frames, self._unsent, self._seen = Frames(REPLY_MAX_BYTES), bytearray(), Seen()
        self._say(encode(self.begin))

    def drop(self) -> None:
        """Close the line."""
        if self.line is not None:
            self.line.close()
        self.line, self.state = None, State.ENDED

    def ask(self, question: Question, desk: NewsDesk) -> None:
        """Put a question to it."""
        bars, chains = desk.tell(question.view, self._seen)
        if question.memory is not self._memory:
            self._memory, self._memory_bytes = question.memory, msgspec.Raw(orjson.dumps(question.memory))
        self.number += 1
        self.state, self.since = State.ASKED, time.perf_counter()
        self._say(
            encode(
                AskOut(
                    number=self.number,
                    view=replace(question.view, bars={}, chains={}),
                    memory=self._memory_bytes,
                    bars=bars,
                    chains=chains,
                )
            )
        )

    def flush(self) -> None:
        """Say as much of what is unsaid as it takes."""
        if self.line is None or not self._unsent:
            return
        try:
            sent = self.line.send(self._unsent)
        except BlockingIOError:
            return
        except OSError:
            self._unsent.clear()  # its line has closed: reading says so
            return
        del self._unsent[:sent]

    def hear(self) -> Heard | None:
        """What it says, once it is there whole. Raises ``Gone``, and ``Invalid`` for what nobody may say."""
        content = self._frames.take()
        if content is None:
            content = self._read()
        if content is None:
            return None
        said: Heard = decode(content, Heard)  # type: ignore[arg-type]  # a union is as good as a type to the decoder
        if not isinstance(said, Apart) and not self._frames.empty:
            raise Invalid("it says more than one thing at a time")
        return said

    def _read(self) -> bytes | None:
        assert self.line is not None
        try:
            data = self.line.recv(_READ_BYTES)
        except BlockingIOError:
            return None
        except OSError as error:
            raise Gone from error
        if not data:
            raise Gone
        self._frames.feed(data)
        return self._frames.take()

    def answered(self) -> None:
        """Note that it has nothing to do from now on."""
        self.state, self.since, self._used_seconds = State.IDLE, time.perf_counter(), self._used()

    def busy(self) -> str | None:
        """How it has used the processor while nobody asked it, if it has; ``None`` where that cannot be measured."""
        if self.state is not State.IDLE:
            return None
        used_seconds, now = self._used_seconds, self._used()
        if used_seconds is None or now is None:
            self._used_seconds, self.since = now, time.perf_counter()
            return None
        used, passed = now - used_seconds, time.perf_counter() - self.since
        if used <= _IDLE_SECONDS + _IDLE_SHARE * passed:
            return None
        return f"used {used:.2f} s of processor time in {passed:.2f} s in which it was not asked"

    def _used(self) -> float | None:
        """Seconds of processor time so far; ``None`` where that cannot be told, and until its number is known."""
        if not _LINUX or not self.pid:
            return None
        try:
            return time.clock_gettime(
                (~self.pid << 3) | 2
            )  # the clock of another process, as clock_getcpuclockid(3) has it
        except OSError:
            return None

    def _say(self, data: bytes) -> None:
        self._unsent += framed(data)
        self.flush()


def ending_of(status: int, state: State) -> tuple[str, str]:
    """(kind, reason) of an end that nobody asked for, from its wait status."""
    when = " while it was being made" if state in BEING_MADE else ""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        try:
            name = signal.Signals(number).name
        except ValueError:
            name = f"signal {number}"
        return "killed", f"ended by {name}{when}"
    return "exited", f"exited with code {os.WEXITSTATUS(status)}{when}"
