"""What two doors of one venue say at one instant, and where it differs.

Only words may differ: fills and activities have ids of the door's own, an activity is described by each, and why an order ended
is not part of the published protocol.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from hydra.model.orders import VenueOrder
from hydra.model.values import replace
from hydra.ports import Broker, Market


def orders_of(broker: Broker) -> dict[str, VenueOrder]:
    """The open orders by client id; without exits that wait for their entry, which one of the doors does not show."""
    found = {order.client_id: replace(order, reason="") for order in broker.open_orders()}
    return {name: order for name, order in found.items() if order.parent not in found}


def facts(broker: Broker, market: Market, symbols: Sequence[str], after: Mapping[str, datetime]) -> dict[str, Any]:
    """Everything they say, by what it is about."""
    data = market.poll(symbols, after)
    found: dict[str, Any] = {
        "now": broker.now(),
        "account": broker.account(),
        "positions": {position.symbol: position for position in broker.positions()},
        "open orders": orders_of(broker),
        "fills": [replace(fill, fill_id="-") for fill in broker.fills("").fills],
        "activities": [replace(each, activity_id="-", note="") for each in broker.activities("").activities],
        "instruments": broker.instruments(symbols),
        "quotes": {quote.symbol: quote for quote in data.quotes},
        "bars": data.bars,
        "history": market.history(symbols, 30),
    }
    return found


def differences(
    here: tuple[Broker, Market],
    there: tuple[Broker, Market],
    symbols: Sequence[str],
    after: Mapping[str, datetime],
) -> Iterator[str]:
    """One line for each thing that the doors say differently."""
    mine, other = facts(*here, symbols, after), facts(*there, symbols, after)
    for name, value in mine.items():
        if value != other[name]:
            yield f"{name}: {value!r} != {other[name]!r}"
    for name in {fill.client_id for fill in here[0].fills("").fills}:
        pair = [broker.order(name) for broker in (here[0], there[0])]
        told = [None if order is None else replace(order, reason="") for order in pair]
        if told[0] != told[1]:
            yield f"order {name}: {told[0]!r} != {told[1]!r}"
