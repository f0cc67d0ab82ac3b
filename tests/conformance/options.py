"""Options with alpaca-py alone: GOOG on 2015-12-24, a day that closed at 13:00 New York (18:00Z).

Quotes are rows of ``GOOG-chain-1min-20151224.csv.gz``; a row is known one minute after its time. At 15:01Z the put 745 of
2015-12-31 is 5.80 to 6.50 and the put 740 is 4.00 to 4.70; at 17:46Z they are 4.10 to 4.50 and 2.70 to 2.95.
"""

# mypy: disable-error-code="union-attr,index,arg-type"
# alpaca-py types every answer as "the model or raw data"; raw data is switched off here.

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from alpaca.common.exceptions import APIError
from alpaca.data.requests import (
    OptionBarsRequest,
    OptionChainRequest,
    OptionLatestQuoteRequest,
    OptionLatestTradeRequest,
    OptionSnapshotRequest,
)
from alpaca.data.timeframe import TimeFrame
from alpaca.trading.enums import (
    ContractType,
    ExerciseStyle,
    OrderClass,
    OrderSide,
    OrderStatus,
    PositionIntent,
    TimeInForce,
)
from alpaca.trading.requests import (
    GetOptionContractsRequest,
    LimitOrderRequest,
    MarketOrderRequest,
    OptionLegRequest,
    StopOrderRequest,
)

from tests.conformance.desk import Desk
from tests.conformance.equities import NOTHING, filled

START = "2015-12-24T15:01:00Z"
HIGH, LOW = "GOOG151231P00745000", "GOOG151231P00740000"
DAY = TimeInForce.DAY


def the_short_day(desk: Desk) -> None:
    """Contracts and chains, one contract, a spread that is closed before the early close."""
    contracts(desk)
    chain(desk)
    one_contract(desk)
    refusals(desk)
    a_put_spread(desk)


def contracts(desk: Desk) -> None:
    """What can be traded, by expiry and strike, in pages."""
    request = GetOptionContractsRequest(
        underlying_symbols=["GOOG"],
        expiration_date=date(2015, 12, 31),
        type=ContractType.PUT,
        strike_price_gte="740",
        strike_price_lte="745",
        limit=2,
    )
    first = desk.trading.get_option_contracts(request)
    assert [contract.symbol for contract in first.option_contracts] == [LOW, "GOOG151231P00742500"]
    rest = desk.trading.get_option_contracts(request.model_copy(update={"page_token": first.next_page_token}))
    assert [contract.symbol for contract in rest.option_contracts] == [HIGH]
    assert rest.next_page_token is None
    contract = desk.trading.get_option_contract(HIGH)
    assert (contract.strike_price, contract.expiration_date, contract.size) == (745, date(2015, 12, 31), "100")
    assert contract.style is ExerciseStyle.AMERICAN
    assert desk.trading.get_option_contract(contract.id).symbol == HIGH


def chain(desk: Desk) -> None:
    """Quotes alone, by contract, and as a chain."""
    quotes = desk.options.get_option_latest_quote(OptionLatestQuoteRequest(symbol_or_symbols=[HIGH, LOW]))
    assert (quotes[HIGH].bid_price, quotes[HIGH].ask_price) == (5.8, 6.5)
    assert (quotes[LOW].bid_price, quotes[LOW].ask_price) == (4.0, 4.7)
    near = desk.options.get_option_chain(
        OptionChainRequest(
            underlying_symbol="GOOG",
            expiration_date=date(2015, 12, 31),
            type=ContractType.PUT,
            strike_price_gte=740,
            strike_price_lte=745,
        )
    )
    assert sorted(near) == [LOW, "GOOG151231P00742500", HIGH]
    assert near[HIGH].latest_quote.ask_price == 6.5
    every = desk.options.get_option_chain(OptionChainRequest(underlying_symbol="GOOG"))
    assert len(every) > 700  # alpaca-py has put the pages together
    snapshot = desk.options.get_option_snapshot(OptionSnapshotRequest(symbol_or_symbols=HIGH))
    assert snapshot[HIGH].latest_quote.bid_price == 5.8
    traded = "GOOG151231P00747500"  # the row of 15:00Z: 7.43 to 7.50, two contracts
    assert desk.options.get_option_latest_trade(OptionLatestTradeRequest(symbol_or_symbols=traded))[traded].price == 7.5
    bars = desk.options.get_option_bars(
        OptionBarsRequest(symbol_or_symbols=traded, timeframe=TimeFrame.Minute, start="2015-12-24T15:00:00Z")
    )
    assert [(bar.high, bar.low, bar.volume) for bar in bars[traded]] == [(7.5, 7.43, 2)]


