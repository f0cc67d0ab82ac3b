"""Entering the sandbox: one way, for the whole process.

The order matters. First what needs files (the mapped size, the out-of-memory score), then Landlock, then the limits and powers,
and the filter of calls last, because it forbids all of these. A process enters while it has one thread: Landlock holds only the
thread that asks for it.

Environment for what is imported inside: ``ONE_THREAD``. Numeric libraries start threads when they are imported, unless they are
told not to, and OpenBLAS interrupts the process when it cannot.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from types import MappingProxyType

from hydra.adapters.sandbox import kernel, landlock, limits, seccomp
from hydra.adapters.sandbox.limits import Limits, conceal
from hydra.adapters.sandbox.offer import NOTHING, Offer, offered

__all__ = ["ONE_THREAD", "Limits", "conceal", "enter", "enter_with", "in_force", "prepare"]

ONE_THREAD: Mapping[str, str] = MappingProxyType(
    dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
)
"""What the environment of a process that enters must say before it imports numpy."""

_held = [NOTHING]  # what is in force in this process; there is no way back, so nothing ever takes it out


@cache
def prepare() -> Offer:
    """Do what is the same for every process once, before the processes are forked: ask the kernel, compile the filter.

    Returns what ``enter`` will put in force.
    """
    offer = offered()
    if offer.seccomp:
        seccomp.compiled()
    return offer


def enter(limit: Limits, readable: Sequence[str]) -> Offer:
    """Give up, for good, everything but computing, reading ``readable`` and the descriptors that are open.

    Returns what is in force. Raises ``OSError`` when something the kernel offers cannot be put in force, or when this process has
    more than one thread; what was put in force until then stays.
    """
    return enter_with(limit, readable, prepare())


def enter_with(limit: Limits, readable: Sequence[str], offer: Offer) -> Offer:
    """``enter`` with a part of what the kernel offers."""
    if sys.platform == "linux":
        _require_one_thread()
        kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    limits.first_to_go()
    mapped = limits.mapped_bytes()
    if offer.landlock:
        landlock.restrict(offer.landlock, readable)
    limits.limit(limit, mapped)
    limits.drop_powers()
    if offer.seccomp:
        seccomp.filter_calls()
    _held[0] = offer
    return offer


def in_force() -> Offer:
    """What this process, or the one it was forked from, has entered."""
    return _held[0]


def _require_one_thread() -> None:
    threads = os.stat("/proc/self/task").st_nlink - 2  # noqa: PTH116  # called in each of a thousand processes
    if threads != 1:
        raise OSError(errno.EBUSY, f"the sandbox holds one thread, this process has {threads}")
