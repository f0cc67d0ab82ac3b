"""Bots that look for keys: in their environment, in other processes, in files, in memory that was somebody's before."""

from __future__ import annotations

import ctypes
import errno
import os
from pathlib import Path
from typing import Any

from hydra.ports import Bot, Setting
from hydra.qc.hostile.kit import (
    Attempt,
    attempting,
    called,
    keys_in,
    libc,
    read_all,
    reading,
    refused_by,
    system_call,
    targets_of,
)

_PTRACE_ATTACH, _PTRACE_DETACH, _PTRACE_SEIZE = 16, 17, 0x4206
_MACHINE_CALLS: dict[str, dict[str, int]] = {
    "x86_64": {
        "process_vm_readv": 310,
        "process_vm_writev": 311,
        "pidfd_open": 434,
        "pidfd_getfd": 438,
        "kcmp": 312,
        "perf_event_open": 298,
    },
    "aarch64": {
        "process_vm_readv": 270,
        "process_vm_writev": 271,
        "pidfd_open": 434,
        "pidfd_getfd": 438,
        "kcmp": 272,
        "perf_event_open": 241,
    },
}
_CALLS = _MACHINE_CALLS.get(os.uname().machine, {})


def environment(_setting: Setting) -> Bot:
    """Reads its own environment, in every way there is."""

    def python() -> str | None:
        return keys_in(
            "\n".join(
                f"{name}={value}"
                for name, value in os.environ.items()  # noqa: TID251  # this is what it is about
            ).encode(errors="replace")
        )

    def c_library() -> str | None:
        listed = ctypes.POINTER(ctypes.c_char_p).in_dll(libc(), "environ")
        found, n = [], 0
        while listed[n]:
            found.append(listed[n] or b"")
            n += 1
        return keys_in(b"\n".join(found))

    def arguments() -> str | None:
        """The stack still has what the process was started with, whatever was taken out of the list."""
        try:
            return keys_in(read_all("/proc/self/environ"))
        except PermissionError:
            return None

    return attempting({"os.environ": python, "environ of libc": c_library, "its own start": arguments})


def own_memory(_setting: Setting) -> Bot:
    """Looks through all of its own memory for what was there before it: a fork has its parent's."""

    @refused_by(errno.EIO)
    def search() -> str | None:
        regions = [
            line.split()[0].split("-") for line in read_all("/proc/self/maps").decode().splitlines() if " rw" in line
        ]
        descriptor = os.open("/proc/self/mem", os.O_RDONLY)
        try:
            for first, last in regions:
                start, size = int(first, 16), int(last, 16) - int(first, 16)
                if size <= 64 << 20 and start < 1 << 62:
                    found = keys_in(os.pread(descriptor, size, start))
                    if found is not None:
                        return found
            return None
        finally:
            os.close(descriptor)

    return attempting({"its own memory": search})


def other_processes(setting: Setting) -> Bot:
    """Reads what the kernel tells of its parent and of the engine."""
    targets = targets_of(setting)
    processes = {"parent": targets.parent, "engine": targets.engine}
    attempts: dict[str, Attempt] = {}
    for who, pid in processes.items():
        for what in ("environ", "cmdline", "maps", "auxv", "stack", "status"):
            attempts[f"{what} of the {who}"] = reading(f"/proc/{pid}/{what}")
        attempts[f"memory of the {who}"] = _opened(f"/proc/{pid}/mem")
        attempts[f"descriptors of the {who}"] = _listed(f"/proc/{pid}/fd")
        attempts[f"folder of the {who}"] = _listed(f"/proc/{pid}/cwd/")
        attempts[f"root of the {who}"] = _listed(f"/proc/{pid}/root/")
    attempts["every process"] = _listed("/proc")
    return attempting(attempts)


def inspects(setting: Setting) -> Bot:
    """Takes hold of other processes by system calls, which need no file."""
    targets = targets_of(setting)
    attempts: dict[str, Attempt] = {}
    for who, pid in {"parent": targets.parent, "engine": targets.engine}.items():
        attempts[f"ptrace attach to the {who}"] = _ptrace(_PTRACE_ATTACH, pid)
        attempts[f"ptrace seize of the {who}"] = _ptrace(_PTRACE_SEIZE, pid)
        attempts[f"reads memory of the {who}"] = _vm("process_vm_readv", pid)
        attempts[f"writes memory of the {who}"] = _vm("process_vm_writev", pid)
        attempts[f"descriptor of the {who}"] = _descriptor_of(pid)
    if "perf_event_open" in _CALLS:
        # With no attributes at all the kernel says EFAULT to whoever may call it.
        attempts["perf events"] = _asked_for("perf_event_open")
    return attempting(attempts)


