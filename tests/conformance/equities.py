"""A day in SPY with alpaca-py alone: 2013-10-07, every order type, class and time in force there is for shares.

The figures in the comments are rows of the recording (``SPY-1min-20131007-20131011.csv``): a bar is named by its opening, so
the quote at 09:31 New York is the row of 13:30Z. That day the index opened at 167.43, fell to 167.25 in two minutes, rose to
168.36 by 14:00 New York, and closed at 167.42.
"""

# mypy: disable-error-code="union-attr,index,arg-type"
# alpaca-py types every answer as "the model or raw data"; raw data is switched off here.

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from alpaca.common.exceptions import APIError
from alpaca.data.requests import (
    StockBarsRequest,
    StockLatestBarRequest,
    StockLatestQuoteRequest,
    StockLatestTradeRequest,
    StockQuotesRequest,
    StockSnapshotRequest,
)
from alpaca.data.timeframe import TimeFrame, TimeFrameUnit
from alpaca.trading.enums import (
    AssetClass,
    CorporateActionType,
    OrderClass,
    OrderSide,
    OrderStatus,
    OrderType,
    QueryOrderStatus,
    TimeInForce,
)
from alpaca.trading.models import Order
from alpaca.trading.requests import (
    ClosePositionRequest,
    GetAssetsRequest,
    GetCalendarRequest,
    GetCorporateAnnouncementsRequest,
    GetOrderByIdRequest,
    GetOrdersRequest,
    GetPortfolioHistoryRequest,
    LimitOrderRequest,
    MarketOrderRequest,
    ReplaceOrderRequest,
    StopLimitOrderRequest,
    StopLossRequest,
    StopOrderRequest,
    TakeProfitRequest,
    TrailingStopOrderRequest,
)

from tests.conformance.desk import Desk

START = "2013-10-07T13:20:00Z"
DAY = TimeInForce.DAY
NOTHING = ("0", Decimal(0))
BUY, SELL = OrderSide.BUY, OrderSide.SELL


def the_whole_day(desk: Desk) -> None:
    """From before the opening until after the close, in the order in which it happens."""
    what_there_is(desk)
    before_the_opening(desk)
    at_the_opening(desk)
    resting_orders(desk)
    immediate_orders(desk)
    by_notional(desk)
    protected_entries(desk)
    both_exits(desk)
    a_trailing_stop(desk)
    blocked_by_the_owner(desk)
    history(desk)
    the_close(desk)
    looking_back(desk)


def what_there_is(desk: Desk) -> None:
    """Account, clock, calendar, assets."""
    account = desk.trading.get_account()
    assert (account.status.value, account.currency) == ("ACTIVE", "USD")
    assert Decimal(account.cash) == Decimal(account.equity) == 100_000
    clock = desk.trading.get_clock()
    assert not clock.is_open
    assert clock.next_open.isoformat() == "2013-10-07T09:30:00-04:00"
    days = desk.trading.get_calendar(GetCalendarRequest(start=date(2013, 10, 5), end=date(2013, 10, 8)))
    assert [(day.date.isoformat(), day.open.hour, day.close.hour) for day in days] == [
        ("2013-10-07", 9, 16),
        ("2013-10-08", 9, 16),
    ]
    spy = desk.trading.get_asset("SPY")
    assert (spy.symbol, spy.asset_class, spy.tradable) == ("SPY", AssetClass.US_EQUITY, True)
    assert desk.trading.get_asset(spy.id).symbol == "SPY"
    listed = desk.trading.get_all_assets(GetAssetsRequest(asset_class=AssetClass.US_EQUITY))
    assert "SPY" in {asset.symbol for asset in listed}
    with pytest.raises(APIError) as refused:
        desk.trading.get_asset("NOSUCH")
    assert refused.value.status_code == 404


