"""Orders made from requests: the entry, its exits, the legs of a spread, and what replaces an order. Pure.

Identities derive from the account and the order's number, so two runs of the same calls give the same ones. The exits of an
entry are called ``<entry>.stop`` and ``<entry>.target``; where that would be too long for a client id, after its hash.
"""

from __future__ import annotations

import hashlib
import uuid
from datetime import datetime
from decimal import Decimal

from hydra.adapters.exchange.model import Ticket
from hydra.adapters.exchange.terms import Amendment, OrderClass, PositionIntent, Request, Role, Status
from hydra.model.money import ZERO
from hydra.model.orders import CLIENT_ID_MAX_LENGTH, OrderType, Side
from hydra.model.values import Value, replace

_NAMES = uuid.uuid5(uuid.NAMESPACE_URL, "hydra:simulated-exchange").bytes
EXITS = {Role.STOP_LOSS: "stop", Role.TAKE_PROFIT: "target"}
_ROLES = {OrderClass.OCO: Role.TAKE_PROFIT, OrderClass.BRACKET: Role.ENTRY, OrderClass.OTO: Role.ENTRY}
_LEAST = Decimal("1e-9")


class Arrival(Value, frozen=True, kw_only=True):
    """Where and when an order arrives: the account, the next order's number, the time, when a day order and when the exits
    would end, and whether its market is open."""

    account_id: str
    number: int
    at: datetime
    expires_at: datetime | None
    exits_expire_at: datetime | None = None
    open: bool = True


def venue_id(account_id: str, number: int) -> str:
    """The venue's name for an order."""
    return _name_of(f"{account_id}/{number}")


def exit_id(client_id: str, role: Role) -> str:
    """The client id of an entry's exit."""
    name = f"{client_id}.{EXITS[role]}"
    return name if len(name) <= CLIENT_ID_MAX_LENGTH else _name_of(name)


def leg_id(client_id: str, place: int) -> str:
    """The client id of a leg of a spread, counted from 1."""
    name = f"{client_id}.{place}"
    return name if len(name) <= CLIENT_ID_MAX_LENGTH else _name_of(name)


def _name_of(text: str) -> str:
    """The UUID of version 5 of a text among ``_NAMES``, written out: nobody wants the object that ``uuid`` would make of it."""
    name = bytearray(hashlib.sha1(_NAMES + text.encode(), usedforsecurity=False).digest()[:16])
    name[6] = name[6] & 0x0F | 0x50  # version 5 of RFC 9562
    name[8] = name[8] & 0x3F | 0x80  # its variant
    digits = name.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def exit_roles(request: Request) -> tuple[Role, ...]:
    """Which further orders a request brings along, the stop before the target."""
    if request.order_class is OrderClass.OCO:
        return (Role.STOP_LOSS,)
    if request.stop_loss is None:
        return () if request.take_profit is None else (Role.TAKE_PROFIT,)
    return (Role.STOP_LOSS,) if request.take_profit is None else (Role.STOP_LOSS, Role.TAKE_PROFIT)


def entry(request: Request, arrival: Arrival, intent: PositionIntent, last: Decimal | None) -> Ticket:
    """The order itself, reserving nothing yet. ``last`` is the price a trail begins at and a notional is estimated with."""
    price = request.limit if request.limit is not None else last
    quantity = request.quantity
    if quantity is None:
        assert request.notional is not None
        assert price is not None
        quantity = max((request.notional / price).quantize(_LEAST, rounding="ROUND_DOWN"), _LEAST)
    return Ticket(
        number=arrival.number,
        venue_id=venue_id(arrival.account_id, arrival.number),
        client_id=request.client_id,
        symbol=request.symbol,
        side=request.side,
        order_type=request.order_type,
        quantity=quantity,
        time_in_force=request.time_in_force,
        since=arrival.at,
        submitted_at=arrival.at,
        updated_at=arrival.at,
        status=Status.NEW if arrival.open else Status.ACCEPTED,
        notional=request.notional,
        limit=request.limit,
        stop=request.stop,
        trail_price=request.trail_price,
        trail_percent=request.trail_percent,
        high_water=last if request.order_type is OrderType.TRAILING_STOP else None,
        extended_hours=request.extended_hours,
        order_class=request.order_class,
        role=_ROLES.get(request.order_class, Role.ALONE),
        position_intent=intent,
        expires_at=arrival.expires_at,
    )


