"""What is tried: every fault, at every operation that it can strike, at every moment of a day at which it makes a difference.

A day (``Scene``) is the same for all: in, out again, in again, and stopped out. A fault strikes in a window of the venue's
time, so that which request comes first makes no difference. Six cycles stand for *until somebody mends it*: longer than
every limit that halts (failed reads, a residual, a holding without a stop).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

from hydra.adapters.exchange.fault_table import MEANINGS, REQUESTS, STREAMS, FaultKind, Operation


class Scene(StrEnum):
    """The day that is played. A pair's protection is an order of its own; a share's hangs on its entry.

    LATE: shares, at a venue that takes its time to cancel, so that an order can be on its way out for a cycle. SPREAD: two
    contracts in one order; nothing rests for it, and what stands for its stop is an exit of the engine's.
    """

    SHARES = "shares"
    PAIR = "pair"
    LATE = "late"
    SPREAD = "spread"


class When(StrEnum):
    """The window in which a fault strikes."""

    ENTRY = "entry"
    ENTRY_3 = "entry, 3 cycles"
    ENTRY_6 = "entry, 6 cycles"
    PROTECTION = "protection"
    PROTECTION_3 = "protection, 3 cycles"
    EXIT = "exit"
    EXIT_3 = "exit, 3 cycles"
    EXIT_6 = "exit, 6 cycles"
    STOP = "stop fills"
    RESTART = "restart"
    LONG = "entry to exit and on"
    DAY = "whole day"


ENTERS, LEAVES, ENTERS_AGAIN, FALLS, ENDS = 2, 6, 14, 17, 20
"""The day, in minutes after the opening: each is a cycle."""
RESUMES = 13
"""From here on an operator resumes what is halted, once the fault is over."""
RESTARTS = 4
"""In a cell about a restart the process ends here, while it holds."""
WINDOWS: Mapping[When, tuple[int, int]] = {
    When.ENTRY: (ENTERS, 1),
    When.ENTRY_3: (ENTERS, 3),
    When.ENTRY_6: (ENTERS, 6),
    When.PROTECTION: (ENTERS + 1, 1),
    When.PROTECTION_3: (ENTERS + 1, 3),
    When.EXIT: (LEAVES, 1),
    When.EXIT_3: (LEAVES, 3),
    When.EXIT_6: (LEAVES, 6),
    When.STOP: (FALLS + 1, 1),
    When.RESTART: (RESTARTS, 1),
    When.LONG: (ENTERS, RESUMES - ENTERS),
    When.DAY: (0, ENDS + 10),
}
"""From which minute on, and for how many of them."""
_RESTARTS: Mapping[str, int] = {Operation.INSTRUMENTS: ENTERS, Operation.ORDER: ENTERS + 1}
"""Where the process ends elsewhere: before it enters, and while an order is unknown."""
_AS_THEY_ARE = frozenset({When.STOP, When.RESTART, When.LONG, When.DAY})
HEARD_A_CYCLE_LATER = frozenset({Operation.ORDER, Operation.FILLS})
"""What is asked about an order in the cycle after it was sent."""

_O, _F = Operation, FaultKind
EVERYTHING = "*"
_SUBMIT = (When.ENTRY, When.ENTRY_3, When.EXIT, When.EXIT_3, When.EXIT_6)
_CANCEL = (When.EXIT, When.EXIT_3, When.EXIT_6)
_READ = (When.ENTRY, When.EXIT, When.ENTRY_6, When.RESTART)
_OF_ORDERS = (*_READ[:3], When.STOP, When.RESTART)
_SHOWN: Mapping[str, tuple[When, ...]] = {
    _O.SUBMIT: _SUBMIT,
    _O.CANCEL: _CANCEL,
    _O.INSTRUMENTS: (When.RESTART,),
    **dict.fromkeys((_O.ORDER, _O.FILLS, _O.ORDERS, _O.POSITIONS), _OF_ORDERS),
    EVERYTHING: (When.ENTRY, When.EXIT, When.EXIT_3, When.EXIT_6, When.RESTART),
}
NOT_ASKED: Mapping[Operation, str] = {
    _O.REPLACE: "the engine replaces no order: it takes one back and sends another",
    _O.STREAM_DATA: "prices are asked for, not listened to",
}
"""Operations that exist and that nothing in a cycle asks for."""
A_LITTLE = "40"
"""Milliseconds that nobody minds."""
_NUMBERS: Mapping[FaultKind, tuple[Mapping[str, str], ...]] = {
    _F.SLOW: ({"ms": A_LITTLE}, {"ms": "1500"}),
    _F.CLOCK_OFF: ({"seconds": "60"}, {"seconds": "-60"}),
    _F.PARTIAL_FILL: ({"seconds": "90"}, {"seconds": "100000"}),
    _F.STALE_QUOTE: ({"seconds": "3600"},),
}
_OF_THE_EXIT = (When.EXIT, When.EXIT_3, When.EXIT_6)
_OF_THE_SPREAD = frozenset({_O.SUBMIT, _O.ORDER, _O.FILLS, _O.POSITIONS, _O.CHAIN})
_OF_THE_PAIR = frozenset({_O.SUBMIT, _O.CANCEL, _O.ORDER, _O.FILLS})


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One fault at one operation in one window of one scene. ``numbers`` are the fault's own."""

    scene: Scene
    fault: FaultKind
    operation: str
    when: When
    numbers: Mapping[str, str] = field(default_factory=dict)
    chance: Mapping[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """The fault with its numbers, as the table has it."""
        told = ", ".join(f"{name} {value}" for name, value in self.chance.items()) or " ".join(
            f"{value} {'s' if name == 'seconds' else name}" for name, value in self.numbers.items()
        )
        return f"{self.fault.value} ({told})" if told else self.fault.value

    @property
    def name(self) -> str:
        """The cell's own name, for ``--cell``."""
        return f"{self.scene}/{self.operation}/{self.kind}/{self.when}"

    @property
    def window(self) -> tuple[int, int]:
        """The first minute of the fault, and the first without it."""
        begins, minutes = WINDOWS[self.when]
        if self.when is When.RESTART and self.operation in _RESTARTS:
            begins = _RESTARTS[self.operation]
        elif self._waits:
            begins += 1
        return begins, begins + minutes

    @property
    def _waits(self) -> bool:
        """Whether the moment comes a cycle later than its name says."""
        if self.scene is Scene.LATE:
            return self.operation != _O.CANCEL
        return self.operation in HEARD_A_CYCLE_LATER and self.when not in _AS_THEY_ARE

    @property
    def lost_before(self) -> int | None:
        """The minute in which an order's answer is lost, so that there is something to look up; ``None`` without."""
        looks_up = self.operation == _O.ORDER and self.when is not When.STOP
        return self.window[0] - 1 if looks_up else None

    @property
    def hangs(self) -> bool:
        """Whether the server stays silent."""
        return self.fault in (_F.TIMEOUT_BEFORE, _F.TIMEOUT_AFTER) or self.numbers.get("ms") == "1500"

    def rule_fields(self) -> dict[str, Any]:
        """What a rule of a fault plan is made of, beside its window."""
        numbers = {name: Decimal(value) for name, value in self.numbers.items()}
        return {"fault": self.fault, "on": (self.operation,), **numbers, **self.chance}


def all_cells() -> tuple[Cell, ...]:
    """Every cell, in the table's order."""
    return (*_shares(), *_pair(), *_late(), *_spread(), *_streams(), *_by_chance())


def _shares() -> Iterator[Cell]:
    asked = (each for each in Operation if each in REQUESTS and each not in NOT_ASKED and each != _O.CHAIN)
    for operation in (*asked, EVERYTHING):
        for fault, numbers in _faults_at(operation):
            whens = _whens(fault, operation)
            for when in whens[:1] if numbers.get("ms") == A_LITTLE else whens:
                yield Cell(scene=Scene.SHARES, fault=fault, operation=str(operation), when=when, numbers=numbers)


def _pair() -> Iterator[Cell]:
    """Where a pair differs: its stop is an order of its own, and its fee is taken in coin."""
    for operation in Operation:
        for fault, numbers in _faults_at(operation) if operation in _OF_THE_PAIR else ():
            if fault in (_F.SLOW, _F.ACCOUNT_BLOCKED):
                continue
            protection = (When.PROTECTION, When.PROTECTION_3) if operation == _O.SUBMIT else (When.PROTECTION,)
            if fault is _F.REJECT_EXIT:
                whens: tuple[When, ...] = (*protection, When.EXIT, When.EXIT_3)
            elif operation in (_O.SUBMIT, _O.CANCEL):
                whens = (*(protection if operation == _O.SUBMIT else ()), When.EXIT, When.EXIT_3)
            else:
                whens = (When.ENTRY, When.EXIT, When.STOP) if operation == _O.ORDER else (When.ENTRY, When.EXIT)
            for when in whens:
                yield Cell(scene=Scene.PAIR, fault=fault, operation=str(operation), when=when, numbers=numbers)


def _late() -> Iterator[Cell]:
    """Where it matters that an order is on its way out: the cancellation, and the sale that waits for it."""
    for operation in (_O.SUBMIT, _O.CANCEL, _O.ORDERS):
        for fault, numbers in _faults_at(operation):
            if fault is _F.PARTIAL_FILL or numbers.get("ms") == A_LITTLE:
                continue
            for when in (When.EXIT, When.EXIT_3):
                yield Cell(scene=Scene.LATE, fault=fault, operation=str(operation), when=when, numbers=numbers)


def _spread() -> Iterator[Cell]:
    """Where contracts differ: one order has several executions, and there is a chain to read."""
    for operation in Operation:
        for fault, numbers in _faults_at(operation) if operation in _OF_THE_SPREAD else ():
            if fault is _F.PARTIAL_FILL or (numbers.get("ms") == A_LITTLE and operation != _O.CHAIN):
                continue  # the venue fills an order in several contracts whole
            if fault is _F.REJECT_EXIT:
                whens: tuple[When, ...] = (When.EXIT, When.EXIT_3)
            elif operation == _O.SUBMIT:
                whens = (When.ENTRY, When.ENTRY_3, When.EXIT, When.EXIT_3)
            elif operation == _O.ORDER or fault in (_F.LOST_FILL, _F.DOUBLED_FILL):
                whens = (When.ENTRY, When.EXIT)
            else:
                whens = (When.ENTRY, When.EXIT, When.STOP)
            for when in whens:
                yield Cell(scene=Scene.SPREAD, fault=fault, operation=str(operation), when=when, numbers=numbers)


def _streams() -> Iterator[Cell]:
    for operation in Operation:
        for fault, numbers in _faults_at(operation) if operation in STREAMS and operation not in NOT_ASKED else ():
            yield Cell(scene=Scene.SHARES, fault=fault, operation=str(operation), when=When.DAY, numbers=numbers)


def _by_chance() -> Iterator[Cell]:
    """At everything, for a long time, so often; what happens differs from run to run, what must hold does not."""
    for fault in (_F.TIMEOUT_AFTER, _F.GATEWAY_AFTER, _F.DROP_AFTER, _F.DROP_BEFORE, _F.RATE_LIMIT, _F.HTML):
        for chance in ({"every": 13}, {"probability": Decimal("0.05")}):
            yield Cell(scene=Scene.SHARES, fault=fault, operation=EVERYTHING, when=When.LONG, chance=chance)


def _faults_at(operation: str) -> Iterator[tuple[FaultKind, Mapping[str, str]]]:
    for fault, meaning in MEANINGS.items():
        if operation == EVERYTHING:
            if not meaning.at >= REQUESTS:
                continue
        elif operation not in meaning.at:
            continue
        for numbers in _NUMBERS.get(fault, ({},)):
            yield fault, numbers


def _whens(fault: FaultKind, operation: str) -> tuple[When, ...]:
    if fault is _F.REJECT_EXIT:
        return _OF_THE_EXIT
    if fault is _F.PARTIAL_FILL:
        return (When.ENTRY, When.EXIT)
    if fault in (_F.LOST_FILL, _F.DOUBLED_FILL):
        return (When.ENTRY, When.EXIT)
    return _SHOWN.get(operation, _READ)
