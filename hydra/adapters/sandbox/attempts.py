"""Trying, from inside, everything the guards forbid. What was refused is held; what was not, or could not be tried, is open.

Only a refusal for the right reason counts: EPERM, EACCES, ENOSYS, ENOMEM. A file that is not there or a port nobody listens on
shows nothing. Every attempt is harmless where it succeeds: a file it made is removed, a process it forked ends at once and is
reaped, signal 0 is no signal, and where the act itself would do harm (running a program in this process's place, stopping a
stranger to inspect it) the kernel is asked with arguments it cannot act on.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import resource
import socket
import struct
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from itertools import count
from typing import NamedTuple

from hydra.adapters.sandbox import kernel
from hydra.adapters.sandbox.enter import in_force
from hydra.model.isolation import Guard, Isolation

_REFUSALS = frozenset((errno.EPERM, errno.EACCES, errno.ENOSYS, errno.ENOMEM))
_NO_PROCESSES_LEFT = errno.EAGAIN
_DISCARD_PORT = 9
_AT_FDCWD, _AT_EXECVE_CHECK = -100, 0x10000
_PTRACE_SEIZE = 0x4206
_MAP_NORESERVE = 0x4000
_ADDRESSABLE = 1 << 47

Act = Callable[[], object]


class Trial(NamedTuple):
    """One attempt: which guard forbids it, what was tried, whether that was refused, and the answer in words."""

    guard: Guard
    what: str
    refused: bool
    answer: str


def attempts(strangers: Sequence[int], closed: Sequence[str], environment: Collection[str]) -> Isolation:
    """Which guards hold this process. About a millisecond inside a sandbox; never raises.

    ``strangers``: numbers of processes that must be out of reach; ``closed``: paths that must not open; ``environment``: the names
    that may be in the environment. Without a stranger signals and inspection cannot be tried, and are open.
    """
    told = trials(strangers, closed, environment)
    tried = {trial.guard for trial in told}
    failed = {trial.guard for trial in told if not trial.refused}
    return Isolation(
        host="process",
        held=tuple(guard for guard in Guard if guard in tried and guard not in failed),
        open=tuple(guard for guard in Guard if guard not in tried or guard in failed),
        landlock=in_force().landlock,
        seccomp=in_force().seccomp,
    )


def trials(strangers: Sequence[int], closed: Sequence[str], environment: Collection[str]) -> tuple[Trial, ...]:
    """Every attempt with its answer, in the order of the guards."""
    acts: tuple[tuple[Guard, Iterable[tuple[str, Act]]], ...] = (
        (Guard.FILES, _files(strangers, closed)),
        (Guard.NETWORK, _network()),
        (Guard.PROCESSES, _processes()),
        (Guard.SIGNALS, _signals(strangers)),
        (Guard.INSPECTION, _inspection(strangers)),
        (Guard.MEMORY, _memory()),
    )
    told = [_environment(environment)]
    told += [_try(guard, what, act) for guard, attempted in acts for what, act in attempted]
    return tuple(told)


def _try(guard: Guard, what: str, act: Act) -> Trial:
    try:
        act()
    except OSError as error:
        reason = error.errno or 0
        return Trial(guard, what, reason in _REFUSALS, errno.errorcode.get(reason, str(error)))
    except ValueError as error:  # a path no file can have
        return Trial(guard, what, False, str(error))
    return Trial(guard, what, False, "done")


def _environment(allowed: Collection[str]) -> Trial:
    """Nothing to be refused here: only the names in ``allowed`` may be there, for Python, for libc, and as the process began."""
    names = set(os.environ) | _names_of_libc() | _names_at_the_start()
    beyond = sorted(names.difference(allowed))
    return Trial(Guard.ENVIRONMENT, "names in the environment", not beyond, ", ".join(beyond)[:200] or "as allowed")


def _names_of_libc() -> set[str]:
    """The names libc has: foreign code can ask it past Python's copy."""
    names: set[str] = set()
    with suppress(ValueError):  # this libc keeps it elsewhere
        entries = ctypes.POINTER(ctypes.c_char_p).in_dll(kernel.libc(), "environ")
        if ctypes.cast(entries, ctypes.c_void_p).value is None:
            return names  # none at all
        for place in count():
            entry: bytes | None = entries[place]
            if entry is None:
                break
            names.add(os.fsdecode(entry.partition(b"=")[0]))
    return names


def _names_at_the_start() -> set[str]:
    """The names this process, or the one it was forked from, was started with, where they can be read."""
    with suppress(OSError):
        start = _read("/proc/self/environ")
        return {os.fsdecode(entry.partition(b"=")[0]) for entry in start.split(b"\0") if b"=" in entry}
    return set()


def _files(strangers: Sequence[int], closed: Sequence[str]) -> Iterator[tuple[str, Act]]:
    yield "list /", partial(os.listdir, "/")
    yield "open /etc/passwd", partial(_open, "/etc/passwd")
    for pid in strangers:
        yield f"open /proc/{pid}/environ", partial(_open, f"/proc/{pid}/environ")
    for path in closed:  # opened and not read: what is in them would stay in this process's memory
        yield f"open {path}", partial(_open, _nearest(path))
        yield f"write {path}", partial(_open_to_write, _nearest(path))
    yield "create a file in /tmp", partial(_create, f"/tmp/hydra-attempt-{os.getpid()}")  # noqa: S108  # nothing is kept there
    yield "change a mode", partial(kernel.call, "chmod", None, 0)


