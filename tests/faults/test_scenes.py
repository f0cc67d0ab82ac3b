"""Scenes over the wire: one order after a 504, a silent server, and a kill at the worst moments."""

from __future__ import annotations

from decimal import Decimal

from hydra.adapters.exchange.fault_table import FaultKind, Operation
from hydra.adapters.journal.reader import read_journal
from hydra.model.events import Halted, OrderUnknown
from hydra.model.snapshot import Observed
from tests.fakes.outside import MINUTE, OPEN
from tests.faults.adapter import READ_SECONDS
from tests.faults.cells import ENTERS, Cell, Scene, When
from tests.faults.day import DEADLINE_SECONDS
from tests.faults.judge import REST_SECONDS, problems
from tests.faults.rig import FOLDER, Rig

BOTH = [Scene.SHARES, Scene.PAIR]


def lines(notes: tuple[str, ...], *words: str) -> list[str]:
    """The notes with all of these words."""
    return [note for note in notes if all(word in note for word in words)]


def test_after_a_504_there_is_one_order_at_the_exchange_and_it_is_found_by_its_id() -> None:
    cell = Cell(scene=Scene.SHARES, fault=FaultKind.GATEWAY_AFTER, operation=Operation.SUBMIT, when=When.ENTRY)
    evidence = Rig(Scene.SHARES, cell).play()
    assert problems(evidence) == []
    (unknown,) = [event.data for event in evidence.events if isinstance(event.data, OrderUnknown)]
    assert "504" in unknown.reason
    first = OPEN + ENTERS * MINUTE
    assert [name for at, name in evidence.arrivals.posted if at == first] == [unknown.client_id]
    (ticket,) = [each for each in evidence.tickets if each.client_id == unknown.client_id]
    assert ticket.filled == Decimal(10)
    looks = [event.data for event in evidence.events if isinstance(event.data, Observed) and event.data.at > first]
    assert [order.client_id for order in looks[0].orders].count(unknown.client_id) == 1


def test_before_a_silent_server_a_cycle_asks_once_is_refused_within_its_deadline_and_sends_nothing() -> None:
    cell = Cell(scene=Scene.SHARES, fault=FaultKind.TIMEOUT_BEFORE, operation="*", when=When.ENTRY)
    rig = Rig(Scene.SHARES, cell)
    try:
        while rig.minute < ENTERS:
            rig.live()
            rig.step()
        before = rig.server.arrivals.requests.copy()
        rig.live()
        asked = rig.server.arrivals.requests - before
        assert set(asked) >= {"account", "positions", "orders", "fills", "clock"}
        assert max(asked.values()) <= 2, f"fills and activities share a route, everything else is asked once: {asked}"
        assert asked.total() <= 8
        assert asked[Operation.SUBMIT] == asked[Operation.CANCEL] == 0
        assert rig.cycles[-1][0] < DEADLINE_SECONDS + READ_SECONDS + REST_SECONDS
        told = [event.data for event in read_journal(rig.files, FOLDER)]
        seen = [each for each in told if isinstance(each, Observed)][-1]
        missing = {failure.what for failure in seen.missing}
        assert missing >= {"venue_clock", "account", "positions", "open_orders", "fills", "activities", "market"}
        assert [each.halt.kind for each in told if isinstance(each, Halted)] == ["failure_window"]
    finally:
        rig.close()
