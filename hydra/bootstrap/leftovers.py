"""What was left behind where Hydra keeps its things: half files of commands that were killed, and in the inbox what is no command.

Nothing here is read by anybody, so it does no harm but confuse and take room. It is moved aside, never deleted. Looked at without the
writer's lock, so what may belong to a living command is no leftover: a temporary file whose name carries the number of a process that
lives, and, while somebody holds the lock, an empty segment or one in the middle of being compressed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from hydra.adapters.inbox import ACTIONS, FILE_MAX_BYTES, REFUSED
from hydra.adapters.lock import owner
from hydra.bootstrap.setup import Setup
from hydra.guard import attempt
from hydra.model.errors import Invalid
from hydra.model.snapshot import Command
from hydra.model.values import decode
from hydra.qc.check import Finding

ASIDE = "aside"
"""The folder, in that of the file, into which leftovers go."""

_TEMPORARY = re.compile(r"\..+\.(\d+)-\d+\.tmp|[^.].*\.(\d+)\.tmp")
PACKED = (".zst", ".gz")
"""What the name of a compressed segment ends with."""
_TOLD_MAX = 4


def ask_leftovers(setup: Setup) -> Finding:
    """Has no command left half a file behind? Raises ``OSError``."""
    found = leftovers(setup)
    if not found:
        return Finding(good=True, reason="no command has left half a file behind")
    return Finding(good=False, reason=f"left behind by commands that were stopped: {_names(found)}")


def ask_inbox(setup: Setup) -> Finding:
    """Is everything in the inbox a command? Raises ``OSError``."""
    strays = {path: why for path, why in _inbox(setup) if why}
    waiting = sum(1 for _, why in _inbox(setup) if not why)
    if strays:
        told = "; ".join(f"{path.name}: {why}" for path, why in list(strays.items())[:_TOLD_MAX])
        more = f"; and {len(strays) - _TOLD_MAX} more" if len(strays) > _TOLD_MAX else ""
        return Finding(good=False, reason=f"{told}{more}")
    return Finding(good=True, reason=f"{waiting} commands wait" if waiting else "it is empty")


def leftovers(setup: Setup, *, locked: bool = False) -> tuple[Path, ...]:
    """Files that nobody will ever read. ``locked``: the caller holds the writer's lock. Raises ``OSError``."""
    folders = (setup.state_dir, setup.inbox_dir, setup.state_dir / "cache", setup.log_dir)
    found = [path for folder in folders for path in _files_in(folder) if _is_temporary(path)]
    held = attempt("lock", lambda: owner(setup.lock_path))
    if locked or (held.failure is None and held.value is None):
        found += _of_the_journal(setup.log_dir)
    return tuple(found)


def inbox_strays(setup: Setup) -> tuple[Path, ...]:
    """What lies in the inbox and is no command. Raises ``OSError``."""
    return tuple(path for path, why in _inbox(setup) if why)


def move_aside(path: Path, folder: Path) -> Path:
    """Rename a file into a folder, under a name that is free there; where it is now. Raises ``OSError``."""
    folder.mkdir(parents=True, exist_ok=True)
    target, number = folder / path.name, 1
    while target.exists() or target.is_symlink():
        number += 1
        target = folder / f"{path.name}.{number}"
    return path.rename(target)


def _inbox(setup: Setup) -> Iterator[tuple[Path, str]]:
    """Everything in the inbox, and why it is no command (empty: it is one). What is being written is passed over."""
    folder = setup.inbox_dir
    if not folder.is_dir():
        return
    for path in sorted(folder.iterdir()):
        if path.name == REFUSED or _TEMPORARY.fullmatch(path.name):
            continue
        if not path.is_file():
            yield path, "no file"
        elif path.name.startswith(".") or path.suffix != ".json":
            yield path, "not named as a command is; nobody reads it"
        else:
            try:
                with path.open("rb") as file:
                    data = file.read(FILE_MAX_BYTES + 1)
            except FileNotFoundError:
                continue  # the engine has just taken it
            yield path, _fault_in(data)


def _fault_in(data: bytes) -> str:
    """Why the engine would not understand a command, as far as can be said without it; empty when it would."""
    if len(data) > FILE_MAX_BYTES:
        return f"more than {FILE_MAX_BYTES} bytes"
    try:
        action = decode(data, Command).action
    except Invalid as error:
        return f"cannot be read as a command: {error}"
    return "" if action in ACTIONS else f"action must be one of {', '.join(ACTIONS)}, got {action!r:.40}"


def _files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_file()) if folder.is_dir() else []


def _is_temporary(path: Path) -> bool:
    match = _TEMPORARY.fullmatch(path.name)
    return match is not None and not _lives(int(match[1] or match[2]))


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def _of_the_journal(folder: Path) -> list[Path]:
    """Compressed twins of segments that are still there, and segments of which not a byte was written."""
    there = _files_in(folder)
    plain = {path.name for path in there if path.suffix == ".jsonl"}
    twins = [path for path in there if path.suffix in PACKED and path.name.removesuffix(path.suffix) in plain]
    return twins + [path for path in there if path.suffix == ".jsonl" and path.stat().st_size == 0]


def _names(paths: tuple[Path, ...]) -> str:
    more = f" and {len(paths) - _TOLD_MAX} more" if len(paths) > _TOLD_MAX else ""
    return ", ".join(map(str, paths[:_TOLD_MAX])) + more
