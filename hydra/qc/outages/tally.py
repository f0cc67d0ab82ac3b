"""What a storm has done so far, for the screen, the report and the tests."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from hydra.model.events import Recovered
from hydra.model.orders import OrderStatus
from hydra.model.snapshot import Observed
from hydra.qc.outages.claims import Evidence
from hydra.qc.outages.places import Blow


@dataclass(slots=True)
class Tally:
    """Counts. ``places`` are the faults by place, ``on_orders`` those that fell on the sending of an order."""

    faults: int = 0
    on_orders: int = 0
    ended_alive: int = 0
    comparisons: Counter[str] = field(default_factory=Counter)
    places: Counter[str] = field(default_factory=Counter)
    excuses: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    _voyage: dict[str, int] = field(default_factory=dict)

    def struck(self, blow: Blow, *, killed: bool) -> None:
        """One fault; a victim that ended by itself does not count."""
        if not killed:
            self.ended_alive += 1
            return
        self.faults += 1
        self.places[blow.place] += 1
        self.on_orders += blow.on_order

    @property
    def wants_orders(self) -> bool:
        """True while fewer than three of five faults fell on the sending of an order."""
        return self.on_orders * 5 < self.faults * 3

    def excuse(self, excuses: Counter[str]) -> None:
        """Bare positions that nothing could have been done about."""
        self.excuses += excuses

    def compared(self, found: Evidence, when: str) -> None:
        """One comparison, and the size of what was compared."""
        self.comparisons[when] += 1
        self.excuses += found.excuses
        sent = {order.client_id for order in found.sent}
        self._voyage = {
            "events": len(found.events),
            "cycles": sum(isinstance(event.data, Observed) for event in found.events),
            "market days": len({event.ts.date() for event in found.events}),
            "orders sent": len(sent),
            "orders at the venue": len(found.venue.orders),
            "executions": len(found.venue.fills),
            "never received": sum(word is OrderStatus.NOT_RECEIVED for word in found.words.values()),
            "found by a recovery": sum(
                len(sent & {report.client_id for report in event.data.orders})
                for event in found.events
                if isinstance(event.data, Recovered)
            ),
        }

    def end_voyage(self) -> None:
        """The next comparison is of another journal."""
        self.found.update(self._voyage)
        self._voyage = {}

    def document(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "faults": self.faults,
            "on_orders": self.on_orders,
            "ended_alive": self.ended_alive,
            "comparisons": dict(self.comparisons),
            "places": dict(self.places.most_common()),
            "excuses": dict(self.excuses),
            "found": dict(self.found),
        }
