"""The plan of a voyage: which regimes it goes through, and which troubles it meets in each, all from (seed, number).

Nothing is left to luck: every kind of trouble is to meet every regime. Each regime's kinds of trouble, in a seeded order, are dealt out in
threes; a *leg* is one regime with three of them; a voyage has six legs, and ``ROUND`` voyages in a row hold every pair. The next round
deals anew. Every sixth voyage has its market only: what the bots do when nothing fails has to be seen as well.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from hydra.adapters.exchange.fault_table import MEANINGS, FaultKind, Operation
from hydra.model.values import replace as changed
from hydra.qc.rehearsal.beats import PORTS, Beat, Ends, How, Trouble, draw_fault, nonsense_at
from hydra.qc.rehearsal.regimes import RECOVERY, REGIMES, Sky, Step
from hydra.qc.rehearsal.world import World

LEGS, TROUBLES_A_LEG = 6, 3
LEG_BEATS, RECOVERY_BEATS = 72, 24
FAIR_EACH = 6
"""Every so-manieth voyage is without troubles."""
_SLOT = LEG_BEATS // TROUBLES_A_LEG
_LONG_STORM = 0.25
_ORDERS = (Operation.SUBMIT, Operation.SUBMIT, Operation.CANCEL, Operation.ORDER, Operation.FILLS)
_READS = (Operation.ACCOUNT, Operation.POSITIONS, Operation.ORDERS, Operation.FILLS, Operation.CLOCK, Operation.QUOTES)
"""Asked in every cycle."""
_SELDOM = (Operation.INSTRUMENTS, Operation.BARS, Operation.CHAIN)
_UNUSED = frozenset({FaultKind.SLOW, FaultKind.MUTE_STREAM})
"""Faults that mean nothing here: no time passes at a port, and there are no streams."""
STANDING = frozenset(
    {
        *(FaultKind.ACCOUNT_INACTIVE, FaultKind.ACCOUNT_BLOCKED, FaultKind.CLOCK_OFF),
        *(FaultKind.STALE_QUOTE, FaultKind.CROSSED_QUOTE),
    }
)
"""What a venue says wrongly for a long time: it lasts most of its leg, so that a bot comes to want something meanwhile."""
_STANDS = LEG_BEATS * 5 // 6
_IN_WAIT = frozenset({FaultKind.LOST_FILL, FaultKind.DOUBLED_FILL, FaultKind.PARTIAL_FILL, FaultKind.REJECT_EXIT})
WORDS: Mapping[str, tuple[str, ...]] = {
    "word halt": ("halt", "resume!"),
    "word flatten": ("flatten", "resume!"),
    "word flatten one": ("flatten:0", "flatten:1", "resume!"),
    "word resume": ("resume",),
    "word accept": ("accept",),
}
"""What the operator says, one word every few beats."""
ENDS: Mapping[str, Ends] = {f"end {ends.value}": ends for ends in Ends if ends is not Ends.NOT}
KINDS: tuple[str, ...] = (
    *(kind.value for kind in FaultKind if kind not in _UNUSED),
    *(f"port {port}" for port in PORTS),
    *WORDS,
    *ENDS,
)
"""Every kind of trouble, as the report counts it."""
PAIRS: tuple[tuple[str, str], ...] = tuple((regime, kind) for regime in REGIMES for kind in KINDS)
_LEGS_A_ROUND = len(REGIMES) * -(-len(KINDS) // TROUBLES_A_LEG)
ROUND = -(-_LEGS_A_ROUND // LEGS)
"""Voyages with troubles that hold every pair once."""
_MENDS = {2: "resume!", 5: "accept", 8: "resume!"}
"""What the operator does in a recovery."""


@dataclass(frozen=True, slots=True)
class Leg:
    """A regime, and the kinds of trouble that are met in it."""

    regime: str
    kinds: tuple[str, ...]


def legs(seed: int, number: int) -> tuple[Leg, ...]:
    """The legs of a voyage (from 1)."""
    if number % FAIR_EACH == 0:
        chance = random.Random(f"fair {seed} {number}")
        return tuple(Leg(regime, ()) for regime in chance.sample(sorted(REGIMES), LEGS))
    place = (number - 1 - number // FAIR_EACH) * LEGS
    found = [_round(seed, (place + n) // _LEGS_A_ROUND)[(place + n) % _LEGS_A_ROUND] for n in range(LEGS)]
    first = max(found, key=lambda leg: len(STANDING & set(leg.kinds)))  # bots want most when their day begins
    found.remove(first)
    return (first, *found)


@lru_cache(maxsize=4)
def _round(seed: int, turn: int) -> tuple[Leg, ...]:
    """All legs of one turn, in its order."""
    chance = random.Random(f"round {seed} {turn}")
    dealt = {regime: chance.sample(KINDS, len(KINDS)) for regime in REGIMES}
    found = []
    for first in range(0, len(KINDS), TROUBLES_A_LEG):
        found += [
            Leg(regime, tuple(dealt[regime][first : first + TROUBLES_A_LEG]))
            for regime in chance.sample(sorted(REGIMES), len(REGIMES))
        ]
    return tuple(found)


def beats_of(world: World, seed: int, number: int) -> tuple[Beat, ...]:
    """The beats of a voyage through a world."""
    chance = random.Random(f"voyage {seed} {number}")
    sky = Sky(chance, world.symbols)
    found: list[Beat] = []
    for leg in legs(seed, number):
        found += _leg(sky, leg)
    return tuple(found)


def _leg(sky: Sky, leg: Leg) -> list[Beat]:
    weather = [_beat(step, leg.regime) for step in REGIMES[leg.regime].path(sky, LEG_BEATS)]
    for slot, kind in enumerate(leg.kinds):
        begins = slot * _SLOT + sky.chance.randrange(6)
        _trouble(kind)(sky.chance, kind, weather, range(begins, min(len(weather), (slot + 1) * _SLOT)))
    after = [_beat(step, RECOVERY.name) for step in RECOVERY.path(sky, RECOVERY_BEATS)]
    return weather + [replace(beat, command=_MENDS.get(n, "")) for n, beat in enumerate(after)]


def _beat(step: Step, regime: str) -> Beat:
    return Beat(seconds=step.seconds, moves=step.moves, leap=step.leap, regime=regime)


# -- troubles: each writes itself into some beats

Writes = Callable[[random.Random, str, list[Beat], Sequence[int]], None]


def _trouble(kind: str) -> Writes:
    if kind in WORDS:
        return _words
    if kind in ENDS:
        return _ends
    return _at_a_port if kind.startswith("port ") else _faults


def _faults(chance: random.Random, kind: str, beats: list[Beat], slot: Sequence[int]) -> None:
    """A fault at a question of every cycle for some beats, at what is seldom asked, above all about orders, for longer.

    What befalls executions and exits, of which there are few, lies in wait for the whole leg; so does, nearly, what a venue says wrongly
    of the account, the time and prices.
    """
    fault = FaultKind(kind)
    brief = chance.randint(6, 9) if chance.random() < _LONG_STORM else chance.randint(1, 3)
    waits: Sequence[int] = range(len(beats)) if fault in _IN_WAIT else slot
    reads: Sequence[int] = slot[:brief]
    if fault in STANDING:
        reads = waits = range(min(len(beats), _STANDS))
    elif fault in _IN_WAIT:
        reads = waits
    asked = {_READS: reads, _ORDERS: waits, _SELDOM: slot}
    for operations, places in asked.items():
        if not MEANINGS[fault].at & set(operations):
            continue
        rule = draw_fault(chance, (fault,), operations)
        if operations is not _ORDERS:
            rule = changed(rule, nth=None if fault in STANDING else chance.choice((None, 1)))
        for place in places:
            beats[place] = replace(beats[place], faults=(*beats[place].faults, rule))


def _at_a_port(chance: random.Random, kind: str, beats: list[Beat], slot: Sequence[int]) -> None:
    """Some calls of a port go wrong in some way, or end the process."""
    port = kind.removeprefix("port ")
    for place in sorted(chance.sample(slot, min(len(slot), chance.randint(2, 5)))):
        method = chance.choice(PORTS[port])
        how = chance.choice([each for each in How if each is not How.NONSENSE or nonsense_at(method)])
        trouble = Trouble(port, method, chance.choice((0, 0, 0, 0, 1)), how)
        beats[place] = replace(beats[place], troubles=(*beats[place].troubles, trouble))


def _words(chance: random.Random, kind: str, beats: list[Beat], slot: Sequence[int]) -> None:
    place = slot[0]
    for word in WORDS[kind]:
        if place <= slot[-1]:
            beats[place] = replace(beats[place], command=word)
        place += chance.randint(2, 5)


def _ends(chance: random.Random, kind: str, beats: list[Beat], slot: Sequence[int]) -> None:
    for place in chance.sample(slot, min(len(slot), chance.randint(1, 3))):
        beats[place] = replace(beats[place], ends=ENDS[kind])


def planned(seed: int, numbers: Sequence[int]) -> Iterator[tuple[str, str]]:
    """The pairs that these voyages hold, once each."""
    seen = {(leg.regime, kind) for number in numbers for leg in legs(seed, number) for kind in leg.kinds}
    yield from (pair for pair in PAIRS if pair in seen)
