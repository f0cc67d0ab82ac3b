"""Play one row: the defect is planted, a run is tried, `qc` is asked, a run is tried again, it is mended, `qc` passes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from tests.drill.defects.defect import Defect
from tests.drill.defects.stage import Stage, failed, warned
from tests.e2e.place import Told

UNCERTIFIED = {"HYDRA_RISK__TRADES_A_DAY": "49"}
"""Another policy than the certified one: as if `qc` had never passed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What came of a row: the reason of the check, who else complained, and how both runs ended."""

    reason: str
    others: tuple[str, ...]
    after: tuple[int, str] | None
    before: tuple[int, str] | None
    problems: tuple[str, ...]


def exercise(defect: Defect, stage: Stage) -> Seen:
    """Play a row on a healthy stage. What is not as it should be is in ``problems``."""
    problems: list[str] = []
    defect.plant(stage)
    ran = _run(stage, defect, defect.run, problems) if defect.run is not None else None
    env = {} if defect.by_run or defect.qc == 0 else UNCERTIFIED
    asked = None if defect.by_run else stage.hydra("qc", "--json", **env)
    reason, others = "", tuple[str, ...]()
    if asked is not None:
        reason, others = _asked(defect, asked, problems)
        again = None
        if defect.qc != 0:
            again = _run(stage, defect, frozenset({2} if defect.qc == 2 else {2, 3, 4}), problems, **env)
    else:
        assert ran is not None
        again, reason = ran, ran[1]
        if not re.search(defect.reason, reason):
            problems.append(f"run said {reason!r}, expected {defect.reason!r}")
    defect.mend(stage)
    mended = stage.hydra("qc", "--json")
    if mended.code != 0:
        problems.append(f"mended, qc ends with {mended.code}: {dict(failed(mended)) or mended.text}")
    return Seen(reason=reason, others=others, after=ran, before=again, problems=tuple(problems))


def _run(stage: Stage, defect: Defect, allowed: frozenset[int], problems: list[str], **env: str) -> tuple[int, str]:
    """Try to trade. Refused means that nothing is sent; a run that may begin enters nothing.

    A run under a latched halt needs no certificate while something is held: it only reduces.
    """
    sent, entered, there = stage.sent(), stage.entered(), stage.at_venue()
    told = stage.hydra("run", "--json", "--cycles", str(defect.cycles), **env)
    said = _said(told)
    reducing = told.code == 0 and bool(told.document["halts_now"])
    if told.code not in allowed and not reducing:
        problems.append(f"run ends with {told.code}, expected one of {sorted(allowed)}: {said}")
    if not defect.alone:
        return told.code, said
    if stage.entered() != entered:
        problems.append(f"run has entered {stage.entered() - entered} times")
    if "error" in told.document and (stage.sent(), stage.at_venue()) != (sent, there):
        problems.append(f"run was refused and sent orders: {sent} before, {stage.sent()} after")
    return told.code, said


def _said(told: Told) -> str:
    """Why a run did not begin, or which gates kept entries back, or how it ended."""
    document: dict[str, Any] = told.document
    if "error" in document:
        return str(document["error"])
    gates = [f"{gate['gate']}: {gate['last_reason']}" for gate in document["gates"] if gate["verdict"] == "refuse"]
    halts = [f"{halt['kind']}: {halt['reason']}" for halt in document["halts_now"]]
    return "; ".join([*gates, *halts]) or str(document["ending"]["reason"])


def _asked(defect: Defect, told: Told, problems: list[str]) -> tuple[str, tuple[str, ...]]:
    found = failed(told) if defect.qc else warned(told)
    if defect.qc == 1 and defect.check not in str(told.document.get("message")):
        problems.append(f"{defect.check} is not named in the end: {told.document.get('message')}")
    if told.code != defect.qc:
        problems.append(f"qc ends with {told.code}, expected {defect.qc}: {told.document.get('error', dict(found))}")
    reason = found.get(defect.check)
    if reason is None:
        problems.append(f"{defect.check} did not fail; failed: {dict(found) or told.document.get('error')}")
    elif not re.search(defect.reason, reason):
        problems.append(f"{defect.check} said {reason!r}, expected {defect.reason!r}")
    return reason or str(told.document.get("error", "")), tuple(name for name in found if name != defect.check)
