"""The table of the kernel's calls that foreign code needs to be imported, to compute, and to speak over a socket it was given.

What is not here is refused. So is, among the calls that are here, what does not meet the call's conditions: no file is opened to
be written, no message goes to an address, no signal to another process, no limit is changed.

Numbers: the kernel's arch/x86/entry/syscalls/syscall_64.tbl, and include/uapi/asm-generic/unistd.h for aarch64; a test holds the
table to the headers where they are installed.
"""

from __future__ import annotations

import errno
from typing import NamedTuple

OWN_PID = 0x7E1F_5E1F
"""Stands in a condition for the number of the process that enters."""

NEWER = 424
"""From this number on (Linux 5.1), on both architectures, a call that is not here does not exist: libc has another way for these."""


class Condition(NamedTuple):
    """The low 32 bits of an argument, masked, are one of ``values``; the high ones too (all of them 0) when ``whole``."""

    argument: int
    values: tuple[int, ...]
    mask: int = 0xFFFF_FFFF
    whole: bool = False


class Call(NamedTuple):
    """One call: its numbers (None: the architecture has none), when it is allowed, and the answer when it is not."""

    name: str
    x86_64: int | None
    aarch64: int | None
    conditions: tuple[Condition, ...] = ()
    otherwise: int = errno.EPERM


def _null(argument: int) -> Condition:
    return Condition(argument, (0,), whole=True)


# O_WRONLY, O_RDWR, O_CREAT, O_TRUNC, O_TMPFILE: the same on both architectures.
_WRITING = 0o1 | 0o2 | 0o100 | 0o1000 | 0o20000000
# F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC. Not F_SETOWN and its kin, which send signals.
_OWN_DESCRIPTORS = (0, 1, 2, 3, 4, 1030)
# FIONBIO, FIOCLEX, FIONCLEX, FIONREAD. Others hear that this is no terminal, which Python takes for an answer.
_OWN_FLAGS = (0x5421, 0x5451, 0x5450, 0x541B)
# PR_SET_NAME, PR_GET_NAME.
_OWN_NAME = (15, 16)

CALLS = (
    # Memory, and in it the shared libraries.
    Call("mmap", 9, 222),
    Call("munmap", 11, 215),
    Call("mremap", 25, 216),
    Call("mprotect", 10, 226),
    Call("madvise", 28, 233),
    Call("brk", 12, 214),
    # Files to be read: which ones is Landlock's matter.
    Call("open", 2, None, (Condition(1, (0,), _WRITING),), errno.EACCES),
    Call("openat", 257, 56, (Condition(2, (0,), _WRITING),), errno.EACCES),
    Call("stat", 4, None),
    Call("fstat", 5, 80),
    Call("lstat", 6, None),
    Call("newfstatat", 262, 79),
    Call("statx", 332, 291),
    Call("access", 21, None),
    Call("faccessat", 269, 48),
    Call("faccessat2", 439, 439),
    Call("readlink", 89, None),
    Call("readlinkat", 267, 78),
    Call("getcwd", 79, 17),
    Call("getdents64", 217, 61),
    # Descriptors that are open.
    Call("read", 0, 63),
    Call("write", 1, 64),
    Call("readv", 19, 65),
    Call("writev", 20, 66),
    Call("pread64", 17, 67),
    Call("preadv", 295, 69),
    Call("lseek", 8, 62),
    Call("close", 3, 57),
    Call("dup", 32, 23),
    Call("dup2", 33, None),
    Call("dup3", 292, 24),
    Call("fcntl", 72, 25, (Condition(1, _OWN_DESCRIPTORS),)),
    Call("ioctl", 16, 29, (Condition(1, _OWN_FLAGS),), errno.ENOTTY),
    # The socket that is open. ``sendto`` to no address.
    Call("recvfrom", 45, 207),
    Call("recvmsg", 47, 212),
    Call("sendto", 44, 206, (_null(4),)),
    Call("sendmsg", 46, 211),
    Call("shutdown", 48, 210),
    Call("getsockopt", 55, 209),
    Call("getsockname", 51, 204),
    Call("getpeername", 52, 205),
    # Waiting.
    Call("poll", 7, None),
    Call("ppoll", 271, 73),
    Call("select", 23, None),
    Call("pselect6", 270, 72),
    Call("epoll_create1", 291, 20),
    Call("epoll_ctl", 233, 21),
    Call("epoll_wait", 232, None),
    Call("epoll_pwait", 281, 22),
    Call("futex", 202, 98),
    Call("sched_yield", 24, 124),
    Call("nanosleep", 35, 101),
    Call("clock_nanosleep", 230, 115),
    Call("restart_syscall", 219, 128),
    # Clocks, chance, what this machine and this process are.
    Call("clock_gettime", 228, 113),
    Call("clock_getres", 229, 114),
    Call("gettimeofday", 96, 169),
    Call("time", 201, None),
    Call("times", 100, 153),
    Call("getrandom", 318, 278),
    Call("uname", 63, 160),
    Call("sysinfo", 99, 179),
    Call("getcpu", 309, 168),
    Call("getrusage", 98, 165),
    Call("getrlimit", 97, 163),
    Call("prlimit64", 302, 261, (_null(0), _null(2))),  # its own, and only to read them
    Call("sched_getaffinity", 204, 123),
    Call("getpid", 39, 172),
    Call("gettid", 186, 178),
    Call("getppid", 110, 173),
    Call("getuid", 102, 174),
    Call("geteuid", 107, 175),
    Call("getgid", 104, 176),
    Call("getegid", 108, 177),
    Call("getresuid", 118, 148),
    Call("getresgid", 120, 150),
    Call("prctl", 157, 167, (Condition(0, _OWN_NAME),)),
    # Its own signals, and the end.
    Call("rt_sigaction", 13, 134),
    Call("rt_sigprocmask", 14, 135),
    Call("rt_sigreturn", 15, 139),
    Call("sigaltstack", 131, 132),
    Call("tgkill", 234, 131, (Condition(0, (OWN_PID,)),)),
    Call("exit", 60, 93),
    Call("exit_group", 231, 94),
)
