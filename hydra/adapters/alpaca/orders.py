"""An order as it is sent to Alpaca, and what keeps it from being sent at all.

alpaca-py's own request models turn prices into binary floats, and take a quantity of -5 or NaN, a limit of -1 and
0.30000000000000004 without a word. So they are not used: the body is built here, its numbers exact and as strings, after every
one of them has been checked as a ``Decimal``.

    order                                  class                  legs
    -------------------------------------  ---------------------  -----------------------------------------
    shares, with protection                oto, with a target     stop_loss, take_profit
                                           bracket
    pairs and contracts (``account_rules``) simple                 none: protected by an order of its own
    in several contracts                   mleg                   each with ratio, side and position intent
    a structure of one contract            simple                 none: a plain order for that contract

The net price of an order in several contracts is a debit above zero and a credit below: its side is in the sign.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from hydra.adapters.account_rules import exits_of, force_of
from hydra.adapters.alpaca.terms import FORCES, MLEG, SIDES, TYPES, digits, venue_symbol
from hydra.model.errors import Invalid
from hydra.model.market import AssetClass, Instrument, asset_class_of
from hydra.model.money import plain
from hydra.model.orders import CLIENT_ID_MAX_LENGTH, Order, Side, VenueOrder
from hydra.model.values import positive

INTENTS: Mapping[tuple[Side, bool], str] = {
    (Side.BUY, True): "buy_to_open",
    (Side.BUY, False): "buy_to_close",
    (Side.SELL, True): "sell_to_open",
    (Side.SELL, False): "sell_to_close",
}
"""By side, and whether it adds to a position."""
_SUB_DOLLAR = Decimal("0.0001")
"""The increment of a share's price below one dollar (SEC Rule 612)."""
_NET_CENT = Decimal("0.01")


def body_of(order: Order) -> dict[str, Any]:
    """The body of the request that places ``order``."""
    body: dict[str, Any] = {
        "client_order_id": order.client_id,
        "qty": digits(order.quantity),
        "type": TYPES[order.order_type],
        "time_in_force": FORCES[force_of(order)],
    }
    if order.limit is not None:
        body["limit_price"] = digits(order.limit)
    if order.stop is not None:
        body["stop_price"] = digits(order.stop)
    return body | (_alone(order) if not order.legs else _in_legs(order) if len(order.legs) > 1 else _in_one(order))


def unfit(order: Order, instrument: Instrument | None) -> str:
    """Why ``order`` must not be sent, with numbers; empty when nothing is wrong. ``instrument`` is ``None`` when not known."""
    try:
        for check in _CHECKS:
            check(order, instrument)
    except Invalid as error:
        return str(error)
    return ""


def differences(order: Order, report: VenueOrder) -> str:
    """In what the order that the venue shows is not the one that was asked for; empty when it is that one."""
    one = order.legs[0] if len(order.legs) == 1 else None
    pairs = {
        "client_order_id": (order.client_id, report.client_id),
        "symbol": (order.symbol if one is None else one.symbol, report.symbol),
        "type": (order.order_type, report.order_type),
        "qty": (plain(order.quantity), plain(report.quantity)),
    }
    if one is not None:
        pairs["side"] = (one.side, report.side)
    elif not (order.legs and order.limit is None):
        # In several contracts at the market nothing says who pays whom.
        pairs["side"] = (order.side, report.side)
    wrong = (f"{name} {theirs} for {ours}" for name, (ours, theirs) in pairs.items() if ours != theirs)
    return ", ".join(wrong)


def _alone(order: Order) -> dict[str, Any]:
    body: dict[str, Any] = {"symbol": venue_symbol(order.symbol), "side": SIDES[order.side]}
    if asset_class_of(order.symbol) is AssetClass.OPTION:
        body["position_intent"] = INTENTS[order.side, not order.purpose.reduces]
    exits = exits_of(order)
    if exits is not None:
        body["order_class"] = "oto" if exits.target is None else "bracket"
        body["stop_loss"] = {"stop_price": digits(exits.stop)}
        if exits.target is not None:
            body["take_profit"] = {"limit_price": digits(exits.target)}
    return body


