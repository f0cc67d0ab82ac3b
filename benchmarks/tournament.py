"""An iteration of the tournament: what the engine takes beside the voters, and whether slow voters are waited for at the same time.

``python -m benchmarks.tournament [--iterations 500] [--seconds 2]``. First iterations with four local rules, a candle each, on prices
made here: the time of an iteration, and of it what the voters took; the rest (look, brief, gates, rules, orders, journal with its syncs, store,
records) is the overhead. Then a few with four voters that each sleep for so many seconds, through the same panel. The last line is one JSON
document.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from math import sin
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from hydra.adapters.llm.panel import Panel
from hydra.engine.cycle import CycleReport
from hydra.gladiators.brief import Brief
from hydra.gladiators.local import LocalGladiator
from hydra.model.events import Voted
from hydra.model.votes import Vote
from tests.tournament.arenas import ENGINE, Evening, Script, cast, csv_of

OVERHEAD_MS, SLOW_SECONDS = 50.0, 2.2
"""What is allowed: overhead of an iteration, and an iteration with voters of two seconds."""
_RULES = {"A": "trend", "B": "mean_reversion", "C": "breakout", "D": "synthesis"}
_FIRST = 240
_SLOW = 3


class Sleeper:
    """A voter that takes its time."""

    engine = ENGINE

    def __init__(self, seat: str, seconds: float) -> None:
        self.seat, self._seconds = seat, seconds

    def vote(self, brief: Brief, deadline: float) -> Vote:
        """BUY, after a while."""
        del deadline
        time.sleep(self._seconds)
        return cast(self.seat, "B", brief.hash)


class Timed(Script):
    """A panel, with the seconds that it took the last time."""

    def __init__(self, panel: Panel) -> None:
        super().__init__("HHHH")
        self.panel, self.took = panel, 0.0

    def ask(
        self, brief: Brief, deadline: float, heard: Callable[[Vote], None] = lambda _vote: None
    ) -> tuple[Vote, ...]:
        """The panel's votes."""
        began = time.perf_counter()
        votes = self.panel.ask(brief, deadline, heard)
        self.took = time.perf_counter() - began
        return votes

    def close(self) -> None:
        """Let the voters go."""
        self.panel.close()


def held(folder: Path, panel: Panel, iterations: int) -> tuple[list[float], list[float]]:
    """Seconds of each iteration, and of its votes."""
    minutes = _FIRST + iterations + 10
    csv_of(folder / "data", "BTC-USD", (60_000 + 200 * sin(minute / 37) for minute in range(minutes)))
    csv_of(folder / "data", "ETH-USD", (3_000 + 10 * sin(minute / 29) for minute in range(minutes)))
    timed, whole, votes = Timed(panel), list[float](), list[float]()
    last = [0.0]

    def watch(_voted: Voted, _report: CycleReport) -> None:
        now = time.perf_counter()
        whole.append(now - last[0])
        votes.append(timed.took)
        last[0], timed.took = now, 0.0

    try:
        Evening(folder=folder, data=(folder / "data",), asker=timed, watch=watch).hold(iterations)
    finally:
        timed.close()
    return whole[1:], votes[1:]


def fast(iterations: int) -> dict[str, Any]:
    """Four local rules."""
    with tempfile.TemporaryDirectory() as folder:
        panel = Panel([LocalGladiator(seat, rule) for seat, rule in _RULES.items()])
        whole, votes = held(Path(folder), panel, iterations)
    beside = [(all_of_it - asked) * 1000 for all_of_it, asked in zip(whole, votes, strict=True)]
    return {
        "iterations": iterations,
        "iteration_ms": median(whole) * 1000,
        "votes_ms": median(votes) * 1000,
        "overhead_ms": median(beside),
        "overhead_p99_ms": quantiles(beside, n=100)[98],
    }


def slow(seconds: float) -> dict[str, Any]:
    """Four voters who sleep."""
    with tempfile.TemporaryDirectory() as folder:
        panel = Panel([Sleeper(seat, seconds) for seat in "ABCD"])
        whole, _ = held(Path(folder), panel, _SLOW + 1)
    return {"voter_s": seconds, "slow_iteration_s": median(whole), "slowest_iteration_s": max(whole)}


def main(arguments: Sequence[str]) -> int:
    """Measure, print, and say whether the limits hold: 1 when one does not."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--iterations", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=2.0)
    told = parser.parse_args(arguments)
    found = {**fast(told.iterations), **slow(told.seconds)}
    print(
        f"an iteration with four local rules  {found['iteration_ms']:8.2f} ms, the votes {found['votes_ms']:.2f} ms of it"
    )
    print(f"overhead beside the votes           {found['overhead_ms']:8.2f} ms, p99 {found['overhead_p99_ms']:.2f} ms")
    print(
        f"four voters of {found['voter_s']:g} s each            {found['slowest_iteration_s']:8.3f} s, the slowest of {_SLOW}"
    )
    found["holds"] = (
        found["overhead_ms"] < OVERHEAD_MS and found["slow_iteration_s"] <= found["voter_s"] + SLOW_SECONDS - 2
    )
    print(json.dumps(found))
    return 0 if found["holds"] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
