"""How far a sweep is: a bar on a terminal, a plain line now and then elsewhere, on standard error."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

_TELL_SECONDS = 10.0


class SweepProgress:
    """Use as a context manager. ``tell`` is called after every run, with what is to be said beside the count."""

    def __init__(
        self, console: Console, total: int, done: int, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._console, self._total, self._done, self._kept = console, total, done, done
        self._monotonic = monotonic
        self._began = self._told_at = monotonic()
        self._bar: Progress | None = None
        self._task = TaskID(0)
        if console.is_terminal and not console.is_dumb_terminal:
            self._bar = Progress(
                TextColumn("sweeping"),
                BarColumn(bar_width=24),
                MofNCompleteColumn(),
                TimeRemainingColumn(compact=True),
                TextColumn("{task.fields[told]}"),
                console=console,
                transient=True,
            )
            self._task = self._bar.add_task("", total=total, completed=done, told="")

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def tell(self, told: str) -> None:
        """One more run is over."""
        self._done += 1
        if self._bar is not None:
            self._bar.update(self._task, completed=self._done, told=told)
            return
        now = self._monotonic()
        if now - self._told_at >= _TELL_SECONDS:
            self._told_at = now
            pace = (self._done - self._kept) / max(now - self._began, 0.001)
            line = f"{self._done:,} of {self._total:,} runs, {pace:.1f}/s{', ' if told else ''}{told}"
            self._console.print(Text(line), soft_wrap=True)