def before_the_opening(desk: Desk) -> None:
    """09:20: extended hours trade at the quote (167.53 to 167.55), the auction takes orders until 09:28."""
    early = desk.trading.submit_order(
        LimitOrderRequest(symbol="SPY", qty=3, side=BUY, time_in_force=DAY, limit_price=167.60, extended_hours=True)
    )
    assert filled(desk, early) == ("3", Decimal("167.55"))
    with pytest.raises(APIError, match="extended"):
        desk.trading.submit_order(
            MarketOrderRequest(symbol="SPY", qty=3, side=BUY, time_in_force=DAY, extended_hours=True)
        )
    opening = desk.trading.submit_order(
        MarketOrderRequest(symbol="SPY", qty=5, side=BUY, time_in_force=TimeInForce.OPG, client_order_id="at-the-open")
    )
    assert opening.status in (OrderStatus.ACCEPTED, OrderStatus.NEW)


def at_the_opening(desk: Desk) -> None:
    """09:31: the auction was at 167.43, the quote is 167.44 to 167.45."""
    desk.go_to("2013-10-07T13:31:00Z")
    assert desk.trading.get_clock().is_open
    assert filled(desk, desk.trading.get_order_by_client_id("at-the-open")) == ("5", Decimal("167.43"))
    quote = desk.stocks.get_stock_latest_quote(StockLatestQuoteRequest(symbol_or_symbols="SPY"))["SPY"]
    assert (quote.bid_price, quote.ask_price) == (167.44, 167.45)
    market = desk.trading.submit_order(MarketOrderRequest(symbol="SPY", qty=10, side=BUY, time_in_force=DAY))
    assert filled(desk, market) == ("10", Decimal("167.45"))
    closing = desk.trading.submit_order(
        MarketOrderRequest(symbol="SPY", qty=1, side=BUY, time_in_force=TimeInForce.CLS, client_order_id="at-the-close")
    )
    assert closing.status in (OrderStatus.ACCEPTED, OrderStatus.NEW)
    spy = desk.trading.get_open_position("SPY")
    assert spy.qty == "18"
    # three at 167.55, five at 167.43, ten at 167.45
    assert Decimal(spy.avg_entry_price).quantize(Decimal("0.0001")) == Decimal("167.4611")


def resting_orders(desk: Desk) -> None:
    """Limit, stop and stop-limit rest until the price comes; a replacement is a new order."""
    first = desk.trading.submit_order(
        LimitOrderRequest(symbol="SPY", qty=2, side=BUY, time_in_force=DAY, limit_price=167.30, client_order_id="lower")
    )
    assert (first.status, first.order_type, first.limit_price) == (OrderStatus.NEW, OrderType.LIMIT, "167.3")
    with pytest.raises(APIError, match="unique"):
        desk.trading.submit_order(
            LimitOrderRequest(
                symbol="SPY", qty=2, side=BUY, time_in_force=DAY, limit_price=167.30, client_order_id="lower"
            )
        )
    second = desk.trading.replace_order_by_id(first.id, ReplaceOrderRequest(qty=4, limit_price=167.28))
    assert (second.replaces, second.qty, second.limit_price) == (first.id, "4", "167.28")
    old = desk.trading.get_order_by_id(first.id)
    assert (old.status, old.replaced_by) == (OrderStatus.REPLACED, second.id)
    stop = desk.trading.submit_order(
        StopOrderRequest(symbol="SPY", qty=2, side=BUY, time_in_force=DAY, stop_price=167.60)
    )
    stop_limit = desk.trading.submit_order(
        StopLimitOrderRequest(
            symbol="SPY", qty=2, side=BUY, time_in_force=TimeInForce.GTC, stop_price=167.70, limit_price=167.75
        )
    )
    assert filled(desk, stop) == filled(desk, stop_limit) == NOTHING
    desk.go_to("2013-10-07T13:33:00Z")  # the row of 13:32: 167.37 to 167.25
    assert filled(desk, second) == ("4", Decimal("167.28"))
    desk.go_to("2013-10-07T13:50:00Z")  # 13:41 reached 167.62; 13:45 reached 167.72
    assert filled(desk, stop) == ("2", Decimal("167.60"))
    assert filled(desk, stop_limit) == ("2", Decimal("167.70"))


