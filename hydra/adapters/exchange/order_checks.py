"""Checks of an order as it is written: what goes with what, sizes and prices in their steps, exits on their side of the entry."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal
from enum import StrEnum

from hydra.adapters.exchange.facts import Facts
from hydra.adapters.exchange.model import VenueSettings
from hydra.adapters.exchange.terms import No, OrderClass, PositionIntent, Rejection, Request, refuse
from hydra.model.market import AssetClass, Instrument
from hydra.model.money import plain
from hydra.model.orders import OrderType, Side, TimeInForce

_T, _F, _C = OrderType, TimeInForce, OrderClass
_WHOLE = Decimal(1)
_ONE_DOLLAR = Decimal(1)
_PENNY, _SUB_PENNY = Decimal("0.01"), Decimal("0.0001")
_TRAIL_PERCENT_MAX = Decimal(100)

TYPES: dict[AssetClass, frozenset[OrderType]] = {
    AssetClass.EQUITY: frozenset(_T),
    AssetClass.CRYPTO: frozenset({_T.MARKET, _T.LIMIT, _T.STOP_LIMIT}),
    AssetClass.OPTION: frozenset({_T.MARKET, _T.LIMIT, _T.STOP, _T.STOP_LIMIT}),
}
FORCES: dict[AssetClass, frozenset[TimeInForce]] = {
    AssetClass.EQUITY: frozenset(_F),
    AssetClass.CRYPTO: frozenset({_F.GTC, _F.IOC}),
    AssetClass.OPTION: frozenset({_F.DAY, _F.GTC}),
}
CLASSES: dict[AssetClass, frozenset[OrderClass]] = {
    AssetClass.EQUITY: frozenset({_C.SIMPLE, _C.BRACKET, _C.OCO, _C.OTO}),
    AssetClass.CRYPTO: frozenset({_C.SIMPLE}),
    AssetClass.OPTION: frozenset({_C.SIMPLE, _C.MLEG}),
}
CRYPTO_EXITS = (TYPES[AssetClass.CRYPTO] | {_T.STOP}, CLASSES[AssetClass.CRYPTO] | {_C.BRACKET, _C.OTO})
"""The types and classes that pairs have where the settings allow them exits."""
FORCES_BY_TYPE: dict[OrderType, frozenset[TimeInForce]] = {
    _T.MARKET: frozenset(_F),
    _T.LIMIT: frozenset(_F),
    _T.STOP: frozenset({_F.DAY, _F.GTC}),
    _T.STOP_LIMIT: frozenset({_F.DAY, _F.GTC}),
    _T.TRAILING_STOP: frozenset({_F.DAY, _F.GTC}),
}
"""What goes with what. An order that waits for its stop cannot also ask to trade at once or in an auction."""


def kinds_fit(request: Request, facts: Facts) -> Rejection | None:
    """Type, time in force and class are offered for the asset class, and go with each other."""
    kind = facts.instrument.asset_class
    types, classes = TYPES[kind], CLASSES[kind]
    if kind is AssetClass.CRYPTO and facts.settings.crypto_exits:
        types, classes = CRYPTO_EXITS
    if request.order_type not in types:
        return _not_offered("order type", request.order_type, kind, types)
    if request.time_in_force not in FORCES[kind]:
        return _not_offered("time in force", request.time_in_force, kind, FORCES[kind])
    if request.order_class not in classes:
        return _not_offered("order class", request.order_class, kind, classes)
    if request.time_in_force not in FORCES_BY_TYPE[request.order_type]:
        return refuse(f"time in force {request.time_in_force} does not fit a {request.order_type} order")
    if facts.too_late:
        return refuse(facts.too_late)
    return None


def _not_offered(name: str, given: StrEnum, kind: AssetClass, allowed: Collection[StrEnum]) -> Rejection:
    return refuse(f"{name} {given} is not offered for {kind}; there are {', '.join(sorted(allowed))}")


def prices_are_those_of_the_type(request: Request, _facts: Facts) -> Rejection | None:
    """An order has the prices its type needs, and no others."""
    kind = request.order_type
    for name, given, needed in (
        ("limit", request.limit, kind in (_T.LIMIT, _T.STOP_LIMIT)),
        ("stop", request.stop, kind in (_T.STOP, _T.STOP_LIMIT)),
    ):
        if needed and given is None:
            return refuse(f"a {kind} order needs a {name} price")
        if not needed and given is not None:
            return refuse(f"a {kind} order has no {name} price, got {plain(given)}")
        if given is not None and given <= 0:
            return refuse(f"the {name} price must be above 0, got {plain(given)}")
    trails = (request.trail_price is not None) + (request.trail_percent is not None)
    if trails != (1 if kind is _T.TRAILING_STOP else 0):
        return refuse(f"one of trail_price and trail_percent belongs to a trailing stop and only to it, got {trails}")
    if request.trail_percent is not None and request.trail_percent >= _TRAIL_PERCENT_MAX:
        return refuse(f"trail_percent must be below 100, got {plain(request.trail_percent)}")
    return None


def class_is_whole(request: Request, _facts: Facts) -> Rejection | None:
    """An order has the exits its class needs, and no others."""
    take, stop, kind = request.take_profit, request.stop_loss, request.order_class
    if request.stop_loss_limit is not None and stop is None:
        return refuse("stop_loss has a limit price but no stop price")
    if kind is _C.SIMPLE:
        given = take is not None or stop is not None
        return refuse("take_profit and stop_loss need order class bracket, oto or oco, got simple") if given else None
    if kind in (_C.BRACKET, _C.OCO) and (take is None or stop is None):
        return refuse(f"a {kind} order needs take_profit.limit_price and stop_loss.stop_price")
    if kind is _C.OTO and (take is None) is (stop is None):
        return refuse("an oto order needs take_profit or stop_loss, and only one of them")
    if kind is _C.OCO and request.order_type is not _T.LIMIT:
        return refuse(f"an oco order is of type limit, got {request.order_type}")
    return None


def group_is_plain(request: Request, _facts: Facts) -> Rejection | None:
    """An order with exits has none of what only simple orders may have."""
    kind = request.order_class
    if kind is _C.SIMPLE:
        return None
    if request.order_type is _T.TRAILING_STOP:
        return refuse(f"a trailing stop cannot be the entry of a {kind} order")
    if request.notional is not None or request.extended_hours:
        return refuse(f"a {kind} order has no notional size and no extended hours")
    if request.time_in_force not in (_F.DAY, _F.GTC):
        return refuse(f"a {kind} order is day or gtc, got {request.time_in_force}")
    if request.exits_force not in (None, _F.DAY, _F.GTC):
        return refuse(f"the exits of a {kind} order are day or gtc, got {request.exits_force}")
    return None


def extended_hours_fit(request: Request, facts: Facts) -> Rejection | None:
    """Only limit orders for shares work outside the session; coins trade at any hour."""
    if not request.extended_hours or facts.instrument.asset_class is AssetClass.CRYPTO:
        return None
    fits = request.order_type is _T.LIMIT and request.time_in_force in (_F.DAY, _F.GTC)
    if fits and facts.instrument.asset_class is AssetClass.EQUITY:
        return None
    return refuse("extended hours orders are limit orders for shares with time in force day or gtc")


def size_fits(request: Request, facts: Facts) -> Rejection | None:
    """One size, in the instrument's steps and not below its least."""
    instrument, quantity = facts.instrument, request.quantity
    if (quantity is None) is (request.notional is None):
        return refuse("one of qty and notional is required, and only one of them")
    if quantity is None:
        return _notional_fits(request, facts)
    if quantity % instrument.quantity_increment != 0:
        return refuse(
            f"quantity {plain(quantity)} of {request.symbol} is not a multiple of {plain(instrument.quantity_increment)}"
        )
    if quantity < instrument.minimum_quantity:
        return refuse(
            f"quantity {plain(quantity)} of {request.symbol} is below the minimum of {plain(instrument.minimum_quantity)}"
        )
    if instrument.asset_class is AssetClass.EQUITY and quantity % _WHOLE != 0:
        return _fraction_fits(request, facts)
    return None


