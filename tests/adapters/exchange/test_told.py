"""What the in-process door asks for and tells of, in either kind of account."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.adapters.account_rules import PAIR_FEE_MOST, fee_most
from hydra.adapters.calendar import ExchangeCalendar
from hydra.adapters.exchange.doors import SimBroker, SimMarket
from hydra.adapters.exchange.fees import crypto_fee, crypto_rate
from hydra.adapters.exchange.model import Activity, ActivityKind, FeeSchedule, as_at_alpaca
from hydra.adapters.exchange.terms import OrderClass, PositionIntent
from hydra.adapters.exchange.told import KINDS, activity_of, request_of
from hydra.adapters.exchange.venue import SimulatedVenue
from hydra.adapters.markets.feed import ActionKind, CorporateAction
from hydra.model.errors import Refused
from hydra.model.money import ZERO
from hydra.model.orders import Leg, OrderStatus, OrderType, Protection, Side, TimeInForce
from hydra.ports import AckOutcome
from tests.adapters.exchange.scenes import OPEN
from tests.contracts.broker_contract import bracket, buy
from tests.fakes.feed import ScriptedFeed, bar, option_quote, quote

MINUTE = timedelta(minutes=1)
CALL, HIGHER = "SPY240419C00100000", "SPY240419C00105000"
_T, _F, _C = OrderType, TimeInForce, OrderClass


@pytest.mark.parametrize(
    ("symbol", "limit", "force", "asked", "classes"),
    [
        ("SPY", None, _F.DAY, _F.GTC, _C.BRACKET),
        ("SPY", "100", _F.DAY, _F.DAY, _C.BRACKET),
        ("SPY", "100", _F.GTC, _F.GTC, _C.BRACKET),
        ("BTC-USD", None, _F.GTC, _F.GTC, _C.SIMPLE),
        ("BTC-USD", "100", _F.IOC, _F.IOC, _C.SIMPLE),
        (CALL, None, _F.DAY, _F.DAY, _C.SIMPLE),
    ],
)
def test_an_account_as_at_alpaca_has_one_time_in_force_and_exits_for_shares_alone(
    symbol: str, limit: str | None, force: TimeInForce, asked: TimeInForce, classes: OrderClass
) -> None:
    order = buy(symbol=symbol, limit=limit, time_in_force=force, protection=bracket())
    request = request_of(order, FeeSchedule.ALPACA)
    assert (request.time_in_force, request.exits_force, request.order_class) == (asked, None, classes)
    assert (request.stop_loss is None) is (classes is _C.SIMPLE)


@pytest.mark.parametrize(("symbol", "carried"), [("SPY", True), ("BTC-USD", True), (CALL, False)])
def test_a_plain_account_has_exits_that_outlive_any_entry(symbol: str, carried: bool) -> None:
    request = request_of(buy(symbol=symbol, protection=bracket(target=None)))
    assert (request.order_class, request.time_in_force) == (_C.OTO if carried else _C.SIMPLE, _F.DAY)
    assert request.exits_force is (_F.GTC if carried else None)


def test_without_protection_an_order_keeps_its_time_in_force() -> None:
    assert request_of(buy(limit=None), FeeSchedule.ALPACA).time_in_force is _F.DAY


@given(
    quantity=st.decimals("0.000000001", "1000", places=9),
    price=st.decimals("0.01", "100000", places=2),
    volume=st.integers(0, 10**9),
    side=st.sampled_from(Side),
    maker=st.booleans(),
)
@settings(derandomize=True, max_examples=200)
def test_no_tier_takes_more_of_a_pair_than_the_bound(
    quantity: Decimal, price: Decimal, volume: int, side: Side, maker: bool
) -> None:
    dollars, coin = crypto_fee(side, quantity, price, crypto_rate(Decimal(volume), maker=maker))
    cash_most, coin_most = fee_most("BTC-USD", side, quantity, price)
    assert dollars <= cash_most
    assert coin <= coin_most
    assert (cash_most > 0, coin_most > 0) == (side is Side.SELL, side is Side.BUY)
    assert fee_most("SPY", side, quantity, price) == (ZERO, ZERO)


def test_the_bound_is_the_highest_rate_there_is() -> None:
    assert crypto_rate(ZERO, maker=False) == PAIR_FEE_MOST


def test_every_kind_of_the_venues_has_a_word() -> None:
    assert set(KINDS) == set(ActivityKind)


def row(kind: ActivityKind, symbol: str, quantity: str) -> Activity:
    return Activity(number=7, kind=kind, at=OPEN, symbol=symbol, quantity=Decimal(quantity), description="as it was")


@pytest.mark.parametrize(
    ("symbol", "quantity", "new_symbol"),
    [("SPY", "-10", "SPX"), ("SPX", "10", ""), (CALL, "-1", "SPX240419C00100000"), ("SPX240419C00100000", "1", "")],
)
def test_a_change_of_name_is_told_on_the_row_of_the_old_one(symbol: str, quantity: str, new_symbol: str) -> None:
    day = date(2024, 3, 4)
    actions = [
        CorporateAction(kind=ActionKind.CASH_DIVIDEND, symbol="SPY", ex_date=day, cash=Decimal(1)),
        CorporateAction(kind=ActionKind.NAME_CHANGE, symbol="QQQ", ex_date=day, new_symbol="QQX"),
        CorporateAction(kind=ActionKind.NAME_CHANGE, symbol="SPY", ex_date=day, new_symbol="SPX"),
    ]
    told = activity_of(row(ActivityKind.NAME_CHANGE, symbol, quantity), actions)
    assert (told.new_symbol, told.ratio, told.note) == (new_symbol, None, "as it was")


def test_a_split_of_contracts_has_no_ratio() -> None:
    split = CorporateAction(kind=ActionKind.FORWARD_SPLIT, symbol="SPY", ex_date=date(2024, 3, 4), new_rate=Decimal(2))
    assert activity_of(row(ActivityKind.SPLIT, CALL, "-1"), [split]).ratio is None
    assert activity_of(row(ActivityKind.SPLIT, "SPY", "10"), [split]).ratio == 2


class Contracts:
    """An account as at Alpaca, SPY at 100, and two calls on it that are first quoted after two minutes."""

    def __init__(self) -> None:
        self.feed = ScriptedFeed(
            [bar("SPY", OPEN, (100, 100, 100, 100))],
            [quote("SPY", OPEN + n * MINUTE, "99.99", "100.01") for n in range(1, 9)],
            options=[
                option_quote(symbol, OPEN + n * MINUTE, bid, ask)
                for n in range(2, 9)
                for symbol, bid, ask in ((CALL, "3", "3.1"), (HIGHER, "1", "1.1" if n != 3 else None))
            ],
        )
        self.venue = SimulatedVenue(self.feed, ExchangeCalendar(), as_at_alpaca(Decimal(100_000)))
        self.venue.advance()
        self.broker, self.market = SimBroker(self.venue), SimMarket(self.venue)


def test_a_contract_is_listed_from_its_first_quote_on() -> None:
    stage = Contracts()
    with pytest.raises(Refused, match=CALL):
        stage.broker.instruments(["SPY", CALL])
    assert stage.market.chain("SPY") == ()
    stage.venue.advance()
    _, contract = stage.broker.instruments(["SPY", CALL])
    assert (contract.exits_with_entry, contract.plain_stops) == (False, True)
    assert [each.symbol for each in stage.market.chain("SPY")] == [CALL, HIGHER]
    assert stage.market.chain("QQQ") == ()


def test_a_contract_has_a_quote_while_it_has_both_sides() -> None:
    stage = Contracts()
    shown = []
    for _ in range(3):
        stage.venue.advance()
        shown.append([each.symbol for each in stage.market.poll([CALL, HIGHER], {}).quotes])
    assert shown == [[CALL, HIGHER], [CALL], [CALL, HIGHER]]


@pytest.mark.parametrize(("side", "limit", "opens"), [(Side.BUY, "2.10", True), (Side.SELL, "1.90", False)])
def test_an_order_in_several_contracts_is_named_after_what_they_are_on(side: Side, limit: str, opens: bool) -> None:
    stage = Contracts()
    stage.venue.advance()
    if not opens:
        spread(stage, Side.BUY, "2.10", opens=True, client_id="first")
    order = spread(stage, side, limit, opens=opens)
    told = stage.broker.order(order)
    assert told is not None
    assert (told.symbol, told.side, told.limit, told.status) == ("SPY", side, Decimal(limit), OrderStatus.FILLED)
    assert told.average_price == Decimal(limit)
    held = {position.symbol: position.quantity for position in stage.broker.positions()}
    assert held == ({CALL: 2, HIGHER: -2} if opens else {})
    request = stage.venue.ticket_named(f"{order}.1")
    assert request is not None
    assert request.position_intent is (PositionIntent.BUY_TO_OPEN if opens else PositionIntent.SELL_TO_CLOSE)


def test_an_order_in_several_contracts_that_rests_is_open() -> None:
    stage = Contracts()
    stage.venue.advance()
    spread(stage, Side.BUY, "1.50", opens=True)
    (order,) = stage.broker.open_orders()
    assert (order.client_id, order.symbol, order.limit) == ("spread", "SPY", Decimal("1.50"))
    assert stage.broker.cancel(order.venue_id).outcome is AckOutcome.ACCEPTED
    assert stage.broker.open_orders() == ()


def spread(stage: Contracts, side: Side, limit: str, *, opens: bool, client_id: str = "spread") -> str:
    """Buy or sell the lower call against the higher one, twice."""
    legs = (
        Leg(symbol=CALL, side=side, ratio=1, opens=opens),
        Leg(symbol=HIGHER, side=side.opposite, ratio=1, opens=opens),
    )
    fields: dict[str, Any] = {"symbol": "SPY", "side": side, "legs": legs, "quantity": "2", "limit": limit}
    ack = stage.broker.submit(buy(client_id, **fields))
    assert ack.outcome is AckOutcome.ACCEPTED, ack.reason
    return client_id


def test_protection_that_a_contract_cannot_carry_is_left_to_who_trades() -> None:
    stage = Contracts()
    stage.venue.advance()
    around = Protection(stop=Decimal("1.50"))
    ack = stage.broker.submit(buy(symbol=CALL, quantity="1", limit=None, protection=around))
    assert ack.outcome is AckOutcome.ACCEPTED, ack.reason
    assert stage.broker.open_orders() == ()
