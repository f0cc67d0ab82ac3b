"""An ``AlpacaMarket`` before a server, and before a script of answers."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

from hydra.adapters.alpaca.access import Clients, clients_of
from hydra.adapters.alpaca.budget import Budget
from hydra.adapters.alpaca.market import AlpacaMarket
from tests.adapters.alpaca.scripted import access_to
from tests.contracts.test_over_http import KEY, SECRET, Server


def clients_at(url: str, budget: Budget | None = None) -> Clients:
    """alpaca-py's clients of a server on this machine, as the product makes them."""
    access = access_to(url, 20.0, key=KEY, secret=SECRET)
    return clients_of(access, Budget(100_000, time.monotonic) if budget is None else budget)


def market_at(server: Server, now: Callable[[], datetime], budget: Budget | None = None) -> AlpacaMarket:
    """The market of a server whose time is ``now``."""
    clients = clients_at(str(server.client.base_url), budget)
    return AlpacaMarket(clients, stock_feed="iex", option_feed="indicative", bar_seconds=60, now=now)
