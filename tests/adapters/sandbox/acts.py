"""What a hostile bot would do, one act a name: each returns, or raises what the kernel answered."""

import ctypes
import errno
import fcntl
import mmap
import os
import resource
import signal
import socket
import struct
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

Act = Callable[[dict[str, Any]], object]

PR_SET_DUMPABLE = 4


def tried(order: dict[str, Any]) -> dict[str, str]:
    """Every act's name and the answer: ``done`` or the name of the error number."""
    return {name: _answer(act, order) for name, act in ACTS.items()}


def _answer(act: Act, order: dict[str, Any]) -> str:
    try:
        act(order)
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, str(error))
    except MemoryError:
        return "ENOMEM"
    except RuntimeError as error:  # a thread that could not be started
        return str(error)
    return "done"


def _libc(name: str, *arguments: Any) -> int:
    library = ctypes.CDLL(None, use_errno=True)
    got: int = getattr(library, name)(*(ctypes.c_long(a) if isinstance(a, int) else a for a in arguments))
    if got < 0:
        raise OSError(ctypes.get_errno(), name)
    return got


def _kept(order: dict[str, Any]) -> Path:
    return Path(order["folder"]) / "kept"


def _new(order: dict[str, Any], name: str) -> Path:
    return Path(order["folder"]) / f"{name}-{os.getpid()}"


def _create(order: dict[str, Any]) -> None:
    path = _new(order, "created")
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
    path.unlink()


def _rename(order: dict[str, Any]) -> None:
    _kept(order).rename(_new(order, "renamed")).rename(_kept(order))


def _link(order: dict[str, Any]) -> None:
    os.link(_kept(order), _new(order, "linked"))
    _new(order, "linked").unlink()


def _symlink(order: dict[str, Any]) -> None:
    _new(order, "symbolic").symlink_to("nowhere")
    _new(order, "symbolic").unlink()


def _folder(order: dict[str, Any]) -> None:
    _new(order, "folder").mkdir()
    _new(order, "folder").rmdir()


def _socket(family: int, kind: int) -> None:
    socket.socket(family, kind).close()


def _connect(order: dict[str, Any]) -> None:
    with socket.socket() as line:
        line.connect(("127.0.0.1", order["port"]))


def _fork(order: dict[str, Any]) -> None:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)


def _spawn(order: dict[str, Any]) -> None:
    pid = os.posix_spawn("/bin/sh", ["sh", "-c", ":"], {})
    os.waitpid(pid, 0)


def _thread(order: dict[str, Any]) -> None:
    thread = threading.Thread(target=int)
    thread.start()
    thread.join()


def _set_owner(order: dict[str, Any]) -> None:
    fcntl.fcntl(1, fcntl.F_SETOWN, order["stranger"])
    fcntl.fcntl(1, fcntl.F_SETOWN, 0)


def _timer(order: dict[str, Any]) -> None:
    signal.setitimer(signal.ITIMER_REAL, 1000)
    signal.setitimer(signal.ITIMER_REAL, 0)


class _Span(ctypes.Structure):
    _fields_ = (("start", ctypes.c_void_p), ("length", ctypes.c_size_t))


def _read_stranger(order: dict[str, Any]) -> None:
    """The memory at an address the stranger has, being a copy of this process."""
    secret = ctypes.create_string_buffer(b"the key of the engine")
    copy = ctypes.create_string_buffer(8)
    here, there = _Span(ctypes.addressof(copy), 8), _Span(id(ACTS), 8)
    assert secret.value
    _libc("process_vm_readv", order["stranger"], ctypes.byref(here), 1, ctypes.byref(there), 1, 0)


def _shared_memory(order: dict[str, Any]) -> None:
    place = _libc("shmget", 0, 4096, 0o600 | 0o1000)
    _libc("shmctl", place, 0, None)


def _memory_file(order: dict[str, Any]) -> None:
    os.close(os.memfd_create("x"))


def _map(order: dict[str, Any]) -> None:
    mmap.mmap(-1, order["memory_mb"] * 1024 * 1024 + 1).close()


