"""Alpaca's own client, unmodified, asks for market data over real sockets; real prices where there are some."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from alpaca.data.enums import Adjustment, DataFeed
from alpaca.data.historical.corporate_actions import CorporateActionsClient
from alpaca.data.historical.crypto import CryptoHistoricalDataClient
from alpaca.data.historical.option import OptionHistoricalDataClient
from alpaca.data.historical.stock import StockHistoricalDataClient
from alpaca.data.requests import (
    CorporateActionsRequest,
    CryptoBarsRequest,
    CryptoLatestBarRequest,
    CryptoLatestOrderbookRequest,
    CryptoLatestQuoteRequest,
    CryptoLatestTradeRequest,
    CryptoQuoteRequest,
    CryptoSnapshotRequest,
    CryptoTradesRequest,
    OptionBarsRequest,
    OptionChainRequest,
    OptionLatestQuoteRequest,
    OptionLatestTradeRequest,
    OptionSnapshotRequest,
    OptionTradesRequest,
    StockBarsRequest,
    StockLatestBarRequest,
    StockLatestQuoteRequest,
    StockLatestTradeRequest,
    StockQuotesRequest,
    StockSnapshotRequest,
    StockTradesRequest,
)
from alpaca.data.timeframe import TimeFrame, TimeFrameUnit

from hydra.adapters.calendar import ExchangeCalendar
from hydra.adapters.markets.feed import ActionKind, CorporateAction
from hydra.adapters.markets.recorded import RecordedFeed
from tests.adapters.exchange.server.data.asking import DAY, MINUTE, OPEN, Market, minutes
from tests.adapters.exchange.server.data.running import KEY, SECRET, Running, running
from tests.adapters.exchange.server.scenes import Calendar
from tests.fakes.feed import ScriptedFeed, bar, option_quote, quote
from tests.shared_data import shared_data

CALL = "SPY240308C00100000"
GREEKS = {"delta": "0.5", "gamma": "0.04", "theta": "-0.1", "vega": "0.06", "implied_volatility": "0.2"}


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    bars = [*minutes("SPY", OPEN, *range(100, 110)), *minutes("BTC-USD", OPEN, *range(200, 210))]
    bars += [bar(CALL, OPEN, (1, 2, 1, 2))]
    quotes = [quote(each.symbol, each.closes_at, each.close, each.close + 1) for each in bars[:20]]
    split = CorporateAction(kind=ActionKind.FORWARD_SPLIT, symbol="SPY", ex_date=date(2024, 3, 4), new_rate=Decimal(2))
    feed = ScriptedFeed(bars, quotes, options=[option_quote(CALL, OPEN, 1, 2, **GREEKS)], actions=[split])
    with running(feed, Calendar(), start=OPEN + 10 * MINUTE) as found:
        yield found


def test_stocks(server):
    client: Any = StockHistoricalDataClient(KEY, SECRET, url_override=server.url)
    span: dict[str, Any] = {"symbol_or_symbols": "SPY", "start": OPEN, "end": OPEN + DAY}
    frame = TimeFrame(5, TimeFrameUnit.Minute)
    bars = client.get_stock_bars(
        StockBarsRequest(timeframe=frame, adjustment=Adjustment.ALL, feed=DataFeed.IEX, **span)
    )
    assert [each.close for each in bars["SPY"]] == [104, 109]
    assert len(bars.df) == 2
    assert len(client.get_stock_trades(StockTradesRequest(limit=3, **span))["SPY"]) == 3
    assert len(client.get_stock_quotes(StockQuotesRequest(**span))["SPY"]) == 10
    assert client.get_stock_latest_bar(StockLatestBarRequest(symbol_or_symbols="SPY"))["SPY"].trade_count == 1
    assert client.get_stock_latest_quote(StockLatestQuoteRequest(symbol_or_symbols="SPY"))["SPY"].ask_price == 110
    assert client.get_stock_latest_trade(StockLatestTradeRequest(symbol_or_symbols=["SPY"]))["SPY"].price == 109
    shown = client.get_stock_snapshot(StockSnapshotRequest(symbol_or_symbols="SPY"))["SPY"]
    assert shown.daily_bar.volume == 10_000
    assert shown.previous_daily_bar is None


def test_crypto(server):
    client: Any = CryptoHistoricalDataClient(KEY, SECRET, url_override=server.url)
    one: dict[str, Any] = {"symbol_or_symbols": "BTC/USD"}
    span: dict[str, Any] = {**one, "start": OPEN, "end": OPEN + DAY}
    assert len(client.get_crypto_bars(CryptoBarsRequest(timeframe=TimeFrame.Minute, **span))["BTC/USD"]) == 10
    assert len(client.get_crypto_quotes(CryptoQuoteRequest(**span))["BTC/USD"]) == 10
    assert len(client.get_crypto_trades(CryptoTradesRequest(**span))["BTC/USD"]) == 10
    assert client.get_crypto_latest_bar(CryptoLatestBarRequest(**one))["BTC/USD"].close == 209
    assert client.get_crypto_latest_quote(CryptoLatestQuoteRequest(**one))["BTC/USD"].bid_price == 209
    assert client.get_crypto_latest_trade(CryptoLatestTradeRequest(**one))["BTC/USD"].price == 209
    assert client.get_crypto_latest_orderbook(CryptoLatestOrderbookRequest(**one))["BTC/USD"].asks[0].price == 210
    assert client.get_crypto_snapshot(CryptoSnapshotRequest(**one))["BTC/USD"].daily_bar.open == 200


def test_options(server):
    client: Any = OptionHistoricalDataClient(KEY, SECRET, url_override=server.url)
    one: dict[str, Any] = {"symbol_or_symbols": CALL}
    bars = client.get_option_bars(OptionBarsRequest(timeframe=TimeFrame.Day, start=OPEN - DAY, **one))
    assert [each.close for each in bars[CALL]] == [2]
    assert client.get_option_trades(OptionTradesRequest(start=OPEN, **one))[CALL][0].size == 1000
    assert client.get_option_latest_quote(OptionLatestQuoteRequest(**one))[CALL].ask_price == 2
    assert client.get_option_latest_trade(OptionLatestTradeRequest(**one))[CALL].price == 2
    assert client.get_option_snapshot(OptionSnapshotRequest(**one))[CALL].greeks.delta == 0.5
    chain = client.get_option_chain(OptionChainRequest(underlying_symbol="SPY", strike_price_gte=90))
    assert chain[CALL].implied_volatility == 0.2
    assert "C" in client.get_option_exchange_codes()


def test_corporate_actions(server):
    client: Any = CorporateActionsClient(KEY, SECRET, url_override=server.url)
    found = client.get_corporate_actions(CorporateActionsRequest(symbols=["SPY"], start=date(2024, 3, 1)))
    assert found.data["forward_splits"][0].new_rate == 2


def test_without_the_keys_nothing_is_told(server):
    for key, secret in (("", ""), (KEY, "wrong"), ("wrong", SECRET)):
        answer = server.http.get(
            "/v2/stocks/SPY/snapshot", headers={"APCA-API-KEY-ID": key, "APCA-API-SECRET-KEY": secret}
        )
        assert answer.status_code == 401


def test_daily_bars_of_recorded_minutes_have_the_prices_of_the_recorded_days():
    folder = shared_data()
    feed = RecordedFeed.open([folder / "bars", folder / "quotes"], symbols=["SPY"])
    market = Market(feed, datetime(2013, 10, 12, tzinfo=UTC), ExchangeCalendar())
    rows = market.get("/v2/stocks/SPY/bars", timeframe="1Day", start="2013-10-07", end="2013-10-11")["bars"]
    with (folder / "daily" / "SPY-1day.csv").open(encoding="utf-8") as lines:
        days = {each["date"]: each for each in csv.DictReader(lines)}
    told = {row["t"][:10]: [row[name] for name in "ohlc"] for row in rows}
    for day, prices in told.items():  # the two recordings differ by a cent at most
        assert prices == pytest.approx([float(days[day][name]) for name in ("open", "high", "low", "close")], abs=0.011)
    assert list(told) == [f"2013-10-{day:02d}" for day in range(7, 12)]
