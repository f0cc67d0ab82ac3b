"""What people see of a replay: how far it is, what differs field by field, and what else is to be said of the journal."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.console import Console, RenderableType
from rich.live import Live
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from hydra import __version__
from hydra.adapters.journal.reader import Tail
from hydra.cli.screen import words
from hydra.engine.replay import Difference, Replayed
from hydra.model.portfolio import Ledger

_SHOWN_FIELDS = 40
_TOLD_EVERY_SECONDS = 0.1
_LOOKED_EVERY = 64
_HASH_SHOWN = 12
_LONG_BYTES = 2 << 20
"""A journal below this is read before anybody could look at a bar."""


class Progressing:
    """A bar (bytes done of all, events a second, time left), or with ``follows`` a live line of what has been seen.

    A context manager. Nothing at all when nobody looks: in a pipe, or for a short journal.
    """

    def __init__(
        self,
        console: Console,
        result: Replayed,
        total_bytes: int,
        *,
        follows: bool,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._console, self._result, self._total, self._follows = console, result, total_bytes, follows
        self._monotonic = monotonic
        self._began = self._told = monotonic()
        self._live: Live | Progress | None = None
        self._task = TaskID(0)
        looks = console.is_terminal and not console.is_dumb_terminal and not console.no_color
        if looks and follows:
            self._live = Live(Text(""), console=console, refresh_per_second=8, transient=True)
        elif looks and total_bytes > _LONG_BYTES:
            self._live = Progress(
                TextColumn("replaying"),
                BarColumn(bar_width=24),
                TextColumn("{task.percentage:>3.0f}%  {task.fields[told]}"),
                TimeRemainingColumn(compact=True),
                console=console,
                transient=True,
            )
            self._task = self._live.add_task("", total=total_bytes, told="")

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def tell(self, read_bytes: int, ledger: Ledger | None, *, at_once: bool = False, waiting: bool = False) -> None:
        """How far it is now. Called for every event; looks at the clock now and then only, unless it is to be shown ``at_once``."""
        if self._live is None or (not at_once and self._result.events % _LOOKED_EVERY):
            return
        now = self._monotonic()
        if not at_once and now - self._told < _TOLD_EVERY_SECONDS:
            return
        self._told = now
        if isinstance(self._live, Progress):
            a_second = self._result.events / max(now - self._began, 0.001)
            told = f"{_mb(read_bytes)} of {_mb(self._total)} MB, {a_second:,.0f} events/s, left"
            self._live.update(self._task, completed=read_bytes, told=told)
        else:
            self._live.update(self._line(ledger, waiting=waiting))

    def _line(self, ledger: Ledger | None, *, waiting: bool) -> Text:
        result = self._result
        line = Text.assemble(("identical so far: ", "green"), no_wrap=True, overflow="ellipsis")
        line.append(f"{words.some(result.cycles, 'cycle')}, {words.some(result.orders, 'order')}")
        if ledger is not None and ledger.at is not None:
            line.append(f"; {ledger.at:%m-%d %H:%M:%S}Z, {words.dollars(ledger.equity)}, {len(ledger.holdings)} held")
            if ledger.halts:
                line.append(f", halted: {', '.join(halt.kind for halt in ledger.halts)}", "bold red")
        if waiting:
            line.append("; waiting", "dim")
        return line


def _mb(size: int) -> str:
    return f"{size / 1e6:,.1f}"


def difference_table(difference: Difference, place: tuple[Path, int] | None) -> RenderableType:
    """Every field of the event that differs, recorded beside recomputed."""
    where = "" if place is None else f"{place[0]}, line {place[1]}: "
    table = Table(box=None, pad_edge=False, header_style="bold", title_justify="left", title_style="")
    table.title = Text(f"{where}event {difference.seq}, {difference.kind}, cycle {difference.cycle}")
    table.add_column("field", overflow="fold", ratio=2)
    table.add_column("recorded", overflow="fold", ratio=3, style="green")
    table.add_column("recomputed", overflow="fold", ratio=3, style="red")
    for one in difference.fields[:_SHOWN_FIELDS]:
        table.add_row(*(Text(words.one_line(text)) for text in (one.where, one.recorded, one.recomputed)))
    if len(difference.fields) > _SHOWN_FIELDS:
        table.add_row(Text(f"+{len(difference.fields) - _SHOWN_FIELDS} more", "dim"))
    return table


def notes_of(result: Replayed, tail: Tail, codes: Iterable[str]) -> list[str]:
    """What else is to be said: how the journal ends, which code and policies it is of."""
    notes = []
    if result.difference is None and tail.torn_bytes:
        notes.append(f"a torn last line of {tail.torn_bytes} bytes was left out")
    if result.difference is None and result.open_tail:
        notes.append("open tail: the last run has not ended in order")
    others = sorted(result.codes - frozenset(codes))
    if others:
        versions = ", ".join(sorted(result.versions)) or "unknown"
        hashes = ", ".join(code[:_HASH_SHOWN] for code in others)
        notes.append(
            f"written by another version of the code ({versions}, {hashes}; this is {__version__}, "
            f"{', '.join(code[:_HASH_SHOWN] for code in sorted(codes))}); compared all the same"
        )
    notes += [
        f"another policy from event {turn.seq} on (run {turn.run}): "
        f"{turn.before[:_HASH_SHOWN]} became {turn.after[:_HASH_SHOWN]}"
        for turn in result.turned
    ]
    return notes
