"""Everything a venue remembers, as one value to compare."""

from __future__ import annotations

from typing import Any

from hydra.adapters.exchange.interface import Exchange


def books_of(exchange: Exchange) -> tuple[Any, ...]:
    """Clock, account, orders, positions, executions and activities."""
    return (
        exchange.now,
        exchange.state(),
        tuple(exchange.tickets()),
        exchange.held(),
        tuple(exchange.executions()),
        tuple(exchange.activities()),
    )
