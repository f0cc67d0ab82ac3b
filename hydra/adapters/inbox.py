"""The inbox: one small file a command, left by other processes and read by the running engine.

A file is written whole or not at all, and its name begins with the time, so sorted names are oldest first. Whatever
cannot be understood is moved to ``refused/`` and answered with a command of action ``refused``, so that it is journaled
once and never stands in the way of the next. A command may be read again after a crash between journaling and ``done``:
its ``command_id`` tells.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from hydra.model.errors import BadConfig, Invalid
from hydra.model.snapshot import Command
from hydra.model.values import decode, encode
from hydra.ports import Files

ACTIONS = ("halt", "resume", "flatten", "release", "accept")
REFUSED = "refused"
FILE_MAX_BYTES = 64 << 10
READ_MAX_COMMANDS = 100
_SUFFIX = ".json"
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class FileInbox:
    """The ``Inbox`` port over a folder. ``now`` dates the commands that stand for refused files."""

    def __init__(self, files: Files, folder: Path, now: Callable[[], datetime]) -> None:
        self._files = files
        self._folder = folder
        self._now = now
        self._names: dict[str, list[str]] = {}
        self._stuck: set[str] = set()

    def leave(self, command: Command) -> Path:
        """Put a command where the engine will find it, durably. Raises ``BadConfig`` for one it would refuse."""
        data = encode(command)
        problem = _problem(command) or _too_large(len(data))
        if problem:
            raise BadConfig(problem)
        self._files.make_dir(self._folder)
        path = self._folder / f"{command.wall:%Y%m%dT%H%M%S.%f}Z-{command.command_id}{_SUFFIX}"
        self._files.write_whole(path, data)
        return path

    def read(self) -> tuple[Command, ...]:
        """The commands that wait, oldest first, at most 100 at a time. Raises ``OSError`` when the folder is unreadable."""
        commands: list[Command] = []
        self._names.clear()
        for name in self._files.names(self._folder):
            if name.startswith(".") or not name.endswith(_SUFFIX) or name in self._stuck:
                continue
            if len(commands) == READ_MAX_COMMANDS:
                break
            command = self._read_one(name)
            if command is None:
                continue
            again = command.command_id in self._names
            if command.action != REFUSED:
                self._names.setdefault(command.command_id, []).append(name)
            if not again:
                commands.append(command)
        return tuple(commands)

    def done(self, commands: Sequence[Command]) -> None:
        """Forget commands of the last ``read``. Raises ``OSError``; what could not be removed is read again."""
        for command in commands:
            for name in self._names.pop(command.command_id, []):
                self._files.remove(self._folder / name)

    def _read_one(self, name: str) -> Command | None:
        path = self._folder / name
        try:
            size = self._files.size(path)
            data = next(self._files.chunks(path), b"")[:FILE_MAX_BYTES]
        except FileNotFoundError:
            return None
        except OSError as error:
            # Not understood is not read: the file stays, and is not looked at again.
            self._stuck.add(name)
            return self._refused(name, f"cannot be read: {error.strerror or error}; left where it is")
        try:
            command = decode(data, Command) if size <= FILE_MAX_BYTES else None
            problem = _too_large(size) if command is None else _problem(command)
        except Invalid as error:
            command, problem = None, str(error)
        if command is not None and not problem:
            return command
        return self._refused(name, f"{problem}; {self._move_aside(name, data)}")

    def _move_aside(self, name: str, data: bytes) -> str:
        """Move a file to ``refused/`` (its first 64 KiB); where that fails, remember not to look at it again."""
        try:
            self._files.make_dir(self._folder / REFUSED)
            self._files.write_whole(self._folder / REFUSED / name, data)
            self._files.remove(self._folder / name)
        except OSError as error:
            self._stuck.add(name)
            return f"left where it is ({error.strerror or error})"
        return f"now in {REFUSED}/"

    def _refused(self, name: str, reason: str) -> Command:
        return Command(
            command_id=f"{REFUSED}:{name}", action=REFUSED, by="inbox", wall=self._now(), reason=f"{name}: {reason}"
        )


def _problem(command: Command) -> str:
    if command.action not in ACTIONS:
        return f"action must be one of {', '.join(ACTIONS)}, got {command.action!r}"
    if _ID.fullmatch(command.command_id) is None:
        return f"command_id must match {_ID.pattern}, got {command.command_id!r}"
    return ""


def _too_large(size: int) -> str:
    return f"at most {FILE_MAX_BYTES} bytes are accepted, got {size}" if size > FILE_MAX_BYTES else ""