FILES: dict[str, Act] = {
    "list the root": lambda order: list(Path("/").iterdir()),
    "read a file": lambda order: _kept(order).read_bytes(),
    "list a folder": lambda order: list(Path(order["folder"]).iterdir()),
    "read the stranger's environment": lambda order: Path(f"/proc/{order['stranger']}/environ").read_bytes(),
    "write a file": lambda order: os.close(os.open(_kept(order), os.O_WRONLY)),
    "append to a file": lambda order: os.close(os.open(_kept(order), os.O_WRONLY | os.O_APPEND)),
    "empty a file": lambda order: os.close(os.open(_kept(order), os.O_RDWR | os.O_TRUNC)),
    "create a file": _create,
    "create a nameless file": lambda order: os.close(os.open(order["folder"], os.O_TMPFILE | os.O_RDWR)),
    "truncate a file": lambda order: os.truncate(_kept(order), 0),
    "rename a file": _rename,
    "link a file": _link,
    "link by name": _symlink,
    "make a folder": _folder,
    "remove a file": lambda order: (Path(order["folder"]) / "spare").unlink(),
    "remove a folder": lambda order: (Path(order["folder"]) / "spare-folder").rmdir(),
}
MODES: dict[str, Act] = {
    "change a mode": lambda order: _kept(order).chmod(0o600),
    "change an owner": lambda order: os.chown(_kept(order), os.getuid(), os.getgid()),
    "change times": lambda order: os.utime(_kept(order), (1, 1)),
}
NETWORK: dict[str, Act] = {
    "connect by TCP": _connect,
}
SOCKETS: dict[str, Act] = {
    "open a TCP socket": lambda order: _socket(socket.AF_INET, socket.SOCK_STREAM),
    "open a TCP socket, version 6": lambda order: _socket(socket.AF_INET6, socket.SOCK_STREAM),
    "open a UDP socket": lambda order: _socket(socket.AF_INET, socket.SOCK_DGRAM),
    "open a Unix socket": lambda order: _socket(socket.AF_UNIX, socket.SOCK_STREAM),
    "open a pair of sockets": lambda order: socket.socketpair(),
}
PROCESSES: dict[str, Act] = {
    "fork": _fork,
    "spawn": _spawn,
    "start a thread": _thread,
    "run a program": lambda order: _libc("execve", None, None, None),
}
SIGNALS: dict[str, Act] = {
    "signal the stranger": lambda order: os.kill(order["stranger"], 0),
    "signal all": lambda order: os.killpg(0, 0),
}
STRANGERS: dict[str, Act] = {
    "open the stranger's memory": lambda order: os.close(os.open(f"/proc/{order['stranger']}/mem", os.O_RDONLY)),
    "read the stranger's memory": _read_stranger,
}
POWERS: dict[str, Act] = {
    "own signals at the stranger": _set_owner,
    "set a timer": _timer,
    "set an alarm": lambda order: _libc("alarm", 0),
    "become inspectable": lambda order: _libc("prctl", PR_SET_DUMPABLE, 1, 0, 0, 0),
    "choose a processor": lambda order: os.sched_setaffinity(0, os.sched_getaffinity(0)),
    "be nice": lambda order: os.setpriority(os.PRIO_PROCESS, 0, os.getpriority(os.PRIO_PROCESS, 0)),
    "leave a namespace": lambda order: _libc("unshare", 0),
    "share memory": _shared_memory,
    "make a memory file": _memory_file,
    "open a pipe": lambda order: os.pipe(),
    "change a limit": lambda order: _libc("setrlimit", resource.RLIMIT_CORE, struct.pack("@LL", 0, 0)),
}
MEMORY: dict[str, Act] = {"map more than the limit": _map}

GROUPS = {
    "files": FILES,
    "modes": MODES,
    "network": NETWORK,
    "sockets": SOCKETS,
    "processes": PROCESSES,
    "signals": SIGNALS,
    "strangers": STRANGERS,
    "powers": POWERS,
    "memory": MEMORY,
}
ACTS = {name: act for group in GROUPS.values() for name, act in group.items()}
