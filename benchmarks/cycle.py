"""The live cycle: ten bots inline, venue in memory, everything durable, held against the floor of the same minute.

``python -m benchmarks.cycle [--rounds 5] [--cycles 600] [--bots 10] [--folder DIR]`` (``make bench``). Cycle and floor take
turns in one process; of the rounds the one with the quietest disk is shown. The last line is one JSON document.
"""

from __future__ import annotations

import argparse
import gc
import json
import platform
import sqlite3
import statistics
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from time import perf_counter_ns

from benchmarks.floor import Floor
from benchmarks.rig import Rig, Setting, policy_of, rig
from hydra.adapters.calendar import ExchangeCalendar
from hydra.engine.cycle import CycleReport

_WARM_UP = 150
"""Cycles before the first one that counts: the bots' windows fill, SQL is compiled."""

_BUSY_FLOOR_MS = 1.0
"""A floor above this is another process's doing: on a quiet disk it is about a third of a millisecond."""


@dataclass(slots=True)
class Samples:
    """Nanoseconds of cycles of one kind, of the floor beside each, and microseconds by stage."""

    cycle: list[int] = field(default_factory=list)
    floor: list[int] = field(default_factory=list)
    stages: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    written_bytes: list[int] = field(default_factory=list)
    asked: int = 0

    def row(self) -> dict[str, float]:
        """The figures, in milliseconds where the name says nothing else."""
        cycle, floor = _ms(self.cycle, 0.5), _ms(self.floor, 0.5)
        return {
            "n": len(self.cycle),
            "p50": cycle,
            "p99": _ms(self.cycle, 0.99),
            "max": _ms(self.cycle, 1.0),
            "floor_p50": floor,
            "floor_p99": _ms(self.floor, 0.99),
            "ratio": round(cycle / floor, 2),
            "journal_bytes": round(statistics.median(self.written_bytes)),
            "bots_asked": round(self.asked / len(self.cycle), 1),
            **{f"{stage}_us": statistics.median(micros) for stage, micros in self.stages.items()},
        }


def kind_of(report: CycleReport, bots: int) -> str:
    """What a cycle was: an order left, something happened to an account or a bot, nothing did, or not all were asked."""
    if report.plan.sends or report.plan.cancels:
        return "order"
    if report.ledger.fills or any(not answer.quiet for answer in report.snapshot.answers.values()):
        return "news"
    return "quiet" if len(report.considered.questions) == bots else "not all asked"


def measure(run: Rig, floor: Floor, cycles: int) -> dict[str, Samples]:
    """Cycles in turn with the floor, sorted by kind; the first look of a segment, which reads everything, is one too."""
    samples: dict[str, Samples] = defaultdict(Samples)
    counted, bots = run.counted, len(run.policy.enabled_bots)
    for done in range(_WARM_UP + cycles):
        written, syncs = counted.written_bytes, counted.syncs
        first_look = run.engine.sight is None
        began = perf_counter_ns()
        report = run.engine.cycle()
        took = perf_counter_ns() - began
        written, syncs = counted.written_bytes - written, counted.syncs - syncs
        bare = floor.once(written, syncs)
        if done >= _WARM_UP:
            kind = samples["keyframe" if first_look else kind_of(report, bots)]
            kind.cycle.append(took)
            kind.floor.append(bare)
            kind.written_bytes.append(written)
            kind.asked += len(report.considered.questions)
            for stage, micros in report.micros.items():
                kind.stages[stage].append(micros)
        if not run.step():
            break
    return samples


def settings(memory: Path) -> tuple[Setting, ...]:
    """What is measured, in the order of the table. ``memory`` is a folder whose files never reach a disk."""
    return (
        Setting(name="a new bar and quote for every symbol"),
        Setting(name="new quotes, no new bar", step_seconds=5),
        Setting(name="nothing new at all", step_seconds=5, fresh_quotes=False),
        Setting(name="new bars; probes and code looked at every cycle", health_seconds=0),
        Setting(name="new bars; journal in memory: the CPU's share", journal_dir=memory),
    )


