"""Who owns what Hydra believes, and who else may change it.

Whatever the system acts on (configuration, store, journal, inbox) could be changed by whoever may write it or may put something else
in its place. So each has to belong to the user who runs this, or to root, and nobody else may write it; the secrets, nobody else may
read. What is not there is another check's question.

    a no     somebody else's; everybody may write it; a group may write it that others are in; a secret others may read; a link that
             leads nowhere; a folder above it in which everybody may replace it (unless it is sticky, as /tmp is)
    said     a link and where it leads; running as root on another's files; an inbox that a group may write: that is how a team
             sends ``hydra halt`` to an engine that one of them runs

The oddity: a group of the user's own name with nobody else in it is the user, so the umask 002 of some systems passes too.
"""

from __future__ import annotations

import grp
import os
import pwd
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from hydra.qc.check import Finding

INBOX = "inbox"
_ROOT = 0
_TOLD_MAX = 6


class Part(StrEnum):
    """What a path is to the system."""

    FOLDER = "folder"
    INBOX = "inbox"
    FILE = "file"
    SECRET = "secret"  # noqa: S105  # not a password


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A path that matters, and what it is called. Of a folder its entries matter too."""

    path: Path
    name: str
    part: Part = Part.FILE


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What is wrong with a path. ``wanted`` is the mode that mends it; ``None`` where another mode does not, or is not ours to give."""

    path: Path
    reason: str
    mode: int
    wanted: int | None = None


def places_of(
    *, config: Path, env_file: Path, state_dir: Path, log_dir: Path, named: tuple[Path, ...] = ()
) -> tuple[Place, ...]:
    """What a command works with. ``named`` are files that the configuration names: bots, blackouts, faults."""
    return (
        Place(path=config, name="the configuration"),
        Place(path=env_file, name="the file with the secrets", part=Part.SECRET),
        *(Place(path=path, name="a file of the configuration") for path in named),
        Place(path=state_dir, name="the state folder", part=Part.FOLDER),
        Place(path=state_dir / INBOX, name="the inbox", part=Part.INBOX),
        Place(path=log_dir, name="the log folder", part=Part.FOLDER),
    )


def ask(places: tuple[Place, ...], user: int, is_alone: Callable[[int, int], bool] | None = None) -> Finding:
    """Who may change what ``user`` (a user id) works with: the faults in a sentence.

    ``is_alone(group, user)``: nobody else is in the group. Raises ``OSError`` for what cannot be looked at.
    """
    wrong = faults(places, user, is_alone)
    if wrong:
        told, more = "; ".join(fault.reason for fault in wrong[:_TOLD_MAX]), len(wrong) - _TOLD_MAX
        return Finding(good=False, reason=told + (f"; and {more} more" if more > 0 else ""))
    count = sum(1 for place in places for _ in _entries(place))
    owners = "root" if user == _ROOT else f"{name_of(user)} or root"
    told = f"{count} files and folders, none of which anybody but {owners} may change"
    return Finding(good=True, reason="; ".join((told, *_notes(places, user, is_alone or alone_in))))


def faults(
    places: tuple[Place, ...], user: int, is_alone: Callable[[int, int], bool] | None = None
) -> tuple[Fault, ...]:
    """Everything that is wrong, in the order of the places. Raises ``OSError`` for what cannot be looked at."""
    alone = is_alone or alone_in
    return tuple(fault for place in places for fault in _of(place, user, alone))


def alone_in(group: int, user: int) -> bool:
    """Whether a group is the user's own: it has the user's name, and no other member."""
    try:
        found, owner = grp.getgrgid(group), pwd.getpwuid(user)
    except KeyError:
        return False
    return found.gr_name == owner.pw_name and set(found.gr_mem) <= {owner.pw_name}


def name_of(user: int) -> str:
    """A user's name, or the number where there is none."""
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"user {user}"


