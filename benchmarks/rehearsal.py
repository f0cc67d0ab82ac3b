"""The rehearsal: cycles a second and core with every claim judged, beside the same voyages with nobody watching.

``python -m benchmarks.rehearsal [--voyages 8] [--config FILE] [--seed 3]``. Voyages of the policy, then as many of random worlds. Each is
played twice in one process, in turn: watched, as `hydra qc --full` plays it, and unwatched, where its difference is what the claims
cost. The limit beside them is the engine's bare cycle on the same inputs (unwatched, the market and the exchange moving on left
out); the loop is a fixed piece of plain Python between the voyages, which tells a slow minute from a slow program. All of it is CPU time of this
process, medians over the voyages; the garbage collector stands still, as in the rehearsal. The last line is one JSON document.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from decimal import Decimal
from itertools import islice
from pathlib import Path
from statistics import median
from time import process_time_ns
from typing import Any, NamedTuple

from benchmarks.cycle import machine
from hydra.bootstrap.config import load_policy
from hydra.bootstrap.rehearsal import world
from hydra.engine.cycle import CycleReport, Engine
from hydra.model.orders import Order
from hydra.model.portfolio import Ledger
from hydra.policy import Policy
from hydra.qc.rehearsal.beats import Beat
from hydra.qc.rehearsal.heap import settled_heap
from hydra.qc.rehearsal.latch import Latch
from hydra.qc.rehearsal.plan import beats_of
from hydra.qc.rehearsal.shrink import Case
from hydra.qc.rehearsal.tally import Tally
from hydra.qc.rehearsal.voyage import Voyage
from hydra.qc.rehearsal.watch import Watch
from hydra.qc.rehearsal.world import World
from tests.machine.play import case_of

CONFIG = Path(__file__).resolve().parent.parent / "configs" / "paper.toml"
TARGET = 1000
"""Cycles a second and core."""
_LOOP = 4000


class Deaf(Watch):
    """Stands where the watch stands, counts cycles and orders, and judges nothing."""

    def cycle(self, engine: Engine) -> AbstractContextManager[None]:
        """Nobody looks."""
        self._engine = engine
        return nullcontext()

    def starting(self) -> AbstractContextManager[None]:
        """Nobody looks."""
        return nullcontext()

    def after(self, engine: Engine, report: CycleReport) -> None:  # noqa: ARG002  # nobody looks
        """One more."""
        self.tally.counts["cycles"] += 1

    def submitting(self, order: Order) -> None:
        """One more."""
        self.submitted[order.client_id] = order

    def answered(self, method: str, arguments: tuple[Any, ...], answer: Any) -> None:
        """Nobody listens."""

    def raised(self, method: str, arguments: tuple[Any, ...]) -> None:
        """Nobody listens."""

    def lost(self, length: int) -> None:
        """Nobody reads."""


class Slack(Latch):
    """Holds nothing."""

    def before(self) -> bool:
        """Nobody looks."""
        return False

    def after(self, halted: bool, report: CycleReport, ledger: Ledger, sent: list[Order]) -> list[str]:  # noqa: ARG002
        """Nothing is found."""
        return []

    def lost(self) -> None:
        """Nobody reads."""


class Unwatched(Voyage):
    """The same voyage with nobody watching. ``bare`` are the nanoseconds of its cycles alone."""

    def __init__(self, where: World, tally: Tally) -> None:
        super().__init__(where, tally)
        self.watch = Deaf(where, self.floor, self.journal, tally)
        self.latch = Slack(self.watch)
        self.bare = 0

    def _cycle(self, engine: Engine) -> None:
        began = process_time_ns()
        try:
            super()._cycle(engine)
        finally:
            self.bare += process_time_ns() - began


class Row(NamedTuple):
    """One voyage: its cycles, and microseconds of CPU a cycle, watched, unwatched and bare; the loop's milliseconds."""

    cycles: int
    watched: float
    unwatched: float
    bare: float
    loop: float


