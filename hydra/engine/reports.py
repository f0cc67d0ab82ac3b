"""What the venue says of orders, taken into the ledger. A report never raises: what goes beyond the lifecycle stays out of the
order's status and shows as a residual instead.
"""

from __future__ import annotations

from collections.abc import Iterable

from hydra.model.orders import LIFECYCLE, Order, OrderStatus, OrderType, Purpose, VenueOrder
from hydra.model.portfolio import Ledger
from hydra.model.values import replace

_RESTING_STOPS = (OrderType.STOP, OrderType.STOP_LIMIT)


def take_in(ledger: Ledger, reports: Iterable[VenueOrder], not_received: Iterable[str]) -> Ledger:
    """The ledger after the venue's reports on orders, new bracket legs included."""
    orders = dict(ledger.orders)
    changed = False
    for report in reports:
        known = orders.get(report.client_id) or _leg_of_ours(ledger, orders, report)
        if known is not None:
            orders[report.client_id] = _as_reported(known, report)
            changed = True
    ledger = replace(ledger, orders=orders) if changed else ledger
    for client_id in not_received:
        ledger = set_status(ledger, client_id, OrderStatus.NOT_RECEIVED, "the venue never had it")
    return ledger


def set_status(ledger: Ledger, client_id: str, status: OrderStatus, reason: str) -> Ledger:
    order = ledger.orders.get(client_id)
    if order is None or status not in LIFECYCLE[order.status]:
        return ledger
    return replace(ledger, orders={**ledger.orders, client_id: replace(order, status=status, reason=reason)})


def _as_reported(order: Order, report: VenueOrder) -> Order:
    """What the venue says of an order. Size and prices too: a split restates them, and legs give up what the other filled."""
    quantity, limit, stop, average = order.quantity, order.limit, order.stop, order.average_price
    return replace(
        order,
        quantity=report.quantity if report.quantity >= order.filled else quantity,
        limit=report.limit if limit is not None and report.limit is not None else limit,
        stop=report.stop if stop is not None and report.stop is not None else stop,
        average_price=report.average_price if order.legs and report.average_price is not None else average,
        status=report.status if report.status in LIFECYCLE[order.status] else order.status,
        venue_id=report.venue_id,
        venue_filled=max(order.venue_filled, report.filled),
        updated_at=report.updated_at or order.updated_at,
        reason=report.reason or order.reason,
    )


def _leg_of_ours(ledger: Ledger, orders: dict[str, Order], report: VenueOrder) -> Order | None:
    """A bracket leg the venue made for one of our entries, seen for the first time; ``None`` when it is not ours."""
    resting = report.stop if report.order_type in _RESTING_STOPS else report.limit
    if not report.parent or resting is None:
        return None
    parent = orders.get(report.parent)
    if parent is not None and parent.legs:
        return None  # its contracts are its own legs already
    owner = parent.bot if parent is not None else None
    if owner is None:
        owner = next((h.bot for h in ledger.holdings.values() if h.entry == report.parent), None)
    if owner is None:
        return None
    stops = report.order_type in _RESTING_STOPS
    return Order(
        client_id=report.client_id,
        run=ledger.run,
        cycle=ledger.cycle,
        bot=owner,
        symbol=report.symbol,
        side=report.side,
        quantity=report.quantity,
        order_type=report.order_type,
        purpose=Purpose.STOP if stops else Purpose.TARGET,
        limit=report.limit,
        stop=report.stop,
        parent=report.parent,
        thesis=f"protects {report.parent}",
        status=OrderStatus.ACCEPTED,
        sent_at=report.updated_at,
    )