def _of(place: Place, user: int, alone: Callable[[int, int], bool]) -> Iterator[Fault]:
    path = place.path
    if path.is_symlink() and not path.exists():
        why = f"{place.name}: {path} leads to {path.resolve()}, which is not there"
        yield Fault(path=path, reason=why, mode=stat.S_IMODE(path.lstat().st_mode))
    if not path.exists():
        return
    for holder in dict.fromkeys((path.absolute().parent, path.resolve().parent)):
        mode = holder.stat().st_mode
        if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
            why = f"{place.name}: everybody may replace {path}: {holder} has mode {_shown(mode)}"
            yield Fault(path=holder, reason=why, mode=stat.S_IMODE(mode))
    for found, seen in _entries(place):
        mode = stat.S_IMODE(seen.st_mode)
        stranger = _stranger(found, seen, user)
        if stranger is not None and user != _ROOT:
            yield Fault(path=found, reason=f"{place.name}: {stranger}", mode=mode)
        for bits, told in _open_to_others(place.part, found, seen, alone):
            wanted = mode & ~bits if seen.st_uid == user else None
            yield Fault(path=found, reason=f"{place.name}: {told}", mode=mode, wanted=wanted)


def _notes(places: tuple[Place, ...], user: int, alone: Callable[[int, int], bool]) -> Iterator[str]:
    """What is no fault and worth a word."""
    for place in places:
        if place.path.is_symlink():
            yield f"{place.path} leads to {place.path.resolve()}"
        entries = list(_entries(place))
        strange = [why for path, seen in entries if (why := _stranger(path, seen, user)) is not None]
        if strange:
            yield f"{strange[0]}, and this is root" + (f" (and {len(strange) - 1} more)" if len(strange) > 1 else "")
        if place.part is Part.INBOX and entries:
            seen = entries[0][1]
            if seen.st_mode & stat.S_IWGRP and not alone(seen.st_gid, seen.st_uid):
                yield f"the group {_group(seen.st_gid)} may send commands through {place.path}"


def _entries(place: Place) -> Iterator[tuple[Path, os.stat_result]]:
    """The path, if it is there, and what is in it when it is a folder. A file that goes away meanwhile was none."""
    if not place.path.exists():
        return
    seen = place.path.stat()
    yield place.path, seen
    if not stat.S_ISDIR(seen.st_mode):
        return
    with os.scandir(place.path) as entries:
        for entry in entries:
            # The inbox in the state folder is a place of its own.
            if place.part is Part.FOLDER and entry.name == INBOX:
                continue
            try:
                yield Path(entry.path), entry.stat()
            except FileNotFoundError:
                continue


def _stranger(path: Path, seen: os.stat_result, user: int) -> str | None:
    """Whose it is, when it is neither the user's nor root's."""
    if seen.st_uid in (user, _ROOT):
        return None
    return f"{path} belongs to {name_of(seen.st_uid)}" + ("" if user == _ROOT else f", and this is {name_of(user)}")


def _open_to_others(
    part: Part, path: Path, seen: os.stat_result, alone: Callable[[int, int], bool]
) -> Iterator[tuple[int, str]]:
    """The bits of the mode that let others in, and what they may then do."""
    mode, shown = seen.st_mode, f"(mode {_shown(seen.st_mode)})"
    if mode & stat.S_IWOTH:
        yield stat.S_IWOTH | stat.S_IWGRP, f"everybody may write {path} {shown}"
    elif mode & stat.S_IWGRP and part is not Part.INBOX and not alone(seen.st_gid, seen.st_uid):
        yield stat.S_IWGRP, f"the group {_group(seen.st_gid)} may write {path} {shown}"
    if part is Part.SECRET and mode & (stat.S_IRGRP | stat.S_IROTH):
        yield stat.S_IRWXG | stat.S_IRWXO, f"others may read {path} {shown[:-1]}, expected 0600)"


def _shown(mode: int) -> str:
    return f"{stat.S_IMODE(mode):04o}"


def _group(group: int) -> str:
    try:
        return grp.getgrgid(group).gr_name
    except KeyError:
        return str(group)
