"""Asking several things at once: one after the other for a venue in this process, side by side for one far away.

Either way every name gets an answer or a failure, and nothing is asked twice.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait
from typing import Any

from hydra.guard import Outcome, attempt, attempt_foreign
from hydra.model.snapshot import Failure


def read_inline(questions: Mapping[str, Callable[[], Any]]) -> Mapping[str, Outcome[Any]]:
    """One after the other, for what answers from memory."""
    return {name: attempt(name, ask) for name, ask in questions.items()}


class ParallelReads:
    """Side by side on threads, all within ``deadline_seconds``.

    A read that overruns is a failure now; while it still hangs, the same read fails at once instead of queueing up
    behind it, so a mute server costs one deadline and one thread in all. The threads are daemons and not a pool's:
    a pool waits for its threads when the process ends, and a read that hangs for ever would keep it from ending.
    """

    def __init__(self, deadline_seconds: float) -> None:
        self._deadline_seconds = deadline_seconds
        self._hanging: dict[str, Future[Outcome[Any]]] = {}

    def __call__(self, questions: Mapping[str, Callable[[], Any]]) -> Mapping[str, Outcome[Any]]:
        """Ask everything once."""
        self._hanging = {name: future for name, future in self._hanging.items() if not future.done()}
        started = {name: _start(name, ask) for name, ask in questions.items() if name not in self._hanging}
        wait(started.values(), timeout=self._deadline_seconds)
        answers: dict[str, Outcome[Any]] = {}
        for name in questions:
            future = started.get(name)
            if future is not None and future.done():
                answers[name] = future.result()
                continue
            if future is not None:
                self._hanging[name] = future
            reason = f"no answer within {self._deadline_seconds:g} s" if future is not None else "still no answer"
            answers[name] = Outcome(failure=Failure(what=name, kind="timeout", reason=reason))
        return answers

    def close(self) -> None:
        """Let the threads go; one that hangs ends with the process."""
        self._hanging = {}


def _start(name: str, ask: Callable[[], Any]) -> Future[Outcome[Any]]:
    """Ask on a thread of its own; whatever it raises there, an exit included, is its answer."""
    future: Future[Outcome[Any]] = Future()
    threading.Thread(
        target=lambda: future.set_result(attempt_foreign(name, ask)), name=f"read {name}", daemon=True
    ).start()
    return future
