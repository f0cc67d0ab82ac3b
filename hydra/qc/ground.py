"""What hostile bots are given to attack, and whether anything came of it: planted files, listening sockets, processes left behind.

Everything lies in a folder of its own and on this machine. The planted key is made up; it looks like nothing else, so that it can be
searched for wherever a bot might have brought it.
"""

from __future__ import annotations

import hashlib
import os
import selectors
import socket
import stat
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from hydra.adapters.sandbox import kernel

_SUBREAPER = 36
_LOOK_SECONDS = 0.05
_QUIET_LOOKS = 3


class Planted:
    """A folder with an ``.env``, a configuration, a state and a journal that all have the key in them."""

    def __init__(self, folder: Path, key: str) -> None:
        self.folder = folder
        self.env_file = folder / ".env"
        self.config = folder / "hydra.toml"
        self.state = folder / "state"
        self.logs = folder / "logs"
        for made in (folder, self.state, self.logs):
            made.mkdir(parents=True, exist_ok=True)
        self.env_file.write_text(f"APCA_API_SECRET_KEY={key}\n")
        self.config.write_text(f'# {key}\nmode = "paper"\n')
        (self.state / "trading_state.db").write_text(f"SQLite format 3, {key}\n")
        (self.logs / "run.001.jsonl").write_text(f'{{"key":"{key}"}}\n')
        self._before = dict(fingerprints(folder))

    def changed(self) -> tuple[str, ...]:
        """What is not as it was planted, one line a path."""
        now = dict(fingerprints(self.folder))
        paths = sorted(self._before.keys() | now.keys())
        return tuple(
            f"{path} {'is gone' if path not in now else 'is new' if path not in self._before else 'was changed'}"
            for path in paths
            if self._before.get(path) != now.get(path)
        )


def fingerprints(folder: Path) -> Iterator[tuple[str, str]]:
    """Every path below a folder, the folder itself included, with kind, mode, owner, times and content in one hash."""
    for path in (folder, *sorted(folder.rglob("*"))):
        about = path.lstat()
        told = f"{about.st_mode} {about.st_uid} {about.st_gid} {about.st_nlink} {about.st_size} "
        told += "" if stat.S_ISDIR(about.st_mode) else f"{about.st_mtime_ns} "
        content = path.read_bytes() if stat.S_ISREG(about.st_mode) and about.st_mode & stat.S_IRUSR else b""
        yield str(path.relative_to(folder)), hashlib.sha256(told.encode() + content).hexdigest()


class Listeners:
    """Sockets of every kind that a bot could reach the venue by; counts what comes. Use as a context manager."""

    def __init__(self, folder: Path) -> None:
        self.reached: Counter[str] = Counter()
        self.host = "127.0.0.1"
        self.unix = str(folder / "venue")
        self._stack = ExitStack()
        self._selector = selectors.DefaultSelector()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="listeners", daemon=True)
        self.tcp = self.udp = 0

    def __enter__(self) -> Self:
        self.tcp = self._open("TCP", socket.AF_INET, socket.SOCK_STREAM, (self.host, 0))
        self.udp = self._open("UDP", socket.AF_INET, socket.SOCK_DGRAM, (self.host, 0))
        self._open("unix", socket.AF_UNIX, socket.SOCK_STREAM, self.unix)
        self._open("unix datagram", socket.AF_UNIX, socket.SOCK_DGRAM, f"{self.unix}.d")
        if sys.platform == "linux":
            self._open("abstract unix", socket.AF_UNIX, socket.SOCK_STREAM, f"\0{self.unix}")
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        self._selector.close()
        self._stack.close()

    def _open(self, name: str, family: int, kind: int, address: tuple[str, int] | str) -> int:
        line = self._stack.enter_context(socket.socket(family, kind))
        line.bind(address)
        if kind == socket.SOCK_STREAM:
            line.listen(64)
        line.setblocking(False)
        self._selector.register(line, selectors.EVENT_READ, name)
        bound = line.getsockname()
        return int(bound[1]) if type(bound) is tuple else 0

    def _listen(self) -> None:
        while not self._stop.is_set():
            for ready, _ in self._selector.select(_LOOK_SECONDS):
                line = ready.fileobj
                assert isinstance(line, socket.socket)
                with suppress(OSError):
                    if line.type == socket.SOCK_STREAM:
                        line.accept()[0].close()
                    else:
                        line.recv(65536)
                    self.reached[str(ready.data)] += 1


@dataclass(frozen=True, slots=True)
class Process:
    """A process as the kernel lists it."""

    pid: int
    parent: int
    state: str
    name: str


def processes() -> Iterator[Process]:
    """Every process there is; none where the kernel does not list them."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            told = path.read_text(errors="replace")
        except OSError:
            continue
        name, _, rest = told.rpartition(")")
        state, parent = rest.split()[:2]
        yield Process(int(path.parent.name), int(parent), state, name.partition("(")[2])


def descendants(pid: int) -> Mapping[int, Process]:
    """The living processes below one, by number."""
    every = {process.pid: process for process in processes()}
    below: dict[int, Process] = {}
    found = {pid}
    while found:
        found = {each.pid for each in every.values() if each.parent in found and each.pid not in below}
        below |= {each: every[each] for each in found}
    return {number: process for number, process in below.items() if process.state not in ("Z", "X")}


def open_descriptors() -> int:
    """How many descriptors this process has open; 0 where that is not told."""
    with suppress(OSError):
        return sum(1 for _ in Path("/proc/self/fd").iterdir())
    return 0


def settle(seconds: float) -> None:
    """Wait until every descendant of this process sleeps, at most so long: what was begun anew is then made."""
    ends_at, quiet = time.monotonic() + seconds, 0
    while time.monotonic() < ends_at and quiet < _QUIET_LOOKS:
        mine = descendants(os.getpid())
        if not mine:
            return
        quiet = quiet + 1 if all(each.state == "S" for each in mine.values()) else 0
        time.sleep(_LOOK_SECONDS)


@contextmanager
def adopting() -> Iterator[None]:
    """Orphans of this process's descendants come to it, instead of going where nobody would find them again."""
    if sys.platform != "linux":
        yield
        return
    kernel.prctl(_SUBREAPER, 1)
    try:
        yield
    finally:
        kernel.prctl(_SUBREAPER, 0)


def left_behind(before: Mapping[int, Process], seconds: float) -> tuple[str, ...]:
    """The descendants of this process that were not there before and are still there after ``seconds``; they are ended."""
    ends_at = time.monotonic() + seconds
    while True:
        left = {pid: each for pid, each in descendants(os.getpid()).items() if pid not in before}
        if not left or time.monotonic() >= ends_at:
            break
        time.sleep(_LOOK_SECONDS)
    for pid in left:
        with suppress(ProcessLookupError):
            os.kill(pid, 9)
    for pid in left:
        with suppress(ChildProcessError):
            os.waitpid(pid, 0)
    return tuple(f"{each.name} ({pid}, child of {each.parent})" for pid, each in sorted(left.items()))
