"""The kernel's own word on whether a time service holds its clock: ``adjtimex``, asked and not set.

The flag and the error bounds are those of the kernel's ``include/uapi/linux/timex.h``; ``systemd-timesyncd``, ``chrony`` and ``ntpd`` all keep them.
Elsewhere than on Linux, and where a container's sandbox forbids the call, there is no word.
"""

from __future__ import annotations

import ctypes
import sys

from hydra.model.snapshot import Probe

_UNSYNCHRONISED = 0x0040
_ERROR = 5
"""What the call returns while the clock is not synchronised (``TIME_ERROR``); below zero it has failed."""
_MICROSECONDS = 1_000_000


class _Timex(ctypes.Structure):
    """``struct timex`` as far as it is read; the rest is room for what the kernel writes."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("room", ctypes.c_char * 256),
    )


def synchronised() -> Probe | None:
    """Whether a time service holds the clock, with its bound on the error in seconds; ``None`` when nobody says."""
    if not sys.platform.startswith("linux"):
        return None
    told = _Timex()
    try:
        state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(told))
    except (OSError, AttributeError):
        return None
    if state < 0:
        return None
    error_seconds = told.maxerror / _MICROSECONDS
    if state == _ERROR or told.status & _UNSYNCHRONISED:
        return Probe(ok=False, reason="no time service holds this machine's clock (the kernel says so)")
    reason = f"a time service holds this machine's clock to {error_seconds:.3f} s at most (the kernel says so)"
    return Probe(ok=True, reason=reason, number=error_seconds)