def _notional_fits(request: Request, facts: Facts) -> Rejection | None:
    assert request.notional is not None
    kind = facts.instrument.asset_class
    if kind is AssetClass.OPTION:
        return refuse("option orders are sized in contracts, not by notional")
    if request.notional % _PENNY != 0:
        return refuse(f"notional {plain(request.notional)} has more than two decimal places")
    if request.notional < _ONE_DOLLAR:
        return refuse(f"notional {plain(request.notional)} is below the minimum of 1")
    if request.order_type not in (_T.MARKET, _T.LIMIT):
        return refuse(f"orders by notional are market or limit orders, got {request.order_type}")
    return None if kind is AssetClass.CRYPTO else _fraction_fits(request, facts)


def _fraction_fits(request: Request, facts: Facts) -> Rejection | None:
    if not facts.settings.fractional or not facts.account.configuration.fractional_trading:
        return refuse(f"{request.symbol} is traded in whole shares in this account")
    if request.time_in_force is not _F.DAY:
        return refuse(f"fractional orders must be DAY orders, got {request.time_in_force}")
    if request.order_type is _T.TRAILING_STOP or request.order_class is not _C.SIMPLE:
        return refuse("fractional orders are simple market, limit, stop or stop-limit orders")
    if facts.intent is PositionIntent.SELL_TO_OPEN:
        return refuse("fractional orders cannot be sold short", No.NOT_PERMITTED)
    return None


