"""Orders leave here, each exactly once.

    journal OrderSent, synced  ->  submit  ->  journal Accepted | Rejected | Unknown

Whatever a submit raises, the venue may have the order: it becomes Unknown, is looked up by its client id in the next look
at the world, and is never sent again. Behind an Unknown no entry leaves in the same cycle: what it costs is not known. An
order whose reserved quantity could not be released is not sent in this cycle. What is not sent is journaled with its reason.
"""

from __future__ import annotations

from collections.abc import Callable

from hydra.guard import failure_of
from hydra.model.events import (
    CancelHeard,
    CancelSent,
    OrderAccepted,
    OrderRejected,
    OrderSent,
    OrderUnknown,
    OrderWithheld,
)
from hydra.model.orders import Cancel, Order, OrderStatus, Purpose
from hydra.model.snapshot import Plan
from hydra.model.values import Value
from hydra.ports import Ack, AckOutcome, Broker

Record = Callable[[Value], None]
"""Append an event to the journal and fold it."""
Sync = Callable[[], None]
"""Return when everything recorded is durable."""

_GONE = frozenset({OrderStatus.CANCELED, OrderStatus.EXPIRED, OrderStatus.REJECTED})


def act(plan: Plan, broker: Broker, record: Record, sync: Sync) -> None:
    """Carry out the plan: cancellations first, then the orders in their order."""
    for cancel in plan.cancels:
        _cancel(cancel, broker, record, sync)
    unknown = ""
    for send in plan.sends:
        order = send.order
        if unknown and order.purpose is Purpose.ENTRY:
            record(OrderWithheld(client_id=order.client_id, reason=f"the outcome of {unknown} is unknown"))
            continue
        released = [_cancel(cancel, broker, record, sync) for cancel in send.release]
        if all(released):
            unknown = unknown if _send(order, broker, record, sync) else order.client_id
        else:
            waiting = ", ".join(c.client_id for c, gone in zip(send.release, released, strict=True) if not gone)
            record(OrderWithheld(client_id=order.client_id, reason=f"not confirmed gone: {waiting}"))


def _send(order: Order, broker: Broker, record: Record, sync: Sync) -> bool:
    """Send once; false when the outcome is unknown."""
    record(OrderSent(order=order))
    sync()
    try:
        ack = broker.submit(order)
    except Exception as error:
        failure = failure_of("submit", error)
        record(OrderUnknown(client_id=order.client_id, reason=f"{failure.kind}: {failure.reason}"))
        return False
    heard = _heard(order, ack)
    record(heard)
    return type(heard) is not OrderUnknown


def _heard(order: Order, ack: Ack) -> Value:
    """What a submit's answer means. Only a rejection of an order the venue does not have is a rejection."""
    if type(ack) is not Ack or type(ack.outcome) is not AckOutcome:
        return OrderUnknown(client_id=order.client_id, reason=f"answered with a {type(ack).__name__}")
    if ack.order is not None and ack.order.client_id != order.client_id:
        return OrderUnknown(client_id=order.client_id, reason=f"answered with the order {ack.order.client_id}")
    if ack.outcome is AckOutcome.REJECTED and ack.order is not None and ack.order.status is not OrderStatus.REJECTED:
        return OrderUnknown(client_id=order.client_id, reason=f"rejected, but the venue has the order: {ack.reason}")
    if ack.outcome is AckOutcome.REJECTED:
        return OrderRejected(client_id=order.client_id, reason=ack.reason or "no reason given")
    if ack.order is None:
        return OrderUnknown(client_id=order.client_id, reason="accepted, but the venue did not show the order")
    return OrderAccepted(client_id=order.client_id, order=ack.order)


def _cancel(cancel: Cancel, broker: Broker, record: Record, sync: Sync) -> bool:
    """Ask for an order to be taken back; true only when the venue has said that it is gone unfilled from here on."""
    record(CancelSent(client_id=cancel.client_id, venue_id=cancel.venue_id, reason=cancel.reason))
    sync()
    try:
        ack = broker.cancel(cancel.venue_id)
    except Exception as error:
        failure = failure_of("cancel", error)
        reason = f"{failure.kind}: {failure.reason}"
        record(CancelHeard(client_id=cancel.client_id, order=None, reason=reason))
        return False
    if type(ack) is not Ack:
        record(CancelHeard(client_id=cancel.client_id, order=None, reason=f"answered with a {type(ack).__name__}"))
        return False
    record(CancelHeard(client_id=cancel.client_id, order=ack.order, reason=ack.reason))
    return ack.order is not None and ack.order.client_id == cancel.client_id and ack.order.status in _GONE
