"""Timing: cycles of the user's policy as it is (bots, their isolation, fsync, on this disk), measured against the loop's interval.

The 99th percentile must be within the interval. The exchange is the simulated one, so the way to a real one and back is not in it, and
that is said. What the machine did meanwhile is said too: a figure from a busy machine is an upper bound.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from itertools import pairwise
from time import monotonic
from typing import Any

from hydra.engine.cycle import CycleReport
from hydra.engine.run import Loop
from hydra.qc.check import Finding
from hydra.qc.trial import Trial
from hydra.qc.trials.tools import folder, percentile, tool

NAME = "timing"
SECONDS, CYCLES_MOST, CYCLES_LEAST = 14.0, 3000, 100
_SECONDS_MOST = 60.0
"""On a machine so busy that there are too few cycles by then, it goes on until there are enough, or so long."""
WARNING_SHARE = 0.5
"""Of the interval: a 99th percentile above it is said to be close."""
_SHARES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p99.9": 0.999, "max": 1.0}
_EDGES = tuple(round(100 * 10 ** (step / 4)) for step in range(25))
"""Upper edges of the histogram in microseconds: from a tenth of a millisecond to a hundred seconds, four to the power of ten."""


def ask(trial: Trial) -> Finding:
    """Cycle without a pause for some seconds."""
    policy = tool(trial, "simulated")(trial.policy, trial.seed)
    seconds = float(trial.tools.get("timing_seconds", SECONDS))
    least = int(trial.tools.get("timing_cycles", CYCLES_LEAST))
    rows: list[Mapping[str, int]] = []

    def watch(report: CycleReport) -> None:
        rows.append(report.micros)
        if len(rows) % 20 == 0:
            trial.progress(NAME, len(rows), CYCLES_MOST)

    load = _load()
    with tool(trial, "open")(policy, folder(trial, NAME), tool(trial, "log_folder")) as stage:
        began = monotonic()

        def stopped() -> int | None:
            took = monotonic() - began
            return 0 if took > _SECONDS_MOST or (took > seconds and len(rows) >= least) else None

        Loop(
            engine=stage.engine,
            segment=stage.segment,
            cycles_max=CYCLES_MOST,
            interval_seconds=float(policy.engine.interval_seconds),
            stopped=stopped,
            watch=watch,
        ).run()
        took = monotonic() - began
        host = stage.engine.outside.bots.isolation.host
    if len(rows) < least:
        return Finding(good=False, reason=f"{len(rows)} cycles in {took:.1f} s, {least} are needed: nothing was shown")
    told = _told(rows[1:], float(policy.engine.interval_seconds) * 1000)
    told |= {
        "bots": len(policy.enabled_bots),
        "host": host,
        "load": {"before": load, "after": _load(), "processors": os.cpu_count()},
    }
    trial.told[NAME] = told
    return _finding(told)


def _finding(told: dict[str, Any]) -> Finding:
    p99_ms, interval_ms = told["micros"]["p99"] / 1000, told["interval_ms"]
    share = p99_ms / interval_ms
    slow = ", ".join(
        f"{stage} {figures['p50'] / 1000:.2f}"
        for stage, figures in sorted(told["stages"].items(), key=lambda row: -row[1]["p50"])[:3]
    )
    said = (
        f"99 of 100 cycles within {p99_ms:.1f} ms, {share:.1%} of the interval of {interval_ms:g} ms (median "
        f"{told['micros']['p50'] / 1000:.1f} ms, longest {told['micros']['max'] / 1000:.1f} ms) over {told['cycles']} cycles "
        f"with {told['bots']} bots ({told['host']}); medians by stage: {slow} ms; {_busy(told['load'])}; the exchange is the "
        "simulated one: the way to a real one is not in it"
    )
    if share > 1:
        return Finding(good=False, reason=f"too slow: {said}")
    return Finding(good=True, reason=f"a warning: close to the interval: {said}" if share > WARNING_SHARE else said)


def _told(rows: list[Mapping[str, int]], interval_ms: float) -> dict[str, Any]:
    whole = sorted(sum(row.values()) for row in rows)
    stages = {}
    for stage in rows[0]:
        took = sorted(row.get(stage, 0) for row in rows)
        stages[stage] = {name: percentile(took, _SHARES[name]) for name in ("p50", "p99", "max")}
    edges = (0, *_EDGES)
    counts = [[above, sum(below < micros <= above for micros in whole)] for below, above in pairwise(edges)]
    return {
        "cycles": len(rows),
        "interval_ms": interval_ms,
        "micros": {name: percentile(whole, share) for name, share in _SHARES.items()},
        "stages": stages,
        "histogram": [row for row in counts if row[1]],
    }


def _load() -> float | None:
    """Processes that ran or waited, on the average of the last minute; ``None`` where the system does not say."""
    try:
        return round(os.getloadavg()[0], 2)
    except (OSError, AttributeError):
        return None


def _busy(load: Mapping[str, Any]) -> str:
    if load["before"] is None:
        return "the machine's load is not known"
    return f"load {load['before']:g} before and {load['after']:g} after, on {load['processors']} processors"