def price_step(instrument: Instrument, settings: VenueSettings, price: Decimal) -> Decimal:
    """What a price of an order must be a multiple of: cents, and below a dollar hundredths of them in fractional accounts."""
    if settings.fractional and instrument.asset_class is AssetClass.EQUITY:
        return _PENNY if price >= _ONE_DOLLAR else _SUB_PENNY
    return instrument.price_increment


def prices_fit(request: Request, facts: Facts) -> Rejection | None:
    """Every price is a multiple of its step."""
    for name, price in (
        ("limit", request.limit),
        ("stop", request.stop),
        ("protective stop", request.stop_loss),
        ("limit of the protective stop", request.stop_loss_limit),
        ("target", request.take_profit),
        ("trail", request.trail_price),
    ):
        if price is None:
            continue
        increment = price_step(facts.instrument, facts.settings, price)
        if price % increment != 0:
            return refuse(f"{name} {plain(price)} of {request.symbol} is not a multiple of {plain(increment)}")
    return None


def price_is_known(request: Request, facts: Facts) -> Rejection | None:
    """Without a price nothing can be said of an order's worth."""
    if facts.expected(request) is None or (request.order_type is _T.TRAILING_STOP and facts.last is None):
        return refuse(f"no price of {request.symbol} is known yet", No.NOT_TRADABLE)
    return None


def worth_enough(request: Request, facts: Facts) -> Rejection | None:
    """An order is worth at least the instrument's least notional, in dollars."""
    price = facts.expected(request)
    if price is None or request.quantity is None:
        return None
    notional, minimum = price * request.quantity * facts.instrument.multiplier, facts.instrument.minimum_notional
    if notional < minimum:
        return refuse(f"notional {plain(notional)} of {request.symbol} is below the minimum of {plain(minimum)}")
    return None


def exits_fit(request: Request, facts: Facts) -> Rejection | None:
    """The stop loses and the target wins, seen from the position that they protect."""
    take, stop, kind = request.take_profit, request.stop_loss, request.order_class
    if kind is _C.SIMPLE:
        return None
    side = request.side.opposite if kind is _C.OCO else request.side
    reference = facts.last if request.limit is None and request.stop is None else facts.expected(request)
    if reference is None:
        return refuse(f"no price of {request.symbol} is known yet", No.NOT_TRADABLE)
    if kind is _C.OCO:
        assert stop is not None
        assert take is not None
        if take != request.limit:
            return refuse(f"an oco order's limit price is its take_profit.limit_price, got {request.limit} and {take}")
        return None if (take - stop) * side.sign > 0 else refuse(_wrong_sides(take, stop, request.side))
    for exit_price, sign, word in (
        (stop, side.sign, "stop_loss.stop_price"),
        (take, -side.sign, "take_profit.limit_price"),
    ):
        if exit_price is not None and (reference - exit_price) * sign <= 0:
            wanted = "below" if sign > 0 else "above"
            return refuse(f"{word} must be {wanted} the entry: {plain(exit_price)}, entry {plain(reference)}")
    if request.stop_loss_limit is not None and stop is not None and (stop - request.stop_loss_limit) * side.sign < 0:
        return refuse(
            f"the limit of the protective stop {plain(request.stop_loss_limit)} is beyond its stop {plain(stop)}"
        )
    return None


def _wrong_sides(take: Decimal, stop: Decimal, side: Side) -> str:
    word = "below" if side is Side.SELL else "above"
    return f"the stop of a {side} oco must be {word} its limit: stop {plain(stop)}, limit {plain(take)}"
