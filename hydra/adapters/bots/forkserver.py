"""The host's end of the nursery: starts it, asks it for workers, has it end them, and notices when it is gone.

Requests are sent ahead and their replies taken up later: ``settle`` waits for those that are outstanding. A nursery that does
not answer is ended, and every worker with it.
"""

from __future__ import annotations

import socket
import subprocess
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

from hydra.adapters.bots.nursery import END, FORK, REPLY, REQUEST
from hydra.model.errors import Refused

_ANSWER_SECONDS = 10.0
_END_SECONDS = 5.0
_SAID_BYTES = 2000

Told = Callable[[int], None]
"""Hears the process number of a fork, or the wait status of an end."""


class Nursery:
    """One nursery process. ``program`` is run with the control line's number as its last argument."""

    def __init__(self, program: Sequence[str], environment: Mapping[str, str]) -> None:
        ours, theirs = socket.socketpair()
        try:
            self._process = subprocess.Popen(
                [*program, str(theirs.fileno())],
                env=dict(environment),
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )
        except OSError as error:
            ours.close()
            raise Refused(f"no process for the bots can be started: {error}") from error
        finally:
            theirs.close()
        ours.settimeout(_ANSWER_SECONDS)
        self._line = ours
        self._forks: deque[Told] = deque()
        self._ends: dict[int, Told] = {}
        self._data = b""

    @property
    def pid(self) -> int:
        """Its process number."""
        return self._process.pid

    @property
    def forks(self) -> int:
        """How many forks are asked for and not answered yet."""
        return len(self._forks)

    def fork(self, line: socket.socket, told: Told) -> None:
        """Ask for a worker on ``line``. Raises ``OSError`` when the nursery is gone."""
        self._forks.append(told)
        with self._saying_why():
            socket.send_fds(self._line, [REQUEST.pack(FORK, 0)], [line.fileno()])

    def end(self, pid: int, told: Told) -> None:
        """Have a worker ended. Raises ``OSError`` when the nursery is gone."""
        self._ends[pid] = told
        with self._saying_why():
            self._line.sendall(REQUEST.pack(END, pid))

    def settle(self, seconds: float = _ANSWER_SECONDS, *, enough: Callable[[], bool] = lambda: False) -> bool:
        """Take up replies, for at most ``seconds``, until there is ``enough`` or nothing is outstanding: whether it came to that.

        Raises ``OSError`` when the nursery is gone.
        """
        ends_at = time.monotonic() + seconds
        try:
            while (self._forks or self._ends) and not enough():
                self._line.settimeout(max(0.0001, ends_at - time.monotonic()))
                with self._saying_why():
                    more = self._line.recv(REPLY.size * 256)
                    if not more:
                        raise ConnectionResetError
                self._take(more)
        except TimeoutError:
            return False
        finally:
            self._line.settimeout(_ANSWER_SECONDS)
        return True

    def _take(self, more: bytes) -> None:
        self._data += more
        while len(self._data) >= REPLY.size:
            operation, pid, status = REPLY.unpack(self._data[: REPLY.size])
            self._data = self._data[REPLY.size :]
            if operation == FORK:
                self._forks.popleft()(pid)
            else:
                self._ends.pop(pid)(status)

    def close(self) -> None:
        """End it, and every worker with it; waits until they are gone."""
        self._line.close()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stderr is not None:
            self._process.stderr.close()

    @contextmanager
    def _saying_why(self) -> Iterator[None]:
        try:
            yield
        except ConnectionError as error:
            raise ConnectionError(self._said() or "the process that bots are forked from has ended") from error

    def _said(self) -> str:
        """What it said of its own end."""
        with suppress(OSError, subprocess.TimeoutExpired):
            self._process.wait(_END_SECONDS)
            if self._process.stderr is not None:
                lines = self._process.stderr.read()[-_SAID_BYTES:].decode(errors="replace").strip().splitlines()
                return lines[-1] if lines else ""
        return ""
