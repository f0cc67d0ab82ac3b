"""Beats: what one step of a voyage consists of, as values that can be drawn, written down, dropped and made smaller."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from hydra.adapters.exchange.fault_table import MEANINGS, STREAMS, FaultKind, Operation
from hydra.adapters.exchange.faults import Rule
from hydra.qc.rehearsal.world import World


class Manner(StrEnum):
    """How a symbol is shown at a beat. HALTED: nothing is bid or offered; PAUSED: nor are there bars."""

    USUAL = "usual"
    LOCKED = "locked"
    WIDE = "wide"
    NO_QUOTE = "no_quote"
    NO_BAR = "no_bar"
    SILENT = "silent"
    IDLE = "idle"
    HALTED = "halted"
    PAUSED = "paused"


class How(StrEnum):
    """What happens at a call of a port. AFTER: carried out, then it raises. KILLED and POWER end the process there."""

    RAISES = "raises"
    AFTER = "after"
    NONSENSE = "nonsense"
    KILLED = "killed"
    POWER = "power"


class Ends(StrEnum):
    """How the process ends after a beat's cycle."""

    NOT = ""
    STOPPED = "stopped"
    KILLED = "killed"
    POWER = "power"


class Leap(StrEnum):
    """A step of the clock that is no number of seconds."""

    NOT = ""
    BEFORE_CLOSE = "before_close"
    AFTER_CLOSE = "after_close"
    NEXT_OPEN = "next_open"


@dataclass(frozen=True, slots=True)
class Move:
    """What a symbol does: its change in hundredths of a percent, and how it is shown."""

    points: int = 0
    manner: Manner = Manner.USUAL


@dataclass(frozen=True, slots=True)
class Trouble:
    """What goes wrong at the ``nth`` call (from 0) of a method of a port within a beat."""

    port: str
    method: str
    nth: int
    how: How


@dataclass(frozen=True, slots=True)
class Beat:
    """One step. ``command`` is an operator's word: an action, ``!`` for by force, ``:n`` for the n-th bot only.

    ``regime`` is what the market is said to be in, for whoever reads it.
    """

    seconds: int = 15
    leap: Leap = Leap.NOT
    moves: tuple[Move, ...] = ()
    faults: tuple[Rule, ...] = ()
    troubles: tuple[Trouble, ...] = ()
    command: str = ""
    ends: Ends = Ends.NOT
    regime: str = ""


PORTS: Mapping[str, tuple[str, ...]] = {
    "broker": (
        "now",
        "account",
        "positions",
        "open_orders",
        "order",
        "fills",
        "activities",
        "instruments",
        "submit",
        "cancel",
    ),
    "market": ("history", "poll", "chain"),
    "journal": ("append", "sync", "turn"),
    "store": ("commit",),
    "inbox": ("read", "done"),
    "probes": ("read",),
    "calendar": ("sessions",),
    "clock": ("now",),
    "bots": ("ask",),
    "site": ("binding",),
}
"""Every call that can go wrong."""
_NONSENSE = frozenset({"submit", "cancel"})
"""Calls whose answer may be no answer at all. Reads that fail raise: that is their contract."""
_OPERATIONS = (
    *sorted(set(Operation) - STREAMS - {Operation.REPLACE}),
    *(Operation.SUBMIT, Operation.CANCEL, Operation.ORDER) * 3,
)
_KINDS = tuple(sorted(set(FaultKind) - {FaultKind.SLOW, FaultKind.MUTE_STREAM}))
_OF_ORDERS = (
    *(FaultKind.PARTIAL_FILL,) * 5,
    *(FaultKind.REJECT_EXIT,) * 2,
    *(FaultKind.DROP_AFTER, FaultKind.TIMEOUT_BEFORE, FaultKind.SERVER_ERROR, FaultKind.DOUBLED_FILL),
)
"""What befalls orders, which few beats have: drawn more often than its turn."""
_STORM_MOST = 8
_COMMANDS = (
    *("halt", "flatten", "flatten:0", "flatten:1", "accept", "dance"),
    *("resume",) * 3,
    *("resume!",) * 9,
)


def draw_beats(world: World, count: int, seed: int | None = None) -> Iterator[Beat]:
    """The beats of a voyage through a world."""
    chance = random.Random(f"beats {world.seed if seed is None else seed}")
    weather = _Weather(chance, world)
    for _ in range(count):
        yield weather.next()