def _asked_for(name: str) -> Attempt:
    call = system_call(_CALLS[name], name, 0, 0, -1, -1, 0)

    def attempt() -> str:
        try:
            return call() or name
        except OSError as error:
            if error.errno in (errno.EFAULT, errno.EINVAL, errno.ESRCH, errno.EBADF):
                return f"{name} is there: {errno.errorcode[error.errno]}"
            raise

    return attempt


def _ptrace(request: int, pid: int) -> Attempt:
    @refused_by(errno.ESRCH)
    def attempt() -> str:
        library = libc()
        library.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
        library.ptrace.restype = ctypes.c_long
        got = called(library.ptrace(request, pid, None, None), "ptrace")
        os.waitpid(pid, 0x40000000 | os.WNOHANG)
        library.ptrace(_PTRACE_DETACH, pid, None, None)
        return got

    return attempt


class _Piece(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


def _vm(name: str, pid: int) -> Attempt:
    """Read where this interpreter has its ``None`` (a fork's parent has it there too), or write where nothing can be."""

    @refused_by(errno.ESRCH)
    def attempt() -> str:
        buffer = ctypes.create_string_buffer(64)
        here = _Piece(ctypes.cast(buffer, ctypes.c_void_p), 64)
        there = _Piece(id(None) if name.endswith("readv") else 8, 64)
        number = _CALLS.get(name)
        if number is None:
            raise OSError(errno.ENOSYS, name)
        arguments: tuple[Any, ...] = (pid, ctypes.byref(here), 1, ctypes.byref(there), 1, 0)
        try:
            return called(libc().syscall(ctypes.c_long(number), *arguments), name)
        except OSError as error:
            if error.errno == errno.EFAULT:
                return f"{name} is allowed, there is nothing at this address"
            raise

    return attempt


def _descriptor_of(pid: int) -> Attempt:
    """Take over a descriptor of another process."""

    def attempt() -> str:
        opened = libc().syscall(ctypes.c_long(_CALLS.get("pidfd_open", -1)), pid, 0)
        called(opened, "pidfd_open")
        try:
            taken = libc().syscall(ctypes.c_long(_CALLS.get("pidfd_getfd", -1)), opened, 0, 0)
            got = called(taken, "pidfd_getfd")
            os.close(taken)
            return got
        finally:
            os.close(opened)

    return refused_by(errno.ESRCH)(attempt)


def _opened(path: str) -> Attempt:
    def attempt() -> str:
        os.close(os.open(path, os.O_RDONLY))
        return f"{path} is open"

    return attempt


def _listed(path: str) -> Attempt:
    def attempt() -> str:
        return f"{len(os.listdir(path))} names in {path}"  # noqa: PTH208  # the plainest call there is

    return attempt


def files(setting: Setting) -> Bot:
    """Reads `.env`, the configuration, the state, the journal, and what lies in the home folder."""
    targets = targets_of(setting)
    attempts: dict[str, Attempt] = {
        ".env": reading(targets.env_file),
        "configuration": reading(targets.config),
        "state": reading(f"{targets.state}/trading_state.db"),
        "journal": reading(f"{targets.logs}/run.001.jsonl"),
        "state folder": _listed(targets.state),
        "journal folder": _listed(targets.logs),
        "home folder": _listed(targets.home),
        "folder around": _listed(str(Path(targets.env_file).parent)),
        "/etc/passwd": reading("/etc/passwd"),
        "/etc/shadow": reading("/etc/shadow"),
        "/root": _listed("/root"),
        "/tmp": _listed("/tmp"),  # noqa: S108  # nothing is made there
        "/": _listed("/"),
        "/dev/mem": refused_by(errno.ENOENT)(_opened("/dev/mem")),
        "by way of /proc": refused_by(errno.ENOENT)(reading(f"/proc/self/root{targets.env_file}")),
        "by way of ..": reading(f"{os.__file__.rpartition('/')[0]}{'/..' * 30}{targets.env_file}"),
    }
    return attempting(attempts)
