"""One preflight question, asked so that a missing answer never passes.

A check that raises has failed; so has one that answers with anything but a ``Finding``, or not within its deadline. An advisory
check warns instead. Every check is asked in a thread of its own, one after the other: one that hangs is left behind and its answer,
should it ever come, is not heard. Such a thread ends with the process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from threading import Thread
from threading import enumerate as enumerate_threads
from time import perf_counter
from typing import Any, Protocol, TypeVar

from hydra.guard import Outcome, attempt_foreign, shown
from hydra.model.values import Value

T = TypeVar("T")
_THREAD = "check "
DEADLINE_SECONDS = 20.0
"""What a check may take unless it says otherwise. All of them together are done in a few; a deadline is for what hangs, not for a slow
machine."""


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
    """A question in plain words, and what to do when the answer is no. ``ask`` may take ``deadline_seconds``."""

    name: str
    question: str
    ask: Callable[[], Finding]
    remedy: str
    critical: bool = True
    deadline_seconds: float = DEADLINE_SECONDS
    plug: str = ""


class Making(Protocol):
    """How a plug's checks are made (``CheckPlug.check``); what is left out is the plug's own."""

    def __call__(self, ask: Callable[[], Finding], *, name: str = "", question: str = "", remedy: str = "") -> Check:
        """A check of the plug."""
        ...


class CheckResult(Value, frozen=True, kw_only=True):
    """A check's answer as it is reported."""

    name: str
    status: Status
    reason: str
    ms: float
    question: str = ""
    remedy: str = ""
    critical: bool = True
    plug: str = ""

    def document(self) -> dict[str, Any]:
        """The reported form: name, status, reason, ms, question, critical, and the remedy where there is something to mend."""
        told: dict[str, Any] = {
            "name": self.name,
            "status": self.status.value,
            "reason": self.reason,
            "ms": round(self.ms, 3),
            "question": self.question,
            "critical": self.critical,
        }
        if self.status in (Status.FAIL, Status.WARN) and self.remedy:
            told["remedy"] = self.remedy
        return told


def run_check(check: Check) -> CheckResult:
    """Ask once, whatever happens."""
    began = perf_counter()
    outcome = in_time(check.name, check.ask, check.deadline_seconds)
    ms = (perf_counter() - began) * 1000
    finding: object = None if outcome is None else outcome.value
    if outcome is None:
        finding = Finding(good=False, reason=f"no answer within {check.deadline_seconds:g} s")
    elif outcome.failure is not None:
        finding = Finding(good=False, reason=f"{outcome.failure.kind}: {outcome.failure.reason}")
    elif type(finding) is not Finding or not _is_answer(finding):
        finding = Finding(good=False, reason=f"the check answered with {shown(finding)}")
    assert isinstance(finding, Finding)
    good, reason = finding.good, finding.reason
    bad = Status.FAIL if check.critical else Status.WARN
    status = Status.SKIP if good is None else Status.PASS if good else bad
    return CheckResult(
        name=check.name,
        status=status,
        reason=reason,
        ms=ms,
        question=check.question,
        remedy=check.remedy,
        critical=check.critical,
        plug=check.plug,
    )


def _is_answer(finding: Finding) -> bool:
    """Yes, no or not now, and nothing that only looks like one of them; with words."""
    return any(finding.good is answer for answer in (True, False, None)) and type(finding.reason) is str


def in_time(what: str, ask: Callable[[], T], seconds: float) -> Outcome[T] | None:
    """What came of calling foreign code in a thread of its own; ``None`` when nothing did within ``seconds``."""
    answers: list[Outcome[T]] = []
    asking = Thread(target=lambda: answers.append(attempt_foreign(what, ask)), name=f"{_THREAD}{what}", daemon=True)
    asking.start()
    asking.join(seconds)
    return answers[0] if answers else None


def left_behind() -> tuple[str, ...]:
    """The checks that were not waited for any longer and are still at work, by name."""
    return tuple(one.name.removeprefix(_THREAD) for one in enumerate_threads() if one.name.startswith(_THREAD))


def all_good(results: Iterable[CheckResult]) -> bool:
    """True when there was at least one answer and none failed. No answers at all are not a yes."""
    answers = tuple(results)
    return bool(answers) and all(result.status is not Status.FAIL for result in answers)