def immediate_orders(desk: Desk) -> None:
    """09:50, 167.81 to 167.82: what cannot be filled at once is gone; what rests can be taken back, alone or with all others."""
    far = {"symbol": "SPY", "qty": 1, "side": BUY, "limit_price": 160}
    near = {**far, "limit_price": 167.82}
    for time_in_force in (TimeInForce.IOC, TimeInForce.FOK):
        gone = desk.trading.submit_order(LimitOrderRequest(**far, time_in_force=time_in_force))
        assert desk.trading.get_order_by_id(gone.id).status in (OrderStatus.CANCELED, OrderStatus.EXPIRED)
        done = desk.trading.submit_order(LimitOrderRequest(**near, time_in_force=time_in_force))
        assert filled(desk, done) == ("1", Decimal("167.82"))
    resting = [desk.trading.submit_order(LimitOrderRequest(**far, time_in_force=TimeInForce.GTC)) for _ in range(3)]
    desk.trading.cancel_order_by_id(resting[0].id)
    assert desk.trading.get_order_by_id(resting[0].id).status is OrderStatus.CANCELED
    with pytest.raises(APIError):
        desk.trading.cancel_order_by_id(resting[0].id)
    desk.trading.cancel_order_by_id(desk.trading.get_order_by_client_id("at-the-close").id)
    assert {answer.id for answer in desk.trading.cancel_orders()} == {order.id for order in resting[1:]}
    assert desk.trading.get_orders() == []


def by_notional(desk: Desk) -> None:
    """A hundred dollars' worth at 167.82 is 0.595876534 shares."""
    order = desk.trading.submit_order(MarketOrderRequest(symbol="SPY", notional=100, side=BUY, time_in_force=DAY))
    quantity, price = filled(desk, order)
    assert (quantity, price) == ("0.595876534", Decimal("167.82"))
    desk.trading.close_position("SPY", ClosePositionRequest(qty=quantity))
    assert "." not in desk.trading.get_open_position("SPY").qty


def protected_entries(desk: Desk) -> None:
    """A bracket and an entry with a stop: the exits wait for the entry, and one exit ends the other.

    At 14:31Z the quote is 168.31 to 168.32. The row of 16:31 falls below 167.80, so both stops are hit; 169 is never seen.
    """
    desk.go_to("2013-10-07T14:31:00Z")
    bracket = desk.trading.submit_order(
        MarketOrderRequest(
            symbol="SPY",
            qty=5,
            side=BUY,
            time_in_force=DAY,
            order_class=OrderClass.BRACKET,
            take_profit=TakeProfitRequest(limit_price=169),
            stop_loss=StopLossRequest(stop_price=167.90, limit_price=167.50),
        )
    )
    assert bracket.order_class is OrderClass.BRACKET
    assert exits(desk, bracket) == {OrderType.LIMIT: OrderStatus.NEW, OrderType.STOP_LIMIT: OrderStatus.HELD}
    oto = desk.trading.submit_order(
        LimitOrderRequest(
            symbol="SPY",
            qty=5,
            side=BUY,
            time_in_force=TimeInForce.GTC,
            limit_price=168.50,
            order_class=OrderClass.OTO,
            stop_loss=StopLossRequest(stop_price=167.90),
        )
    )
    assert filled(desk, bracket) == filled(desk, oto) == ("5", Decimal("168.32"))
    desk.go_to("2013-10-07T16:45:00Z")
    assert exits(desk, bracket) == {OrderType.LIMIT: OrderStatus.CANCELED, OrderType.STOP_LIMIT: OrderStatus.FILLED}
    assert exits(desk, oto) == {OrderType.STOP: OrderStatus.FILLED}


