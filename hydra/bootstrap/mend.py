"""What can be mended without a person's judgement: a cure for each of the checks that say they are mendable.

A cure looks for itself, does nothing where nothing is wrong, and throws nothing away: what it replaces lies beside. What it did is left to
be journaled at once (``hydra.bootstrap.mended``). Cures are asked one by one, so that one that cannot be done does not keep the others.

Never here, because only a person can judge it: lifting a halt, accepting what is not Hydra's, a journal line that was altered, another
account, expired keys, a store that a newer program made, a lock that is held. Folders and the lock's own file come first; everything
else is done with the writer's lock held, so nothing is mended under a running engine.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hydra.adapters.files import RealFiles
from hydra.adapters.lock import WriterLock, describe, owner
from hydra.bootstrap.environment import ENV_FILE
from hydra.bootstrap.leftovers import ASIDE, inbox_strays, leftovers, move_aside
from hydra.bootstrap.machine import places_of
from hydra.bootstrap.mend_store import (
    Advice,
    advise_journal,
    advise_store,
    cut_torn_line,
    rebuild_store,
    store_is_due,
    torn_is_due,
)
from hydra.bootstrap.mended import note_mend
from hydra.bootstrap.setup import Setup, this_process, wall_now
from hydra.guard import attempt
from hydra.model.errors import Barred, Refused
from hydra.qc.permissions import faults

_WRITABLE = stat.S_IRWXU
_TOLD_MAX = 4
_ROOM_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Cure:
    """How the checks of some plugs are mended. ``does`` says it in words, for the screen and the page of the checks.

    ``advise`` is what a person has to do, where that depends on what is wrong. ``due``: there is something to do although no check complains. ``first``: done before the lock can be taken. ``bare``: it depends
    on the folders alone, so it is done also while the configuration cannot be read. ``also``: plugs of another cure after which this one
    looks too.
    """

    plugs: tuple[str, ...]
    does: str
    mend: Callable[[Setup], str | None]
    advise: Callable[[Setup], Advice | None] = lambda _setup: None
    due: Callable[[Setup], bool] = lambda _setup: False
    first: bool = False
    bare: bool = True
    also: tuple[str, ...] = ()


@dataclass(slots=True)
class Mending:
    """What was done and what was not, by plug; a cure that several plugs share is told under each that was wrong."""

    done: dict[str, str] = field(default_factory=dict)
    undone: dict[str, str] = field(default_factory=dict)


def make_folder(path: Path) -> str | None:
    """Make a folder that is missing, and let its owner use it. Raises ``Refused`` for something else in its place."""
    if not path.exists() and not path.is_symlink():
        RealFiles().make_dir(path)
        return f"{path} was made"
    if not path.is_dir():
        raise Refused(f"{path} is no folder: move it away, or name another folder")
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & _WRITABLE == _WRITABLE:
        return None
    path.chmod(mode | _WRITABLE)
    return f"{path} had mode {mode:04o}; it has {mode | _WRITABLE:04o} now"


def advise_folder(path: Path) -> Advice | None:
    """What to do about a folder that cannot be written, where ``--fix`` cannot do it."""
    if path.exists() and not path.is_dir():
        do = f"a file is in its place: `mv {path} {path}.kept`, or name another folder; then `hydra doctor --fix`"
        return Advice(do=do, not_fixed="whose file that is, only you know")
    holder = next(folder for folder in (path.absolute(), *path.absolute().parents) if folder.is_dir())
    seen = holder.stat()
    if shutil.disk_usage(holder).free < _ROOM_BYTES:
        return Advice(
            do=f"free disk space (`df -h {holder}`), then `hydra doctor`", not_fixed="what may go, only you know"
        )
    if os.access(holder, os.W_OK | os.X_OK):
        return None
    if holder == path.absolute() and seen.st_uid == os.geteuid() and seen.st_mode & _WRITABLE != _WRITABLE:
        return None
    do = (
        f"let this user write {holder} (`ls -ld {holder}`; mount a read-only file system again), or name another folder"
    )
    return Advice(do=do, not_fixed=f"this user may not change {holder}")


def free_lock_file(setup: Setup) -> str | None:
    """Have the lock's file be one that can be opened. A lock that is held is never broken; one whose owner is gone is free."""
    path = setup.lock_path
    if path.is_dir():
        return f"{path} was a folder; it is now {_aside(path)}"
    if path.exists() and not os.access(path, os.R_OK | os.W_OK):
        path.chmod(0o644)
        return f"{path} could not be opened; it has mode 0644 now"
    return None


