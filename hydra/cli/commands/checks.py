"""What the commands that are lists of checks share: running a list in front of a person, and its document."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from hydra.cli.frame import Frame, Result
from hydra.qc.check import Check, CheckResult, all_good, run_checks

if TYPE_CHECKING:
    from rich.console import Console


def ask(frame: Frame, checks: Iterable[Check]) -> tuple[CheckResult, ...]:
    """Ask a list of checks, showing which one is being asked."""
    people = frame.people()
    with people.status("checking") as status:
        return run_checks(checks, lambda result: status.update(f"checked {result.name}"))


def report(results: tuple[CheckResult, ...], ending: str, **more: object) -> Result:
    """The table, and one line that says what it means."""
    good = all_good(results)

    def show(people: Console) -> None:
        from rich.text import Text

        from hydra.cli.screen.tables import checks_table

        people.print(checks_table(results))
        people.print(Text(ending, "bold green" if good else "bold red"))

    document = {"checks": [result.document() for result in results], "message": ending, **more}
    return Result(exit_code=0 if good else 1, document=document, show=show)


def tell(results: tuple[CheckResult, ...], good: str) -> str:
    """The line below the table."""
    failed = [result.name for result in results if result.status == "fail"]
    return f"{len(failed)} of {len(results)} checks failed: {', '.join(failed)}" if failed else good
