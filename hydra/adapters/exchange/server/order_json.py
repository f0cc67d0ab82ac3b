"""An order as Alpaca shows it.

An order of several legs has no symbol, side or asset of its own, so those fields are left out there; its legs carry its
type. Of two exits the take-profit comes first. A group (bracket, oto, oco) shares an id that follows from its first order and stays through replacements.
"""

from __future__ import annotations

from typing import Any

from hydra.adapters.exchange.interface import Exchange
from hydra.adapters.exchange.model import Ticket
from hydra.adapters.exchange.server import wire
from hydra.adapters.exchange.terms import OrderClass, Role
from hydra.model.market import asset_class_of

GROUPED = frozenset({OrderClass.BRACKET, OrderClass.OTO, OrderClass.OCO})
CHAIN_MAX = 1000
"""Most replacements that are followed back."""


def order_json(exchange: Exchange, ticket: Ticket, *, nested: bool = True) -> dict[str, Any]:
    """One order; with its legs if ``nested`` or if it has several legs. Key order is fixed."""
    shown = nested or ticket.order_class is OrderClass.MLEG
    legs = exchange.legs(ticket.client_id) if shown and is_parent(ticket) else ()
    body = _head(ticket)
    body.update(_asset(ticket))
    body.update(_terms(ticket))
    shown_legs = sorted(legs, key=lambda leg: (leg.role is not Role.TAKE_PROFIT, leg.number))
    body["legs"] = [{**order_json(exchange, leg, nested=False), "legs": None} for leg in shown_legs] or None
    body.update(_group(exchange, ticket))
    return body


def is_parent(ticket: Ticket) -> bool:
    """True when other orders may hang on this one."""
    return ticket.order_class is not OrderClass.SIMPLE and ticket.role is not Role.LEG and not ticket.parent


def _head(ticket: Ticket) -> dict[str, Any]:
    body: dict[str, Any] = {
        "id": ticket.venue_id,
        "client_order_id": ticket.client_id,
        "created_at": wire.instant(ticket.submitted_at),
        "updated_at": wire.instant(ticket.updated_at),
        "submitted_at": wire.instant(ticket.submitted_at),
    }
    for name in ("filled_at", "expired_at", "canceled_at", "failed_at", "replaced_at"):
        body[name] = wire.instant_or_none(getattr(ticket, name))
    body["replaced_by"] = ticket.replaced_by or None
    body["replaces"] = ticket.replaces or None
    if ticket.expires_at is not None:
        body["expires_at"] = wire.instant(ticket.expires_at)
    return body


def _asset(ticket: Ticket) -> dict[str, Any]:
    if not ticket.symbol:
        return {}
    return {
        "asset_id": wire.asset_id(ticket.symbol),
        "symbol": wire.venue_symbol(ticket.symbol),
        "asset_class": wire.ASSET_CLASSES[asset_class_of(ticket.symbol)],
        "side": ticket.side.value,
    }


def _terms(ticket: Ticket) -> dict[str, Any]:
    body: dict[str, Any] = {
        "notional": wire.number_or_none(ticket.notional),
        "qty": None if ticket.notional is not None else wire.number(ticket.quantity),
        "filled_qty": wire.number(ticket.filled),
        "filled_avg_price": wire.number_or_none(ticket.average_price),
        "order_class": ticket.order_class.value,
        "order_type": ticket.order_type.value,
        "type": ticket.order_type.value,
        "time_in_force": ticket.time_in_force.value,
        "limit_price": wire.number_or_none(ticket.limit),
        "stop_price": wire.number_or_none(ticket.stop),
        "status": ticket.status.value,
        "extended_hours": ticket.extended_hours,
        "trail_percent": wire.number_or_none(ticket.trail_percent),
        "trail_price": wire.number_or_none(ticket.trail_price),
        "hwm": wire.number_or_none(ticket.high_water),
    }
    if ticket.position_intent is not None:
        body["position_intent"] = ticket.position_intent.value
    if ticket.ratio is not None:
        body["ratio_qty"] = str(ticket.ratio)
    body["source"] = None
    body["subtag"] = None
    return body


def _group(exchange: Exchange, ticket: Ticket) -> dict[str, Any]:
    if ticket.order_class not in GROUPED:
        return {}
    first = exchange.ticket_named(ticket.parent) if ticket.parent else ticket
    for _ in range(CHAIN_MAX):
        before = exchange.ticket(first.replaces) if first is not None and first.replaces else None
        if before is None:
            break
        first = before
    root = ticket.parent if first is None else first.client_id
    role = ticket.role if ticket.role in (Role.ENTRY, Role.TAKE_PROFIT, Role.STOP_LOSS) else None
    if role is None:
        role = Role.TAKE_PROFIT if ticket.order_class is OrderClass.OCO else Role.ENTRY
    return {"group_id": wire.made_id("group", root), "group_role": role.value}
