"""Rehearse every documented failure and say how each went. Options of pytest are passed on (``-k halt``, ``-x``)."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from rich.console import Console

_TESTS = Path(__file__).resolve().parents[1]
PLACES = (
    _TESTS / "e2e",
    _TESTS / "drill" / "defects",
    _TESTS / "sabotage",
    _TESTS / "bootstrap" / "test_passing_over_long.py",
    _TESTS / "bootstrap" / "test_storm.py",
    _TESTS / "cli" / "test_full.py",
    _TESTS / "qc" / "trials",
    _TESTS / "conformance" / "test_fuzz.py",
    _TESTS / "conformance" / "test_practice.py",
    _TESTS / "docs" / "test_how_to.py",
    _TESTS / "conformance" / "test_lockstep.py",
    _TESTS / "adapters" / "exchange" / "test_account_invariants.py",
    _TESTS / "adapters" / "alpaca" / "test_same_prices.py",
    _TESTS / "engine" / "test_faults.py",
    _TESTS / "gladiators" / "score" / "test_coverage.py",
    _TESTS / "faults" / "test_kills.py",
    _TESTS / "machine" / "test_long.py",
    _TESTS / "test_storm_slice.py",
    _TESTS / "test_isolation_cost.py",
    _TESTS / "test_many_bots.py",
)
ELSEWHERE = (_TESTS / "stress",)
"""Rehearsed by a command of its own: ``make stress``."""
MARKS = {"passed": "[green]held[/]", "failed": "[bold red]BROKE[/]", "skipped": "[yellow]skipped[/]"}


class Narrator:
    """Tells each rehearsal as a sentence, with its outcome and its seconds."""

    def __init__(self) -> None:
        self.console = Console(highlight=False)
        self.counts = dict.fromkeys(MARKS, 0)
        self._chapter = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """One line a rehearsal; a set-up that failed or was skipped counts as one too."""
        if report.when != "call" and report.outcome == "passed":
            return
        if report.when == "teardown" and report.outcome == "skipped":
            return
        path, _, name = report.nodeid.partition("::")
        chapter = Path(path).stem.removeprefix("test_").replace("_", " ")
        if chapter != self._chapter:
            self._chapter = chapter
            self.console.print(f"\n[bold]{chapter}[/]")
        self.counts[report.outcome] += 1
        sentence = name.removeprefix("test_").replace("_", " ")
        self.console.print(f"  {MARKS[report.outcome]} [dim]{report.duration:5.1f} s[/] ", end="")
        self.console.print(sentence, markup=False)
        if report.outcome == "failed":
            self.console.print(str(report.longrepr), markup=False)


def main(arguments: list[str]) -> int:
    """Run the rehearsals; pytest's exit code."""
    narrator = Narrator()
    options = ["-o", "addopts=", "-p", "no:terminal", "-p", "no:cacheprovider", "-p", "no:xdist", *arguments]
    code = pytest.main([*map(str, PLACES), *options], plugins=[narrator])
    counts = narrator.counts
    narrator.console.print(f"\n{counts['passed']} held, {counts['failed']} broke, {counts['skipped']} skipped")
    return int(code)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