def both_exits(desk: Desk) -> None:
    """Two exits for what is held: at 18:01Z the limit at 168.30 was reached, so the stop is gone."""
    oco = desk.trading.submit_order(
        LimitOrderRequest(
            symbol="SPY",
            qty=6,
            side=SELL,
            time_in_force=DAY,
            order_class=OrderClass.OCO,
            take_profit=TakeProfitRequest(limit_price=168.30),
            stop_loss=StopLossRequest(stop_price=167.00),
        )
    )
    with pytest.raises(APIError, match="insufficient"):
        desk.trading.submit_order(
            LimitOrderRequest(symbol="SPY", qty=25, side=SELL, time_in_force=DAY, limit_price=168.30)
        )
    desk.go_to("2013-10-07T18:01:00Z")
    assert filled(desk, oco) == ("6", Decimal("168.30"))
    assert exits(desk, oco)[OrderType.STOP] is OrderStatus.CANCELED


def a_trailing_stop(desk: Desk) -> None:
    """It follows up to 168.45 (the row of 18:02Z) and sells when the price has come back by 30 cents (18:07Z)."""
    order = desk.trading.submit_order(
        TrailingStopOrderRequest(symbol="SPY", qty=2, side=SELL, time_in_force=DAY, trail_price=0.30)
    )
    assert (order.order_type, order.trail_price) == (OrderType.TRAILING_STOP, "0.3")
    desk.go_to("2013-10-07T19:31:00Z")
    assert filled(desk, order) == ("2", Decimal("168.15"))
    assert desk.trading.get_order_by_id(order.id).hwm == "168.45"


def blocked_by_the_owner(desk: Desk) -> None:
    """The owner suspends trading: a new order is refused, and taken again afterwards."""
    settings = desk.trading.get_account_configurations()
    settings.suspend_trade = True
    assert desk.trading.set_account_configurations(settings).suspend_trade
    assert desk.trading.get_account().trade_suspended_by_user
    with pytest.raises(APIError) as refused:
        desk.trading.submit_order(MarketOrderRequest(symbol="SPY", qty=1, side=BUY, time_in_force=DAY))
    assert refused.value.status_code == 403
    settings.suspend_trade = False
    assert not desk.trading.set_account_configurations(settings).suspend_trade


def history(desk: Desk) -> None:
    """Bars and quotes of the past, in pages that alpaca-py puts together; nothing from the future."""
    first = StockBarsRequest(
        symbol_or_symbols="SPY", timeframe=TimeFrame.Minute, start="2013-10-07T13:30:00Z", end="2013-10-07T13:32:00Z"
    )
    bars = desk.stocks.get_stock_bars(first)["SPY"]
    assert [(bar.open, bar.high, bar.low, bar.close, bar.volume) for bar in bars] == [
        (167.43, 167.52, 167.41, 167.44, 816453),
        (167.47, 167.47, 167.31, 167.37, 876364),
        (167.37, 167.37, 167.25, 167.28, 642093),
    ]
    five = desk.stocks.get_stock_bars(
        first.model_copy(update={"timeframe": TimeFrame(5, TimeFrameUnit.Minute)}),
    )["SPY"]
    assert (five[0].open, five[0].high, five[0].low) == (167.43, 167.53, 167.25)
    every = desk.stocks.get_stock_bars(first.model_copy(update={"end": None}))["SPY"]
    assert every[-1].timestamp.isoformat() == "2013-10-07T19:30:00+00:00"
    quotes = desk.stocks.get_stock_quotes(
        StockQuotesRequest(symbol_or_symbols="SPY", start="2013-10-07T13:30:00Z", end="2013-10-07T13:32:00Z")
    )["SPY"]
    assert (quotes[-1].bid_price, quotes[-1].ask_price) in {(167.37, 167.38), (167.44, 167.45)}
    one = {"symbol_or_symbols": "SPY"}
    bar = desk.stocks.get_stock_latest_bar(StockLatestBarRequest(**one))["SPY"]
    assert (bar.close, bar.volume) == (167.95, 246893)
    snapshot = desk.stocks.get_stock_snapshot(StockSnapshotRequest(**one))["SPY"]
    assert snapshot.minute_bar.close == 167.95
    assert snapshot.daily_bar.high >= 168.36
    assert desk.stocks.get_stock_latest_trade(StockLatestTradeRequest(**one))["SPY"].price == 167.95


