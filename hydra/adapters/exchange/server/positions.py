"""The routes of positions: see them, close them, exercise them.

The last day's price is that of the last regular close. Before the venue has seen a close of its own it is the last close in
the feed's history; where there is none either, the present price stands in and nothing has changed today.
Closing places a market order; the answer is that order, or the venue's refusal.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from starlette.responses import Response
from starlette.routing import BaseRoute

from hydra.adapters.exchange.interface import Held
from hydra.adapters.exchange.server import wire
from hydra.adapters.exchange.server.assets import exchange_of
from hydra.adapters.exchange.server.context import Ask, Context, endpoint
from hydra.adapters.exchange.server.errors import ApiError, bad_parameter, not_found, raise_refused, refused
from hydra.adapters.exchange.server.order_json import order_json
from hydra.adapters.exchange.server.orders import withdraw_all
from hydra.adapters.exchange.server.placing import new_client_id
from hydra.adapters.exchange.server.sessions import last_closed
from hydra.adapters.exchange.terms import Rejection, Request
from hydra.model.market import AssetClass, asset_class_of, multiplier_of
from hydra.model.money import ZERO, size_down
from hydra.model.orders import OrderType, Side, TimeInForce

HUNDRED = Decimal(100)
RATIO_PLACES = 10
MONEY_PLACES = 10


def routes(context: Context) -> list[BaseRoute]:
    """The routes of this module."""
    return [
        endpoint(context, "GET", "/v2/positions", listed),
        endpoint(context, "DELETE", "/v2/positions", close_all),
        endpoint(context, "POST", "/v2/positions/{symbol:path}/exercise", exercise),
        endpoint(context, "POST", "/v2/positions/{symbol:path}/do-not-exercise", decline),
        endpoint(context, "GET", "/v2/positions/{symbol:path}", one),
        endpoint(context, "DELETE", "/v2/positions/{symbol:path}", close),
    ]


def listed(context: Context, ask: Ask) -> Response:  # noqa: ARG001  # every handler has both parameters
    """Every position."""
    return wire.reply([position_json(context, held) for held in context.exchange.held()])


def one(context: Context, ask: Ask) -> Response:
    """One position by symbol or asset id."""
    return wire.reply(position_json(context, _held(context, ask)))


def close(context: Context, ask: Ask) -> Response:
    """Close a position, or a part of it by ``qty`` or ``percentage``."""
    held = _held(context, ask)
    return wire.reply(_close(context, held, _part(context, ask, held)))


def close_all(context: Context, ask: Ask) -> Response:
    """Close every position; with ``cancel_orders`` after cancelling what holds them back."""
    if ask.query.flag("cancel_orders"):
        list(withdraw_all(context))
    answers: list[dict[str, Any]] = []
    for held in context.exchange.held():
        answer: dict[str, Any] = {"symbol": wire.position_symbol(held.symbol)}
        try:
            answer |= {"status": 200, "body": _close(context, held, abs(held.quantity))}
        except ApiError as error:
            answer |= {"status": error.status, "body": error.body}
        answers.append(answer)
    return wire.reply(answers, 207)


def exercise(context: Context, ask: Ask) -> Response:
    """Exercise every long contract of a symbol."""
    return _done(context.exchange.exercise(_contract(context, ask)))


def decline(context: Context, ask: Ask) -> Response:
    """Have a contract lapse."""
    return _done(context.exchange.decline(_contract(context, ask)))


def _done(rejection: Rejection | None) -> Response:
    if rejection is not None:
        raise refused(rejection)
    return wire.nothing(200)


def _contract(context: Context, ask: Ask) -> str:
    text = ask.path["symbol"]
    symbol = context.symbols.find(text)
    owned = any(held.symbol == symbol and held.quantity > 0 for held in context.exchange.held())
    if symbol is None or not owned or asset_class_of(symbol) is not AssetClass.OPTION:
        raise not_found(f"long position not found: {text[:40]}")
    return symbol


def _held(context: Context, ask: Ask) -> Held:
    symbol = context.symbols.find(ask.path["symbol"])
    found = next((held for held in context.exchange.held() if held.symbol == symbol), None)
    if found is None:
        raise not_found("position does not exist")
    return found


def _part(context: Context, ask: Ask, held: Held) -> Decimal:
    """How much to close: all, a quantity, or a percentage rounded down to the increment."""
    quantity, percentage = ask.query.number("qty"), ask.query.number("percentage")
    if quantity is not None and percentage is not None:
        raise bad_parameter("only one of qty or percentage is accepted")
    if quantity is not None:
        if quantity <= 0:
            raise bad_parameter("qty must be > 0")
        return quantity
    if percentage is None:
        return abs(held.quantity)
    if not 0 < percentage <= HUNDRED:
        raise bad_parameter(f"percentage must be above 0 and at most 100, got {percentage}")
    if percentage == HUNDRED:
        return abs(held.quantity)
    instrument = context.exchange.instruments.get(held.symbol)
    part = abs(held.quantity) * percentage / HUNDRED
    rounded = part if instrument is None else size_down(part, instrument.quantity_increment)
    if rounded <= 0:
        raise bad_parameter(f"{percentage}% of {wire.number(held.quantity)} is less than can be traded")
    return rounded


def _close(context: Context, held: Held, quantity: Decimal) -> dict[str, Any]:
    """Place the order that closes; its JSON. Raises the refusal."""
    is_coin = asset_class_of(held.symbol) is AssetClass.CRYPTO
    placed = context.exchange.place(
        Request(
            client_id=new_client_id(context),
            symbol=held.symbol,
            side=Side.SELL if held.quantity > 0 else Side.BUY,
            order_type=OrderType.MARKET,
            time_in_force=TimeInForce.GTC if is_coin else TimeInForce.DAY,
            quantity=quantity,
        )
    )
    if isinstance(placed, Rejection):
        raise_refused(placed)
    return order_json(context.exchange, placed)


def position_json(context: Context, held: Held) -> dict[str, Any]:
    """A position as Alpaca shows it. Profits are in dollars before fees; fractions are of 1."""
    kind, units = asset_class_of(held.symbol), multiplier_of(held.symbol)
    last = _last_day_price(context, held)
    cost = held.quantity * held.average_price * units
    profit = held.quantity * (held.price - held.average_price) * units
    since_close = (held.quantity - held.today) * (held.price - last) * units
    intraday = since_close + held.today * (held.price - held.average_price) * units
    base = (held.quantity - held.today) * last * units + held.today * held.average_price * units
    return {
        "asset_id": wire.asset_id(held.symbol),
        "symbol": wire.position_symbol(held.symbol),
        "exchange": exchange_of(held.symbol),
        "asset_class": wire.ASSET_CLASSES[kind],
        "asset_marginable": kind is AssetClass.EQUITY and context.exchange.settings.multiplier > 1,
        "qty": wire.number(held.quantity),
        "qty_available": wire.number(held.available if held.quantity > 0 else -held.available),
        "avg_entry_price": wire.fixed(held.average_price, MONEY_PLACES),
        "side": "long" if held.quantity > 0 else "short",
        "market_value": wire.fixed(held.quantity * held.price * units, MONEY_PLACES),
        "cost_basis": wire.fixed(cost, MONEY_PLACES),
        "unrealized_pl": wire.fixed(profit, MONEY_PLACES),
        "unrealized_plpc": _ratio(profit, cost),
        "unrealized_intraday_pl": wire.fixed(intraday, MONEY_PLACES),
        "unrealized_intraday_plpc": _ratio(intraday, base),
        "current_price": wire.number(held.price),
        "lastday_price": wire.number(last),
        "change_today": _ratio(held.price - last, last),
    }


def _ratio(part: Decimal, whole: Decimal) -> str:
    return wire.fixed(part / abs(whole), RATIO_PLACES) if whole else "0"


def _last_day_price(context: Context, held: Held) -> Decimal:
    if held.closing_price is not None:
        return held.closing_price
    exchange = context.exchange
    day = last_closed(exchange.calendar, exchange.now)
    bars = () if day is None else exchange.feed.history(held.symbol, day.closes, 1)
    price = bars[-1].close if bars else held.price
    return price if price > ZERO else held.price
