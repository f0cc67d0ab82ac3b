"""Whether the venue takes an order: one table of checks, each with a reason that carries the numbers.

Pure. The first check that objects decides; an order that none objects to is taken. Orders of several legs have a table of
their own in ``spreads``.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from hydra.adapters.exchange.model import AccountState, Ticket, VenueSettings
from hydra.adapters.exchange.terms import No, OrderClass, PositionIntent, Rejection, Request, Role
from hydra.model.market import AssetClass, Instrument
from hydra.model.money import ZERO, plain
from hydra.model.orders import OrderType, Side, TimeInForce
from hydra.model.values import Value

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
CRYPTO_EXITS = (frozenset({_T.STOP}), frozenset({_C.BRACKET, _C.OTO}))
"""The types and classes that pairs have besides, where the settings allow it."""
FORCES_BY_TYPE: dict[OrderType, frozenset[TimeInForce]] = {
    _T.MARKET: frozenset(_F),
    _T.LIMIT: frozenset(_F),
    _T.STOP: frozenset({_F.DAY, _F.GTC}),
    _T.STOP_LIMIT: frozenset({_F.DAY, _F.GTC}),
    _T.TRAILING_STOP: frozenset({_F.DAY, _F.GTC}),
}
"""What goes with what. An order that waits for its stop cannot also ask to trade at once or in an auction."""


class Facts(Value, frozen=True, kw_only=True):
    """What the venue knows when an order arrives.

    ``far`` is the price on the far side of the market, ``last`` the middle of it or the last close; both may be unknown.
    ``position`` (signed) and ``held`` are quantities of the symbol: owned, and of that reserved by open orders to close;
    ``available`` is what may still be closed, which is less than their difference where shares stand behind written calls.
    ``level`` is the options level that counts.
    ``others`` are the working orders on the other side. ``closed`` says why the symbol cannot be traded at all, ``too_late``
    why an auction can no longer be joined.
    """

    instrument: Instrument
    settings: VenueSettings
    account: AccountState
    intent: PositionIntent
    position: Decimal
    held: Decimal
    available: Decimal
    level: int = 3
    far: Decimal | None = None
    last: Decimal | None = None
    others: tuple[Ticket, ...] = ()
    closed: str = ""
    too_late: str = ""

    def expected(self, request: Request) -> Decimal | None:
        """The price an order is worth its limit, its stop or the market at; ``None`` when no price is known."""
        if request.limit is not None:
            return request.limit
        return request.stop if request.stop is not None else self.far


def refusal(request: Request, facts: Facts) -> Rejection | None:
    """Why the order is not taken; ``None`` when nothing but buying power can still stand in its way."""
    for check in _CHECKS:
        no = check(request, facts)
        if no is not None:
            return no
    return None


def blocked(account: AccountState) -> Rejection | None:
    """Why nothing may be ordered at all."""
    reasons = (
        ("the account is blocked", account.account_blocked),
        ("trading is blocked", account.trading_blocked),
        (
            "new orders are suspended by the account's configuration (suspend_trade)",
            account.configuration.suspend_trade,
        ),
        (f"the account is {account.status}, not ACTIVE", account.status != "ACTIVE"),
    )
    found = [reason for reason, holds in reasons if holds]
    return Rejection(kind=No.ACCOUNT_BLOCKED, reason="; ".join(found)) if found else None


def refuse(reason: str, kind: No = No.INVALID, **figures: Decimal | str) -> Rejection:
    """A refusal with its figures written out."""
    written = {name: each if isinstance(each, str) else plain(each) for name, each in figures.items()}
    return Rejection(kind=kind, reason=reason, figures=written)


def _not_blocked(_request: Request, facts: Facts) -> Rejection | None:
    return blocked(facts.account)


def _tradable(request: Request, facts: Facts) -> Rejection | None:
    return refuse(facts.closed, No.NOT_TRADABLE, symbol=request.symbol) if facts.closed else None


def _kinds_fit(request: Request, facts: Facts) -> Rejection | None:
    kind = facts.instrument.asset_class
    exits_too = kind is AssetClass.CRYPTO and facts.settings.crypto_exits
    for name, given, allowed in (
        ("order type", request.order_type, TYPES[kind] | CRYPTO_EXITS[0] if exits_too else TYPES[kind]),
        ("time in force", request.time_in_force, FORCES[kind]),
        ("order class", request.order_class, CLASSES[kind] | CRYPTO_EXITS[1] if exits_too else CLASSES[kind]),
    ):
        if given not in allowed:
            return refuse(f"{name} {given} is not offered for {kind}; there are {', '.join(sorted(allowed))}")
    if request.time_in_force not in FORCES_BY_TYPE[request.order_type]:
        return refuse(f"time in force {request.time_in_force} does not fit a {request.order_type} order")
    if facts.too_late:
        return refuse(facts.too_late)
    return None


def _prices_are_those_of_the_type(request: Request, _facts: Facts) -> Rejection | None:
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
    trails = [each for each in (request.trail_price, request.trail_percent) if each is not None]
    if len(trails) != (1 if kind is _T.TRAILING_STOP else 0):
        return refuse(
            f"one of trail_price and trail_percent belongs to a trailing stop and only to it, got {len(trails)}"
        )
    if request.trail_percent is not None and request.trail_percent >= _TRAIL_PERCENT_MAX:
        return refuse(f"trail_percent must be below 100, got {plain(request.trail_percent)}")
    return None


def _class_is_whole(request: Request, _facts: Facts) -> Rejection | None:
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


def _group_is_plain(request: Request, _facts: Facts) -> Rejection | None:
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


def _extended_hours_fit(request: Request, facts: Facts) -> Rejection | None:
    if not request.extended_hours or facts.instrument.asset_class is AssetClass.CRYPTO:
        return None
    fits = request.order_type is _T.LIMIT and request.time_in_force in (_F.DAY, _F.GTC)
    if fits and facts.instrument.asset_class is AssetClass.EQUITY:
        return None
    return refuse("extended hours orders are limit orders for shares with time in force day or gtc")


def _size_fits(request: Request, facts: Facts) -> Rejection | None:
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


def _prices_fit(request: Request, facts: Facts) -> Rejection | None:
    named = {
        "limit": request.limit,
        "stop": request.stop,
        "protective stop": request.stop_loss,
        "limit of the protective stop": request.stop_loss_limit,
        "target": request.take_profit,
        "trail": request.trail_price,
    }
    for name, price in named.items():
        if price is None:
            continue
        increment = price_step(facts.instrument, facts.settings, price)
        if price % increment != 0:
            return refuse(f"{name} {plain(price)} of {request.symbol} is not a multiple of {plain(increment)}")
    return None


def _price_is_known(request: Request, facts: Facts) -> Rejection | None:
    if facts.expected(request) is None or (request.order_type is _T.TRAILING_STOP and facts.last is None):
        return refuse(f"no price of {request.symbol} is known yet", No.NOT_TRADABLE)
    return None


def _worth_enough(request: Request, facts: Facts) -> Rejection | None:
    price = facts.expected(request)
    if price is None or request.quantity is None:
        return None
    notional, minimum = price * request.quantity * facts.instrument.multiplier, facts.instrument.minimum_notional
    if notional < minimum:
        return refuse(f"notional {plain(notional)} of {request.symbol} is below the minimum of {plain(minimum)}")
    return None


def _exits_fit(request: Request, facts: Facts) -> Rejection | None:
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


def _intent_is_true(request: Request, facts: Facts) -> Rejection | None:
    wanted = request.position_intent
    if wanted is None:
        return None
    if wanted.side is not request.side:
        return refuse(f"position_intent {wanted} does not go with a {request.side}")
    if wanted.opens is not facts.intent.opens:
        return refuse(f"position intent mismatch, inferred: {facts.intent}, specified: {wanted}")
    return None


def _owned(request: Request, facts: Facts) -> Rejection | None:
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


def _level_allows(request: Request, facts: Facts) -> Rejection | None:
    """Level 1 writes contracts that are backed by shares or cash, level 2 buys them; closing is always allowed."""
    if facts.instrument.asset_class is not AssetClass.OPTION or not facts.intent.opens:
        return None
    needed = 1 if request.side is Side.SELL else 2
    if facts.level >= needed:
        return None
    what = "writing" if request.side is Side.SELL else "buying"
    return refuse(f"{what} contracts needs options level {needed}, it is {facts.level}", No.NOT_PERMITTED)


def _group_has_its_way(request: Request, facts: Facts) -> Rejection | None:
    """An oco order gets out of a position; what brings exits along gets into one."""
    if request.order_class is _C.OCO and facts.intent.opens:
        return refuse("oco orders must be exit orders, and there is no position to get out of")
    if request.order_class in (_C.BRACKET, _C.OTO) and not facts.intent.opens:
        return refuse(f"the entry of a {request.order_class} order must open a position, this would be {facts.intent}")
    return None


def _may_short(request: Request, facts: Facts) -> Rejection | None:
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


def _one_direction(request: Request, facts: Facts) -> Rejection | None:
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


def _no_wash_trade(request: Request, facts: Facts) -> Rejection | None:
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
    if request.order_type is not _T.LIMIT or other.order_type is not _T.LIMIT:
        return True
    assert request.limit is not None
    assert other.limit is not None
    return request.limit >= other.limit if request.side is Side.BUY else request.limit <= other.limit


_CHECKS: tuple[Callable[[Request, Facts], Rejection | None], ...] = (
    _not_blocked,
    _tradable,
    _kinds_fit,
    _prices_are_those_of_the_type,
    _class_is_whole,
    _group_is_plain,
    _extended_hours_fit,
    _size_fits,
    _prices_fit,
    _price_is_known,
    _worth_enough,
    _exits_fit,
    _intent_is_true,
    _level_allows,
    _may_short,
    _group_has_its_way,
    _owned,
    _one_direction,
    _no_wash_trade,
)
