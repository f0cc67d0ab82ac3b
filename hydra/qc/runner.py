"""The one runner of all lists: from names of plugs to answers.

A name that leads to no plug, a plug that is none, one that raises or is not done in time while it makes its checks, and one that makes
none though it must: each is a critical check of that name that failed. An advisory plug only ever makes advisory checks, since those are
asked when the certificate is there already; of one that makes another, a failed advisory check is left. Plugs are found and their checks made one after the other, as
the list comes to them: how a stream is, is asked once everything else has been.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from hydra.guard import shown
from hydra.qc.check import Check, CheckResult, Finding, in_time, run_check
from hydra.qc.plug import CheckPlug, Subject

Find = Callable[[str], object]
"""Finds a plug by its name; raises what the composition root raises for one that is not there."""


def _unheard(_told: object) -> None:
    """Nobody listens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ears:
    """Who hears what: ``asking`` the name of the check that is asked now, ``told`` every answer as it comes."""

    asking: Callable[[str], None] = _unheard
    told: Callable[[CheckResult], None] = _unheard


_NOBODY = Ears()


def run_list(names: Iterable[str], subject: Subject, find: Find, ears: Ears = _NOBODY) -> tuple[CheckResult, ...]:
    """Ask every check of these plugs, in their order."""
    results: list[CheckResult] = []
    for check in made(names, subject, find):
        ears.asking(check.name)
        result = run_check(check)
        ears.told(result)
        results.append(result)
    return tuple(results)


def made(names: Iterable[str], subject: Subject, find: Find) -> Iterator[Check]:
    """The checks of these plugs, made as they are asked for."""
    for name in names:
        found = plug_of(name, find)
        yield from _made(found, subject) if isinstance(found, CheckPlug) else (_failed(name, found),)


def plug_of(name: str, find: Find) -> CheckPlug | str:
    """The plug of this name, or why there is none."""
    outcome = in_time(name, lambda: find(name), _FIND_SECONDS)
    if outcome is None:
        return f"the check could not be loaded within {_FIND_SECONDS:g} s"
    if outcome.failure is not None:
        return f"the check could not be loaded: {outcome.failure.kind}: {outcome.failure.reason}"
    if type(outcome.value) is not CheckPlug:
        return f"what is installed as the check {name} is {shown(outcome.value)}, no check"
    if outcome.value.name != name:
        return f"what is installed as the check {name} calls itself {outcome.value.name}"
    return outcome.value


_FIND_SECONDS = 10.0


def _made(plug: CheckPlug, subject: Subject) -> tuple[Check, ...]:
    outcome = in_time(plug.name, lambda: tuple(plug.make(plug, subject)), plug.deadline_seconds)
    if outcome is None:
        return (_failed(plug.name, f"no checks were made within {plug.deadline_seconds:g} s", plug),)
    if outcome.failure is not None:
        return (_failed(plug.name, f"{outcome.failure.kind}: {outcome.failure.reason}", plug),)
    checks = outcome.value or ()
    strange = next((check for check in checks if type(check) is not Check), None)
    if strange is not None:
        return (_failed(plug.name, f"it made {shown(strange)}, which is no check", plug),)
    grave = next((check for check in checks if check.critical and not plug.critical), None)
    if grave is not None:
        return (_failed(plug.name, f"it is advisory, and made the critical check {grave.name}", plug),)
    if not checks and not plug.may_make_none:
        return (_failed(plug.name, "it made no check", plug),)
    return checks


def _failed(name: str, reason: str, plug: CheckPlug | None = None) -> Check:
    """A check that has failed. One whose plug is known is as critical as the plug: an advisory never blocks."""
    finding = Finding(good=False, reason=reason)
    if plug is not None:
        return plug.check(lambda: finding)
    return Check(
        name=name,
        question=f"Is the check {name} there?",
        ask=lambda: finding,
        remedy="install the package that brings it, or mend the installation",
        plug=name,
    )
