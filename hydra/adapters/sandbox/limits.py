"""What a process may take at most, and the powers it gives up. Every limit is hard: nobody can raise it again.

Works on any POSIX system with what that has: a limit the system does not know is left out, and so is the limit on memory where
the system does not tell how much is mapped (``attempts`` then finds memory open).
"""

from __future__ import annotations

import errno
import os
import resource
import struct
import sys
from contextlib import suppress

from hydra.adapters.sandbox import kernel
from hydra.model.errors import Invalid
from hydra.model.values import Value

_MEGABYTE = 1024 * 1024
_CAPABILITIES_MAX = 64
_CAPABILITY_VERSION_3 = 0x20080522
_NONE_AT_ALL = ("CORE", "FSIZE", "NPROC", "MEMLOCK", "MSGQUEUE", "RTPRIO", "NICE")


class Limits(Value, frozen=True, kw_only=True):
    """``memory_mb``: mebibytes of address space beyond what is mapped when the limit is set; ``open_files``: descriptors."""

    memory_mb: int
    open_files: int = 64

    def __post_init__(self) -> None:
        for name in ("memory_mb", "open_files"):
            if getattr(self, name) < 1:
                raise Invalid(f"limits.{name} must be at least 1, got {getattr(self, name)}")


def limit(limits: Limits, mapped: int | None) -> None:
    """Put the limits in force; ``mapped`` is what ``mapped_bytes`` told. Raises ``OSError`` when the system refuses one."""
    for name in _NONE_AT_ALL:
        _lower(name, 0)
    _lower("NOFILE", limits.open_files)
    if mapped is not None:
        _lower("AS", mapped + limits.memory_mb * _MEGABYTE)


def mapped_bytes() -> int | None:
    """Bytes of address space this process has mapped; None where the system does not tell."""
    try:
        place = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return int(os.read(place, 64).split()[0]) * resource.getpagesize()
    finally:
        os.close(place)


def first_to_go() -> None:
    """When memory runs out the kernel ends this process, and those it forks, before others; nothing where that cannot be told it.

    A process of an ordinary user that has concealed itself cannot say it any more: say it before.
    """
    with suppress(OSError):
        place = os.open("/proc/self/oom_score_adj", os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.write(place, b"1000")
        finally:
            os.close(place)


def drop_powers() -> None:
    """Give up every capability, and with ``no_new_privs`` for good. Raises ``OSError`` when the kernel refuses."""
    if sys.platform != "linux":
        return
    with suppress(OSError):  # kernels before 4.3 have none
        kernel.prctl(kernel.PR_CAP_AMBIENT, kernel.PR_CAP_AMBIENT_CLEAR_ALL)
    drop = kernel.libc().prctl
    for capability in range(_CAPABILITIES_MAX):
        if drop(kernel.PR_CAPBSET_DROP, capability, 0, 0, 0) < 0:
            break  # past the last there is, or never allowed to: then there is none to give up
    kernel.call("capset", struct.pack("=Ii", _CAPABILITY_VERSION_3, 0), bytes(24))


def conceal() -> None:
    """From now on others of the same user cannot read this process's memory, environment or descriptors.

    For good: a program it runs starts afresh, a process it forks is as concealed. Nothing on other systems than Linux.
    """
    if sys.platform == "linux":
        kernel.prctl(kernel.PR_SET_DUMPABLE, 0)


def _lower(name: str, most: int) -> None:
    """Both the soft and the hard limit, never above the hard limit there was."""
    which = getattr(resource, f"RLIMIT_{name}", None)
    if which is None:
        return
    hard = resource.getrlimit(which)[1]
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    try:
        resource.setrlimit(which, (most, most))
    except ValueError as error:
        raise OSError(errno.EPERM, f"RLIMIT_{name} {most}: {error}") from error
