"""``make faults``: every fault at every route, judged, and the table of what became of each."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from rich.console import Console
from rich.progress import track

from tests.faults.cells import all_cells
from tests.faults.matrix import PROCESSES, Result, play_all
from tests.faults.page import outcomes, page, place_of, show


def main(arguments: list[str]) -> int:
    """Exit code 0 when everything held, 1 when something did not."""
    options = _options(arguments)
    cells = [cell for cell in all_cells() if fnmatchcase(cell.name, options.cell)]
    console, begun = Console(highlight=False), time.monotonic()
    results: list[Result] = []
    played = play_all(cells, options.processes)
    for result in played if options.tell else _counted(played, len(cells)):
        results.append(result)
        if options.tell or result.problems:
            console.print(f"{result.seconds:5.1f} s  {result.cell.name}: {result.outcome}", markup=False)
        for problem in result.problems:
            console.print(f"         BROKEN {problem}", markup=False)
    if not options.tell:
        show(console, results)
    broken = [result.cell.name for result in results if result.problems]
    console.print(f"{len(results)} cells, {len(broken)} broken, {time.monotonic() - begun:.0f} s")
    if broken:
        console.print(f"again: {sys.executable} -m tests.faults --tell --cell '{broken[0]}'", markup=False)
        return 1
    if options.write is not None:
        before = outcomes(options.write.read_text()) if options.write.exists() else {}
        options.write.write_text(page({**before, **{place_of(each.cell): each.outcome for each in results}}))
    return 0


def _counted(played: Iterator[Result], count: int) -> Iterator[Result]:
    """The results, with a bar of how far it is; nothing where nobody looks."""
    return iter(track(played, "playing", count, console=Console(stderr=True), transient=True))


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--cell", default="*", help="only cells of this name; * stands for anything")
    parser.add_argument("--processes", type=int, default=PROCESSES, help="how many play at a time")
    parser.add_argument("--tell", action="store_true", help="a line a cell instead of the table")
    parser.add_argument("--write", type=Path, help="write the page, when everything held")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
