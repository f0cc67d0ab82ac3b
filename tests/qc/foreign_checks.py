"""Checks of another package, most of them broken in a way of their own. Copied into a folder of its own with a ``dist-info`` by the tests.

It says that it was imported, so that a test can see whether it was.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from hydra.qc.check import Check, Finding
from hydra.qc.plug import CheckPlug, Subject, need, one

if __name__ == "foreign_checks":  # as a package of its own, not as a module of the tests
    Path("foreign-checks-were-imported").touch()

SECONDS = 0.3


def _plug(name: str, make: Callable[[CheckPlug, Subject], Iterable[Any]], *, critical: bool = True) -> CheckPlug:
    return CheckPlug(
        name=name,
        question=f"Is {name} well?",
        remedy=f"mend {name}",
        make=make,
        critical=critical,
        deadline_seconds=SECONDS,
    )


def _for_ever(_subject: Subject) -> Finding:
    """Hold the engine, start a thread that a process would wait for at its end, and never come back."""
    engine = need(_subject.preflight, "the engine").engine
    ThreadPoolExecutor().submit(threading.Event().wait)
    threading.Thread(target=threading.Event().wait, daemon=False).start()
    threading.Event().wait()
    return Finding(good=engine.closed, reason="never")


def _raise(_subject: Subject) -> Finding:
    raise SystemExit("away")


def _speak(_subject: Subject) -> Finding:
    print("what a check prints does not belong into the document")
    return Finding(good=True, reason="it spoke")


def _wait(_plug: CheckPlug, subject: Subject) -> tuple[Check, ...]:
    _for_ever(subject)
    return ()


well = _plug("well", one(lambda _subject: Finding(good=True, reason="as it should be")))
speaks = _plug("speaks", one(_speak))
hangs = _plug("hangs", one(_for_ever))
hangs_quietly = _plug("hangs_quietly", one(_for_ever), critical=False)
hangs_making = _plug("hangs_making", _wait)
raises = _plug("raises", one(_raise))
makes_none = _plug("makes_none", lambda _plug, _subject: ())
makes_nonsense = _plug("makes_nonsense", lambda _plug, _subject: ("yes",))
answers_yes = _plug("answers_yes", one(lambda _subject: True))  # type: ignore[arg-type,return-value]  # what it is for
another_name = _plug("well", one(lambda _subject: Finding(good=True, reason="under a name that is not its own")))
no_plug = "yes"
