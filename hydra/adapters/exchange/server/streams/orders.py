"""News of an order, as the trading stream tells it: the event, the order right after it, and the execution if it was one."""

from __future__ import annotations

from typing import Any

from hydra.adapters.exchange.interface import Exchange
from hydra.adapters.exchange.model import Update
from hydra.adapters.exchange.server import wire
from hydra.adapters.exchange.server.order_json import order_json

TRADE_UPDATES = "trade_updates"


def update_message(exchange: Exchange, update: Update) -> dict[str, Any]:
    """The message that tells an update."""
    data: dict[str, Any] = {
        "event": update.news.value,
        "execution_id": wire.made_id("update", update.ticket.venue_id, update.news.value, update.at.isoformat()),
        "order": order_json(exchange, update.ticket),
        "timestamp": wire.instant(update.at),
    }
    execution = update.execution
    if execution is not None:
        data["execution_id"] = wire.made_id("execution", execution.venue_id, execution.number)
        data["price"] = wire.number(execution.price)
        data["qty"] = wire.number(execution.quantity)
        data["position_qty"] = wire.number(execution.position)
    return {"stream": TRADE_UPDATES, "data": data}
