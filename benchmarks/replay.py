"""Replay of a live-style journal: ten bots inline, every cycle recorded; beside it what any reader of such lines has to do.

``python -m benchmarks.replay [--rounds 3] [--cycles 1500] [--bots 10] [--long 6000] [--processes N]``. The journal is made by the engine
in a folder that goes again. The peer is bare: of the same lines the SHA-256 and one decoding (msgspec, and orjson), and nothing else. Peer,
reading and replay take turns in one process, and the CPU's time is counted; of the rounds the fastest of each.

Then the whole command, ``hydra replay``, on a journal of ``--long`` cycles (0: not at all), with one process and with several (every core, if
not given): the time on the clock beside that of all processors, each with all it takes to start.
The last line is one JSON document.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from time import perf_counter, process_time

import msgspec
import orjson

from benchmarks.cycle import machine
from benchmarks.rig import Setting, policy_of, rig
from hydra.adapters.bots.inline import InlineBotHost
from hydra.adapters.calendar import ExchangeCalendar
from hydra.adapters.files import RealFiles
from hydra.adapters.journal.lines import envelope_of
from hydra.adapters.journal.reader import Reading
from hydra.adapters.journal.segments import lines, segments
from hydra.bootstrap.making import make_bots
from hydra.bootstrap.plugs import rule_book
from hydra.engine.replay import Replayed, Replayer
from hydra.policy import Policy
from hydra.qc.crew import cores

TARGET_CYCLES_A_SECOND = 3_000
_LOOK_EVERY = 500
"""Events between two looks at the memory."""


def record(folder: Path, policy: Policy, cycles: int) -> list[Path]:
    """The segments of so many cycles, a new bar and quote for every symbol in each."""
    with rig(Setting(name="replay"), folder, ExchangeCalendar(), policy=policy, steps=cycles + 1) as run:
        for _ in range(cycles):
            run.engine.cycle()
            if not run.step():
                break
    return [info.path for info in segments(RealFiles(), folder / "logs")]


def timed(call: Callable[[], object]) -> float:
    """Seconds of this process's CPU: there is one thread, and what else the machine does is not counted."""
    began = process_time()
    call()
    return process_time() - began


def hashed(found: list[bytes], decode: Callable[[bytes], object]) -> None:
    """What nobody can do without: the hash of every line, and its content."""
    for line in found:
        sha256(line).hexdigest()
        decode(line)


def decided(paths: list[Path], policy: Policy) -> tuple[Replayed, list[int]]:
    """The whole journal decided again, and the most memory the process ever took, in KiB, as it went."""
    book, bots = rule_book(policy), InlineBotHost(make_bots(policy), None)
    replayer, peaks = Replayer(lambda _document: (book, bots)), []
    for number, event in enumerate(Reading(RealFiles(), paths)):
        replayer.take(event)
        if number % _LOOK_EVERY == 0:
            peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    return replayer.result, peaks


def measure(paths: list[Path], policy: Policy, rounds: int) -> dict[str, float]:
    """The fastest round of each, in seconds for the whole journal, and what they come to."""
    found = [line for path in paths for line, _ in lines(RealFiles(), path)]
    best: dict[str, float] = {}
    cycles, peaks = 0, [0]
    for _ in range(rounds):

        def replayed() -> None:
            nonlocal cycles, peaks
            result, peaks = decided(paths, policy)
            assert result.difference is None, result.difference
            cycles = result.cycles

        turns: dict[str, Callable[[], object]] = {
            "sha256_msgspec": lambda: hashed(found, msgspec.json.decode),
            "sha256_orjson": lambda: hashed(found, orjson.loads),
            "chain": lambda: [envelope_of(line) for line in found],
            "reading": lambda: sum(1 for _ in Reading(RealFiles(), paths)),
            "replay": replayed,
        }
        for name, call in turns.items():
            best[name] = min(best.get(name, float("inf")), timed(call))
    size = sum(map(len, found))
    return {
        **{f"{name}_us_a_cycle": round(seconds / cycles * 1e6, 1) for name, seconds in best.items()},
        "cycles": cycles,
        "lines": len(found),
        "bytes_a_cycle": round(size / cycles),
        "cycles_a_second": round(cycles / best["replay"]),
        "times_sha256_msgspec": round(best["replay"] / best["sha256_msgspec"], 1),
        "grew_kib": peaks[-1] - peaks[len(peaks) // 4] if peaks else 0,
    }


def commanded(folder: Path, processes: int) -> dict[str, float]:
    """The whole command once: seconds by the clock and of the processors, its own and of the processes that it started, and its cycles."""
    line = [sys.executable, "-m", "hydra", "replay", str(folder), "--json", "--processes", str(processes)]
    spent, began = _children_seconds(), perf_counter()
    done = subprocess.run(line, capture_output=True, check=False)
    took = perf_counter() - began
    document = json.loads(done.stdout)
    assert done.returncode == 0, document
    return {"wall_s": took, "cpu_s": _children_seconds() - spent, "cycles": document["cycles"]}


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def side_by_side(folder: Path, processes: int, rounds: int) -> dict[str, dict[str, float]]:
    """The fastest of the rounds, by the clock, with one process and with so many; they take turns."""
    best: dict[str, dict[str, float]] = {}
    for _ in range(rounds):
        for number in dict.fromkeys((1, processes)):
            found = commanded(folder, number)
            found["cycles_a_second"] = round(found["cycles"] / found["wall_s"])
            before = best.get(str(number))
            if before is None or found["wall_s"] < before["wall_s"]:
                best[str(number)] = found
    return {number: {name: round(value, 2) for name, value in found.items()} for number, found in best.items()}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cycles", type=int, default=1500, help="how long the journal is")
    parser.add_argument("--bots", type=int, default=10)
    parser.add_argument("--long", type=int, default=6000, help="cycles of the journal for the whole command")
    parser.add_argument("--processes", type=int, default=cores(), help="beside one (default: every core)")
    parser.add_argument("--folder", type=Path, default=None, help="where the journal is made (default: here)")
    chosen = parser.parse_args()
    policy = policy_of(chosen.bots)
    with tempfile.TemporaryDirectory(prefix=".bench-", dir=chosen.folder or Path.cwd()) as name:
        folder, commands = Path(name), {}
        figures = measure(record(folder / "short", policy, chosen.cycles), policy, chosen.rounds)
        if chosen.long:
            record(folder / "long", policy, chosen.long)
            commands = side_by_side(folder / "long" / "logs", chosen.processes, chosen.rounds)
    print("| of a journal | microseconds of CPU a cycle |\n|---|---|")
    for name in ("sha256_orjson", "sha256_msgspec", "chain", "reading", "replay"):
        print(f"| {name} | {figures[f'{name}_us_a_cycle']:,.1f} |")
    rate = figures["cycles_a_second"]
    print(
        f"\n{rate:,} cycles a second of CPU with {chosen.bots} bots; the target is {TARGET_CYCLES_A_SECOND:,}", end="; "
    )
    print(f"memory grew by {figures['grew_kib']:,} KiB over the last three quarters")
    if commands:
        print(
            "\n| hydra replay, processes | seconds by the clock | of CPU | cycles a second by the clock |\n|---|---|---|---|"
        )
    for number, found in commands.items():
        print(f"| {number} | {found['wall_s']:,.2f} | {found['cpu_s']:,.2f} | {found['cycles_a_second']:,.0f} |")
    told = {"machine": machine(), "bots": chosen.bots, "rounds": chosen.rounds, "replay": figures, "commands": commands}
    print(json.dumps(told))


if __name__ == "__main__":
    main()
