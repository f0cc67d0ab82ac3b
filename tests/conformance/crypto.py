"""Crypto with alpaca-py alone: BTC-USD on 2017-09-03, with the fee taken in coin.

Rows of ``BTC-USD-1min-20170903-20170904.csv``: at 01:01Z the quote is 4699.34 to 4699.99. A taker pays 0.25%, a maker 0.15%.
"""

# mypy: disable-error-code="union-attr,index,arg-type"
# alpaca-py types every answer as "the model or raw data"; raw data is switched off here.

from __future__ import annotations

from decimal import Decimal

import pytest
from alpaca.common.exceptions import APIError
from alpaca.data.requests import (
    CryptoBarsRequest,
    CryptoLatestBarRequest,
    CryptoLatestOrderbookRequest,
    CryptoLatestQuoteRequest,
    CryptoLatestTradeRequest,
    CryptoQuoteRequest,
    CryptoSnapshotRequest,
)
from alpaca.data.timeframe import TimeFrame
from alpaca.trading.enums import AssetClass, OrderSide, OrderStatus, TimeInForce
from alpaca.trading.requests import (
    GetAssetsRequest,
    LimitOrderRequest,
    MarketOrderRequest,
    StopLimitOrderRequest,
    StopOrderRequest,
)

from tests.conformance.desk import Desk
from tests.conformance.equities import activities, filled

START = "2017-09-03T01:01:00Z"
BTC = "BTC/USD"
BUY, SELL, GTC, IOC = OrderSide.BUY, OrderSide.SELL, TimeInForce.GTC, TimeInForce.IOC


def a_sunday(desk: Desk) -> None:
    """The exchange for shares is closed; this one never is."""
    assert not desk.trading.get_clock().is_open
    prices(desk)
    a_limit_with_its_fee_in_coin(desk)
    orders_that_wait(desk)
    refusals(desk)
    all_of_it_sold(desk)


def prices(desk: Desk) -> None:
    """Assets, latest and past prices."""
    pairs = desk.trading.get_all_assets(GetAssetsRequest(asset_class=AssetClass.CRYPTO))
    assert BTC in {pair.symbol for pair in pairs}
    one = {"symbol_or_symbols": BTC}
    quote = desk.crypto.get_crypto_latest_quote(CryptoLatestQuoteRequest(**one))[BTC]
    assert (quote.bid_price, quote.ask_price) == (4699.34, 4699.99)
    bar = desk.crypto.get_crypto_latest_bar(CryptoLatestBarRequest(**one))[BTC]
    assert (bar.open, bar.close, bar.volume) == (4699.99, 4713.34, 57.5071876)
    assert desk.crypto.get_crypto_latest_trade(CryptoLatestTradeRequest(**one))[BTC].price == 4713.34
    book = desk.crypto.get_crypto_latest_orderbook(CryptoLatestOrderbookRequest(**one))[BTC]
    assert (book.bids[0].price, book.asks[0].price) == (4699.34, 4699.99)
    assert desk.crypto.get_crypto_snapshot(CryptoSnapshotRequest(**one))[BTC].latest_quote.ask_price == 4699.99
    bars = desk.crypto.get_crypto_bars(
        CryptoBarsRequest(**one, timeframe=TimeFrame.Hour, start="2017-09-03T00:00:00Z", end="2017-09-03T00:30:00Z")
    )[BTC]
    assert [bar.open for bar in bars] == [4642.39]
    quotes = desk.crypto.get_crypto_quotes(CryptoQuoteRequest(**one, start="2017-09-03T00:59:30Z"))[BTC]
    assert quotes[-1].ask_price == 4699.99


def a_limit_with_its_fee_in_coin(desk: Desk) -> None:
    """0.1 bought for 469.999; 0.00025 of it is the fee, so 0.09975 is held."""
    order = desk.trading.submit_order(
        LimitOrderRequest(symbol=BTC, qty=0.1, side=BUY, time_in_force=GTC, limit_price=4700)
    )
    assert filled(desk, order) == ("0.1", Decimal("4699.99"))
    held = desk.trading.get_open_position("BTCUSD")
    assert (held.symbol, held.qty) == ("BTCUSD", "0.09975")
    assert Decimal(desk.trading.get_account().cash) == Decimal("99530.001")


def orders_that_wait(desk: Desk) -> None:
    """A stop-limit above, which the row of 01:01 reaches; a limit below, which that of 02:04 does; and one too far for ioc."""
    above = desk.trading.submit_order(
        StopLimitOrderRequest(symbol=BTC, qty=0.1, side=BUY, time_in_force=GTC, stop_price=4720, limit_price=4730)
    )
    below = desk.trading.submit_order(
        LimitOrderRequest(symbol=BTC, qty=0.1, side=BUY, time_in_force=GTC, limit_price=4690)
    )
    gone = desk.trading.submit_order(
        LimitOrderRequest(symbol=BTC, qty=0.1, side=BUY, time_in_force=IOC, limit_price=4600)
    )
    assert desk.trading.get_order_by_id(gone.id).status is OrderStatus.CANCELED
    desk.go_to("2017-09-03T01:06:00Z")
    quantity, price = filled(desk, above)
    assert quantity == "0.1"
    assert Decimal(4720) <= price <= Decimal(4730)
    desk.go_to("2017-09-03T02:05:00Z")
    assert filled(desk, below) == ("0.1", Decimal(4690))
    held = Decimal(desk.trading.get_open_position("BTCUSD").qty)
    assert Decimal("0.0997") + 2 * Decimal("0.09975") <= held <= 3 * Decimal("0.09985")


def refusals(desk: Desk) -> None:
    """No short sales, no plain stops, no day orders."""
    for request in (
        LimitOrderRequest(symbol=BTC, qty=1, side=SELL, time_in_force=GTC, limit_price=4700),
        StopOrderRequest(symbol=BTC, qty=0.1, side=SELL, time_in_force=GTC, stop_price=4000),
        MarketOrderRequest(symbol=BTC, qty=0.1, side=BUY, time_in_force=TimeInForce.DAY),
    ):
        with pytest.raises(APIError) as refused:
            desk.trading.submit_order(request)
        assert refused.value.status_code in (403, 422)


def all_of_it_sold(desk: Desk) -> None:
    """At 02:07Z the bid is 4692.90 for more than all of it: first a hundred dollars' worth, then what is left."""
    desk.go_to("2017-09-03T02:07:00Z")
    order = desk.trading.submit_order(MarketOrderRequest(symbol=BTC, notional=100, side=SELL, time_in_force=IOC))
    quantity, price = filled(desk, order)
    assert price == Decimal("4692.9")
    assert abs(Decimal(quantity) * price - 100) < Decimal("0.01")
    closed = desk.trading.close_position("BTCUSD")
    assert desk.trading.get_order_by_id(closed.id).status is OrderStatus.FILLED
    assert desk.trading.get_all_positions() == []
    desk.go_to("2017-09-04T08:00:00Z")
    fees = activities(desk, "CFEE")
    assert sorted(fee["qty"] for fee in fees if "qty" in fee) == ["-0.00015", "-0.00025", "-0.00025"]
    fills = activities(desk, "FILL")
    traded = sum(
        ((1 if fill["side"] == "sell" else -1) * Decimal(fill["qty"]) * Decimal(fill["price"]) for fill in fills),
        Decimal(0),
    )
    charged = sum((Decimal(fee["net_amount"]) for fee in fees), Decimal(0))
    assert charged < -3  # a quarter of a percent of what was sold
    assert abs(100_000 + traded + charged - Decimal(desk.trading.get_account().cash)) < Decimal("0.01")
