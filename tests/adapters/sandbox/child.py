"""Processes that enter the sandbox and then do what a test wants.

``Children`` starts this file as a program, a fresh interpreter with one thread, and sends it an order a line; it forks a child
for each and tells its exit code and what it wrote. An order is JSON: ``offer`` (null: do not enter), ``memory_mb``, ``readable``,
``user`` (a number to become, or null), ``folder`` (holds ``kept``, a file nobody inside may touch) and ``body``:
``module:function``, called with the order, whose answer is printed as JSON. ``stranger`` is added to the order: a process of the
same user, outside, which ends when the child does.
"""

import json
import os
import select
import shutil
import subprocess
import sys
import sysconfig
import traceback
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import hydra
from hydra.adapters.sandbox import kernel
from hydra.adapters.sandbox.enter import ONE_THREAD, Limits, enter_with
from hydra.adapters.sandbox.offer import Offer

ROOT = Path(hydra.__file__).parent
SYSTEM = ("/usr/lib", "/lib", "/lib64", "/etc/ld.so.cache", "/usr/share/zoneinfo")
READABLE = (sys.prefix, sys.base_prefix, sysconfig.get_path("purelib"), str(ROOT), *SYSTEM)
ENVIRONMENT = {"PYTHONDONTWRITEBYTECODE": "1", "PATH": os.defpath, "LC_ALL": "C.UTF-8", **ONE_THREAD}
TIMEOUT_SECONDS = 60
ORDINARY_USER = 65534 if os.getuid() == 0 else None
"""Whom a child becomes to be an ordinary user; None where it already is."""


class Done(NamedTuple):
    """How a child ended, negative for a signal, and what it wrote."""

    code: int
    output: str
    errors: str


class Children:
    """The program that forks them, until it is closed."""

    def __init__(self) -> None:
        self._program = subprocess.Popen(
            [sys.executable, "-m", "tests.adapters.sandbox.child"],
            cwd=ROOT.parent,
            env=ENVIRONMENT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __call__(self, body: str, offer: Offer | None, folder: Path, **order: Any) -> Done:
        """Run ``body`` in a child that entered with ``offer``."""
        told = {
            "body": body,
            "offer": None if offer is None else {"landlock": offer.landlock, "seccomp": offer.seccomp},
            "folder": str(folder),
            "memory_mb": 512,
            "user": None,
            "readable": READABLE,
        } | order
        if told["user"] is not None:
            for path in (folder, *folder.iterdir()):
                shutil.chown(path, told["user"], told["user"])
        assert self._program.stdin is not None
        assert self._program.stdout is not None
        self._program.stdin.write(json.dumps(told) + "\n")
        self._program.stdin.flush()
        assert select.select([self._program.stdout], [], [], TIMEOUT_SECONDS)[0], f"{body} did not end"
        return Done(*json.loads(self._program.stdout.readline()))

    def close(self) -> None:
        self._program.kill()
        self._program.communicate()


def answer(done: Done) -> Any:
    """What the body returned."""
    assert done.code == 0, done
    return json.loads(done.output)


def main() -> None:
    import_module("tests.adapters.sandbox.acts")
    import_module("tests.adapters.sandbox.bodies")
    for line in sys.stdin:
        print(json.dumps(_child(json.loads(line))), flush=True)


def _child(order: dict[str, Any]) -> Done:
    output, writes = os.pipe()
    errors, complains = os.pipe()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            os.dup2(writes, 1)
            os.dup2(complains, 2)
            os.closerange(3, 64)
            _obey(order)
            code = 0
        except BaseException:  # noqa: BLE001  # the outermost frame of the child: whatever it is, the test is told
            traceback.print_exc()
        finally:
            os._exit(code)
    os.close(writes)
    os.close(complains)
    said, complained = _all_of(output), _all_of(errors)
    return Done(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), said, complained)


def _all_of(place: int) -> str:
    """What fits a pipe's buffer can wait there until the other one is read."""
    with os.fdopen(place, encoding="utf-8", errors="replace") as text:
        return text.read()


def _obey(order: dict[str, Any]) -> None:
    module, _, name = order["body"].partition(":")
    body = getattr(import_module(module), name)
    if order["user"] is not None:
        os.setgroups([])
        os.setgid(order["user"])
        os.setuid(order["user"])
        kernel.prctl(kernel.PR_SET_DUMPABLE, 1)  # who changes the user cannot be inspected; that would hold by itself
    order["stranger"] = _stranger()
    if order["offer"] is not None:
        enter_with(Limits(memory_mb=order["memory_mb"]), order["readable"], Offer(**order["offer"]))
    print(json.dumps(body(order)), flush=True)


def _stranger() -> int:
    """A process that waits until this one ends."""
    waits, holds = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(holds)
        os.read(waits, 1)
        os._exit(0)
    os.close(waits)
    return pid


if __name__ == "__main__":
    main()
