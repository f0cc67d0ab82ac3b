"""What somebody with nothing but alpaca-py has on the desk: three clients, four streams, and a hand on the venue's clock."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.request import Request, urlopen

from alpaca.data.enums import CryptoFeed, DataFeed, OptionsFeed
from alpaca.data.historical import (
    CryptoHistoricalDataClient,
    OptionHistoricalDataClient,
    StockHistoricalDataClient,
)
from alpaca.data.live import CryptoDataStream, OptionDataStream, StockDataStream
from alpaca.trading.client import TradingClient
from alpaca.trading.enums import TradeEvent
from alpaca.trading.models import TradeUpdate
from alpaca.trading.stream import TradingStream

KEY, SECRET = "PKTEST", "secret"
WAIT_SECONDS = 10.0


class Desk:
    """Every client of alpaca-py, pointed at one address."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.trading = TradingClient(KEY, SECRET, url_override=url)
        self.stocks = StockHistoricalDataClient(KEY, SECRET, url_override=url)
        self.crypto = CryptoHistoricalDataClient(KEY, SECRET, url_override=url)
        self.options = OptionHistoricalDataClient(KEY, SECRET, url_override=url)

    def go_to(self, moment: str) -> datetime:
        """Move the venue's clock in lockstep; everything up to then has happened when this returns."""
        return self._move({"to": moment})

    def step(self, steps: int = 1) -> datetime:
        """Move it by instants of the feed."""
        return self._move({"steps": steps})

    def _move(self, where: dict[str, Any]) -> datetime:
        headers = {"APCA-API-KEY-ID": KEY, "APCA-API-SECRET-KEY": SECRET, "Content-Type": "application/json"}
        request = Request(f"{self.url}/sim/clock", json.dumps(where).encode(), headers, method="POST")  # noqa: S310  # loopback
        with urlopen(request, timeout=60) as answer:  # noqa: S310  # loopback
            return datetime.fromisoformat(json.load(answer)["now"])

    def streams(self) -> Streams:
        """The streams, not yet running."""
        ws = self.url.replace("http://", "ws://")
        return Streams(
            trades=TradingStream(KEY, SECRET, url_override=f"{ws}/stream"),
            stocks=StockDataStream(KEY, SECRET, feed=DataFeed.SIP, url_override=f"{ws}/v2/sip"),
            crypto=CryptoDataStream(KEY, SECRET, feed=CryptoFeed.US, url_override=f"{ws}/v1beta3/crypto/us"),
            options=OptionDataStream(
                KEY, SECRET, feed=OptionsFeed.INDICATIVE, url_override=f"{ws}/v1beta1/{OptionsFeed.INDICATIVE.value}"
            ),
        )


@dataclass
class Streams:
    """What came in on the streams, in the order it came."""

    trades: TradingStream
    stocks: StockDataStream
    crypto: CryptoDataStream
    options: OptionDataStream
    updates: list[TradeUpdate] = field(default_factory=list)
    data: list[Any] = field(default_factory=list)
    _running: list[Any] = field(default_factory=list)

    async def on_update(self, update: TradeUpdate) -> None:
        """A handler for the trading stream."""
        self.updates.append(update)

    async def on_data(self, item: Any) -> None:
        """A handler for quotes, trades and bars."""
        self.data.append(item)

    def start(self, *streams: Any) -> None:
        """Run streams in threads of their own and wait until each is connected and has subscribed."""
        for stream in streams:
            threading.Thread(target=stream.run, daemon=True).start()
            self._running.append(stream)
        wait_for(
            lambda: all(stream._running for stream in streams), "the streams to be up"
        )  # it has no public word for that

    def stop(self) -> None:
        """Ask every stream to end; each notices with the next message or after five seconds."""
        for stream in self._running:
            stream.stop()

    def events_of(self, order_id: object) -> list[str]:
        """What the trading stream said about an order."""
        return [TradeEvent(update.event).value for update in self.updates if str(update.order.id) == str(order_id)]


def wait_for(holds: Callable[[], object], what: str, seconds: float = WAIT_SECONDS) -> None:
    """Wait, but not for ever."""
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, f"waited {seconds:g} s for {what}"
        time.sleep(0.01)
