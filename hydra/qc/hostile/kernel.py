"""Bots that ask the kernel for what no bot needs: another user, another view of the system, machinery with a history of holes."""

from __future__ import annotations

import ctypes
import errno
import os
from typing import Any

from hydra.ports import Bot, Setting
from hydra.qc.hostile.kit import Attempt, attempting, called, libc, refused_by, system_call

_MACHINE = os.uname().machine
_NUMBERS: dict[str, tuple[int, int]] = {
    "bpf": (321, 280),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "userfaultfd": (323, 282),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "move_mount": (429, 429),
    "open_tree": (428, 428),
    "fsopen": (430, 430),
    "setns": (308, 268),
    "unshare": (272, 97),
    "memfd_create": (319, 279),
    "execveat": (322, 281),
    "open_by_handle_at": (304, 265),
    "name_to_handle_at": (303, 264),
    "fanotify_init": (300, 262),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "settimeofday": (164, 170),
    "sethostname": (170, 161),
    "syslog": (103, 116),
    "shmget": (29, 194),
    "msgget": (68, 186),
    "semget": (64, 190),
}
"""The numbers of system calls on x86-64 and on arm64."""
_NEWUSER, _NEWNS, _NEWNET, _NEWPID = 0x10000000, 0x00020000, 0x40000000, 0x20000000
_THERE = (
    errno.EFAULT,
    errno.EINVAL,
    errno.ENOENT,
    errno.EBADF,
    errno.ESRCH,
    errno.E2BIG,
    errno.ENOMEM,
    errno.ENOKEY,
    errno.ENOEXEC,
)


def _number(name: str) -> int:
    return _NUMBERS[name][1 if _MACHINE == "aarch64" else 0]


def _reached(name: str, *arguments: Any) -> Attempt:
    """Asked with arguments that mean nothing: only *no* is a no; *there is something wrong with this* says that it is there."""

    def attempt() -> str:
        try:
            return system_call(_number(name), name, *arguments)() or name
        except OSError as error:
            if error.errno in _THERE:
                return f"{name} is there: {errno.errorcode[error.errno]}"
            raise

    return attempt


def facilities(_setting: Setting) -> Bot:
    """Machinery of the kernel that no bot needs: bpf, keyrings, io_uring, userfaultfd, modules."""
    nothing = (0, 0, 0, 0, 0)
    names = ("bpf", "io_uring_setup", "io_uring_enter", "userfaultfd", "init_module", "finit_module")
    more = ("fanotify_init", "open_by_handle_at", "name_to_handle_at")
    attempts = {name: _reached(name, *nothing) for name in (*names, *more)}
    attempts["keyctl"] = _reached("keyctl", 0, -2, 0)
    attempts["add_key"] = _reached("add_key", None, None, None, 0, -2)
    attempts["request_key"] = _reached("request_key", None, None, None, 0)
    attempts["syslog"] = _reached("syslog", 10, None, 0)
    attempts["memory that others share"] = _shared_memory("shmget", 0x6879, 4096, 0o1600)
    attempts["queues that others share"] = _shared_memory("msgget", 0x6879, 0o1600)
    attempts["locks that others share"] = _shared_memory("semget", 0x6879, 1, 0o1600)
    attempts["a program in memory"] = _program_in_memory
    return attempting({name: refused_by(errno.EOPNOTSUPP)(attempt) for name, attempt in attempts.items()})


def _shared_memory(name: str, *arguments: Any) -> Attempt:
    """Make a piece that everybody could find, and take it away again."""
    take_away = {"shmget": (31, 195), "msgget": (71, 187), "semget": (66, 191)}[name][1 if _MACHINE == "aarch64" else 0]

    def attempt() -> str:
        library = libc()
        made = library.syscall(ctypes.c_long(_number(name)), *arguments)
        got = called(made, name)
        last = (0, 0, 0) if name == "semget" else (0, 0)
        library.syscall(ctypes.c_long(take_away), made, *last)
        return got

    return attempt


def _program_in_memory() -> str | None:
    """A file that lies nowhere, run by its descriptor. That it can be made harms nobody; that it can be run does."""
    made = libc().syscall(ctypes.c_long(_number("memfd_create")), b"program", 0)
    if made == -1:
        raise OSError(ctypes.get_errno(), "memfd_create")
    try:
        os.write(made, b"#!/bin/true\n")
        # An empty argument list and a script by descriptor: the kernel would say that it is there in any other way.
        result = libc().syscall(ctypes.c_long(_number("execveat")), made, b"", None, None, 0x1000)
        return called(result, "execveat")
    finally:
        os.close(made)


def namespaces(_setting: Setting) -> Bot:
    """Makes a system of its own, in which it is root."""
    kinds = {"user": _NEWUSER, "mount": _NEWNS, "network": _NEWNET, "process": _NEWPID}
    attempts = {
        f"a {what} namespace": refused_by(errno.ENOSPC)(_reached("unshare", flag)) for what, flag in kinds.items()
    }
    attempts["enter a namespace"] = _reached("setns", 0, 0)
    attempts["mount"] = _reached("mount", b"none", b"/nonexistent", b"tmpfs", 0, None)
    attempts["unmount"] = _reached("umount2", b"/nonexistent", 0)
    attempts["pivot_root"] = _reached("pivot_root", b"/nonexistent", b"/nonexistent")
    attempts["fsopen"] = _reached("fsopen", b"nonexistent", 0)
    attempts["open_tree"] = _reached("open_tree", -1, b"/nonexistent", 0)
    attempts["move_mount"] = _reached("move_mount", -1, b"/nonexistent", -1, b"/nonexistent", 0)
    return attempting(attempts)


def another_user(_setting: Setting) -> Bot:
    """Becomes somebody else, or the machine's owner."""

    def done(what: str, *arguments: int) -> Attempt:
        def attempt() -> str:
            getattr(os, what)(*arguments)
            return f"{what}{arguments}"

        return attempt

    # What it is already is nobody else: 65534 is nobody on every system, 0 is root.
    someone = 65534 if os.getuid() == 0 else 0
    return attempting(
        {
            "another group": done("setgid", someone),
            "other groups": _groups,
            "another user": done("setresuid", someone, someone, -1),
            "another host name": _reached("sethostname", b"", 1 << 20),
            "another time": _reached("settimeofday", 8, 8),
            "reboot": _reached("reboot", 0, 0, 0, 0),
            "swap": _reached("swapon", b"/nonexistent", 0),
        }
    )


def _groups() -> str:
    os.setgroups([65534])
    return "other groups"
