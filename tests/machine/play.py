"""One voyage from its number to its problems: what the cores of a long run do."""

from __future__ import annotations

from itertools import islice
from typing import NamedTuple

from hydra.qc.rehearsal.beats import draw_beats
from hydra.qc.rehearsal.heap import settled_heap
from hydra.qc.rehearsal.shrink import Case, crash_of, replay_of
from hydra.qc.rehearsal.tally import Tally
from hydra.qc.rehearsal.voyage import Voyage
from tests.machine.worlds import draw_world

BEATS = 150
"""Beats of a voyage, before it calms down."""
REPLAYED_EACH = 4
"""Every so-manieth voyage is replayed from its journal."""
VOYAGES_A_SEED = 1_000_000


class Played(NamedTuple):
    """A voyage that was played, in plain values."""

    voyage: int
    problems: list[str]
    tally: dict[str, dict[str, int]]


def case_of(seed: int, beats: int = BEATS) -> Case:
    """The case of a seed."""
    world = draw_world(seed)
    return Case(world=world, beats=tuple(islice(draw_beats(world, beats), beats)))


def play(seed: int, voyage: int) -> Played:
    """One voyage, from its number."""
    tally = Tally()
    case = case_of(seed * VOYAGES_A_SEED + voyage)
    with settled_heap():
        problems = _problems(case, voyage, tally)
    tally.counts["voyages"] += 1
    return Played(voyage, problems, tally.document())


def _problems(case: Case, voyage: int, tally: Tally) -> list[str]:
    one = Voyage(case.world, tally)
    try:
        problems = one.play(case.beats) or one.calm()
        if not problems and voyage % REPLAYED_EACH == 0:
            problems = replay_of(one)
            tally.counts["voyages replayed"] += 1
    except Exception as error:  # noqa: BLE001  # whatever ends a process is a finding
        problems = [crash_of(error)]
    return problems
