"""Bots that destroy: the state, the journal, the program itself, and the processes around them.

Whatever they could really destroy is what the harness has planted. The program's own files are only opened, and nothing is written
to them; a signal is first one that nobody minds, and only where that was refused one that would end its receiver.
"""

from __future__ import annotations

import errno
import os
import shutil
import signal
import site
import sys
from collections.abc import Callable
from pathlib import Path

from hydra.ports import Bot, Setting
from hydra.qc.hostile.kit import Attempt, attempting, targets_of

_HARMLESS = signal.SIGURG
_DATABASE, _JOURNAL = "trading_state.db", "run.001.jsonl"


def deletes_state(setting: Setting) -> Bot:
    """Deletes the state and the journal, file by file and whole."""
    targets = targets_of(setting)
    attempts: dict[str, Attempt] = {}
    for what, folder, file in (("state", targets.state, _DATABASE), ("journal", targets.logs, _JOURNAL)):
        path = Path(folder) / file
        attempts[f"rename the {what}"] = _done(path.rename, path.with_suffix(".gone"))
        attempts[f"delete the {what}"] = _done(path.unlink)
        attempts[f"delete the {what} folder"] = _done(shutil.rmtree, folder)
        attempts[f"rename the {what} folder"] = _done(os.rename, folder, f"{folder}.gone")
    return attempting(attempts)


def spoils_state(setting: Setting) -> Bot:
    """Leaves the files in their places, and spoils them: cut, written to, linked, made unreadable, their times changed."""
    targets = targets_of(setting)
    attempts: dict[str, Attempt] = {}
    for what, folder, file in (("state", targets.state, _DATABASE), ("journal", targets.logs, _JOURNAL)):
        path = f"{folder}/{file}"
        attempts[f"cut the {what}"] = _done(os.truncate, path, 0)
        attempts[f"append to the {what}"] = _writing(path, os.O_WRONLY | os.O_APPEND)
        attempts[f"make a file beside the {what}"] = _writing(f"{folder}/planted", os.O_WRONLY | os.O_CREAT)
        attempts[f"make a folder beside the {what}"] = _done(os.mkdir, f"{folder}/folder")
        attempts[f"link to the {what}"] = _done(os.link, path, f"{folder}/link")
        attempts[f"a symbolic link beside the {what}"] = _done(os.symlink, path, f"{folder}/symlink")
        attempts[f"a pipe beside the {what}"] = _done(os.mkfifo, f"{folder}/pipe")
        attempts[f"mode of the {what}"] = _done(os.chmod, path, 0)
        attempts[f"mode of the {what} folder"] = _done(os.chmod, folder, 0)
        attempts[f"owner of the {what}"] = _done(os.chown, path, 65534, 65534)
        attempts[f"times of the {what}"] = _done(os.utime, path, (0, 0))
        if hasattr(os, "setxattr"):
            attempts[f"attributes of the {what}"] = _done(os.setxattr, path, "user.hydra", b"spoiled")
    return attempting(attempts)


def spoils_the_program(_setting: Setting) -> Bot:
    """Opens its own source, the engine's, the packages' and the interpreter's for writing, and makes files beside them."""
    own = Path(__file__)
    packages = next(iter(site.getsitepackages()), "")
    paths = {
        "its own source": own,
        "the engine's source": own.parents[2] / "engine" / "cycle.py",
        "the cache of its source": own.parent / "__pycache__" / f"{own.stem}.{sys.implementation.cache_tag}.pyc",
        "a package": Path(packages) / "msgspec" / "__init__.py",
        "the standard library": Path(os.__file__),
    }
    attempts: dict[str, Attempt] = {f"write {what}": _openable(path) for what, path in paths.items()}
    places = {
        "its source": own.parent,
        "the packages": Path(packages),
        "temporary files": Path("/tmp"),  # noqa: S108  # made and taken away again
        "/dev/shm": Path("/dev/shm"),  # noqa: S108  # the same
    }
    for what, folder in places.items():
        attempts[f"a file in {what}"] = _made_and_removed(folder / f".hydra-stress-{os.getpid()}")
    return attempting(attempts)


def signals(setting: Setting) -> Bot:
    """Ends its parent, the engine, its group, and everybody it may."""
    targets = targets_of(setting)
    return attempting(
        {
            "signal the parent": _signal(lambda number: os.kill(targets.parent, number)),
            "signal the engine": _signal(lambda number: os.kill(targets.engine, number)),
            "signal the engine's group": _signal(lambda number: os.killpg(os.getpgid(targets.engine), number)),
            "signal the parent's group": _signal(lambda number: os.killpg(os.getpgid(targets.parent), number)),
            "signal the first process": _signal(lambda number: os.kill(1, number), last=None),
            "signal everybody": _signal(lambda number: os.kill(-1, number), first=0, last=None),
            "queue a signal to the parent": _queued(targets.parent),
        }
    )


def _signal(send: Callable[[int], None], first: int = _HARMLESS, last: int | None = signal.SIGTERM) -> Attempt:
    """One that does nothing first. It got through: enough is known. It did not: then the one that would end somebody."""

    def attempt() -> str:
        refused = OSError(errno.EPERM, "nothing was sent")
        for number in (first, last):
            if number is None:
                break
            try:
                send(number)
            except ProcessLookupError:
                # From inside a scope others are not to be seen; from outside they are, for they are running.
                refused = OSError(errno.EPERM, "nobody there")
                continue
            except OSError as error:
                refused = error
                continue
            return f"signal {int(number)} arrived"
        raise refused

    return attempt


def _queued(pid: int) -> Attempt:
    def attempt() -> str:
        opened = os.pidfd_open(pid)  # type: ignore[attr-defined,unused-ignore]  # not on every system
        try:
            signal.pidfd_send_signal(opened, _HARMLESS)  # type: ignore[attr-defined,unused-ignore]  # the same
        finally:
            os.close(opened)
        return "a signal by descriptor arrived"

    return attempt


def _done(call: Callable[..., object], *arguments: object) -> Attempt:
    def attempt() -> str:
        call(*arguments)
        return "done"

    return attempt


def _writing(path: str, flags: int) -> Attempt:
    def attempt() -> str:
        descriptor = os.open(path, flags, 0o600)
        try:
            return f"{os.write(descriptor, b'spoiled')} bytes written"
        finally:
            os.close(descriptor)

    return attempt


def _openable(path: Path) -> Attempt:
    """Open for appending and append nothing."""

    def attempt() -> str:
        os.close(os.open(path, os.O_WRONLY | os.O_APPEND))
        return f"{path} can be written"

    return attempt


def _made_and_removed(path: Path) -> Attempt:
    def attempt() -> str:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        path.unlink()
        return f"a file can be made in {path.parent}"

    return attempt


def leaves_its_folder(setting: Setting) -> Bot:
    """Moves to other places of the file system, and out of any it is shut into."""
    targets = targets_of(setting)

    def by_descriptor() -> str:
        folder = os.open(targets.state, os.O_RDONLY | os.O_DIRECTORY)
        try:
            return f"{len(os.listdir(folder))} names by descriptor"  # noqa: PTH208  # a descriptor, not a path
        finally:
            os.close(folder)

    return attempting(
        {
            "a descriptor of the state folder": by_descriptor,
            "chroot": _done(os.chroot, targets.state),
            "mknod": _done(os.mknod, f"{targets.state}/device", 0o600 | 0o020000, os.makedev(1, 1)),
        }
    )