def exits(request: Request, parent: Ticket, arrival: Arrival) -> tuple[Ticket, ...]:
    """The exits a request brings along; those of an entry wait, that of an oco works at once."""
    oco = request.order_class is OrderClass.OCO
    side = parent.side if oco else parent.side.opposite
    made = []
    for place, role in enumerate(exit_roles(request), 1):
        stops = role is Role.STOP_LOSS
        limit = request.stop_loss_limit if stops else request.take_profit
        number = arrival.number + place
        made.append(
            Ticket(
                number=number,
                venue_id=venue_id(arrival.account_id, number),
                client_id=exit_id(request.client_id, role),
                symbol=request.symbol,
                side=side,
                order_type=_exit_type(stops=stops, limited=limit is not None),
                quantity=parent.quantity,
                time_in_force=request.exits_force or request.time_in_force,
                since=arrival.at,
                submitted_at=arrival.at,
                updated_at=arrival.at,
                status=Status.HELD,
                working=oco,
                limit=limit,
                stop=request.stop_loss if stops else None,
                order_class=request.order_class,
                role=role,
                parent=request.client_id,
                position_intent=_closing(side),
                expires_at=arrival.exits_expire_at,
            )
        )
    return tuple(made)


def legs(request: Request, parent: Ticket, intents: tuple[PositionIntent, ...], account_id: str) -> tuple[Ticket, ...]:
    """The contracts of a multi-leg order. They fill with it and never by themselves."""
    return tuple(
        Ticket(
            number=parent.number + place,
            venue_id=venue_id(account_id, parent.number + place),
            client_id=leg_id(request.client_id, place),
            symbol=leg.symbol,
            side=leg.side,
            order_type=request.order_type,
            quantity=parent.quantity * leg.ratio,
            time_in_force=request.time_in_force,
            since=parent.since,
            submitted_at=parent.since,
            updated_at=parent.since,
            status=parent.status,
            working=False,
            limit=None,
            order_class=OrderClass.MLEG,
            role=Role.LEG,
            parent=request.client_id,
            ratio=leg.ratio,
            position_intent=intent,
            expires_at=parent.expires_at,
        )
        for place, (leg, intent) in enumerate(zip(request.legs, intents, strict=True), 1)
    )


def replacement(old: Ticket, amendment: Amendment, arrival: Arrival) -> Ticket:
    """The order that takes the place of ``old``: what is left of it, with the changes. Reserves nothing yet."""
    quantity = old.quantity if amendment.quantity is None else amendment.quantity
    trail = amendment.trail
    return replace(
        old,
        number=arrival.number,
        venue_id=venue_id(arrival.account_id, arrival.number),
        client_id=amendment.client_id,
        quantity=quantity - old.filled,
        filled=ZERO,
        average_price=None,
        filled_at=None,
        time_in_force=amendment.time_in_force or old.time_in_force,
        limit=old.limit if amendment.limit is None else amendment.limit,
        stop=old.stop if amendment.stop is None else amendment.stop,
        trail_price=trail if trail is not None and old.trail_price is not None else old.trail_price,
        trail_percent=trail if trail is not None and old.trail_percent is not None else old.trail_percent,
        since=arrival.at,
        submitted_at=arrival.at,
        updated_at=arrival.at,
        status=Status.HELD if old.status is Status.HELD or _waits(old) else _fresh(arrival),
        expires_at=arrival.expires_at,
        reserved=ZERO,
        triggered=old.triggered and amendment.stop is None and amendment.trail is None,
        pending=None,
        replaces=old.venue_id,
        reason="",
    )


def _waits(old: Ticket) -> bool:
    return old.pending is not None and old.pending.before is Status.HELD


def _fresh(arrival: Arrival) -> Status:
    return Status.NEW if arrival.open else Status.ACCEPTED


def _exit_type(*, stops: bool, limited: bool) -> OrderType:
    if not stops:
        return OrderType.LIMIT
    return OrderType.STOP_LIMIT if limited else OrderType.STOP


def _closing(side: Side) -> PositionIntent:
    return PositionIntent.SELL_TO_CLOSE if side is Side.SELL else PositionIntent.BUY_TO_CLOSE
