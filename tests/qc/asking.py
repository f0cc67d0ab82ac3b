"""Asking lists of checks in tests, the way the commands do: found through their entry points, answers by name."""

from __future__ import annotations

from collections.abc import Iterable

from hydra.bootstrap.checks import ask_list
from hydra.qc.check import CheckResult, Status
from hydra.qc.plug import Subject
from hydra.qc.runner import Ears


def asked_of(which: str | Iterable[str], subject: Subject) -> dict[str, CheckResult]:
    """Every answer by its name; no two may share one."""
    results = ask_list(which, subject, Ears())
    assert len({result.name for result in results}) == len(results)
    return {result.name: result for result in results}


def not_passed(results: dict[str, CheckResult]) -> dict[str, str]:
    """Why those did not pass that did not."""
    return {name: result.reason for name, result in results.items() if result.status is not Status.PASS}
