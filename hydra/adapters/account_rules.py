"""How orders are asked for in an account as Alpaca gives it: one table for every door to such an account.

The published protocol has one time in force for an entry and its exits, and offers exits with an entry for shares alone:

    entry                                 is asked for as          its exits
    ------------------------------------  -----------------------  -----------------------------------------------------
    shares, market, with protection       good till cancelled      good till cancelled; they must outlive the day
    shares, limit, with protection        the order's own          as long as the entry: a day order's end with the day
    pairs and contracts                   the order's own, alone   none; whoever trades protects by an order of its own

A pair has no plain stop, so what protects it is a stop-limit. Orders that carry exits are in whole shares.

A pair's fee is told of by no execution. It is bounded by the highest rate of Alpaca's crypto schedule (alpaca.markets, "Crypto
Maker / Taker FAQ", in effect since 2023-03-13): coin on a buy, dollars on a sell, each rounded up to a billionth.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal

from hydra.model.market import AssetClass, Instrument, asset_class_of, usual_instrument
from hydra.model.money import ZERO
from hydra.model.orders import Order, OrderType, Protection, Side, TimeInForce
from hydra.model.values import replace

EXITS_WITH_ENTRY = frozenset({AssetClass.EQUITY})
"""Classes in which an entry can carry its exits."""
PLAIN_STOPS = frozenset({AssetClass.EQUITY, AssetClass.OPTION})
"""Classes in which a stop may become a market order."""
PAIR_FEE_MOST = Decimal("0.0025")
"""The highest rate of a pair's fee, as a fraction of what is received."""
_BILLIONTH = Decimal("1e-9")


def exits_of(order: Order) -> Protection | None:
    """The exits that go with an order; ``None`` when it is asked for alone."""
    carried = order.protection is not None and asset_class_of(order.symbol) in EXITS_WITH_ENTRY
    return order.protection if carried else None


def force_of(order: Order) -> TimeInForce:
    """The time in force an order (and with it its exits) is asked for with."""
    if exits_of(order) is not None and order.order_type is OrderType.MARKET:
        return TimeInForce.GTC
    return order.time_in_force


def tradable(instrument: Instrument) -> Instrument:
    """An instrument as an engine is told of it: what it may ask for in one order, exits included."""
    kind = instrument.asset_class
    told = replace(instrument, exits_with_entry=kind in EXITS_WITH_ENTRY, plain_stops=kind in PLAIN_STOPS)
    if kind not in EXITS_WITH_ENTRY:
        return told
    whole = usual_instrument(instrument.symbol)
    return replace(told, quantity_increment=whole.quantity_increment, minimum_quantity=whole.minimum_quantity)


def fee_most(symbol: str, side: Side, quantity: Decimal, price: Decimal) -> tuple[Decimal, Decimal]:
    """The most that an execution may cost beside what it says: dollars, and units of the coin that was bought."""
    if asset_class_of(symbol) is not AssetClass.CRYPTO:
        return ZERO, ZERO
    if side is Side.BUY:
        return ZERO, (quantity * PAIR_FEE_MOST).quantize(_BILLIONTH, rounding=ROUND_CEILING)
    return (quantity * price * PAIR_FEE_MOST).quantize(_BILLIONTH, rounding=ROUND_CEILING), ZERO