def run_all(folder: Path, memory: Path, *, rounds: int, cycles: int, bots: int) -> dict[str, dict[str, Samples]]:
    """Every setting in every round, in turn; of each setting the round in which the disk was quietest.

    A busy disk slows cycle and floor alike and so flatters the ratio; the quietest round is the severest.
    """
    calendar = ExchangeCalendar()
    best: dict[str, dict[str, Samples]] = {}
    for turn in range(rounds):
        for number, setting in enumerate(settings(memory / f"{turn}")):
            here = folder / f"{turn}-{number}"
            with rig(setting, here, calendar, policy=policy_of(bots), steps=_WARM_UP + cycles + 1) as run:
                floor = Floor(here / "state", setting.journal_dir or here / "logs")
                samples = measure(run, floor, cycles)
                floor.close()
            if setting.name not in best or _floor(samples) < _floor(best[setting.name]):
                best[setting.name] = samples
            gc.collect()
    return best


def _floor(samples: dict[str, Samples]) -> float:
    return _ms([bare for kind in samples.values() for bare in kind.floor], 0.5)


def show(rows: dict[str, dict[str, dict[str, float]]]) -> None:
    """The tables, for people."""
    print(
        "| cycle | kind | n | p50 ms | p99 ms | max ms | floor p50 | floor p99 | x floor | bots asked | journal bytes |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for name, kinds in rows.items():
        for kind, r in kinds.items():
            figures = [f"{r[key]:.2f}" for key in ("p50", "p99", "max", "floor_p50", "floor_p99", "ratio")]
            if "memory" in name:
                figures[-1] = "-"  # no disk beneath it: no floor to compare with
            print(f"| {name} | {kind} | {r['n']} | {' | '.join(figures)} | {r['bots_asked']} | {r['journal_bytes']} |")
    stages = [key for key in next(iter(rows.values()))["quiet"] if key.endswith("_us")]
    print(f"\n| median microseconds by stage | kind | {' | '.join(stage.removesuffix('_us') for stage in stages)} |")
    print(f"|---|---|{'---|' * len(stages)}")
    for name, kinds in rows.items():
        for kind, r in kinds.items():
            print(f"| {name} | {kind} | {' | '.join(f'{r[stage]:.0f}' for stage in stages)} |")


def machine() -> dict[str, str]:
    """What the figures were taken on."""
    packages = {name: version(name) for name in ("msgspec", "orjson", "sqlalchemy", "pydantic", "typer", "rich")}
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "sqlite": sqlite3.sqlite_version,
        **packages,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cycles", type=int, default=600, help="counted cycles of each setting in each round")
    parser.add_argument("--bots", type=int, default=10)
    parser.add_argument("--folder", type=Path, default=None, help="a folder on the disk to be measured (default: here)")
    parser.add_argument("--memory", type=Path, default=Path("/dev/shm"), help="a folder in memory")  # noqa: S108  # that is where it is
    chosen = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix=".bench-", dir=chosen.folder or Path.cwd()) as folder,
        tempfile.TemporaryDirectory(prefix="hydra-bench-", dir=chosen.memory) as memory,
    ):
        found = run_all(Path(folder), Path(memory), rounds=chosen.rounds, cycles=chosen.cycles, bots=chosen.bots)
    rows = {name: {kind: samples.row() for kind, samples in kinds.items()} for name, kinds in found.items()}
    show(rows)
    often = (kind["floor_p50"] for kinds in rows.values() for kind in kinds.values() if kind["n"] >= 100)
    busy = max(often, default=0.0)
    if busy > _BUSY_FLOOR_MS:
        print(
            f"\nThe floor was {busy:.2f} ms: somebody else is using the disk, which flatters the ratios. Measure again."
        )
    print(json.dumps({"machine": machine(), "bots": chosen.bots, "rounds": chosen.rounds, "cycles": rows}))


def _ms(nanoseconds: Sequence[int], quantile: float) -> float:
    ordered = sorted(nanoseconds)
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * quantile))] / 1e6, 3)


if __name__ == "__main__":
    main()
