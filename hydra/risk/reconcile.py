"""Do the ledger and the venue agree? What they do not agree on is a residual, and a residual bars entries.

Positions are compared by symbol: the bots' holdings plus the foreign baseline must be exactly what the venue holds. Open
orders are compared by client id. Cash is compared with what the fills explain, within a tolerance in dollars.
"""

from __future__ import annotations

from decimal import Decimal

from hydra.model.money import ZERO, plain
from hydra.model.portfolio import Ledger
from hydra.model.snapshot import Sight


def residuals(ledger: Ledger, sight: Sight, cash_tolerance: Decimal) -> tuple[str, ...]:
    """Everything on which ledger and venue differ, in words with numbers. Unknown is a difference."""
    if sight.positions is None or sight.open_orders is None or sight.account is None:
        return ("the venue's positions, open orders or account are unknown",)
    return (*_positions(ledger, sight), *_orders(ledger, sight), *_cash(ledger, sight, cash_tolerance))


def _positions(ledger: Ledger, sight: Sight) -> list[str]:
    ours: dict[str, Decimal] = dict(ledger.foreign)
    for holding in ledger.holdings.values():
        ours[holding.symbol] = ours.get(holding.symbol, ZERO) + holding.quantity
    theirs = {position.symbol: position.quantity for position in sight.positions or ()}
    return [
        f"{symbol}: ledger holds {plain(ours.get(symbol, ZERO))}, venue holds {plain(theirs.get(symbol, ZERO))}"
        for symbol in sorted(ours.keys() | theirs.keys())
        if ours.get(symbol, ZERO) != theirs.get(symbol, ZERO)
    ]


def _orders(ledger: Ledger, sight: Sight) -> list[str]:
    theirs = {order.client_id: order for order in sight.open_orders or ()}
    found = [
        f"the venue has an open order {client_id} ({order.side} {plain(order.quantity)} {order.symbol}) that is not ours"
        for client_id, order in theirs.items()
        if client_id not in ledger.orders
    ]
    found += [
        f"order {order.client_id} is {order.status} here and not open at the venue"
        for order in ledger.orders.values()
        if not order.status.terminal and not order.status.unresolved and order.client_id not in theirs
    ]
    return found


def _cash(ledger: Ledger, sight: Sight, tolerance: Decimal) -> list[str]:
    if ledger.cash is None or sight.account is None:
        return ["the account was never taken into the ledger"]
    difference = sight.account.cash - ledger.cash
    if abs(difference) > tolerance:
        return [
            f"cash {plain(sight.account.cash)} at the venue, {plain(ledger.cash)} explained by fills, "
            f"difference {plain(difference)} above tolerance {plain(tolerance)}"
        ]
    return []
