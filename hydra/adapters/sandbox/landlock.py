"""Landlock: the files, the ports and the strangers of this process, closed by the kernel.

Every right the interface's version knows is handled, so what no rule allows is refused; the only rules there are allow reading.
``execute`` is in no rule: it governs starting programs, and shared libraries are mapped without it. Landlock does not hold what
changes a file's mode, owner, times or attributes; ``seccomp`` does.

Facts: the kernel's Documentation/userspace-api/landlock.rst and include/uapi/linux/landlock.h. Its calls have the same numbers
on every architecture.
"""

from __future__ import annotations

import errno
import os
import stat
import struct
from collections.abc import Sequence

from hydra.adapters.sandbox.kernel import call

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_ASK_VERSION = 1
_PATH_BENEATH = 1

_READ_FILE = 1 << 2
_READ_DIR = 1 << 3

# From which version on a right is known. A version above these is asked for what these know.
_FILES = (
    (1, (1 << 13) - 1),  # execute, write, read, read a folder, remove (2), make (7)
    (2, 1 << 13),  # link or rename across folders
    (3, 1 << 14),  # truncate
    (5, 1 << 15),  # ioctl on a device
    (9, 1 << 16),  # reach a Unix socket by its path
)
_PORTS = ((4, 0b11),)  # bind and connect, TCP
_SCOPES = ((6, 0b11),)  # abstract Unix sockets and signals outside

_WORDS = ((1, _FILES), (4, _PORTS), (6, _SCOPES))


def version() -> int:
    """The version of the interface this kernel offers, 0 for none."""
    try:
        return call("syscall", _CREATE_RULESET, None, 0, _ASK_VERSION)
    except OSError:
        return 0


def restrict(offered: int, readable: Sequence[str]) -> None:
    """From now on this thread may read these files and folders and no others, write none, and connect to no port.

    ``offered`` is a version this kernel offers, at least 1; ``no_new_privs`` must be set. A path that is not there is left out.
    Raises ``OSError`` when the kernel refuses.
    """
    handled = ruleset(offered)
    rules = call("syscall", _CREATE_RULESET, handled, len(handled), 0)
    try:
        for path in readable:
            _allow_reading(rules, path)
        call("syscall", _RESTRICT_SELF, rules, 0)
    finally:
        os.close(rules)


def ruleset(offered: int) -> bytes:
    """``struct landlock_ruleset_attr`` with every right that this version knows."""
    words = [_known(offered, rights) for since, rights in _WORDS if since <= offered]
    return struct.pack(f"={len(words)}Q", *words)


def _known(offered: int, rights: Sequence[tuple[int, int]]) -> int:
    return sum(bits for since, bits in rights if since <= offered)


def _allow_reading(rules: int, path: str) -> None:
    """One rule: this file, or this folder with all below it, can be read."""
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.EACCES):
            return  # what cannot be reached needs no rule
        raise
    try:
        is_folder = stat.S_ISDIR(os.fstat(place).st_mode)
        rights = _READ_FILE | _READ_DIR if is_folder else _READ_FILE
        call("syscall", _ADD_RULE, rules, _PATH_BENEATH, struct.pack("=Qi", rights, place), 0)
    finally:
        os.close(place)
