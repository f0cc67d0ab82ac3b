"""The invented market with alpaca-py alone: what recorded data have no room for, without any figure known beforehand."""

# mypy: disable-error-code="union-attr,index,arg-type"
# alpaca-py types every answer as "the model or raw data"; raw data is switched off here.

from __future__ import annotations

from decimal import Decimal

import pytest
from alpaca.common.exceptions import APIError
from alpaca.data.requests import CryptoLatestQuoteRequest, StockLatestQuoteRequest
from alpaca.trading.enums import OrderSide, OrderStatus, PositionSide, TimeInForce
from alpaca.trading.requests import LimitOrderRequest, MarketOrderRequest

from tests.conformance.desk import Desk
from tests.conformance.equities import filled

START = "2025-01-06T15:00:00Z"
DAY = TimeInForce.DAY


def a_morning(desk: Desk) -> None:
    """Shares, pairs and a short sale, at whatever prices there are."""
    shares(desk)
    a_short_sale(desk)
    a_pair(desk)
    everything_closed(desk)


def shares(desk: Desk) -> None:
    """A market order fills at the ask that is quoted."""
    ask = desk.stocks.get_stock_latest_quote(StockLatestQuoteRequest(symbol_or_symbols="SPY"))["SPY"].ask_price
    order = desk.trading.submit_order(MarketOrderRequest(symbol="SPY", qty=10, side=OrderSide.BUY, time_in_force=DAY))
    quantity, price = filled(desk, order)
    assert quantity == "10"
    assert float(price) == pytest.approx(ask)
    position = desk.trading.get_open_position("SPY")
    assert Decimal(position.market_value) == Decimal(position.qty) * Decimal(position.current_price)


def a_short_sale(desk: Desk) -> None:
    """Sold without holding it: the position is negative, cash grows, equity does not."""
    before = desk.trading.get_account()
    order = desk.trading.submit_order(MarketOrderRequest(symbol="AAPL", qty=5, side=OrderSide.SELL, time_in_force=DAY))
    quantity, price = filled(desk, order)
    position = desk.trading.get_open_position("AAPL")
    assert (quantity, position.qty, position.side) == ("5", "-5", PositionSide.SHORT)
    after = desk.trading.get_account()
    gained = Decimal(after.cash) - Decimal(before.cash)
    assert abs(gained - 5 * price) < 1
    assert abs(Decimal(after.equity) - Decimal(before.equity)) < 5
    assert Decimal(after.short_market_value) < 0
    with pytest.raises(APIError):
        desk.trading.submit_order(MarketOrderRequest(symbol="AAPL", qty=0.5, side=OrderSide.SELL, time_in_force=DAY))
    cover = desk.trading.close_position("AAPL")
    assert (cover.side, cover.qty) == (OrderSide.BUY, "5")


def a_pair(desk: Desk) -> None:
    """A thousand dollars' worth of a coin."""
    pair = "BTC/USD"
    ask = desk.crypto.get_crypto_latest_quote(CryptoLatestQuoteRequest(symbol_or_symbols=pair))[pair].ask_price
    order = desk.trading.submit_order(
        MarketOrderRequest(symbol=pair, notional=1000, side=OrderSide.BUY, time_in_force=TimeInForce.GTC)
    )
    quantity, price = filled(desk, order)
    assert float(price) == pytest.approx(ask)
    held = Decimal(desk.trading.get_open_position("BTCUSD").qty)
    assert held < Decimal(quantity)


def everything_closed(desk: Desk) -> None:
    """What rests is cancelled, what is held is sold."""
    resting = desk.trading.submit_order(
        LimitOrderRequest(symbol="SPY", qty=1, side=OrderSide.BUY, time_in_force=DAY, limit_price=1)
    )
    closed = desk.trading.close_all_positions(cancel_orders=True)
    assert {answer.status for answer in closed} == {200}
    assert desk.trading.get_all_positions() == []
    assert desk.trading.get_order_by_id(resting.id).status is OrderStatus.CANCELED
