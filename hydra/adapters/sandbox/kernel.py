"""The door to libc: a call by its name, whose refusal is an ``OSError``.

ctypes and nothing else: what the sandbox needs has no library that is both released and free of a system package.
"""

from __future__ import annotations

import ctypes
import errno
import os
from functools import cache
from typing import Any

PR_SET_DUMPABLE = 4
PR_SET_SECCOMP = 22
PR_CAPBSET_READ = 23
PR_CAPBSET_DROP = 24
PR_SET_NO_NEW_PRIVS = 38
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_CLEAR_ALL = 4


@cache
def libc() -> ctypes.CDLL:
    """The C library this process runs on."""
    library = ctypes.CDLL(None, use_errno=True)
    library.syscall.restype = ctypes.c_long
    return library


def call(name: str, *arguments: Any) -> int:
    """What libc's ``name`` answers: a number of at least 0.

    Integers go as longs, bytes and ctypes objects as they are, None as the null pointer. Raises ``OSError`` with the kernel's
    reason; EOPNOTSUPP where this libc has no such function, which is nobody's refusal.
    """
    function = getattr(libc(), name, None)
    if function is None:
        raise OSError(errno.EOPNOTSUPP, f"libc has no {name}")
    answer: int = function(*(ctypes.c_long(one) if type(one) is int else one for one in arguments))
    if answer < 0:
        reason = ctypes.get_errno()
        raise OSError(reason, f"{name}: {os.strerror(reason)}")
    return answer


def prctl(option: int, *arguments: Any) -> int:
    """``prctl`` with the arguments that are not given at 0, as the kernel wants the unused ones."""
    return call("prctl", option, *arguments, *(0,) * (4 - len(arguments)))
