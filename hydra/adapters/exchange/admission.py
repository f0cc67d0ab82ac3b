"""Whether the venue takes an order: one table of checks, each with a reason that carries the numbers.

Pure. The first check that objects decides; an order that none objects to is taken.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from hydra.adapters.exchange.model import VenueSettings
from hydra.model.errors import Invalid
from hydra.model.market import Instrument
from hydra.model.money import ONE, ZERO, plain
from hydra.model.orders import CLIENT_ID_MAX_LENGTH, Order, OrderType, Side, TimeInForce
from hydra.model.values import Value

_CUSHION = Decimal("0.01")
"""By how much an order without a price bound may turn out dearer than it looks, as a fraction of the price."""

LEGS = ("stop", "target")
"""How the legs of a bracket are called: the entry's client id, a dot, and one of these."""


class Facts(Value, frozen=True, kw_only=True):
    """What the venue knows when an order arrives.

    ``far`` is the price on the far side of the market, ``last`` the middle of it or the last close; both may be unknown.
    ``position`` and ``held`` are quantities of the symbol: owned, and of that reserved by open sells.
    """

    instrument: Instrument
    settings: VenueSettings
    buying_power: Decimal
    position: Decimal
    held: Decimal
    far: Decimal | None = None
    last: Decimal | None = None

    def expected(self, order: Order) -> Decimal | None:
        """The price an order is worth its limit, its stop or the market at; ``None`` when no price is known."""
        if order.limit is not None:
            return order.limit
        return order.stop if order.stop is not None else self.far


def leg_ids(client_id: str) -> tuple[str, ...]:
    """The client ids the legs of an entry get."""
    return tuple(f"{client_id}.{leg}" for leg in LEGS)


def refusal(order: Order, facts: Facts) -> str:
    """Why the order is not taken; empty when it is."""
    for check in _CHECKS:
        reason = check(order, facts)
        if reason is not None:
            return reason
    return ""


def cash_needed(order: Order, facts: Facts) -> Decimal:
    """Dollars an open buy holds back, fee included: at its limit, else at the price expected and a cushion; zero for a
    sell."""
    price = facts.expected(order)
    if order.side is Side.SELL or price is None:
        return ZERO
    if order.limit is None:
        price *= ONE + max(_CUSHION, facts.settings.slippage)
    notional = price * order.quantity * facts.instrument.multiplier
    return notional + facts.settings.fee(facts.instrument, order.quantity, price)


def _size_fits(order: Order, facts: Facts) -> str | None:
    instrument = facts.instrument
    if order.quantity % instrument.quantity_increment != 0:
        return (
            f"quantity {plain(order.quantity)} of {order.symbol} is not a multiple of "
            f"{plain(instrument.quantity_increment)}"
        )
    if order.quantity < instrument.minimum_quantity:
        minimum = plain(instrument.minimum_quantity)
        return f"quantity {plain(order.quantity)} of {order.symbol} is below the minimum of {minimum}"
    return None


def _prices_fit(order: Order, facts: Facts) -> str | None:
    protection = order.protection
    prices = {
        "limit": order.limit,
        "stop": order.stop,
        "protective stop": None if protection is None else protection.stop,
        "target": None if protection is None else protection.target,
    }
    increment = facts.instrument.price_increment
    for name, price in prices.items():
        if price is not None and price % increment != 0:
            return f"{name} {plain(price)} of {order.symbol} is not a multiple of {plain(increment)}"
    return None


def _time_in_force_fits(order: Order, _facts: Facts) -> str | None:
    at_once = order.time_in_force in (TimeInForce.IOC, TimeInForce.FOK)
    if at_once and order.order_type in (OrderType.STOP, OrderType.STOP_LIMIT):
        return f"time in force {order.time_in_force} does not fit an order that waits for its stop"
    return None


def _price_is_known(order: Order, facts: Facts) -> str | None:
    return None if facts.expected(order) is not None else f"no price of {order.symbol} is known yet"


def _worth_enough(order: Order, facts: Facts) -> str | None:
    price = facts.expected(order)
    if price is None:
        return None
    notional, minimum = price * order.quantity * facts.instrument.multiplier, facts.instrument.minimum_notional
    if notional < minimum:
        return f"notional {plain(notional)} of {order.symbol} is below the minimum of {plain(minimum)}"
    return None


def _protection_fits(order: Order, facts: Facts) -> str | None:
    if order.protection is None:
        return None
    if order.side is Side.SELL:
        return f"a sell of {order.symbol} cannot carry protection: short positions are not offered"
    longest = CLIENT_ID_MAX_LENGTH - max(len(leg) + 1 for leg in LEGS)
    if len(order.client_id) > longest:
        return f"a client id with protection has at most {longest} characters, got {len(order.client_id)}"
    reference = facts.last if order.limit is None and order.stop is None else facts.expected(order)
    if reference is None:
        return f"no price of {order.symbol} is known yet"
    try:
        order.protection.check_sides(order.side, reference)
    except Invalid as error:
        return str(error)
    return None


def _owned(order: Order, facts: Facts) -> str | None:
    available = facts.position - facts.held
    if order.side is Side.BUY or order.quantity <= available:
        return None
    return (
        f"insufficient qty available for {order.symbol}: requested {plain(order.quantity)}, "
        f"available {plain(available)}, held_for_orders {plain(facts.held)}, position {plain(facts.position)}"
    )


def _affordable(order: Order, facts: Facts) -> str | None:
    needed = cash_needed(order, facts)
    if needed <= facts.buying_power:
        return None
    return f"insufficient buying power: needs {plain(needed)}, has {plain(facts.buying_power)}"


_CHECKS: tuple[Callable[[Order, Facts], str | None], ...] = (
    _size_fits,
    _prices_fit,
    _time_in_force_fits,
    _price_is_known,
    _worth_enough,
    _protection_fits,
    _owned,
    _affordable,
)
