"""One voyage of a policy from its number: what the processes of a long run do, and what a failure is repeated with.

All arguments are plain or importable by name, all answers are plain values: any process can play any voyage, and plays it the same.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import NamedTuple, TypeAlias

from hydra.model.values import encode
from hydra.policy import Policy
from hydra.qc.rehearsal.heap import settled_heap
from hydra.qc.rehearsal.plan import beats_of
from hydra.qc.rehearsal.shrink import Case, or_crash, replay_of, shrink
from hydra.qc.rehearsal.story import tell
from hydra.qc.rehearsal.tally import Tally
from hydra.qc.rehearsal.voyage import Spoil, Voyage
from hydra.qc.rehearsal.world import World

Worlds: TypeAlias = Callable[[Policy, int, int], World]
"""Makes the n-th world of a policy and a seed; importable by its name."""
REPLAYED_EACH = 4
"""Every so-manieth voyage is decided again from its journal."""
TRIES, TRY_SECONDS = 1_000, 45.0


class Played(NamedTuple):
    """A voyage that was played: the claims it broke, and what it came across (``Tally.document``)."""

    voyage: int
    problems: list[str]
    tally: dict[str, dict[str, int]]


class Again(NamedTuple):
    """A voyage that was played alone. ``beats``, ``told`` and ``tries`` are of the shortest that breaks the same claim, if one does."""

    voyage: int
    problems: list[str]
    beats: int
    told: list[str]
    tries: int


def case_of(worlds: Worlds, policy: Policy, seed: int, voyage: int) -> Case:
    """The world and the beats of a voyage."""
    world = worlds(policy, seed, voyage)
    return Case(world=world, beats=beats_of(world, seed, voyage))


def play(worlds: Worlds, policy: Policy, seed: int, voyage: int, keep: str = "") -> Played:
    """One voyage, from its number. ``keep`` is a file for its journal, one event a line."""
    return played(case_of(worlds, policy, seed, voyage), voyage, keep=keep)


def played(case: Case, voyage: int, spoil: Spoil | None = None, keep: str = "") -> Played:
    """A case, played to its end or to the first claim that does not hold."""
    tally = Tally()
    with settled_heap():
        problems = or_crash(lambda: _problems(case, voyage, tally, spoil, keep))
    tally.counts["voyages"] += 1
    return Played(voyage, problems, tally.document())


def _problems(case: Case, voyage: int, tally: Tally, spoil: Spoil | None, keep: str) -> list[str]:
    one = Voyage(case.world, tally, spoil)
    problems = one.play(case.beats) or one.calm()
    if not problems and voyage % REPLAYED_EACH == 0:
        problems = replay_of(one)
        tally.counts["voyages replayed"] += 1
    if keep:
        Path(keep).write_bytes(b"".join(encode(event) + b"\n" for event in one.journal.written()))
    return problems


def again(
    worlds: Worlds, policy: Policy, seed: int, voyage: int, tries: int = TRIES, seconds: float = TRY_SECONDS
) -> Again:
    """A voyage alone; when it breaks a claim, the shortest found within so many tries and seconds that does."""
    return made_small(case_of(worlds, policy, seed, voyage), voyage, tries=tries, seconds=seconds)


def made_small(
    case: Case, voyage: int, spoil: Spoil | None = None, *, tries: int = TRIES, seconds: float = TRY_SECONDS
) -> Again:
    """``again`` of a case."""
    problems = played(case, voyage, spoil).problems
    if not problems:
        return Again(voyage, [], len(case.beats), tell(case, spoil), 0)
    until = monotonic() + seconds
    small, shown, used = shrink(case, spoil, tries, lambda: monotonic() > until)
    return Again(voyage, shown, len(small.beats), tell(small, spoil), used)
