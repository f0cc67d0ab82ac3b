"""What the doctor shows: each problem with what is wrong, why it matters, what to do and what ``--fix`` does; then what is well.

The screen floor knows values only: what to do arrives as words.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from hydra.cli.screen import styles, words

if TYPE_CHECKING:
    from rich.console import Console

    from hydra.cli.screen.tables import Checked

_SKIPPED_MOST = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A check that did not pass, in plain words. ``fix`` is what ``--fix`` would do, has done, or why it does not."""

    name: str
    status: str
    wrong: str
    matters: str
    do: str
    fix: str


def show_advice(
    people: Console, results: Sequence[Checked], problems: Sequence[Problem], ending: Sequence[str]
) -> None:
    """A block a problem, then what is well and what could not be asked, then line by line what was done and what it comes to."""
    for problem in problems:
        people.print(_block(problem))
        people.print()
    people.print(_rest(results))
    good = not any(problem.status == "fail" for problem in problems)
    for line in ending[:-1]:
        people.print(Text(words.one_line(line), "green"))
    people.print(Text(ending[-1], "bold green" if good else "bold red"))


def _block(problem: Problem) -> Table:
    """The name as a heading, and beneath it one row for each thing to say."""
    table = Table.grid(padding=(0, 1))
    table.add_column(no_wrap=True, style="dim")
    table.add_column(overflow="fold")
    status = Text(problem.status.upper(), styles.CHECK.get(problem.status, ""))
    table.add_row(status, Text(words.one_line(problem.name), "bold"))
    rows = (
        ("wrong", problem.wrong, ""),
        ("why", problem.matters, ""),
        ("do", problem.do, "cyan"),
        ("fix", problem.fix, ""),
    )
    for label, text, style in rows:
        if text:
            table.add_row(label, Text(words.one_line(text), style))
    return table


def _rest(results: Sequence[Checked]) -> Table:
    table = Table.grid(padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    passed = [words.one_line(one.name) for one in results if one.status == "pass"]
    if passed:
        table.add_row(Text("PASS", styles.CHECK.get("pass", "")), Text(_names(passed), "dim"))
    for why, names in _skipped(results).items():
        table.add_row(Text("SKIP", styles.CHECK.get("skip", "")), Text(f"{_names(names, _SKIPPED_MOST)}: {why}", "dim"))
    return table


def _skipped(results: Iterable[Checked]) -> dict[str, list[str]]:
    """The names of what was skipped, by the reason."""
    found: dict[str, list[str]] = {}
    for one in results:
        if one.status == "skip":
            found.setdefault(words.one_line(one.reason), []).append(words.one_line(one.name))
    return found


def _names(names: Sequence[str], most: int = 1000) -> str:
    different = [name.removeprefix("gate_") for name in dict.fromkeys(names)]
    more = f" and {len(different) - most} more" if len(different) > most else ""
    return ", ".join(different[:most]) + more
