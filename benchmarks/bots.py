"""Many bots: what a cycle costs with 10 to 1,000 of them on 50 symbols, inline, and what each adds to the memory.

``python -m benchmarks.bots [--cycles 120] [--sizes 10,20,50,100,200,500,1000] [--plot benchmarks/bots.svg]``. Every size runs in
a process of its own, one after the other. Every cycle has a new bar and a new quote for every symbol, so every bot has something
to think about: three signals in turn, twenty bots on each symbol, all free to trade. The last line is one JSON document.
"""

from __future__ import annotations

import argparse
import gc
import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import log
from pathlib import Path
from time import perf_counter_ns, process_time_ns

from benchmarks.cycle import machine
from benchmarks.plot import Line, Panel, drawing
from benchmarks.rig import PAPER, Rig, Setting, rig
from hydra.adapters.calendar import ExchangeCalendar
from hydra.bootstrap.config import load_policy
from hydra.model.orders import Purpose
from hydra.policy import Policy

SIZES = (10, 20, 50, 100, 200, 500, 1000)
SYMBOLS = tuple(f"{first}{second}" for first in "ABCDE" for second in "ABCDEFGHIJ")
"""Fifty."""
WARM_UP = 130
"""Cycles before the first that counts: the window of 120 bars is full, so every further bar takes the place of one."""
CYCLE_MS_MOST, GROWTH_KB_MOST = 1000.0, 100.0
"""The targets, with 1,000 bots: a cycle, and what a bot adds to the process."""
_SIGNALS = (
    ("sma_cross", {"fast": 5, "slow": 20}),
    ("breakout", {"lookback": 30}),
    ("rate_of_change", {"lookback": 20, "window": 60, "threshold": 2.0}),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What one size came to: milliseconds a cycle, megabytes of the process before and after, and how busy it was.

    ``p50``, ``p99`` and ``most`` are of the processor's time, which a neighbour does not lengthen; ``wall`` is of the clock's.
    """

    bots: int
    p50: float
    p99: float
    most: float
    wall_p50: float
    wall_most: float
    stages: dict[str, float]
    started_mb: float
    ended_mb: float
    held: float
    working: float
    entries: int
    journal_kb: float


def policy_of(bots: int) -> Policy:
    """The paper policy with so many momentum bots, a symbol each, and so much money and leave that all of them may trade."""
    paper = load_policy(PAPER, {}).model_dump()
    template = paper["bots"][0]
    paper["broker"]["starting_cash"] = 1_000_000_000
    paper["risk"] |= {
        "positions": 1000,
        "trades_a_day": 10_000,
        "orders_per_minute": 200,
        "order_notional": 1_000_000,
        "groups": {},
    }
    paper["bots"] = [
        {
            **template,
            "id": f"bot-{n:04}",
            "symbols": [SYMBOLS[n % len(SYMBOLS)]],
            "signal": signal,
            "parameters": parameters,
            "trades_per_day": 20,
            "trailing": {"by": "atr", "distance": 3} if n % 2 else None,
        }
        for n, (signal, parameters) in ((n, _SIGNALS[n // len(SYMBOLS) % len(_SIGNALS)]) for n in range(bots))
    ]
    return Policy.model_validate(paper)


def measure(bots: int, cycles: int, folder: Path) -> Row:
    """Run one size in this process."""
    policy = policy_of(bots)
    setting = Setting(name=f"{bots} bots")
    with rig(setting, folder, ExchangeCalendar(), policy=policy, steps=WARM_UP + cycles + 1) as run:
        gc.collect()
        started = _resident_mb()
        _go_on(run, WARM_UP)
        counted = run.counted.written_bytes
        took: list[float] = []
        wall: list[float] = []
        stages: dict[str, list[float]] = {}
        held: list[int] = []
        working: list[int] = []
        entries = 0
        for _ in range(cycles):
            began, spent = perf_counter_ns(), process_time_ns()
            report = run.engine.cycle()
            took.append((process_time_ns() - spent) / 1e6)
            wall.append((perf_counter_ns() - began) / 1e6)
            for stage, micros in report.micros.items():
                stages.setdefault(stage, []).append(micros / 1000)
            held.append(len(report.ledger.holdings))
            working.append(sum(not order.status.terminal for order in report.ledger.orders.values()))
            entries += sum(send.order.purpose is Purpose.ENTRY for send in report.plan.sends)
            run.step()
        gc.collect()
        return Row(
            bots=bots,
            p50=_at(took, 0.5),
            p99=_at(took, 0.99),
            most=round(max(took), 2),
            wall_p50=_at(wall, 0.5),
            wall_most=round(max(wall), 2),
            stages={stage: _at(times, 0.5) for stage, times in stages.items()},
            started_mb=started,
            ended_mb=_resident_mb(),
            held=round(sum(held) / cycles, 1),
            working=round(sum(working) / cycles, 1),
            entries=entries,
            journal_kb=round((run.counted.written_bytes - counted) / cycles / 1000, 1),
        )


def _go_on(run: Rig, cycles: int) -> None:
    for _ in range(cycles):
        run.engine.cycle()
        run.step()


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return round(pages * resource.getpagesize() / 1e6, 1)


def _at(values: Sequence[float], quantile: float) -> float:
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * quantile))], 2)


def fit(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """(rise, start) of the straight line that lies nearest to the points, by least squares."""
    n = len(points)
    x_mean, y_mean = sum(x for x, _ in points) / n, sum(y for _, y in points) / n
    rise = sum((x - x_mean) * (y - y_mean) for x, y in points) / sum((x - x_mean) ** 2 for x, _ in points)
    return rise, y_mean - rise * x_mean


def growth_kb(rows: Sequence[Row]) -> float:
    """Kilobytes that a further bot adds to the process at its end, from the smallest size to the largest."""
    first, last = rows[0], rows[-1]
    return (last.ended_mb - first.ended_mb) * 1000 / (last.bots - first.bots)


def exponent(rows: Sequence[Row]) -> float:
    """How the cost grows from the last size but one to the last: 1 for in proportion, 2 for with the square."""
    before, last = rows[-2], rows[-1]
    return log(last.p50 / before.p50) / log(last.bots / before.bots)


def show(rows: Sequence[Row]) -> None:
    """The table, for people."""
    stages = list(rows[0].stages)
    print(
        f"| bots | CPU p50 ms | p99 | max | wall p50 ms | max | {' | '.join(stages)} | held | working | entries | MB "
        f"| journal KB |"
    )
    print(f"|---|---|---|---|---|---|{'---|' * len(stages)}---|---|---|---|---|")
    for row in rows:
        spent = " | ".join(f"{row.stages[stage]:.1f}" for stage in stages)
        print(
            f"| {row.bots:,} | {row.p50:.1f} | {row.p99:.1f} | {row.most:.1f} | {row.wall_p50:.1f} | {row.wall_most:.1f} "
            f"| {spent} | {row.held} | {row.working} | {row.entries} | {row.ended_mb:.0f} | {row.journal_kb} |"
        )
    rise, start = fit([(row.bots, row.p50) for row in rows])
    print(
        f"\n{start:.1f} ms and {rise * 1000:.0f} us a bot; from {rows[-2].bots} to {rows[-1].bots} bots the cost grows with the "
        f"power {exponent(rows):.2f}; a bot adds {growth_kb(rows):.0f} KB"
    )


def plot(rows: Sequence[Row]) -> str:
    """The picture: time and memory by the number of bots, each with the straight line nearest to it."""
    time = [(row.bots, row.p50) for row in rows]
    slow = [(row.bots, row.p99) for row in rows]
    memory = [(row.bots, row.ended_mb) for row in rows]
    return drawing(
        "A cycle with 10 to 1,000 bots on 50 symbols",
        (
            Panel(
                title="milliseconds of CPU a cycle",
                lines=(
                    Line(name="median", points=time, fitted=fit(time)),
                    Line(name="99 of 100", points=slow),
                ),
            ),
            Panel(
                title="megabytes of the process",
                lines=(Line(name="at the end", points=memory, fitted=fit(memory)),),
            ),
        ),
        across="bots",
    )


def _apart(bots: int, cycles: int) -> Row:
    """One size in a process of its own, so that none inherits another's memory."""
    asked = [sys.executable, "-m", "benchmarks.bots", "--one", str(bots), "--cycles", str(cycles)]
    done = subprocess.run(asked, check=True, capture_output=True, text=True)
    return Row(**json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    """Measure, print and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cycles", type=int, default=120, help="counted cycles of each size")
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)), help="numbers of bots, least first")
    parser.add_argument("--plot", type=Path, default=None, help="an SVG file to draw the picture into")
    parser.add_argument("--one", type=int, default=0, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.one:
        with tempfile.TemporaryDirectory(prefix=".bench-", dir=Path.cwd()) as folder:
            print(json.dumps(asdict(measure(chosen.one, chosen.cycles, Path(folder)))))
        return
    rows = [_apart(int(bots), chosen.cycles) for bots in chosen.sizes.split(",")]
    show(rows)
    if chosen.plot is not None:
        chosen.plot.write_text(plot(rows), encoding="utf-8")
    held = rows[-1].most <= CYCLE_MS_MOST and growth_kb(rows) <= GROWTH_KB_MOST
    print(
        f"targets ({CYCLE_MS_MOST:.0f} ms a cycle, {GROWTH_KB_MOST:.0f} KB a bot) {'hold' if held else 'DO NOT HOLD'}"
    )
    print(json.dumps({"machine": machine(), "cycles": chosen.cycles, "rows": [asdict(row) for row in rows]}))


if __name__ == "__main__":
    main()
