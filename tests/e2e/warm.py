"""Processes that begin where ``import`` ends: four fifths of a command's start are its imports, and every test starts many.

One process for each copy of the package imports what the commands import and forks once for every command asked for. The fork is
a process like any other: its own folder, environment and pipes, ``python -m hydra`` from its first line on, and at its end threads are waited for, exit functions
run and streams flushed. What a fork cannot show, that the imports succeed in a bare interpreter and that one is taken apart
without a word, ``Place.start`` and ``Place.cold`` show: they start the command as people do.

Run by ``Warm`` as a script, with the descriptor of its end of a socket. Nothing of the tests is imported here.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import runpy
import selectors
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

_PIECE = 1 << 16
_LATE = (
    "QuantLib",
    "alembic.command",
    "hydra.adapters.markets.synthetic",
    "hydra.adapters.store.indexes",
    "hydra.cli.main",
    "packaging.requirements",
    "rich.live",
    "rich.progress",
    "rich.table",
    "typer.main",
    "typer.rich_utils",
)
"""What the commands import only once they need it, and nearly all of them do."""


class Warm:
    """The process that forks, for one copy of the package. It ends with ``close``, and with us."""

    def __init__(self, program: Path, environment: Mapping[str, str]) -> None:
        self._door, theirs = socket.socketpair()
        self._lock = threading.Lock()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, __file__, str(theirs.fileno())],
                cwd=program,
                # Threads of a library would not come along.
                env={**environment, "PYTHONPATH": str(program), "OPENBLAS_NUM_THREADS": "1"},
                stdin=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
            )

    def close(self) -> None:
        """Let it end."""
        self._door.close()
        self._process.wait(20)

    def run(
        self, arguments: Sequence[str], folder: Path, environment: Mapping[str, str], seconds: float
    ) -> tuple[int, str, str]:
        """``python -m`` these arguments to its end: (exit code, standard output, standard error).

        Raises ``subprocess.TimeoutExpired``, after which the process is no more.
        """
        asked = {"arguments": list(arguments), "folder": str(folder), "environment": dict(environment)}
        here, there = socket.socketpair()
        out, err = os.pipe(), os.pipe()
        with here, there:
            given = (out[1], err[1], there.fileno())
            with self._lock:
                socket.send_fds(self._door, [b"?"], given)
            for each in given[:2]:
                os.close(each)
            there.close()
            here.sendall(json.dumps(asked).encode())
            here.shutdown(socket.SHUT_WR)
            said = _read([out[0], err[0], here.fileno()], time.monotonic() + seconds)
        for each in (out[0], err[0]):
            os.close(each)
        pid, *code = said[2].split()
        if not code:
            os.kill(int(pid), 9)
            raise subprocess.TimeoutExpired(list(arguments), seconds, said[0], said[1])
        return int(code[0]), said[0].decode(), said[1].decode()


def _read(sources: Sequence[int], until: float) -> list[bytes]:
    """What comes out of some descriptors, to the end of each or to a moment."""
    said = {source: bytearray() for source in sources}
    with selectors.DefaultSelector() as waiting:
        for source in sources:
            waiting.register(source, selectors.EVENT_READ)
        while waiting.get_map() and (left := until - time.monotonic()) > 0:
            for key, _ in waiting.select(left):
                piece = os.read(key.fd, _PIECE)
                said[key.fd] += piece
                if not piece:
                    waiting.unregister(key.fd)
    return [bytes(said[source]) for source in sources]


# -- in the process that forks


def _import_commands() -> None:
    import importlib
    import pkgutil
    from importlib.metadata import entry_points

    os.environ["PYDANTIC_DISABLE_PLUGINS"] = "__all__"  # as hydra.cli.main does it
    import hydra.bots
    import hydra.cli.commands
    from hydra import indicators

    for package in (hydra.cli.commands, hydra.bots):
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    for group in entry_points().groups:
        for point in entry_points(group=group) if group.startswith("hydra.") else ():
            if point.value.startswith("hydra."):  # what other packages bring is loaded when it is named
                point.load()
    for late in _LATE:
        importlib.import_module(late)
    indicators.load()
    gc.freeze()  # a collection in a fork would copy what it looks at


def _serve(door: socket.socket) -> list[str]:
    """Fork once for each request. Returns in the forks alone, as the process asked for, with its command line."""
    while True:
        message, given, _, _ = socket.recv_fds(door, 1, 3)
        if not message:
            sys.exit()
        if os.fork() == 0:
            door.close()
            return _become(*given)
        for each in given:
            os.close(each)
        while _reaped():
            pass


def _reaped() -> bool:
    try:
        return os.waitpid(-1, os.WNOHANG)[0] != 0
    except ChildProcessError:
        return False


def _become(out: int, err: int, answers: int) -> list[str]:
    """Fork again: one waits for the other, which is the process asked for, and tells its pid and how it ended."""
    with socket.socket(fileno=answers) as reply:
        asked = json.loads(b"".join(iter(lambda: reply.recv(_PIECE), b"")))
        child = os.fork()
        if child:
            os.close(out)
            os.close(err)
            reply.sendall(b"%d " % child)
            reply.sendall(b"%d" % os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
            os._exit(0)
    for source, target in ((out, 1), (err, 2)):
        os.dup2(source, target)
        os.close(source)
    os.chdir(asked["folder"])
    plain = [each for each in sys.path if each != os.environ["PYTHONPATH"]]
    os.environ.clear()
    os.environ.update(asked["environment"])
    sys.path[:] = [asked["folder"], *os.environ["PYTHONPATH"].split(os.pathsep), *plain]
    return list(asked["arguments"])


def _main() -> None:
    del sys.path[0]  # the folder of this script
    with socket.socket(fileno=int(sys.argv[1])) as door:
        _import_commands()
        arguments = _serve(door)
    sys.argv[:] = arguments
    _end(_code_of(arguments[0]))


def _code_of(module: str) -> int:
    """How it ended. What is neither a number nor nothing ends this process as it would end any other."""
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as ending:
        if ending.code is not None and not isinstance(ending.code, int):
            raise
        return ending.code or 0
    return 0


def _end(code: int) -> NoReturn:
    """What the interpreter does at its end, but for taking apart what was imported, which would copy it all for nothing.

    What the command made is taken apart, though: an open database is closed in that way, and its log folded into its file.
    """
    threading._shutdown()  # type: ignore[attr-defined]  # what the interpreter calls, in this order
    atexit._run_exitfuncs()
    gc.collect()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)


if __name__ == "__main__":
    _main()