def close_env_file(_setup: Setup) -> str | None:
    """Take the secrets' file away from everybody else."""
    if not ENV_FILE.is_file() or not stat.S_IMODE(ENV_FILE.stat().st_mode) & 0o077:
        return None
    ENV_FILE.chmod(0o600)
    return f"{ENV_FILE} has mode 0600 now"


def take_permissions(setup: Setup) -> str | None:
    """Take from others what they must not have, where a mode does that and it is ours to give."""
    changed = []
    for fault in faults(places_of(setup), os.geteuid()):
        if fault.wanted is not None and not fault.path.is_symlink():
            fault.path.chmod(fault.wanted)
            changed.append(f"{fault.path} {fault.mode:04o} -> {fault.wanted:04o}")
    return _listed("permissions were taken from others: ", changed)


def drop_calendar_cache(setup: Setup) -> str | None:
    """Put the table of sessions aside; the next command makes it again."""
    moved = [move_aside(path, setup.state_dir / ASIDE) for path in _tables(setup)]
    return _listed(
        f"made again by the next command, moved into {setup.state_dir / ASIDE}: ", [path.name for path in moved]
    )


def clear_inbox(setup: Setup) -> str | None:
    """Move what is no command to ``refused``, where the engine puts such things too. A word that was meant has to be said again."""
    moved = [move_aside(path, setup.inbox_dir / "refused") for path in inbox_strays(setup)]
    told = _listed("no commands, moved to inbox/refused: ", [path.name for path in moved])
    return None if told is None else f"{told}; what was meant has to be said again"


def clear_leftovers(setup: Setup) -> str | None:
    """Move half files aside."""
    moved = [move_aside(path, path.parent / ASIDE) for path in leftovers(setup, locked=True)]
    return _listed(f"half files, moved into a folder {ASIDE!r} beside: ", [path.name for path in moved])


CURES: tuple[Cure, ...] = (
    Cure(
        plugs=("state_folder",),
        does="makes the folder, and lets its owner use it",
        mend=lambda setup: make_folder(setup.state_dir),
        advise=lambda setup: advise_folder(setup.state_dir),
        first=True,
    ),
    Cure(
        plugs=("log_folder",),
        does="makes the folder, and lets its owner use it",
        mend=lambda setup: make_folder(setup.log_dir),
        advise=lambda setup: advise_folder(setup.log_dir),
        first=True,
    ),
    Cure(
        plugs=("lock", "sole_writer"),
        does="puts a lock file that cannot be opened aside; a lock that is held is never broken, one whose owner is gone is free",
        mend=free_lock_file,
        due=lambda setup: setup.lock_path.is_dir(),
        first=True,
    ),
    Cure(plugs=("env_file",), does="gives `.env` the mode 0600", mend=close_env_file),
    Cure(
        plugs=("permissions",),
        does="takes the right to write from others, and to read secrets, on what is the user's own",
        mend=take_permissions,
    ),
    Cure(
        plugs=("calendars",),
        does="puts the kept table of sessions aside, to be made again",
        mend=drop_calendar_cache,
        due=lambda setup: any(path.is_dir() for path in _tables(setup)),
    ),
    Cure(plugs=("inbox",), does="moves what is no command to `inbox/refused`", mend=clear_inbox),
    Cure(plugs=("leftovers",), does="moves half files into a folder `aside`", mend=clear_leftovers),
    Cure(
        plugs=("journal", "chain"),
        does="cuts a torn last line off, kept in `aside`; a store that is ahead of the journal or foreign to it is rebuilt, and a halt latched",
        mend=cut_torn_line,
        advise=advise_journal,
        due=torn_is_due,
        bare=False,
    ),
    Cure(
        plugs=("store", "same_store", "same_journal", "gate_day_start"),
        also=("journal", "chain"),
        does="rebuilds a store that is damaged, missing, older or not what the journal says; the old one is kept as `damaged-…`",
        mend=rebuild_store,
        advise=advise_store,
        due=store_is_due,
        bare=False,
    ),
)
"""In the order in which they are done."""

