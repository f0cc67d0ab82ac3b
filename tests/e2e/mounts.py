"""Folders that cannot be written, or have little room, for one process and its children only: mount namespaces of Linux.

What is mounted in the namespace is seen from outside through ``/proc/<pid>/root``. Where neither root nor a user namespace
may mount, the tests are skipped and say so.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

from tests.e2e.place import Running

_READ_ONLY = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'
_SMALL = """
was="$0.was"; cp -a "$0" "$was"
mount -t tmpfs -o size="$1" tmpfs "$0" && cp -a "$was/." "$0/" && rm -rf "$was"; shift
"$@"; code=$?
rm -f "$0/filler"; cp -a "$0/." "$0.after"; exit $code
"""


@cache
def _unshare() -> tuple[str, ...]:
    """How this user gets a namespace to mount in; empty: not at all."""
    trial = ("sh", "-c", "mount -t tmpfs tmpfs /mnt")
    for how in (("unshare", "-m"), ("unshare", "-rm")):
        if shutil.which(how[0]) and subprocess.run([*how, *trial], capture_output=True, check=False).returncode == 0:
            return how
    return ()


def _namespace() -> tuple[str, ...]:
    if not _unshare():
        pytest.skip("this user may not mount anything: neither root nor a user namespace allows it")
    return _unshare()


def read_only(folder: Path) -> list[str]:
    """What to put before a command so that it finds the folder on a read-only file system."""
    folder.mkdir(exist_ok=True)
    return [*_namespace(), "sh", "-c", _READ_ONLY, str(folder)]


def small(folder: Path, kilobytes: int) -> list[str]:
    """What to put before a command so that it finds the folder on a disk of this size, with all that is in it.

    What it leaves there lies in ``<folder>.after`` when it has ended.
    """
    folder.mkdir(exist_ok=True)
    folder.with_name(f"{folder.name}.after").mkdir()
    return [*_namespace(), "sh", "-c", _SMALL, str(folder), f"{kilobytes}k"]


def inside(running: Running, folder: Path) -> Path:
    """The folder as a running command sees it."""
    return Path(f"/proc/{running.process.pid}/root{folder}")


def fill(folder: Path) -> None:
    """Take all the room that is left."""
    with (folder / "filler").open("ab", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            try:
                while os.write(file.fileno(), b"\0" * size) == size:
                    pass
            except OSError:
                continue