def loop() -> float:
    """Milliseconds of a fixed piece of plain Python: dictionaries, decimals and texts."""
    began = process_time_ns()
    kept: dict[int, tuple[int, str]] = {}
    total = Decimal("1.23")
    for number in range(_LOOP):
        kept[number & 63] = (number, str(number))
        total += 1 if number & 1 else -1
    return (process_time_ns() - began) / 1e6


def measured(case: Case, *, first: bool) -> Row:
    """One voyage both ways; ``first``: watched first."""
    spent: dict[bool, float] = {}
    cycles, bare, loops = 0, 0.0, []
    for watched in (first, not first):
        loops.append(loop())
        tally = Tally()
        with settled_heap():
            one = Voyage(case.world, tally) if watched else Unwatched(case.world, tally)
            began = process_time_ns()
            problems = one.play(case.beats)
            took = process_time_ns() - began
        if problems:
            sys.exit(f"a claim is broken, and nothing is measured: {problems[0]}")
        cycles = tally.counts["cycles"]
        spent[watched] = took / 1000 / cycles
        if isinstance(one, Unwatched):
            bare = one.bare / 1000 / cycles
    return Row(cycles, spent[True], spent[False], bare, median(loops))


def of_policy(policy: Policy, seed: int) -> Iterator[Case]:
    """Voyages of a policy, as `hydra qc --full` plays them."""
    for number in range(1, sys.maxsize):
        where = world(policy, seed, number)
        beats: Sequence[Beat] = beats_of(where, seed, number)
        yield Case(world=where, beats=tuple(beats))


def of_chance(seed: int) -> Iterator[Case]:
    """Random worlds, as `make machine` plays them."""
    yield from (case_of(seed * 1_000_000 + number) for number in range(1, sys.maxsize))


def summary(rows: Sequence[Row]) -> dict[str, float]:
    """The medians, and what follows from them."""
    watched, unwatched, bare = (median(getattr(row, name) for row in rows) for name in ("watched", "unwatched", "bare"))
    return {
        "voyages": len(rows),
        "cycles": sum(row.cycles for row in rows),
        "micros": round(watched),
        "cycles_a_second": round(1e6 / watched),
        "micros_unwatched": round(unwatched),
        "micros_bare": round(bare),
        "claims_share": round(median(1 - row.unwatched / row.watched for row in rows), 3),
        "times_bare": round(median(row.watched / row.bare for row in rows), 2),
        "loop_ms": round(median(row.loop for row in rows), 2),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--voyages", type=int, default=8)
    parser.add_argument("--config", type=Path, default=CONFIG)
    parser.add_argument("--seed", type=int, default=3)
    chosen = parser.parse_args()
    policy = load_policy(chosen.config, {}, None)
    kinds: dict[str, Callable[[], Iterator[Case]]] = {
        chosen.config.name: lambda: of_policy(policy, chosen.seed),
        "random worlds": lambda: of_chance(chosen.seed),
    }
    told: dict[str, dict[str, float]] = {}
    print(
        "| voyages of | cycles | µs a cycle | cycles/s a core | unwatched µs | bare cycle µs | claims' share | x bare | loop ms |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for name, cases in kinds.items():
        rows = [measured(case, first=bool(n % 2)) for n, case in enumerate(islice(cases(), chosen.voyages + 1))][1:]
        found = told[name] = summary(rows)
        print(
            f"| {name} | {found['cycles']} | {found['micros']} | **{found['cycles_a_second']}** | {found['micros_unwatched']} | "
            f"{found['micros_bare']} | {found['claims_share']:.0%} | {found['times_bare']} | {found['loop_ms']} |",
            flush=True,
        )
    print(f"target: {TARGET} cycles/s a core, all claims judged")
    print(json.dumps({"benchmark": "rehearsal", "machine": machine(), "target": TARGET, "rows": told}))


if __name__ == "__main__":
    main()
