"""Kill and recover: the user's policy is played, and ended by ``kill -9`` and by losses of power, at named places and at any moment.

After each the journal's chain, the store, the ledger and the exchange's own books are compared; a new process recovers, and all is compared
again. Small voyages on every core until the time is over: each goes on where its last outage left it.
"""

from __future__ import annotations

import os
import shlex
from collections import Counter
from collections.abc import Iterator
from time import monotonic
from typing import Any

from hydra.qc.check import Finding
from hydra.qc.crew import Crew, Job, Lost
from hydra.qc.outages.claims import HELD
from hydra.qc.trial import Trial
from hydra.qc.trials.tools import few, folder, tool

NAME = "kill_and_recover"
SECONDS = 36.0
"""How long new outages are begun."""
FAULTS_A_VOYAGE = 6
_VOYAGES_MOST = 40
_HANGS_AFTER_SECONDS = 90.0
_COUNTED = ("comparisons", "places", "excuses", "found")


def ask(trial: Trial) -> Finding:
    """Outages by turns: killed processes (where a process can be forked) and losses of power."""
    forks = bool(trial.tools.get("forks", hasattr(os, "fork")))
    kinds = ("kills", "losses") if forks else ("losses",)
    sums: dict[str, Counter[str]] = {name: Counter() for name in (*_COUNTED, "faults", "on_orders", "voyages")}
    problems: list[str] = []
    journals: list[str] = []
    for job, answer in _sailed(trial, kinds):
        kind, number = job.arguments[0], job.arguments[2]
        if isinstance(answer, Lost):
            problems.append(f"{kind}:{number} has no answer: {answer.reason}")
        else:
            problems += [f"{kind}:{number}: {problem}" for problem in answer.problems]
            _add(sums, kind, answer.tally)
            journals.append(answer.folder)
        if problems:
            break
    told = _told(sums, problems, journals)
    trial.told[NAME] = told
    if problems:
        return Finding(good=False, reason=f"{few(problems)}; again: {_again(trial, problems[0])}")
    missing = [kind for kind in kinds if not told[kind]]
    if missing:
        return Finding(good=False, reason=f"no {' and no '.join(missing)} came about: nothing was shown")
    return Finding(good=True if forks else None, reason=_said(told, forks=forks))


def _sailed(trial: Trial, kinds: tuple[str, ...]) -> Iterator[tuple[Job, Any]]:
    sail, place = tool(trial, "sail"), folder(trial, NAME)
    seconds = float(trial.tools.get("recovery_seconds", SECONDS))
    began = monotonic()

    def jobs() -> Iterator[Job]:
        for number in range(_VOYAGES_MOST):
            if monotonic() > began + seconds and number >= len(kinds):  # one of each, however slow the machine is
                return
            kind = kinds[number % len(kinds)]
            yield Job(sail, (kind, trial.seed, number, FAULTS_A_VOYAGE, place, trial.policy, began + seconds, True))

    def tick() -> None:
        trial.progress(NAME, min(round(monotonic() - began), round(seconds)), round(seconds))

    with Crew(trial.cores, deadline_seconds=seconds + _HANGS_AFTER_SECONDS) as crew:
        yield from crew.play(jobs(), tick)


def _add(sums: dict[str, Counter[str]], kind: str, tally: dict[str, Any]) -> None:
    for name in _COUNTED:
        sums[name].update(tally[name])
    sums["faults"][kind] += tally["faults"]
    sums["on_orders"][kind] += tally["on_orders"]
    sums["voyages"][kind] += 1


def _told(sums: dict[str, Counter[str]], problems: list[str], journals: list[str]) -> dict[str, Any]:
    return {
        "kills": sums["faults"]["kills"],
        "losses": sums["faults"]["losses"],
        "voyages": sums["voyages"].total(),
        "on_orders": sums["on_orders"].total(),
        **{name: dict(sums[name].most_common()) for name in _COUNTED},
        "held": list(HELD),
        "problems": problems,
        "journals": journals,
    }


def _said(told: dict[str, Any], *, forks: bool) -> str:
    done = (
        f"{told['kills']} kills and {told['losses']} losses of power" if forks else f"{told['losses']} losses of power"
    )
    compared = sum(told["comparisons"].values())
    found = told["found"]
    said = (
        f"{done} in {told['voyages']} voyages, {told['on_orders']} of them on the sending of orders; {compared} comparisons of "
        f"{len(HELD)} claims held; {found.get('cycles', 0)} cycles, {found.get('orders sent', 0)} orders sent, "
        f"{found.get('executions', 0)} executions, none lost or doubled"
    )
    if not found.get("orders sent", 0):
        said += "; a warning: no order was sent, so nothing was shown of orders"
    return said if forks else f"this system cannot fork a process, so nothing was killed; {said}"


def _again(trial: Trial, problem: str) -> str:
    kind, _, rest = problem.partition(":")
    number = rest.split(" ", 1)[0].rstrip(":")
    config = shlex.quote(str(trial.config))
    return (
        f"python -m hydra.bootstrap.outages --config {config} --seed {trial.seed} --voyage {kind}:{number} "
        f"--faults {FAULTS_A_VOYAGE}"
    )