def the_close(desk: Desk) -> None:
    """An order for the closing auction, then the rest of the position at once, in the minute before."""
    order = desk.trading.submit_order(MarketOrderRequest(symbol="SPY", qty=1, side=SELL, time_in_force=TimeInForce.CLS))
    before = Decimal(desk.trading.get_open_position("SPY").qty)
    half = desk.trading.close_position("SPY", ClosePositionRequest(percentage="50"))
    assert Decimal(half.qty) == before / 2
    desk.go_to("2013-10-07T20:00:00Z")
    assert filled(desk, order) == ("1", Decimal("167.42"))
    assert not desk.trading.get_clock().is_open
    desk.go_to("2013-10-08T13:31:00Z")
    closed = desk.trading.close_all_positions(cancel_orders=True)
    assert [(answer.symbol, answer.status) for answer in closed] == [("SPY", 200)]
    assert desk.trading.get_all_positions() == []


def looking_back(desk: Desk) -> None:
    """Orders, activities and the account's history agree with each other."""
    orders = desk.trading.get_orders(
        GetOrdersRequest(status=QueryOrderStatus.ALL, limit=500, nested=False, direction="asc")
    )
    done = [order for order in orders if Decimal(order.filled_qty) > 0]
    spent = sum((signed(order) * Decimal(order.filled_avg_price) for order in done), Decimal(0))
    account = desk.trading.get_account()
    fills = activities(desk, "FILL")
    assert sorted({fill["order_id"] for fill in fills}) == sorted({str(order.id) for order in done})
    fees = sum((Decimal(str(fee["net_amount"])) for fee in activities(desk, "FEE")), Decimal(0))
    assert abs(Decimal(account.cash) + Decimal(account.accrued_fees or 0) - (100_000 - spent + fees)) <= Decimal("0.05")
    assert Decimal(account.equity) == Decimal(account.cash)
    curve = desk.trading.get_portfolio_history(GetPortfolioHistoryRequest(period="1D", timeframe="15Min"))
    assert len(curve.timestamp) == len(curve.equity) > 0
    request = GetCorporateAnnouncementsRequest(
        ca_types=[CorporateActionType.DIVIDEND, CorporateActionType.SPLIT],
        since=date(2013, 10, 1),
        until=date(2013, 10, 31),
    )
    assert desk.trading.get_corporate_announcements(request) == []


def filled(desk: Desk, order: Order) -> tuple[str, Decimal]:
    """How much of an order has filled by now, and at what average price (0 for nothing)."""
    now = desk.trading.get_order_by_id(order.id)
    return str(now.filled_qty), Decimal(now.filled_avg_price or 0)


def exits(desk: Desk, order: Order) -> dict[OrderType | None, OrderStatus]:
    """Where the exits of an order stand."""
    whole = desk.trading.get_order_by_id(order.id, GetOrderByIdRequest(nested=True))
    return {leg.order_type: leg.status for leg in whole.legs or []}


def signed(order: Order) -> Decimal:
    """What an order has added to the position."""
    return Decimal(order.filled_qty) * (1 if order.side is BUY else -1)


def activities(desk: Desk, kind: str) -> list[dict[str, Any]]:
    """Everything of a kind; alpaca-py's trading client has no method for it, but a public ``get``."""
    found: list[dict[str, Any]] = []
    while True:
        page = desk.trading.get(
            f"/account/activities/{kind}", {"page_size": 20, "page_token": found[-1]["id"] if found else ""}
        )
        found += page
        if len(page) < 20:
            return found