def one_contract(desk: Desk) -> None:
    """Bought at the ask, a hundred times its price; sold at the bid by closing the position."""
    cash = Decimal(desk.trading.get_account().cash)
    order = desk.trading.submit_order(
        MarketOrderRequest(
            symbol=HIGH, qty=2, side=OrderSide.BUY, time_in_force=DAY, position_intent=PositionIntent.BUY_TO_OPEN
        )
    )
    assert filled(desk, order) == ("2", Decimal("6.5"))
    held = desk.trading.get_open_position(HIGH)
    assert (held.qty, Decimal(held.cost_basis)) == ("2", Decimal(1300))
    paid = cash - Decimal(desk.trading.get_account().cash)
    assert Decimal(1300) <= paid <= Decimal(1301)  # fees, if they are taken at once
    stop = desk.trading.submit_order(
        StopOrderRequest(symbol=HIGH, qty=1, side=OrderSide.SELL, time_in_force=DAY, stop_price=3)
    )
    desk.trading.cancel_order_by_id(stop.id)
    closed = desk.trading.close_position(HIGH)
    assert filled(desk, closed) == ("2", Decimal("5.8"))


def refusals(desk: Desk) -> None:
    """A naked call, a fraction of a contract, an order that rests over night: not here."""
    call = "GOOG151231C00750000"
    for request in (
        LimitOrderRequest(symbol=call, qty=1, side=OrderSide.SELL, time_in_force=DAY, limit_price=5.2),
        LimitOrderRequest(symbol=call, qty=0.5, side=OrderSide.BUY, time_in_force=DAY, limit_price=6),
        LimitOrderRequest(symbol=call, qty=1, side=OrderSide.BUY, time_in_force=TimeInForce.OPG, limit_price=6),
    ):
        with pytest.raises(APIError) as refused:
            desk.trading.submit_order(request)
        assert refused.value.status_code in (403, 422)


def spread(limit: float, *, opening: bool) -> LimitOrderRequest:
    """Long the higher put and short the lower, or the way back."""
    high = PositionIntent.BUY_TO_OPEN if opening else PositionIntent.SELL_TO_CLOSE
    low = PositionIntent.SELL_TO_OPEN if opening else PositionIntent.BUY_TO_CLOSE
    return LimitOrderRequest(
        qty=1,
        time_in_force=DAY,
        limit_price=limit,
        order_class=OrderClass.MLEG,
        legs=[
            OptionLegRequest(symbol=HIGH, ratio_qty=1, position_intent=high),
            OptionLegRequest(symbol=LOW, ratio_qty=1, position_intent=low),
        ],
    )


def a_put_spread(desk: Desk) -> None:
    """Opened for 6.50 - 4.00 = 2.50; closed for 4.10 - 2.95 = 1.15 fourteen minutes before the close."""
    too_low = desk.trading.submit_order(spread(2.00, opening=True))
    assert filled(desk, too_low) == NOTHING
    desk.trading.cancel_order_by_id(too_low.id)
    order = desk.trading.submit_order(spread(2.60, opening=True))
    assert filled(desk, order) == ("1", Decimal("2.5"))
    assert order.symbol is None
    assert {leg.symbol: leg.filled_avg_price for leg in order.legs} == {HIGH: "6.5", LOW: "4"}
    assert {held.symbol: held.qty for held in desk.trading.get_all_positions()} == {HIGH: "1", LOW: "-1"}
    desk.go_to("2015-12-24T17:46:00Z")
    back = desk.trading.submit_order(spread(-1.10, opening=False))
    quantity, price = filled(desk, back)
    assert (quantity, abs(price)) == ("1", Decimal("1.15"))
    assert desk.trading.get_all_positions() == []
    lost = 100_000 - Decimal(desk.trading.get_account().equity)
    # (6.50 - 5.80) * 200 for the two contracts, (2.50 - 1.15) * 100 for the spread, and fees
    assert Decimal(275) <= lost <= Decimal(278)
    desk.go_to("2015-12-24T18:01:00Z")
    assert not desk.trading.get_clock().is_open
    assert desk.trading.get_order_by_id(back.id).status is OrderStatus.FILLED
