"""The adapter as the program has it, on the address of a server of ours: one process's connection to its account."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from pydantic import SecretStr

from hydra.adapters.alpaca.access import Access, clients_of
from hydra.adapters.alpaca.broker import AlpacaBroker
from hydra.adapters.alpaca.budget import Budget
from hydra.adapters.alpaca.market import AlpacaMarket
from tests.faults.counter import KEY, SECRET

READ_SECONDS = 0.6
"""What one request may take, an order's too."""
REQUESTS_PER_MINUTE = 200


class Doors:
    """Broker and market over sockets, with the limits of a real account.

    ``now`` is the venue's clock, ``seconds`` the time every request has.
    """

    def __init__(self, url: str, now: Callable[[], datetime], *, seconds: float = READ_SECONDS) -> None:
        access = Access(
            trading_url=url,
            data_url=url,
            key=SecretStr(KEY),
            secret=SecretStr(SECRET),
            connect_seconds=seconds,
            read_seconds=seconds,
            order_seconds=seconds,
        )
        self._clients = clients_of(access, Budget(REQUESTS_PER_MINUTE, lambda: now().timestamp()))
        self.broker = AlpacaBroker(self._clients, url=url, mode="sim")
        self.market = AlpacaMarket(self._clients, stock_feed="iex", option_feed="indicative", bar_seconds=60, now=now)

    def close(self) -> None:
        """Let the sockets go."""
        self._clients.trading._session.close()
