"""Play the rows and write what was seen: ``python -m tests.drill.defects [WORDS OF A NAME ...] [--kept FILE] [--write]``.

``--kept FILE`` remembers what was seen of each row that was caught, and leaves out those it has. ``--write`` writes the page, once all were.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

from hydra.guard import attempt_foreign
from tests.drill.defects.defect import Defect
from tests.drill.defects.exercise import Seen, exercise
from tests.drill.defects.kept import Kept
from tests.drill.defects.page import write
from tests.drill.defects.table import DEFECTS
from tests.drill.defects.yard import Yard, checkout
from tests.e2e.place import warmed


def main() -> int:
    """Play rows one by one in front of a person; how many were not caught."""
    parser = argparse.ArgumentParser(prog="python -m tests.drill.defects", description=__doc__)
    parser.add_argument("words", nargs="*", help="only rows with one of these in their name, check or base")
    parser.add_argument("--kept", type=Path, default=Path(os.devnull), help="where what was seen is remembered")
    parser.add_argument("--write", action="store_true", help="write the page")
    options = parser.parse_args()
    console, kept = Console(highlight=False, soft_wrap=True), Kept(options.kept)
    broken = 0
    for defect, seen in _played(options.words, kept):
        broken += bool(seen.problems)
        if not seen.problems:
            kept.add(defect.name, seen)
        told = "[red]BROKE[/]" if seen.problems else "[green]caught[/]"
        console.print(f"{told} {defect.name}: ", end="")
        console.print(f"{defect.check}: {seen.reason}\n    run: {seen.after}, {seen.before}", markup=False)
        for problem in seen.problems:
            console.print(f"    !! {problem}", markup=False)
    console.print(f"{broken} were not caught by the check meant for them")
    if options.write:
        write(kept.seen)
    return broken


def _played(words: list[str], kept: Kept) -> Iterator[tuple[Defect, Seen]]:
    chosen = [one for one in DEFECTS if not words or any(w in f"{one.name}/{one.base}/{one.check}" for w in words)]
    with tempfile.TemporaryDirectory(prefix="defects-") as folder:
        program = checkout(Path(folder) / "program")
        places = Path(folder) / "places"
        places.mkdir()
        with warmed(program):
            yard = Yard(places, program)
            for defect in chosen:
                if defect.name not in kept.seen:
                    yard.prepare(defect.base)
                    yield defect, _once(defect, yard)


def _once(defect: Defect, yard: Yard) -> Seen:
    """What came of a row; one that could not be planted or mended is not caught."""
    began = time.monotonic()

    def play() -> Seen:
        with yard.stage(defect.base) as stage:
            return exercise(defect, stage)

    outcome = attempt_foreign(defect.name, play)
    if outcome.value is not None:
        return outcome.value
    why = f"after {time.monotonic() - began:.0f} s {outcome.failure}"
    return Seen(reason="", others=(), after=None, before=None, problems=(why,))


if __name__ == "__main__":
    sys.exit(main())
