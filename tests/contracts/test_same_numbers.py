"""Both doors of one venue give the same numbers at the same instant, on an hour of each of three real days."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from pydantic import SecretStr

from hydra.adapters.alpaca.access import Access, clients_of
from hydra.adapters.alpaca.broker import AlpacaBroker
from hydra.adapters.alpaca.budget import Budget
from hydra.adapters.alpaca.market import AlpacaMarket
from hydra.adapters.calendar import ExchangeCalendar
from hydra.adapters.exchange.doors import SimBroker, SimMarket
from hydra.adapters.exchange.model import as_at_alpaca
from hydra.adapters.exchange.venue import SimulatedVenue
from hydra.adapters.markets.recorded import RecordedFeed
from hydra.model.money import size_down
from hydra.model.orders import Order, OrderType, Protection, Purpose, Side, TimeInForce
from tests.contracts.sameness import differences
from tests.contracts.test_over_http import KEY, SECRET, Server
from tests.shared_data import shared_data

SETTINGS = as_at_alpaca(Decimal(100_000))
STEPS = 16
PART = Decimal("1e-9")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.stop()


def adapter(url: str, now: Callable[[], datetime]) -> tuple[AlpacaBroker, AlpacaMarket]:
    """The product's own doors to a venue behind an address."""
    key, secret = SecretStr(KEY), SecretStr(SECRET)
    seconds = {"connect_seconds": 5.0, "read_seconds": 20.0, "order_seconds": 20.0}
    clients = clients_of(
        Access(trading_url=url, data_url=url, key=key, secret=secret, **seconds), Budget(10**9, lambda: 0.0)
    )
    market = AlpacaMarket(clients, stock_feed="sip", option_feed="indicative", bar_seconds=60, now=now)
    return AlpacaBroker(clients, url=url, mode="sim"), market


class Hour:
    """Some minutes of a recorded day, with a hand that places orders through either door in turn."""

    def __init__(self, server: Server, begins: datetime, *symbols: str) -> None:
        data = shared_data()
        feed = RecordedFeed.open(
            [data / "bars", data / "quotes", data / "options"],
            symbols=[each for each in symbols if len(each) < 8],
            start=begins.replace(hour=0, minute=0),
            end=begins.replace(hour=23),
        )
        self.symbols = symbols
        self.venue = SimulatedVenue(feed, ExchangeCalendar(), SETTINGS, start=begins)
        server.stand(self.venue)
        self.here = SimBroker(self.venue), SimMarket(self.venue)
        self.there = adapter(str(server.client.base_url), lambda: self.venue.now)
        self.placed = 0

    def order(self, symbol: str, quantity: str, side: Side = Side.BUY, **more: Any) -> None:
        """Place a market order, or another one."""
        self.placed += 1
        broker = (self.here, self.there)[self.placed % 2][0]
        fields: dict[str, Any] = {
            "order_type": OrderType.MARKET,
            "purpose": Purpose.ENTRY,
            "run": "run",
            "cycle": 1,
            "bot": "bot",
        }
        broker.submit(
            Order(
                client_id=f"o{self.placed}", symbol=symbol, quantity=Decimal(quantity), side=side, **{**fields, **more}
            )
        )

    def middle(self, symbol: str, times: str) -> Decimal:
        """So many times the middle of a quote, in cents."""
        (quote,) = self.here[1].poll([symbol], {}).quotes
        return ((quote.bid + quote.ask) / 2 * Decimal(times)).quantize(Decimal("0.01"))

    def play(self, hand: Callable[[int], None]) -> list[str]:
        """Let minutes pass; what differed in any of them. ``hand`` is told the number of each."""
        found = []
        last = dict.fromkeys(self.symbols[:1], self.venue.now)
        for step in range(STEPS):
            assert self.venue.advance()
            hand(step)
            found += [f"{step}: {line}" for line in differences(self.here, self.there, self.symbols, last)]
        assert self.here[0].fills("").fills
        return found


def test_shares_with_their_exits(server: Server) -> None:
    hour = Hour(server, datetime(2013, 10, 7, 13, 35, tzinfo=UTC), "SPY")

    def hand(step: int) -> None:
        around = Protection(stop=hour.middle("SPY", "0.9995"), target=hour.middle("SPY", "1.001"))
        if step % 7 == 1:
            hour.order("SPY", "7", protection=around)
        if step % 11 == 3:
            hour.order("SPY", "3", order_type=OrderType.LIMIT, limit=hour.middle("SPY", "0.9998"))

    assert hour.play(hand) == []


def test_pairs_with_their_fee_in_coin(server: Server) -> None:
    hour = Hour(server, datetime(2017, 9, 3, 12, 0, tzinfo=UTC), "BTC-USD", "ETH-USD")
    pair: dict[str, Any] = {"time_in_force": TimeInForce.GTC}

    def hand(step: int) -> None:
        symbol = hour.symbols[step % 2]
        if step % 10 == 1:
            hour.order(symbol, "1.234567891", **pair)
        if step % 10 == 5:
            held = {position.symbol: position.quantity for position in hour.here[0].positions()}
            stop, limit = hour.middle(symbol, "0.999"), hour.middle(symbol, "0.989")
            kind: dict[str, Any] = {
                "order_type": OrderType.STOP_LIMIT,
                "stop": stop,
                "limit": limit,
                "purpose": Purpose.STOP,
            }
            if symbol in held:
                hour.order(symbol, str(size_down(held[symbol] / 2, PART)), Side.SELL, **kind, **pair)
        if step % 10 == 8:
            hour.order(symbol, "0.1", Side.SELL, **pair, purpose=Purpose.EXIT)

    assert hour.play(hand) == []


def test_shares_and_a_contract_on_them(server: Server) -> None:
    contract = "GOOG160115C00750000"
    hour = Hour(server, datetime(2015, 12, 24, 15, 0, tzinfo=UTC), "GOOG", contract)

    def hand(step: int) -> None:
        if step == 2:
            hour.order(contract, "1")
        if step == 8:
            stop: dict[str, Any] = {
                "order_type": OrderType.STOP,
                "stop": hour.middle(contract, "0.5"),
                "purpose": Purpose.STOP,
            }
            hour.order(contract, "1", Side.SELL, **stop)
        if step == 12:
            hour.order("GOOG", "3")

    assert hour.play(hand) == []
    (_, sim_market), (_, market) = hour.here, hour.there
    told = [(each.symbol, each.at, each.bid, each.ask, each.bid_size) for each in market.chain("GOOG")]
    assert told == [(each.symbol, each.at, each.bid, each.ask, each.bid_size) for each in sim_market.chain("GOOG")]
    assert len(told) > 100
