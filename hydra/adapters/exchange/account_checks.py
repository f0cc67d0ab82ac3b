"""Checks of an order against what the account has: its position, its permissions, and its other working orders."""

from __future__ import annotations

from decimal import Decimal

from hydra.adapters.exchange.facts import Facts
from hydra.adapters.exchange.model import Ticket
from hydra.adapters.exchange.terms import No, OrderClass, PositionIntent, Rejection, Request, Role, refuse
from hydra.model.market import AssetClass
from hydra.model.money import ZERO, plain
from hydra.model.orders import OrderType, Side

_C = OrderClass


def intent_is_true(request: Request, facts: Facts) -> Rejection | None:
    """What the order says of opening or closing is what it would do."""
    wanted = request.position_intent
    if wanted is None:
        return None
    if wanted.side is not request.side:
        return refuse(f"position_intent {wanted} does not go with a {request.side}")
    if wanted.opens is not facts.intent.opens:
        return refuse(f"position intent mismatch, inferred: {facts.intent}, specified: {wanted}")
    return None


def level_allows(request: Request, facts: Facts) -> Rejection | None:
    """Level 1 writes contracts that are backed by shares or cash, level 2 buys them; closing is always allowed."""
    if facts.instrument.asset_class is not AssetClass.OPTION or not facts.intent.opens:
        return None
    needed = 1 if request.side is Side.SELL else 2
    if facts.level >= needed:
        return None
    what = "writing" if request.side is Side.SELL else "buying"
    return refuse(f"{what} contracts needs options level {needed}, it is {facts.level}", No.NOT_PERMITTED)


def may_short(request: Request, facts: Facts) -> Rejection | None:
    """Shares are sold short only where the venue and the account allow it; coins never."""
    if facts.intent is not PositionIntent.SELL_TO_OPEN or facts.instrument.asset_class is AssetClass.OPTION:
        return None
    quantity = ZERO if request.quantity is None else request.quantity
    if facts.instrument.asset_class is AssetClass.CRYPTO or not facts.settings.shorting:
        return refuse(
            f"insufficient qty available for {request.symbol}: requested {plain(quantity)}, available 0, "
            f"held_for_orders {plain(facts.held)}, position 0; short positions are not offered",
            No.INSUFFICIENT_QUANTITY,
            symbol=request.symbol,
            available=ZERO,
            existing_qty=ZERO,
            held_for_orders=facts.held,
            requested=quantity,
        )
    if facts.account.configuration.no_shorting:
        return refuse("account is not allowed to short", No.NOT_PERMITTED)
    if request.notional is not None:
        return refuse("fractional orders cannot be sold short", No.NOT_PERMITTED)
    return None


def group_has_its_way(request: Request, facts: Facts) -> Rejection | None:
    """An oco order gets out of a position; what brings exits along gets into one."""
    if request.order_class is _C.OCO and facts.intent.opens:
        return refuse("oco orders must be exit orders, and there is no position to get out of")
    if request.order_class in (_C.BRACKET, _C.OTO) and not facts.intent.opens:
        return refuse(f"the entry of a {request.order_class} order must open a position, this would be {facts.intent}")
    return None


def owned(request: Request, facts: Facts) -> Rejection | None:
    """What is sold (or bought back) is there, and not reserved by other orders."""
    if facts.intent.opens:
        return None
    quantity = request.quantity if request.quantity is not None else _worth(request, facts)
    owned, available = abs(facts.position), facts.available
    if quantity <= available:
        return None
    locked = owned - facts.held - available
    why = f"; {plain(locked)} stand behind written calls" if locked > 0 else ""
    return refuse(
        f"insufficient qty available for {request.symbol}: requested {plain(quantity)}, "
        f"available {plain(available)}, held_for_orders {plain(facts.held)}, position {plain(owned)}{why}",
        No.INSUFFICIENT_QUANTITY,
        symbol=request.symbol,
        available=available,
        existing_qty=owned,
        held_for_orders=facts.held,
        requested=quantity,
    )


def _worth(request: Request, facts: Facts) -> Decimal:
    price = facts.expected(request)
    assert request.notional is not None
    assert price is not None
    return (request.notional / price).quantize(facts.instrument.quantity_increment, rounding="ROUND_DOWN")


def one_direction(request: Request, facts: Facts) -> Rejection | None:
    """No order opens a position on one side while another would open it on the other."""
    for other in facts.others:
        if facts.intent.opens and other.side is not request.side and _opens(other):
            short = "short sell" if request.side is Side.SELL else "long buy"
            kept = "long buy" if request.side is Side.SELL else "short sell"
            return Rejection(
                kind=No.WASH_TRADE,
                reason=f"cannot open a {short} while a {kept} order is open ({other.client_id})",
                order=other.venue_id,
            )
    return None


def _opens(ticket: Ticket) -> bool:
    return ticket.position_intent is not None and ticket.position_intent.opens


def no_wash_trade(request: Request, facts: Facts) -> Rejection | None:
    """Two simple orders of one account that could trade with each other are not both taken."""
    if not facts.settings.wash_trade_protection or request.order_class is not _C.SIMPLE:
        return None
    for other in facts.others:
        if other.side is request.side or other.role is not Role.ALONE:
            continue
        if could_meet(request, other):
            return Rejection(
                kind=No.WASH_TRADE,
                reason="potential wash trade detected. use complex orders",
                figures={"reject_reason": f"opposite side {other.order_type} order exists"},
                order=other.venue_id,
            )
    return None


def could_meet(request: Request | Ticket, other: Ticket) -> bool:
    """Whether two orders on opposite sides could trade with each other."""
    if request.order_type is not OrderType.LIMIT or other.order_type is not OrderType.LIMIT:
        return True
    assert request.limit is not None
    assert other.limit is not None
    return request.limit >= other.limit if request.side is Side.BUY else request.limit <= other.limit