CURE_OF: Mapping[str, Cure] = {plug: cure for cure in CURES for plug in cure.plugs}
"""By the name of the plug whose check fails."""


def advice(setup: Setup, plug: str) -> Advice | None:
    """What exactly to do about a check of this plug that failed; ``None``: its own remedy says it."""
    cure = CURE_OF.get(plug)
    return None if cure is None else attempt(plug, lambda: cure.advise(setup)).value


def mend(setup: Setup, wrong: Collection[str], *, bare: bool = False) -> Mending:
    """Mend what has a cure, each once. ``wrong`` are the plugs of the checks that did not pass; ``bare``: the policy is not known."""
    mending = Mending()
    held = attempt("lock", lambda: owner(setup.lock_path))
    if held.value is not None:
        _leave(mending, CURE_OF.keys() & set(wrong), f"not under a running command: the lock is {describe(held.value)}")
        return mending
    _cure(setup, (cure for cure in CURES if cure.first), wrong, mending, bare=bare)
    later = [cure for cure in CURES if not cure.first]
    try:
        with WriterLock(setup.lock_path, this_process("doctor")):
            _cure(setup, later, wrong, mending, bare=bare)
    except Refused as refused:
        text = str(refused) if isinstance(refused, Barred) else f"not without the writer's lock: {refused}"
        _leave(mending, {plug for cure in later for plug in cure.plugs} & set(wrong), text)
    return mending


def _cure(setup: Setup, cures: Iterable[Cure], wrong: Collection[str], mending: Mending, *, bare: bool) -> None:
    for cure in cures:
        plugs = [plug for plug in (*cure.plugs, *cure.also) if plug in wrong]
        if not plugs and not attempt(cure.plugs[0], lambda cure=cure: cure.due(setup)).value:  # type: ignore[misc]  # bound now
            continue
        if bare and not cure.bare:
            _leave(mending, plugs, "not before the configuration can be read: it says where the store is")
            continue
        names = plugs or [cure.plugs[0]]
        outcome = attempt(names[0], lambda cure=cure: cure.mend(setup))  # type: ignore[misc]  # bound now
        if outcome.failure is not None:
            _leave(mending, names, outcome.failure.reason)
        elif outcome.value is not None:
            note = f"{outcome.value} ({wall_now():%Y-%m-%d %H:%M:%S}Z)"
            left = attempt("note", lambda note=note, name=names[0]: note_mend(setup.state_dir, name, note)).failure  # type: ignore[misc]  # bound now
            note += "" if left is None else f"; it could not be noted: {left.reason}"
            mending.done |= {name: "; ".join(filter(None, (mending.done.get(name), note))) for name in names}


def _leave(mending: Mending, plugs: Iterable[str], why: str) -> None:
    for plug in sorted(set(plugs) - mending.done.keys()):
        mending.undone[plug] = why


def _tables(setup: Setup) -> list[Path]:
    return sorted((setup.state_dir / "cache").glob("sessions-*.json"))


def _aside(path: Path) -> Path:
    return move_aside(path, path.parent / ASIDE)


def _listed(what: str, names: list[str]) -> str | None:
    if not names:
        return None
    more = f" and {len(names) - _TOLD_MAX} more" if len(names) > _TOLD_MAX else ""
    return what + ", ".join(names[:_TOLD_MAX]) + more