class _Weather:
    """Regimes of the market and storms of faults, which last a while."""

    def __init__(self, chance: random.Random, world: World) -> None:
        self._chance = chance
        self._world = world
        self._drift = [0] * len(world.symbols)
        self._width = [4] * len(world.symbols)
        self._silent = [0] * len(world.symbols)
        self._storm: tuple[Rule, ...] = ()
        self._storm_left = 0

    def next(self) -> Beat:
        chance = self._chance
        troubled = self._world.troubled
        return Beat(
            seconds=chance.choice((1, 5, 5, 15, 15, 15, 30, 60, 60, 120, 300)),
            leap=self._leap(),
            moves=tuple(self._move(place) for place in range(len(self._world.symbols))),
            faults=self._faults() if troubled else (),
            troubles=(draw_trouble(chance),) if troubled and chance.random() < 0.05 else (),
            command=self._command(),
            ends=chance.choice((Ends.STOPPED, Ends.KILLED, Ends.POWER)) if chance.random() < 0.02 else Ends.NOT,
        )

    def _leap(self) -> Leap:
        roll = self._chance.random()
        if roll < 0.01:
            return Leap.BEFORE_CLOSE
        if roll < 0.013:
            return Leap.AFTER_CLOSE
        return Leap.NEXT_OPEN if roll < 0.02 else Leap.NOT

    def _command(self) -> str:
        if self._chance.random() > 0.08:
            return ""
        return self._chance.choice(_COMMANDS)

    def _move(self, place: int) -> Move:
        chance = self._chance
        if chance.random() < 0.03:
            self._drift[place] = chance.choice((0, 0, 3, -3, 10, -10))
            self._width[place] = chance.choice((0, 4, 4, 15, 60))
        points = self._drift[place] + round(chance.gauss(0, self._width[place]))
        if chance.random() < 0.006:
            points += chance.choice((-3000, -1200, -400, 400, 1200, 3000))
        if self._silent[place]:
            self._silent[place] -= 1
            return Move(points, Manner.SILENT)
        roll = chance.random()
        if roll < 0.004:
            self._silent[place] = chance.randint(1, 30)
            return Move(points, Manner.SILENT)
        if roll < 0.04:
            return Move(
                points,
                chance.choice((Manner.LOCKED, Manner.WIDE, Manner.NO_QUOTE, Manner.NO_BAR, Manner.IDLE, Manner.HALTED)),
            )
        return Move(points)

    def _faults(self) -> tuple[Rule, ...]:
        if self._storm_left:
            self._storm_left -= 1
            return self._storm
        roll = self._chance.random()
        if roll < 0.08:
            return (draw_fault(self._chance, _OF_ORDERS, (Operation.SUBMIT, Operation.FILLS)),)
        if roll > 0.13:
            return ()
        drawn = tuple(draw_fault(self._chance) for _ in range(self._chance.choice((1, 1, 2))))
        if self._chance.random() < 0.3:
            self._storm, self._storm_left = drawn, self._chance.randint(1, _STORM_MOST)
        return drawn


def draw_fault(
    chance: random.Random, kinds: Sequence[FaultKind] = _KINDS, operations: Sequence[Operation] = _OPERATIONS
) -> Rule:
    """One of the table's faults, at one of the operations at which it can happen."""
    while True:
        kind, operation = chance.choice(kinds), chance.choice(operations)
        if operation in MEANINGS[kind].at:
            break
    seconds = {FaultKind.CLOCK_OFF: (-3600, -3, 1, 40), FaultKind.PARTIAL_FILL: (1, 30, 3600)}.get(kind)
    return Rule(
        fault=kind,
        on=(operation,),
        nth=chance.choice((None, None, 1, 1, 2, 3)),
        seconds=None if seconds is None else Decimal(chance.choice(seconds)),
        fraction=Decimal(chance.choice(("0.1", "0.5", "0.9"))) if kind is FaultKind.PARTIAL_FILL else None,
    )


def draw_trouble(chance: random.Random) -> Trouble:
    """A call of any port that goes wrong in any way it can."""
    port = chance.choice(tuple(PORTS))
    method = chance.choice(PORTS[port])
    how = chance.choice([each for each in How if each is not How.NONSENSE or method in _NONSENSE])
    return Trouble(port, method, chance.choice((0, 0, 0, 1, 1, 2, 4)), how)


def nonsense_at(method: str) -> bool:
    """Whether a call may be answered with no answer at all."""
    return method in _NONSENSE
