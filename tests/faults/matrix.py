"""Playing cells in two processes, and the table of what became of them."""

from __future__ import annotations

import multiprocessing
import time
import traceback
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache

from tests.faults.cells import Cell, Scene
from tests.faults.judge import problems, unplanned
from tests.faults.rig import Evidence, Rig
from tests.faults.words import outcome

PROCESSES = 2
TRIES = 3
"""A cell in which a read failed that no fault had struck is played again: the machine had no time for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of a cell: its outcome in words, every promise that was broken, and seconds of real time."""

    cell: Cell
    outcome: str
    problems: tuple[str, ...]
    seconds: float


@cache
def good_day(scene: Scene) -> Evidence:
    """The scene without a fault, once a process."""
    evidence = _undisturbed(scene, None)
    assert not problems(evidence), problems(evidence)
    return evidence


def _undisturbed(scene: Scene, cell: Cell | None) -> Evidence:
    evidence = Rig(scene, cell).play()
    for _ in range(TRIES - 1):
        if not unplanned(evidence):
            break
        evidence = Rig(scene, cell).play()
    return evidence


def play(cell: Cell) -> Result:
    """Play one cell. Whatever breaks is a finding."""
    begun = time.perf_counter()
    try:
        plain = good_day(cell.scene)
        evidence = _undisturbed(cell.scene, cell)
        told, wrong = outcome(evidence, plain), tuple(problems(evidence))
    except Exception:  # noqa: BLE001  # a rig that breaks has found something, too
        told, wrong = "the rig broke down", (traceback.format_exc(),)
    return Result(cell=cell, outcome=told, problems=wrong, seconds=time.perf_counter() - begun)


def play_all(cells: Sequence[Cell], processes: int = PROCESSES) -> Iterator[Result]:
    """Every cell's result, in the order of the cells."""
    if processes <= 1:
        yield from map(play, cells)
        return
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(play, cells, chunksize=4)
