"""Alpaca's own streams, unmodified, over real sockets."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Queue
from typing import Any

import pytest
from alpaca.data.live.crypto import CryptoDataStream
from alpaca.data.live.option import OptionDataStream
from alpaca.data.live.stock import StockDataStream
from alpaca.trading.client import TradingClient
from alpaca.trading.requests import LimitOrderRequest, MarketOrderRequest
from alpaca.trading.stream import TradingStream

from tests.adapters.exchange.server.data.asking import MINUTE, OPEN, minutes
from tests.adapters.exchange.server.data.running import KEY, SECRET, Running, running
from tests.adapters.exchange.server.scenes import Calendar
from tests.fakes.feed import ScriptedFeed, bar, option_quote, quote

CALL = "SPY240308C00100000"
WAIT = 10


@pytest.fixture
def server() -> Iterator[Running]:
    bars = [*minutes("SPY", OPEN, *range(100, 110)), *minutes("BTC-USD", OPEN, *range(200, 210))]
    bars += [bar(CALL, OPEN + MINUTE, (1, 2, 1, 2))]
    quotes = [quote(each.symbol, each.closes_at, each.close, each.close + 1) for each in bars[:20]]
    feed = ScriptedFeed(bars, quotes, options=[option_quote(CALL, OPEN + 2 * MINUTE, 1, 2)])
    with running(feed, Calendar(), start=OPEN + MINUTE) as found:
        yield found


class Heard:
    """What a stream's handler was given."""

    def __init__(self) -> None:
        self.queue: Queue[Any] = Queue()

    async def handle(self, value: Any) -> None:
        self.queue.put(value)

    def take(self, count: int) -> list[Any]:
        return [self.queue.get(timeout=WAIT) for _ in range(count)]


@contextmanager
def listening(stream: Any) -> Iterator[None]:
    """A stream that runs in a thread. It notices its end when the server is gone, or within its five seconds."""
    thread = threading.Thread(target=stream.run, daemon=True)
    thread.start()
    yield
    stream.stop()


def _await_subscribers(server: Running, stream: Any) -> None:
    """Return when the subscription has been sent; the answer to a request that comes after shows that it was read."""
    for _ in range(1000):
        if stream._running:
            return
        threading.Event().wait(0.01)
    raise AssertionError("the stream did not start")


def test_stocks(server):
    stream, heard = StockDataStream(KEY, SECRET, url_override=server.sockets + "/v2/iex"), Heard()
    stream.subscribe_bars(heard.handle, "SPY")
    stream.subscribe_quotes(heard.handle, "*")
    stream.subscribe_trades(heard.handle, "SPY")
    stream.subscribe_daily_bars(heard.handle, "SPY")
    with listening(stream):
        _await_subscribers(server, stream)
        server.move(steps=1)
        trade, shown, minute, day = heard.take(4)
        assert (trade.price, shown.bid_price, minute.close, day.open) == (101, 101, 101, 100)
        assert minute.timestamp == OPEN + MINUTE
        stream.unsubscribe_trades("SPY")
        server.move(steps=1)
        assert [type(each).__name__ for each in heard.take(3)] == ["Quote", "Bar", "Bar"]


def test_crypto(server):
    stream, heard = CryptoDataStream(KEY, SECRET, url_override=server.sockets + "/v1beta3/crypto/us"), Heard()
    stream.subscribe_bars(heard.handle, "BTC/USD")
    stream.subscribe_orderbooks(heard.handle, "BTC/USD")
    stream.subscribe_trades(heard.handle, "BTC/USD")
    with listening(stream):
        _await_subscribers(server, stream)
        server.move(steps=1)
        trade, book, minute = heard.take(3)
        assert (trade.symbol, trade.price, book.bids[0].price, minute.close) == ("BTC/USD", 201, 201, 201)


def test_options(server):
    stream, heard = OptionDataStream(KEY, SECRET, url_override=server.sockets + "/v1beta1/indicative"), Heard()
    stream.subscribe_quotes(heard.handle, CALL)
    stream.subscribe_trades(heard.handle, CALL)
    with listening(stream):
        _await_subscribers(server, stream)
        server.move(steps=1)
        trade, shown = heard.take(2)
        assert (trade.price, shown.ask_price, shown.timestamp) == (2, 2, OPEN + 2 * MINUTE)


def test_trade_updates(server):
    stream, heard = TradingStream(KEY, SECRET, url_override=server.sockets + "/stream"), Heard()
    stream.subscribe_trade_updates(heard.handle)
    client: Any = TradingClient(KEY, SECRET, url_override=server.url)
    with listening(stream):
        _await_subscribers(server, stream)
        client.submit_order(MarketOrderRequest(symbol="SPY", qty=3, side="buy", time_in_force="day"))
        new, fill = heard.take(2)
        assert (new.event, fill.event, fill.qty, fill.position_qty) == ("new", "fill", 3, 3)
        waits = client.submit_order(
            LimitOrderRequest(symbol="SPY", qty=1, side="buy", time_in_force="day", limit_price=1)
        )
        client.cancel_order_by_id(waits.id)
        assert [each.event for each in heard.take(3)] == ["new", "pending_cancel", "canceled"]
