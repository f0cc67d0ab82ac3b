"""From a request's JSON to what the venue is asked: a ``Request`` or an ``Amendment``.

Only shape is checked here: types, required fields, what cannot stand together. Whether the order makes sense is the venue's
to say. Fields that would change how an order executes and that the venue has no notion of are refused, not ignored.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeVar

from hydra.adapters.exchange.server import wire
from hydra.adapters.exchange.server.context import Context
from hydra.adapters.exchange.server.errors import UNPROCESSABLE, ApiError, bad_parameter
from hydra.adapters.exchange.server.params import Body
from hydra.adapters.exchange.terms import Amendment, OrderClass, PositionIntent, Request, RequestLeg
from hydra.model.errors import Invalid
from hydra.model.market import AssetClass, asset_class_of
from hydra.model.orders import OrderType, Side, TimeInForce

T = TypeVar("T")

CLIENT_ID_MAX = 128
LEGS_MAX = 4


class _Class(StrEnum):
    """Order classes as they are written; the empty one is simple, and so is none at all."""

    SIMPLE = "simple"
    BRACKET = "bracket"
    OCO = "oco"
    OTO = "oto"
    MLEG = "mleg"


def unknown_asset(text: str) -> ApiError:
    """422: there is no such asset."""
    shown = text[:40]
    candidates = wire.canonical_symbols(text.upper())
    is_option = bool(candidates) and asset_class_of(candidates[0]) is AssetClass.OPTION
    return ApiError(422, UNPROCESSABLE, f'{"contract" if is_option else "asset"} "{shown}" not found')


def read_request(context: Context, body: Body) -> Request:
    """The order that is asked for."""
    order_type, life = _required(body)
    order_class = OrderClass((body.chosen("order_class", _Class) or _Class.SIMPLE).value)
    if "advanced_instructions" in body:
        raise bad_parameter("advanced_instructions are not supported")
    quantity, notional = _size(body, order_class)
    legs = _legs(context, body, order_class)
    intent = body.chosen("position_intent", PositionIntent)
    target, stop = body.part("take_profit"), body.part("stop_loss")
    limit = body.number("limit_price")
    take_profit = None if target is None else target.positive("limit_price")
    if order_class is OrderClass.OCO:
        limit, take_profit = limit or take_profit, take_profit or limit
    return _checked(
        Request,
        client_id=client_id(context, body),
        symbol="" if legs else _symbol(context, body),
        side=Side.BUY if legs else _side(body, intent),
        order_type=order_type,
        time_in_force=life,
        quantity=quantity,
        notional=notional,
        limit=limit if order_class is OrderClass.MLEG else _above_zero("limit_price", limit),
        stop=body.positive("stop_price"),
        trail_price=body.positive("trail_price"),
        trail_percent=body.positive("trail_percent"),
        extended_hours=body.flag("extended_hours") or False,
        order_class=order_class,
        take_profit=take_profit,
        stop_loss=None if stop is None else stop.positive("stop_price"),
        stop_loss_limit=None if stop is None else stop.positive("limit_price"),
        legs=legs,
        position_intent=intent,
    )


def read_amendment(context: Context, body: Body) -> Amendment:
    """What is to change in an order."""
    for name in ("notional", "advanced_instructions"):
        if name in body:
            raise bad_parameter(f"{name} cannot be replaced")
    changes = ("qty", "time_in_force", "limit_price", "stop_price", "trail")
    if not any(name in body for name in changes) and "client_order_id" not in body:
        raise ApiError(422, UNPROCESSABLE, "order parameters are not changed")
    return _checked(
        Amendment,
        client_id=client_id(context, body),
        quantity=body.positive("qty"),
        time_in_force=body.chosen("time_in_force", TimeInForce),
        limit=body.number("limit_price"),
        stop=body.positive("stop_price"),
        trail=body.positive("trail"),
    )


def client_id(context: Context, body: Body) -> str:
    """The client order id that was sent, or a new one that follows from the number of orders there are."""
    return body.text("client_order_id", longest=CLIENT_ID_MAX) or new_client_id(context)


def new_client_id(context: Context) -> str:
    """An id that no order has: equal histories give equal ids."""
    exchange = context.exchange
    account, number = exchange.state().account_id, exchange.taken + 1
    while exchange.ticket_named(made := wire.made_id("client", account, number)) is not None:
        number += 1
    return made


def _checked(make: Callable[..., T], **fields: Any) -> T:
    """The value, or a refusal that says what it cannot be."""
    try:
        return make(**fields)
    except Invalid as error:
        raise bad_parameter(str(error)) from error


def _required(body: Body) -> tuple[OrderType, TimeInForce]:
    order_type, life = body.chosen("type", OrderType), body.chosen("time_in_force", TimeInForce)
    if order_type is None:
        raise bad_parameter("type is required")
    if life is None:
        raise bad_parameter("time_in_force is required")
    return order_type, life


def _size(body: Body, order_class: OrderClass) -> tuple[Decimal | None, Decimal | None]:
    quantity, notional = body.positive("qty"), body.positive("notional")
    if quantity is not None and notional is not None:
        raise bad_parameter("only one of qty or notional is accepted")
    if quantity is None and notional is None:
        raise bad_parameter("qty is required" if order_class is OrderClass.MLEG else "qty or notional is required")
    return quantity, notional


def _symbol(context: Context, body: Body) -> str:
    text = body.text("symbol")
    if not text:
        raise bad_parameter("symbol is required")
    found = context.symbols.find(text)
    if found is None:
        raise unknown_asset(text)
    return found


def _side(body: Body, intent: PositionIntent | None) -> Side:
    side = body.chosen("side", Side)
    if side is None:
        raise bad_parameter("side is required")
    if intent is not None and intent.side is not side:
        raise ApiError(422, UNPROCESSABLE, f"position intent mismatch, side: {side}, specified: {intent}")
    return side


def _above_zero(name: str, value: Decimal | None) -> Decimal | None:
    if value is not None and value <= 0:
        raise bad_parameter(f"{name} must be > 0")
    return value


def _legs(context: Context, body: Body, order_class: OrderClass) -> tuple[RequestLeg, ...]:
    parts = body.parts("legs")
    if order_class is not OrderClass.MLEG:
        if parts:
            raise bad_parameter("legs are only allowed for mleg orders")
        return ()
    if "symbol" in body:
        raise bad_parameter("symbol is not allowed for mleg order")
    if not 1 <= len(parts) <= LEGS_MAX:
        raise bad_parameter(f"mleg orders must have 2 to {LEGS_MAX} legs, got {len(parts)}")
    return tuple(_leg(context, part) for part in parts)


def _leg(context: Context, part: Body) -> RequestLeg:
    intent, side = part.chosen("position_intent", PositionIntent), part.chosen("side", Side)
    if intent is None and side is None:
        raise bad_parameter(f"{part.named('side')} or position_intent is required")
    if intent is not None and side is not None and intent.side is not side:
        raise bad_parameter(f"{part.named('side')} is {side}, which is not the side of {intent}")
    ratio = part.whole("ratio_qty")
    if ratio is None or ratio <= 0:
        raise bad_parameter(f"{part.named('ratio_qty')} must be > 0")
    if side is None and intent is not None:
        side = intent.side
    assert side is not None, "one of the two was given"
    return RequestLeg(symbol=_symbol(context, part), ratio=ratio, side=side, position_intent=intent)