def _nearest(path: str) -> str:
    """The path, or where it is not there the nearest folder above it, which must be closed as well."""
    while not os.path.lexists(path) and path not in ("", "/"):
        path = os.path.dirname(path)  # noqa: PTH120  # called for every closed path in each of a thousand processes
    return path or "."


def _read(path: str) -> bytes:
    """The start of a file, or nothing for a folder whose list was given."""
    place = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        return os.read(place, 65536)
    except IsADirectoryError:
        return b""
    finally:
        os.close(place)


def _open(path: str, how: int = os.O_RDONLY) -> None:
    os.close(os.open(path, how | os.O_CLOEXEC | os.O_NONBLOCK))


def _open_to_write(path: str) -> None:
    """Open without writing; a folder cannot be opened so, and a file is created in it and removed."""
    try:
        _open(path, os.O_WRONLY)
    except IsADirectoryError:
        _create(f"{path}/.hydra-attempt-{os.getpid()}")


def _create(path: str) -> None:
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    with suppress(OSError):
        os.unlink(path)  # noqa: PTH108  # the plain call


def _network() -> Iterator[tuple[str, Act]]:
    yield "connect to a port of this machine", _connect
    yield "open a UDP socket", partial(_open_socket, socket.AF_INET, socket.SOCK_DGRAM)
    yield "open a Unix socket", partial(_open_socket, socket.AF_UNIX, socket.SOCK_STREAM)


def _open_socket(family: int, kind: int) -> None:
    socket.socket(family, kind).close()


def _connect() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as line:
        line.setblocking(False)
        line.connect(("127.0.0.1", _DISCARD_PORT))


def _processes() -> Iterator[tuple[str, Act]]:
    yield "fork", _fork
    yield "run a program", _run


def _fork() -> None:
    try:
        child = os.fork()
    except OSError as error:
        if error.errno == _NO_PROCESSES_LEFT and resource.getrlimit(resource.RLIMIT_NPROC)[1] == 0:
            raise PermissionError(errno.EPERM, "the limit of processes is 0") from error
        raise
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)


def _run() -> None:
    """Ask without a path; where the call is there, ask whether the interpreter may be run (Linux 6.14), which runs nothing."""
    try:
        kernel.call("execve", None, None, None)
    except OSError as error:
        if error.errno in _REFUSALS:
            raise
    nothing = ctypes.c_char_p(None)
    kernel.call(
        "execveat",
        _AT_FDCWD,
        os.fsencode(sys.executable),
        ctypes.byref(nothing),
        ctypes.byref(nothing),
        _AT_EXECVE_CHECK,
    )


def _signals(strangers: Sequence[int]) -> Iterator[tuple[str, Act]]:
    for pid in strangers:
        yield f"signal {pid}", partial(os.kill, pid, 0)


def _inspection(strangers: Sequence[int]) -> Iterator[tuple[str, Act]]:
    for pid in strangers:
        yield f"open /proc/{pid}/mem", partial(_open, f"/proc/{pid}/mem")
        yield f"read the memory of {pid}", partial(_read_memory, pid)
        yield f"trace {pid}", partial(_trace, pid)


class _Span(ctypes.Structure):
    """``struct iovec``."""

    _fields_ = (("start", ctypes.c_void_p), ("length", ctypes.c_size_t))


def _read_memory(pid: int) -> None:
    """One byte at address 0, where nothing is: EFAULT says that it would have been read."""
    held = ctypes.create_string_buffer(1)
    here, there = _Span(ctypes.addressof(held), 1), _Span(0, 1)
    kernel.call("process_vm_readv", pid, ctypes.byref(here), 1, ctypes.byref(there), 1, 0)


def _trace(pid: int) -> None:
    """With an address that makes the call fail before it acts: a stranger that is really traced would stop at its next signal.

    That shows whether the call is there. Where it is, the kernel decides by the same question as for reading the memory.
    """
    try:
        kernel.call("ptrace", _PTRACE_SEIZE, pid, 1, 0)
    except OSError as error:
        if error.errno in _REFUSALS or in_force().seccomp:
            raise
        _read_memory(pid)


def _memory() -> Iterator[tuple[str, Act]]:
    yield "map one byte more than the limit", _map_beyond
    yield "raise the limit", _raise_limit


def _map_beyond() -> None:
    """Without asking for memory behind it, so that only the limit can refuse."""
    most = _limit_bytes()
    mmap.mmap(-1, most + 1, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | _MAP_NORESERVE, prot=0).close()


def _raise_limit() -> None:
    """Past Python, which tells a refusal and a mistake by one exception; lowered again where it could be raised."""
    most = _limit_bytes()
    kernel.call("setrlimit", resource.RLIMIT_AS, struct.pack("@LL", most, most + 1))
    kernel.call("setrlimit", resource.RLIMIT_AS, struct.pack("@LL", most, most))


def _limit_bytes() -> int:
    """The hard limit of address space. Raises ``OSError`` when there is none, or it is above what can be addressed."""
    most = resource.getrlimit(resource.RLIMIT_AS)[1]
    if not 0 <= most < _ADDRESSABLE:
        raise OSError(errno.ERANGE, "there is no limit")
    return most
