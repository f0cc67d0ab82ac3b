"""Run a command on a machine whose kernel has no Landlock: ``without_landlock.py COMMAND ...``.

One small filter answers the call that asks for it with ENOSYS, as an older kernel does; it holds for everything that is started from here.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
import sys

from hydra.adapters.sandbox import kernel
from hydra.adapters.sandbox.seccomp import assemble

_CREATE_RULESET = 444  # the same on every architecture
_LOAD, _EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _REFUSE = 0x7FFF_0000, 0x0005_0000

if __name__ == "__main__":
    program = assemble(
        [
            (_LOAD, 0, 0, 0),
            (_EQUAL, 0, 1, _CREATE_RULESET),
            (_RETURN, 0, 0, _REFUSE | errno.ENOSYS),
            (_RETURN, 0, 0, _ALLOW),
        ]
    )
    held = ctypes.create_string_buffer(program, len(program))
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    kernel.prctl(kernel.PR_SET_SECCOMP, 2, struct.pack("@HP", len(program) // 8, ctypes.addressof(held)))
    os.execv(sys.argv[1], sys.argv[1:])  # noqa: S606  # this file's purpose
