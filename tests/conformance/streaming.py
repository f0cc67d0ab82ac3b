"""The streams with alpaca-py alone: fills as they happen, quotes and bars as they become known."""

# mypy: disable-error-code="union-attr,index,arg-type"
# alpaca-py types every answer as "the model or raw data"; raw data is switched off here.

from __future__ import annotations

from decimal import Decimal

from alpaca.data.models import Bar, Quote, Trade
from alpaca.trading.enums import OrderSide, TimeInForce, TradeEvent
from alpaca.trading.requests import LimitOrderRequest, MarketOrderRequest, ReplaceOrderRequest

from tests.conformance.desk import Desk, wait_for


def equities(desk: Desk) -> None:
    """SPY from 09:31 to 09:33 on 2013-10-08, nothing held: two bars, two quotes, and the life of four orders."""
    streams = desk.streams()
    streams.trades.subscribe_trade_updates(streams.on_update)
    streams.stocks.subscribe_bars(streams.on_data, "SPY")
    streams.stocks.subscribe_quotes(streams.on_data, "SPY")
    streams.stocks.subscribe_trades(streams.on_data, "SPY")
    streams.start(streams.trades, streams.stocks)
    try:
        market = desk.trading.submit_order(
            MarketOrderRequest(symbol="SPY", qty=10, side=OrderSide.BUY, time_in_force=TimeInForce.DAY)
        )
        waiting = desk.trading.submit_order(
            LimitOrderRequest(symbol="SPY", qty=2, side=OrderSide.BUY, time_in_force=TimeInForce.DAY, limit_price=166)
        )
        nearer = desk.trading.replace_order_by_id(waiting.id, ReplaceOrderRequest(limit_price=167.40))
        far = desk.trading.submit_order(
            LimitOrderRequest(symbol="SPY", qty=1, side=OrderSide.BUY, time_in_force=TimeInForce.GTC, limit_price=160)
        )
        desk.trading.cancel_order_by_id(far.id)
        desk.go_to("2013-10-08T13:33:00Z")
        wait_for(lambda: "fill" in streams.events_of(nearer.id), "the limit order to fill")
        wait_for(lambda: len(of(streams.data, Bar)) >= 2, "two bars")
        wait_for(lambda: len(of(streams.data, Quote)) >= 2, "two quotes")
    finally:
        streams.stop()
        desk.step()
    assert streams.events_of(market.id) == ["new", "fill"]
    for order, last in ((waiting, "replaced"), (nearer, "fill"), (far, "canceled")):
        events = streams.events_of(order.id)
        assert (events[0], events[-1]) == ("new", last)
        assert set(events[1:-1]) <= {"pending_replace", "pending_cancel"}
    fill = next(update for update in streams.updates if update.event == TradeEvent.FILL)
    assert (fill.price, fill.qty, fill.position_qty) == (167.5, 10, 10)
    assert Decimal(fill.order.filled_avg_price) == Decimal("167.5")
    assert [bar.close for bar in of(streams.data, Bar)][:2] == [167.42, 167.47]
    assert [(quote.bid_price, quote.ask_price) for quote in of(streams.data, Quote)][:2] == [
        (167.41, 167.42),
        (167.47, 167.48),
    ]


def crypto(desk: Desk) -> None:
    """BTC-USD at 01:00Z: the bar and the quote of the minute before."""
    streams = desk.streams()
    streams.crypto.subscribe_bars(streams.on_data, "BTC/USD")
    streams.crypto.subscribe_quotes(streams.on_data, "*")
    streams.start(streams.crypto)
    try:
        desk.go_to("2017-09-03T01:00:00Z")
        wait_for(lambda: of(streams.data, Bar) and of(streams.data, Quote), "a bar and a quote")
    finally:
        streams.stop()
        desk.step()
    assert of(streams.data, Bar)[0].close == 4699.99
    assert ("BTC/USD", 4699.52) in {(quote.symbol, quote.ask_price) for quote in of(streams.data, Quote)}


def options(desk: Desk) -> None:
    """One put of GOOG at 15:00Z on 2015-12-24: its quote."""
    put = "GOOG151231P00745000"
    streams = desk.streams()
    streams.options.subscribe_quotes(streams.on_data, put)
    streams.start(streams.options)
    try:
        desk.go_to("2015-12-24T15:00:00Z")
        wait_for(lambda: of(streams.data, Quote), "a quote")
    finally:
        streams.stop()
        desk.step()
    quote = of(streams.data, Quote)[0]
    assert (quote.symbol, quote.bid_price, quote.ask_price) == (put, 5.8, 6.5)


def of(items: list, kind: type) -> list:
    """Those of a kind."""
    assert kind in (Bar, Quote, Trade)
    return [item for item in items if isinstance(item, kind)]
