"""seccomp: the kernel answers only the calls of the table, for this process and for good.

The filter is a classic BPF program, compiled once from ``calls``: first the calls that have conditions, then a binary search
over all numbers (the kernel remembers what it always allows, so most calls never run the program). Another architecture's call, and
the 32-bit calls of x86_64 (x32), end the process; everything else that is not in the table is refused with EPERM, and from
``calls.NEWER`` on with ENOSYS, so that libc takes the way it had before.

Facts: the kernel's Documentation/userspace-api/seccomp_filter.rst, include/uapi/linux/{seccomp,filter,audit}.h.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
import sys
from collections.abc import Sequence
from functools import cache

from hydra.adapters.sandbox import kernel
from hydra.adapters.sandbox.calls import CALLS, NEWER, OWN_PID, Call, Condition

_MODE_FILTER = 2
_ALLOW, _KILL, _REFUSE = 0x7FFF_0000, 0x8000_0000, 0x0005_0000

# Audit names of the architectures, both 64 bits and little endian.
_ARCHITECTURES = {"x86_64": 0xC000_003E, "aarch64": 0xC000_00B7}
_X32 = 0x4000_0000

# ld [k], jeq k, jge k, and k, ret k; and where ``struct seccomp_data`` has its fields.
_LOAD, _EQUAL, _AT_LEAST, _AND, _RETURN = 0x20, 0x15, 0x35, 0x54, 0x06
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16

Instruction = tuple[int, int, int, int]  # code, skip if true, skip if false, k


def available() -> bool:
    """True when this kernel filters calls and the table has this machine's numbers. Never raises."""
    if sys.platform != "linux" or sys.maxsize < 2**32 or os.uname().machine not in _ARCHITECTURES:
        return False
    try:
        kernel.prctl(kernel.PR_SET_SECCOMP, _MODE_FILTER, None)
    except OSError as error:
        return error.errno == errno.EFAULT  # it would have read a filter, had there been one
    return False


def filter_calls() -> None:
    """Put the filter in force for this thread. ``no_new_privs`` must be set. Raises ``OSError`` when the kernel refuses."""
    program = compiled().replace(struct.pack("=I", OWN_PID), struct.pack("=I", os.getpid()))
    held = ctypes.create_string_buffer(program, len(program))
    head = struct.pack("@HP", len(program) // 8, ctypes.addressof(held))
    kernel.prctl(kernel.PR_SET_SECCOMP, _MODE_FILTER, head)


@cache
def compiled() -> bytes:
    """The filter for this machine, with ``OWN_PID`` where the process's number goes; the same for every process."""
    return assemble(program(os.uname().machine))


def assemble(instructions: Sequence[Instruction]) -> bytes:
    """``struct sock_filter`` after ``struct sock_filter``."""
    return b"".join(struct.pack("=HBBI", *one) for one in instructions)


def program(machine: str) -> list[Instruction]:
    """The filter for an architecture of the table."""
    numbered = sorted((number, call) for call in CALLS if (number := getattr(call, machine)) is not None)
    code: list[Instruction] = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, _ARCHITECTURES[machine]),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
    ]
    for number, call in numbered:
        if call.conditions:
            block = _conditional(call)
            code += [(_EQUAL, 0, len(block), number), *block]
    return code + _search(_ranges([number for number, call in numbered if not call.conditions], machine))


def _conditional(call: Call) -> list[Instruction]:
    """Allow when every condition holds, else the call's own refusal."""
    code: list[Instruction] = [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _REFUSE | call.otherwise)]
    for condition in reversed(call.conditions):
        code = _test(condition, len(code)) + code
    return code


def _test(condition: Condition, length: int) -> list[Instruction]:
    """Go on to what follows when the condition holds; ``length`` is that of what follows, whose last word is the refusal."""
    low = _ARGUMENTS + 8 * condition.argument
    code: list[Instruction] = []
    if condition.whole:
        code += [(_LOAD, 0, 0, low + 4), (_EQUAL, 0, 2 + len(condition.values) + length - 1, 0)]
    code += [(_LOAD, 0, 0, low), (_AND, 0, 0, condition.mask)]
    last = len(condition.values) - 1
    for place, value in enumerate(condition.values):
        code.append((_EQUAL, last - place, length - 1 if place == last else 0, value))
    return code


def _ranges(allowed: Sequence[int], machine: str) -> list[tuple[int, int]]:
    """(first number, verdict), ascending: each verdict stands until the next one."""
    verdicts = {0: _REFUSE | errno.EPERM, NEWER: _REFUSE | errno.ENOSYS}
    for number in allowed:
        after = _REFUSE | (errno.EPERM if number + 1 < NEWER else errno.ENOSYS)
        verdicts |= {number: _ALLOW, number + 1: after}
    if machine == "x86_64":
        verdicts[_X32] = _KILL
    ranges: list[tuple[int, int]] = []
    for first, verdict in sorted(verdicts.items()):
        if not ranges or ranges[-1][1] != verdict:
            ranges.append((first, verdict))
    return ranges


def _search(ranges: Sequence[tuple[int, int]]) -> list[Instruction]:
    """A binary search that returns the verdict of the range the number is in."""
    if len(ranges) == 1:
        return [(_RETURN, 0, 0, ranges[0][1])]
    middle = len(ranges) // 2
    left = _search(ranges[:middle])
    return [(_AT_LEAST, len(left), 0, ranges[middle][0]), *left, *_search(ranges[middle:])]
