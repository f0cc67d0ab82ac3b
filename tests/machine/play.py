"""One voyage from its number to its problems: what the cores of a long run do."""

from __future__ import annotations

from typing import NamedTuple

from tests.machine.shrink import REPLAYED_EACH, case_of, crash_of, replay_of
from tests.machine.tally import Tally
from tests.machine.voyage import Voyage

VOYAGES_A_SEED = 1_000_000


class Played(NamedTuple):
    """A voyage that was played, in plain values."""

    voyage: int
    problems: list[str]
    tally: dict[str, dict[str, int]]


def play(seed: int, voyage: int) -> Played:
    """One voyage, from its number."""
    tally = Tally()
    case = case_of(seed * VOYAGES_A_SEED + voyage)
    one = Voyage(case.world, tally)
    try:
        problems = one.play(case.beats) or one.calm()
        if not problems and voyage % REPLAYED_EACH == 0:
            problems = replay_of(one)
            tally.counts["voyages replayed"] += 1
    except Exception as error:  # noqa: BLE001  # whatever ends a process is a finding
        problems = [crash_of(error)]
    tally.counts["voyages"] += 1
    return Played(voyage, problems, tally.document())
