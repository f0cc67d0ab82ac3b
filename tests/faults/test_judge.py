"""A judge that cannot find anything proves nothing: each promise is broken once, and the judge says which."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from hydra.adapters.exchange.fault_table import FaultKind, Operation
from hydra.model.errors import Unreachable
from hydra.model.events import Event, Halted, OrderSent
from hydra.model.portfolio import Halt
from hydra.model.values import replace as changed
from tests.fakes.outside import OPEN
from tests.faults.cells import Cell, Scene, When
from tests.faults.counter import Arrivals
from tests.faults.judge import CLAIMS, problems
from tests.faults.matrix import good_day
from tests.faults.rig import Evidence, Rig

LOST = Cell(scene=Scene.SHARES, fault=FaultKind.GATEWAY_AFTER, operation=Operation.SUBMIT, when=When.ENTRY)


def arrived(evidence: Evidence, **fields: Any) -> Arrivals:
    """What arrived, changed."""
    return replace(evidence.arrivals, **fields)


def halted(evidence: Evidence) -> list[Event]:
    """The journal with a halt nobody had a cause for, before its last line."""
    last = evidence.events[-1]
    halt = Halt(kind="failure_window", reason="none", at=OPEN, by="hydra", automatic=True)
    return [*evidence.events[:-1], changed(last, kind="halted", data=Halted(halt=halt)), last]


def forgotten(evidence: Evidence) -> list[Event]:
    """The journal without its first order."""
    first = next(event for event in evidence.events if isinstance(event.data, OrderSent))
    return [event for event in evidence.events if event is not first]


BROKEN: Mapping[str, Callable[[Evidence], dict[str, Any]]] = {
    "one_post_for_every_order_sent": lambda e: {
        "arrivals": arrived(e, posted=[*e.arrivals.posted, e.arrivals.posted[0]])
    },
    "written_before_it_left": lambda e: {"arrivals": arrived(e, unwritten=["hy-1"])},
    "one_order_at_the_exchange_for_an_id": lambda e: {"tickets": [*e.tickets, e.tickets[0]]},
    "never_more_held_than_wished_and_never_short": lambda e: {
        "held": [*e.held, Decimal(20)],
        "owed": [*e.owed, Decimal(0)],
    },
    "an_unknown_order_is_found_or_never_arrived": lambda e: {"unresolved": ("hy-1",)},
    "halts_are_as_documented": lambda e: {"events": halted(e)},
    "ledger_and_exchange_agree": lambda e: {"venue_cash": e.venue_cash + 1},
    "the_day_ends_flat_or_leaving": lambda e: {"at_venue": Decimal(10), "in_ledger": Decimal(10)},
    "a_cycle_ends_in_time": lambda e: {"cycles": [*e.cycles, (60.0, 1)]},
    "the_journal_decides_the_same_again": lambda e: {"difference": "plan.mode"},
    "no_process_breaks_down": lambda e: {"crashes": ["minute 3"]},
    "no_secret_is_written": lambda e: {"leaks": 1},
    "the_fault_strikes": lambda e: {"cell": LOST, "acted": 0},
}
PLAYED = {"nothing_is_entered_behind_a_shut_gate", "a_rejected_order_is_not_at_the_exchange", "nothing_else_fails"}
"""Promises that only a whole other day could break."""


def test_every_promise_is_broken_once() -> None:
    assert {claim.__name__ for claim in CLAIMS} == {*BROKEN, *PLAYED}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_promise_is_named(name: str) -> None:
    evidence = good_day(Scene.SHARES)
    found = problems(replace(evidence, **BROKEN[name](evidence)))
    assert [each.partition(":")[0] for each in found] == [name.replace("_", " ")] * len(found) != []


def test_an_order_that_is_not_in_the_journal_is_noticed() -> None:
    evidence = good_day(Scene.SHARES)
    found = " ".join(problems(replace(evidence, events=forgotten(evidence))))
    assert "was posted and never sent" in found
    assert "is at the exchange and not in the journal" in found


def test_a_client_that_sends_again_is_noticed() -> None:
    class Resending:
        """What alpaca-py does by itself."""

        def __init__(self, broker: Any) -> None:
            self._broker = broker

        def __getattr__(self, name: str) -> Any:
            return getattr(self._broker, name)

        def submit(self, order: Any) -> Any:
            try:
                return self._broker.submit(order)
            except Unreachable:
                return self._broker.submit(order)

    rig = Rig(Scene.SHARES, LOST)
    rig.doors.broker = Resending(rig.doors.broker)  # type: ignore[assignment]  # it stands before the real one
    assert any("was posted 2 times" in each for each in problems(rig.play()))
