"""What the commands that are lists of checks share: asking a list in front of a person, its table, and its document."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from contextlib import nullcontext, redirect_stdout
from typing import TYPE_CHECKING

from rich.text import Text

from hydra.bootstrap.checks import ask_list as ask_of
from hydra.bootstrap.checks import plugs_of
from hydra.bootstrap.making import UnfitBot
from hydra.cli.frame import Frame, Result, console
from hydra.model.errors import BadConfig, Unreachable
from hydra.model.values import replace
from hydra.qc.check import CheckResult, Status, all_good
from hydra.qc.plug import CheckPlug, Subject
from hydra.qc.runner import Ears

if TYPE_CHECKING:
    from rich.console import Console

CONFIGURATION = "configuration"
_NAMES: Mapping[str, str] = {"sole_writer": "lock", "chain": "journal"}
"""What these call their checks."""


def ask_list(frame: Frame, which: str | Iterable[str], subject: Subject) -> tuple[CheckResult, ...]:
    """Ask a list of checks, or the plugs named, showing which one is being asked."""
    done = 0

    def heard(_result: CheckResult) -> None:
        nonlocal done
        done += 1

    # What a check of somebody else's prints does not belong into the document.
    aside = redirect_stdout(sys.stderr) if frame.json else nullcontext()
    with frame.people().status("asking") as status, aside:
        ears = Ears(asking=lambda name: status.update(f"asking {name} ({done} answered)"), told=heard)
        return ask_of(which, subject, ears)


def report(results: tuple[CheckResult, ...], ending: str, **more: object) -> Result:
    """The table, and one line that says what it means. A configuration that cannot be used has an exit code of its own."""
    unusable = next((one for one in results if one.plug == CONFIGURATION and one.status is Status.FAIL), None)
    if unusable is not None:
        return _refused(results, ending, unusable.reason, more)
    good = all_good(results)

    def show(people: Console) -> None:
        _table(people, results)
        people.print(Text(ending, "bold green" if good else "bold red"))

    document = {"checks": [result.document() for result in results], "message": ending, **more}
    return Result(exit_code=0 if good else 1, document=document, show=show)


def _refused(results: tuple[CheckResult, ...], ending: str, fault: str, more: Mapping[str, object]) -> Result:
    """The table, and then every problem on a line of its own, as other commands tell it."""

    def show(people: Console) -> None:
        _table(people, results)
        console(stderr=True).print(Text(f"refused: {fault}", "bold red"), soft_wrap=True)

    told = {"message": ending, "error": fault, "kind": BadConfig.__name__, **more}
    return Result(exit_code=2, document={"checks": [result.document() for result in results], **told}, show=show)


def _table(people: Console, results: tuple[CheckResult, ...]) -> None:
    from hydra.cli.screen.tables import checks_table

    people.print(checks_table(results))


def tell(results: tuple[CheckResult, ...], good: str) -> str:
    """The line below the table."""
    failed = [result.name for result in results if result.status == "fail"]
    return f"{len(failed)} of {len(results)} checks failed: {', '.join(failed)}" if failed else good


_OPENING: Mapping[str, str] = {
    "lock": "sole_writer",
    "store": "store",
    "journal": "chain",
    "practice": "practice",
    "venue": "address",
}
"""The check that is about what was being opened; ``start`` is for all that no other check foresees."""


def not_opened(fault: BaseException, opening: str = "") -> CheckResult:
    """What did not open, as a failed check. ``opening`` is what the writer was at."""
    if opening == "journal" and isinstance(fault, Unreachable):
        opening = "store"  # which takes what the journal has, or is held by another program
    return _no(_OPENING.get(opening, "start"), str(fault) or type(fault).__name__)


def misread(fault: BadConfig, results: tuple[CheckResult, ...] = ()) -> tuple[CheckResult, ...]:
    """The answers, and first among them that the configuration, or a bot it names, cannot be used."""
    unfit = next((one for one in (fault, fault.__cause__) if isinstance(one, UnfitBot)), None)
    failed = _no(CONFIGURATION, str(fault))
    if unfit is not None:
        failed = replace(_no("bots", str(fault)), name=f"bot {unfit.bot}")
    return (failed, *(result for result in results if result.name != failed.name))


def _no(plug: str, reason: str) -> CheckResult:
    """A no that came before the check could be asked, with the question and the remedy of its plug."""
    found = plugs_of((plug,))[plug]
    failed = CheckResult(name=plug, plug=plug, status=Status.FAIL, reason=reason, ms=0.0)
    if not isinstance(found, CheckPlug):
        return failed
    name = _NAMES.get(plug, plug)
    return replace(failed, name=name, question=found.question, remedy=found.remedy)


def misconfigured(frame: Frame, fault: BadConfig, results: tuple[CheckResult, ...] = (), **more: object) -> Result:
    """A configuration that cannot be used, as the failed check it is; the exit code says that nothing else was wrong."""
    if frame.options.get("debug"):
        raise fault
    told = misread(fault, results)
    return _refused(told, tell(told, ""), str(fault), more)