def _in_one(order: Order) -> dict[str, Any]:
    (leg,) = order.legs
    return {"symbol": leg.symbol, "side": SIDES[leg.side], "position_intent": INTENTS[leg.side, leg.opens]}


def _in_legs(order: Order) -> dict[str, Any]:
    body: dict[str, Any] = {"order_class": MLEG}
    if order.limit is not None:
        body["limit_price"] = digits(order.limit * order.side.sign)
    body["legs"] = [
        {
            "symbol": leg.symbol,
            "ratio_qty": str(leg.ratio),
            "side": SIDES[leg.side],
            "position_intent": INTENTS[leg.side, leg.opens],
        }
        for leg in order.legs
    ]
    return body


def _has_an_id(order: Order, _: Instrument | None) -> None:
    if not 0 < len(order.client_id) <= CLIENT_ID_MAX_LENGTH:
        raise Invalid(f"the client id has {len(order.client_id)} characters; 1 to {CLIENT_ID_MAX_LENGTH} are taken")


def _has_a_symbol(order: Order, _: Instrument | None) -> None:
    for symbol in (order.symbol, *(leg.symbol for leg in order.legs)):
        asset_class_of(symbol)


def _is_of_numbers(order: Order, _: Instrument | None) -> None:
    positive("quantity", order.quantity)
    for name, price in _prices(order).items():
        positive(name, price)


def _is_whole(order: Order, _: Instrument | None) -> None:
    contracts = bool(order.legs) or asset_class_of(order.symbol) is AssetClass.OPTION
    if contracts and order.quantity != order.quantity.to_integral_value():
        raise Invalid(f"contracts are traded whole, got {plain(order.quantity)}")


def _pays_as_it_trades(order: Order, _: Instrument | None) -> None:
    """One contract is paid for when it is bought: there is no net price the other way."""
    if len(order.legs) == 1 and order.limit is not None and order.side is not order.legs[0].side:
        leg = order.legs[0]
        raise Invalid(f"a {leg.side} of {leg.symbol} alone cannot be a {order.side} at {digits(order.limit)}")


def _protects(order: Order, _: Instrument | None) -> None:
    entry = order.reference if order.limit is None else order.limit
    if order.protection is not None and entry is not None:
        order.protection.check_sides(order.side, entry)


def _fits_increments(order: Order, instrument: Instrument | None) -> None:
    if order.legs:
        if order.limit is not None:
            _multiple("limit", order.limit, _NET_CENT)
        return
    if instrument is None:
        return
    _multiple("quantity", order.quantity, instrument.quantity_increment)
    if order.quantity < instrument.minimum_quantity:
        raise Invalid(f"quantity {plain(order.quantity)} is below the minimum of {plain(instrument.minimum_quantity)}")
    for name, price in _prices(order).items():
        is_share = instrument.asset_class is AssetClass.EQUITY
        _multiple(name, price, _SUB_DOLLAR if is_share and price < 1 else instrument.price_increment)


_CHECKS: tuple[Callable[[Order, Instrument | None], None], ...] = (
    _has_an_id,
    _has_a_symbol,
    _is_of_numbers,
    _is_whole,
    _pays_as_it_trades,
    _protects,
    _fits_increments,
)


def _prices(order: Order) -> dict[str, Decimal]:
    """Every price that would be sent, by name."""
    prices = {"limit": order.limit, "stop": order.stop}
    exits = None if order.legs else exits_of(order)
    if exits is not None:
        prices |= {"protection.stop": exits.stop, "protection.target": exits.target}
    return {name: price for name, price in prices.items() if price is not None}


def _multiple(name: str, value: Decimal, increment: Decimal) -> None:
    if value % increment:
        raise Invalid(f"{name} {digits(value)} is not a multiple of {digits(increment)}")
