"""``make machine``: random voyages on every core until so many cycles are done, and what they came across.

``python -m tests.machine --cycles 100000 --seed 1`` plays voyages 1, 2, ... of seed 1. A voyage that breaks a claim ends the run; the
command that is printed plays it again, makes it small, and tells it beat by beat.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from itertools import count
from multiprocessing import get_context
from time import monotonic

from hydra.qc.rehearsal.shrink import shrink
from hydra.qc.rehearsal.story import tell
from hydra.qc.rehearsal.tally import Tally
from tests.machine.play import VOYAGES_A_SEED, Played, case_of, play
from tests.machine.worlds import plugs

_TELL_SECONDS = 15.0


def run(seed: int, cycles: int, cores: int, *, keep_going: bool = False) -> tuple[Tally, list[Played]]:
    """Voyages side by side until so many cycles are done, or one of them broke a claim."""
    total, broken, begun, told_at = Tally(), [], monotonic(), monotonic()
    with ProcessPoolExecutor(cores, mp_context=get_context("spawn")) as pool:
        numbers = count(1)
        running: set[Future[Played]] = {pool.submit(play, seed, next(numbers)) for _ in range(2 * cores)}
        while running:
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                played = future.result()
                total.add(Tally.of(played.tally))
                if played.problems:
                    broken.append(played)
            enough = total.counts["cycles"] >= cycles or (bool(broken) and not keep_going)
            running |= set() if enough else {pool.submit(play, seed, next(numbers)) for _ in done}
            if monotonic() - told_at > _TELL_SECONDS or not running:
                told_at = monotonic()
                print(_progress(total, told_at - begun, len(broken)), flush=True)
    return total, broken


def _progress(total: Tally, seconds: float, broken: int) -> str:
    counts = total.counts
    speed = counts["cycles"] / max(seconds, 0.001)
    return (
        f"{counts['cycles']:7d} cycles, {speed:4.0f} a second, {counts['voyages']} voyages, "
        f"{counts['orders']} orders, {sum(total.faults.values())} faults, {broken} broken"
    )


def summary(total: Tally) -> Iterator[str]:
    """The final tally, and what never acted."""
    for name, counts in total.document().items():
        said = ", ".join(f"{what} {many}" for what, many in counts.items())
        yield f"{name.replace('_', ' '):13} {said or 'none'}"
    never = total.never(plugs())
    for group, names in never.items():
        yield f"never acted   {group}: {', '.join(names)}"
    if not never:
        yield "every rule, exit, kill and gate has acted"


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when every claim held."""
    parser = argparse.ArgumentParser(prog="python -m tests.machine", description=__doc__)
    parser.add_argument("--cycles", type=int, default=100_000, help="cycles to play")
    parser.add_argument("--seed", type=int, default=1, help="where all chance comes from")
    parser.add_argument("--cores", type=int, default=os.cpu_count() or 1, help="voyages side by side")
    parser.add_argument("--voyage", type=int, help="play this voyage of the seed alone, and make it small if it breaks")
    parser.add_argument("--keep-going", action="store_true", help="go on after a voyage that breaks a claim")
    chosen = parser.parse_args(arguments)
    if chosen.voyage is not None:
        return _again(chosen.seed, chosen.voyage)
    total, broken = run(chosen.seed, chosen.cycles, chosen.cores, keep_going=chosen.keep_going)
    print(*summary(total), sep="\n")
    for played in broken:
        print(f"\nBROKEN voyage {played.voyage}: {played.problems[0]}")
        print(f"again: python -m tests.machine --seed {chosen.seed} --voyage {played.voyage}")
    return 1 if broken else 0


def _again(seed: int, voyage: int) -> int:
    played = play(seed, voyage)
    if not played.problems:
        print(f"voyage {voyage} of seed {seed}: every claim held")
        return 0
    print(*played.problems, sep="\n")
    small, problems, _ = shrink(case_of(seed * VOYAGES_A_SEED + voyage))
    print(f"\nthe smallest case found, {len(small.beats)} beats:", *tell(small), "", *problems, sep="\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
