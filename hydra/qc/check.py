"""One preflight question, and the runner that never lets a missing answer pass.

A check that raises has failed; so has one that answers with anything but a ``Finding``. An advisory check warns instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from time import perf_counter
from typing import Any

from hydra.guard import attempt
from hydra.model.values import Value


class Status(StrEnum):
    """How a check came out. Only FAIL stops anything."""

    PASS = "pass"  # noqa: S105  # not a password
    FAIL = "fail"
    WARN = "warn"
    SKIP = "skip"


class Finding(Value, frozen=True, kw_only=True):
    """What a check found: good or not, with the numbers. ``None`` for ``good`` means it could not be asked now."""

    good: bool | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A question in plain words, and what to do when the answer is no."""

    name: str
    question: str
    ask: Callable[[], Finding]
    remedy: str
    critical: bool = True


class CheckResult(Value, frozen=True, kw_only=True):
    """A check's answer as it is reported."""

    name: str
    status: Status
    reason: str
    ms: float
    question: str = ""
    remedy: str = ""

    def document(self) -> dict[str, Any]:
        """The reported form: name, status, reason, ms, and the remedy where there is something to mend."""
        told: dict[str, Any] = {
            "name": self.name,
            "status": self.status.value,
            "reason": self.reason,
            "ms": round(self.ms, 3),
        }
        if self.status in (Status.FAIL, Status.WARN) and self.remedy:
            told["remedy"] = self.remedy
        return told


def run_check(check: Check) -> CheckResult:
    """Ask once, whatever happens."""
    began = perf_counter()
    outcome = attempt(check.name, check.ask)
    ms = (perf_counter() - began) * 1000
    finding: object = outcome.value
    if outcome.failure is not None:
        finding = Finding(good=False, reason=f"{outcome.failure.kind}: {outcome.failure.reason}")
    elif not isinstance(finding, Finding):
        finding = Finding(good=False, reason=f"the check answered with {finding!r:.80}")
    assert isinstance(finding, Finding)
    good, reason = finding.good, finding.reason
    bad = Status.FAIL if check.critical else Status.WARN
    status = Status.SKIP if good is None else Status.PASS if good else bad
    return CheckResult(
        name=check.name, status=status, reason=reason, ms=ms, question=check.question, remedy=check.remedy
    )


def run_checks(checks: Iterable[Check], told: Callable[[CheckResult], None]) -> tuple[CheckResult, ...]:
    """Ask every check in order; ``told`` hears each answer as it comes."""
    results: list[CheckResult] = []
    for check in checks:
        result = run_check(check)
        told(result)
        results.append(result)
    return tuple(results)


def all_good(results: Iterable[CheckResult]) -> bool:
    """True when there was at least one answer and none failed. No answers at all are not a yes."""
    answers = tuple(results)
    return bool(answers) and all(result.status is not Status.FAIL for result in answers)
