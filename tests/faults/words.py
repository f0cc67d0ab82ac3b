"""What happened in a cell, in a few words: from the journal, beside the same day without a fault."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from hydra.adapters.exchange.fault_table import STREAMS
from hydra.adapters.exchange.model import Execution
from hydra.model.events import (
    CancelHeard,
    Decided,
    Halted,
    OrderRejected,
    OrderSent,
    OrderUnknown,
    OrderWithheld,
)
from hydra.model.money import plain as plain_number
from hydra.model.orders import Purpose, Side
from hydra.model.snapshot import Observed, Verdict
from tests.faults.day import SCRIPTS, minute_of
from tests.faults.rig import Evidence

SESSION_GATES = frozenset({"session"})


def outcome(evidence: Evidence, plain: Evidence) -> str:
    """What the fault came to. ``plain`` is the day without one."""
    if evidence.cell is not None and evidence.cell.chance:
        return "held"
    if evidence.cell is not None and evidence.cell.operation in STREAMS:
        return ("" if evidence.acted else "not met; ") + (
            "same orders" if _orders_of(evidence) == _orders_of(plain) else "OTHER ORDERS"
        )
    return "; ".join(_parts(evidence, plain)) or "no difference"


def _orders_of(evidence: Evidence) -> list[tuple[str, str, Decimal, int]]:
    """Every order at the exchange: what, how much of it filled, and when it was placed."""
    return [(each.side, each.order_type, each.filled, minute_of(each.submitted_at)) for each in evidence.tickets]


def _parts(evidence: Evidence, plain: Evidence) -> Iterator[str]:
    if evidence.refused_starts:
        yield f"start refused {_times(len(evidence.refused_starts))}"
    barred = _barred(evidence)
    if barred:
        cycles = len({minute for minute, _ in barred})
        gates = ", ".join(dict.fromkeys(gate for _, gate in sorted(barred)))
        yield f"entries barred {cycles} cycle{'s' if cycles > 1 else ''} ({gates})"
    yield from _orders(evidence)
    yield from _lateness(evidence, plain)
    halts = [event.data.halt.kind for event in evidence.events if isinstance(event.data, Halted)]
    if halts:
        yield f"halted: {', '.join(dict.fromkeys(halts))}"
    if evidence.at_venue and evidence.leaving:
        yield f"{plain_number(evidence.at_venue)} still held, under a sale that does not fill"
    if evidence.residuals:
        yield f"residual named: {_shortened(evidence.residuals[0])}"


def _orders(evidence: Evidence) -> Iterator[str]:
    fates: Counter[str] = Counter()
    unknown: dict[str, str] = {}
    purpose = {e.data.order.client_id: e.data.order.purpose for e in evidence.events if isinstance(e.data, OrderSent)}
    for event in evidence.events:
        data = event.data
        if isinstance(data, OrderUnknown):
            unknown[data.client_id] = "open"
        elif isinstance(data, OrderRejected):
            fates[f"{purpose[data.client_id]} rejected"] += 1
        elif isinstance(data, OrderWithheld):
            fates["order withheld"] += 1
        elif isinstance(data, CancelHeard) and data.order is None:
            fates["cancellation unanswered"] += 1
        orders = getattr(data, "orders", ()) if not isinstance(data, Decided) else ()
        for report in orders:
            if unknown.get(report.client_id) == "open":
                unknown[report.client_id] = "found by its id"
        for name in getattr(data, "not_received", ()):
            if unknown.get(name) == "open":
                unknown[name] = "never received"
    for name, became in unknown.items():
        fates[f"{purpose[name]} unknown, {became}"] += 1
    for fate, count in fates.items():
        yield fate if count == 1 else f"{fate} ({count} times)"


def _lateness(evidence: Evidence, plain: Evidence) -> Iterator[str]:
    """When the first entry and the first exit filled, beside when they do on a good day."""
    enters = SCRIPTS[evidence.scene].enters[1]
    ways = ((enters, "entry"), (enters.opposite, "exit"))
    for side, word in ways:
        now, then = _first(evidence, side), _first(plain, side)
        if now is None:
            yield f"no {word}"
        elif then is not None and now != then:
            yield f"{word} {now - then} cycle{'s' if now - then > 1 else ''} late"
    for side, word in ways:
        filled = _of_the_first(evidence, side)
        if len(filled) > 1:
            yield f"{word} filled in {len(filled)} parts"
    again = _sent(evidence, Purpose.STOP) - _sent(plain, Purpose.STOP)
    if again > 0:
        yield f"stop placed again{'' if again == 1 else f' {_times(again)}'}"


def _first(evidence: Evidence, side: Side) -> int | None:
    return next((minute_of(each.at) for each in _executed(evidence, side)), None)


def _executed(evidence: Evidence, side: Side) -> list[Execution]:
    """What was executed on a side in what is traded; of a structure, in the contract that is sold."""
    symbol, _ = SCRIPTS[evidence.scene].enters
    return [each for each in evidence.executions if (each.symbol, each.side) == (symbol, side)]


def _of_the_first(evidence: Evidence, side: Side) -> list[Decimal]:
    """The quantities in which the first order of a side was filled."""
    of_side = _executed(evidence, side)
    return [each.quantity for each in of_side if each.client_id == of_side[0].client_id]


def _sent(evidence: Evidence, purpose: Purpose) -> int:
    return sum(1 for e in evidence.events if isinstance(e.data, OrderSent) and e.data.order.purpose is purpose)


def _barred(evidence: Evidence) -> list[tuple[int, str]]:
    """(minute, gate) of every refusal that was not a halt's."""
    found: list[tuple[int, str]] = []
    at: datetime | None = None
    for event in evidence.events:
        if isinstance(event.data, Observed):
            at = event.data.at
        if isinstance(event.data, Decided) and at is not None:
            found += [
                (minute_of(at), answer.gate)
                for answer in event.data.plan.answers
                if answer.verdict is Verdict.REFUSE and answer.gate != "mode"
            ]
    return found


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def _shortened(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:77]}..."
