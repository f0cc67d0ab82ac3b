"""One writer at a time on a state folder: an advisory lock that dies with its process.

The lock is ``flock`` on a file that is never removed; what the file says about its owner is for people, and counts only
while the lock is held, so a stale file is harmless. The chosen oddity: ``owner`` has to take the lock for an instant to
see whether it is free, so ``acquire`` tries for a fifth of a second before it gives up.
"""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from hydra.model.errors import Barred, Invalid, Refused
from hydra.model.values import Value, decode, encode

_TRIES = 10
_PAUSE_SECONDS = 0.02
_CONTENT_MAX_BYTES = 1 << 16


class LockOwner(Value, frozen=True, kw_only=True):
    """Who holds the lock. ``since`` is wall-clock time; ``run`` is empty for a command that is not a run."""

    pid: int
    host: str
    command: str
    since: datetime
    run: str = ""


class UnknownOwner(Value, frozen=True, kw_only=True):
    """The lock is held, and the file does not say by whom."""

    note: str


class WriterLock:
    """The right to write to a state folder. Use as a context manager, or ``acquire`` and ``release``.

    A process that is forked (not spawned) while the lock is held keeps it alive until it ends too.
    """

    def __init__(self, path: Path, owner: LockOwner) -> None:
        self._path = path
        self._owner = owner
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock. Raises ``Barred`` naming the owner when it is held, ``Refused`` when the file cannot be used."""
        if self._descriptor is not None:
            return
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise Refused(
                f"{self._path}: the writer's lock cannot be opened: {error.strerror}; expected a writable state folder"
            ) from error
        try:
            holder = None if _lock(descriptor, fcntl.LOCK_EX, tries=_TRIES) else _read_owner(descriptor)
            if holder is None:
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, encode(self._owner) + b"\n", 0)
        except OSError as error:
            os.close(descriptor)
            raise Refused(f"{self._path}: the writer's lock cannot be taken: {error.strerror}") from error
        if holder is not None:
            os.close(descriptor)
            raise Barred(f"{self._path}: {describe(holder)}; one writer at a time")
        self._descriptor = descriptor

    def release(self) -> None:
        """Let go; releasing twice is fine."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            with suppress(OSError):  # closing alone releases it, unless a forked child holds it too
                fcntl.flock(descriptor, fcntl.LOCK_UN)
            os.close(descriptor)

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def owner(path: Path) -> LockOwner | UnknownOwner | None:
    """Who holds the lock at this moment; ``None`` when it is free. Raises ``Refused`` when the file cannot be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Refused(f"{path}: the writer's lock cannot be read: {error.strerror}") from error
    try:
        if _lock(descriptor, fcntl.LOCK_SH, tries=1):
            return None
        return _read_owner(descriptor)
    except OSError as error:
        raise Refused(f"{path}: the writer's lock cannot be read: {error.strerror}") from error
    finally:
        os.close(descriptor)


def describe(holder: LockOwner | UnknownOwner) -> str:
    """One line for the person at the terminal."""
    if isinstance(holder, UnknownOwner):
        return f"held by another process ({holder.note})"
    run = f", run {holder.run}" if holder.run else ""
    since = holder.since.isoformat(timespec="seconds")
    return f"held by `{holder.command}`, pid {holder.pid} on {holder.host}, since {since}{run}"


def _lock(descriptor: int, kind: int, tries: int) -> bool:
    for left in range(tries, 0, -1):
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if left > 1:
                time.sleep(_PAUSE_SECONDS)
        else:
            return True
    return False


def _read_owner(descriptor: int) -> LockOwner | UnknownOwner:
    """What the file says; the owner writes it right after it has locked, so an unfinished word is waited for."""
    reason = ""
    for _ in range(_TRIES):
        try:
            return decode(os.pread(descriptor, _CONTENT_MAX_BYTES, 0), LockOwner)
        except Invalid as error:
            reason = str(error)
        time.sleep(_PAUSE_SECONDS)
    return UnknownOwner(note=f"the file does not say which: {reason}")
