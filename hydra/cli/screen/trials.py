"""How far the trials of ``hydra qc --full`` are: a bar for each on a terminal, plain lines elsewhere, on standard error.

It only watches. The trials call it from threads of their own; a trial that nobody waits for any longer is stopped here, by an
exception that no handler of the program takes for a failure.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from hydra.cli.screen import styles
from hydra.qc.check import CheckResult

_TELL_SECONDS = 10.0


class Stopped(BaseException):
    """Nobody waits for this trial any longer. Not an ``Exception``: a trial that counts failures must not count it."""


class TrialsView:
    """Use as a context manager; ``asking`` and ``told`` are what a runner of checks calls, ``heard`` what a trial calls.

    ``after`` is called whenever a trial is over.
    """

    def __init__(
        self,
        console: Console,
        names: Sequence[str],
        after: Callable[[], None] = lambda: None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._console = console
        self._after = after
        self._monotonic = monotonic
        self._over: set[str] = set()
        self._began: dict[str, float] = {}
        self._told_at = 0.0
        self._lock = threading.Lock()
        self._bars: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self.results: list[CheckResult] = []
        self.names = tuple(names)
        if console.is_terminal:
            self._bars = Progress(
                TextColumn("{task.fields[state]}"),
                TextColumn("{task.description}"),
                BarColumn(),
                TextColumn("{task.fields[done]}", justify="right"),
                TimeElapsedColumn(),
                console=console,
                transient=True,
            )

    def __enter__(self) -> Self:
        if self._bars is not None:
            for name in self.names:
                self._tasks[name] = self._bars.add_task(name, start=False, total=None, state="    ", done="")
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        if self._bars is not None:
            self._bars.stop()

    def stop(self) -> None:
        """Every trial that is still at work is told so when it says next how far it is."""
        with self._lock:
            self._over |= {*self.names, *self._began}

    def asking(self, name: str) -> None:
        """A trial begins."""
        self._began[name] = self._told_at = self._monotonic()
        if self._bars is None:
            self._line(f"{name}: begun ({len(self._began)} of {len(self.names)})")
        elif name in self._tasks:
            self._bars.start_task(self._tasks[name])
            self._bars.update(self._tasks[name], state="[bold]now [/]")

    def heard(self, name: str, done: int, of: int) -> None:
        """A trial (or, after a colon, a part of it) says how far it is. Raises ``Stopped`` in a trial that is over."""
        trial = name.partition(":")[0]
        with self._lock:
            if trial in self._over:
                raise Stopped
        if self._bars is not None:
            if trial in self._tasks:
                self._bars.update(self._tasks[trial], completed=done, total=of or None, done=f"{done:,}/{of:,}")
        elif self._monotonic() - self._told_at > _TELL_SECONDS:
            self._told_at = self._monotonic()
            self._line(f"{name}: {done:,} of {of:,}, {self._seconds(trial):,.0f} s")

    def told(self, result: CheckResult) -> None:
        """A trial is over."""
        with self._lock:
            self._over.add(result.name)
        self.results.append(result)
        if self._bars is None:
            self._line(f"{result.name}: {result.status.upper()}, {result.ms / 1000:,.1f} s")
        elif result.name in self._tasks:
            mark = Text(result.status.upper(), styles.CHECK[result.status])
            self._bars.update(self._tasks[result.name], state=mark.markup, completed=1, total=1, done="")
            self._bars.stop_task(self._tasks[result.name])
        self._after()

    def _seconds(self, name: str) -> float:
        return self._monotonic() - self._began.get(name, self._monotonic())

    def _line(self, words: str) -> None:
        self._console.print(Text(words))
