"""What the hours of the exchange do to an account: fees at the end of the day, the close on record, corporate actions."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from hydra.adapters.exchange.model import ActivityKind
from hydra.adapters.exchange.terms import OrderClass
from hydra.adapters.markets.feed import ActionKind, CorporateAction
from hydra.model.orders import Side
from hydra.model.values import replace
from tests.adapters.exchange.market_scenes import (
    BUY,
    C100,
    C105,
    MONDAY,
    SELL,
    SIM,
    D,
    Stage,
    average,
    order,
)

CALM = replace(SIM, day_trade_protection=False, participation=None)
TUESDAY = MONDAY + timedelta(days=1)


def action(kind: ActionKind, **more: object) -> CorporateAction:
    """Something that SPY does on Tuesday."""
    return CorporateAction(**{"kind": kind, "symbol": "SPY", "ex_date": TUESDAY, **more})  # type: ignore[arg-type]  # as named


SPLIT = action(ActionKind.FORWARD_SPLIT, new_rate=Decimal(2))


def next_morning(scene: Stage) -> None:
    """To the beginning of Tuesday's pre-market."""
    scene.to(scene.at(4, days=1))


def test_regulatory_fees_add_up_over_the_day_and_are_charged_at_eight() -> None:
    scene = Stage(CALM)
    scene.place(order("b", BUY, 1_000))
    scene.place(order("s", SELL, 600))
    scene.place(order("t", SELL, 400))
    cash = scene.cash
    # On 2024-03-04: 8.00 a million of 99,990, 0.000166 a share of 1,000; nothing for the audit trail yet.
    accrued = scene.venue.state().accrued
    assert accrued == {"sec": D("0.79992"), "taf": D("0.166")}
    scene.to(scene.at(19, 59))
    assert scene.cash == cash
    scene.to(scene.at(20))
    fees = [each for each in scene.venue.activities() if each.kind is ActivityKind.FEE]
    assert sorted(each.amount for each in fees) == [D("-0.80"), D("-0.17")]
    assert scene.cash == cash - D("0.97")
    assert scene.venue.state().accrued == {}
    scene.to(scene.at(21, days=1))
    assert scene.cash == cash - D("0.97")


def test_fees_on_contracts_are_charged_with_the_others() -> None:
    scene = Stage(CALM)
    scene.place(order("b", BUY, 10, C100))
    # 0.02685 and 0.02 a contract.
    assert scene.venue.state().accrued == {"orf": D("0.2685"), "occ": D("0.20")}
    scene.restart()
    scene.to(scene.at(20))
    assert sorted(each.amount for each in scene.venue.activities()) == [D("-0.27"), D("-0.20")]


def test_a_weekend_has_no_end_of_the_day() -> None:
    scene = Stage(CALM)
    scene.place(order("b", BUY, 10, "BTC-USD", limit=1))
    scene.to(scene.at(3, days=7))
    assert scene.status("b") == ["new"]
    assert scene.venue.activities() == []


def test_the_close_is_put_on_record() -> None:
    scene = Stage(CALM)
    scene.place(order("b", BUY, 100))
    scene.to(scene.at(15, 59))
    scene.quote("100.99", "101.01", at=scene.at(16))
    state = scene.venue.state()
    assert (state.closed_on, state.closing_prices) == (MONDAY, {"SPY": D(101)})
    assert state.closing_equity == D(100_000) + 99
    assert state.closing_maintenance == 3_030
    (held,) = scene.venue.held()
    assert (held.closing_price, held.today) == (D(101), D(100))
    scene.to(scene.at(9, 30, days=1))
    assert scene.venue.held()[0].today == 0


def test_a_forward_split_multiplies_shares_and_open_orders() -> None:
    scene = Stage(CALM, actions=(SPLIT,))
    scene.place(order("b", BUY, 10, order_class=OrderClass.BRACKET, take_profit=104, stop_loss=98, tif="gtc"))
    scene.place(order("l", BUY, 5, limit=90, tif="gtc"))
    next_morning(scene)
    assert (scene.owned(), average(scene)) == (D(20), D("50.005"))
    assert [(leg.quantity, leg.stop, leg.limit) for leg in scene.venue.legs("b")] == [
        (D(20), D(49), None),
        (D(20), None, D(52)),
    ]
    assert (scene.named("l").quantity, scene.named("l").limit) == (D(10), D(45))
    assert scene.venue.state().closing_prices == {"SPY": D(50)}
    scene.restart()
    scene.to(scene.at(9, 30, days=1))
    scene.bar(50, 50, 48, 49)
    assert scene.fills("b.stop") == [("b.stop", D(20), D(49))]
    assert scene.owned() == 0


def test_a_split_of_contracts_that_nobody_quotes_keeps_the_account_in_order() -> None:
    scene = Stage(CALM, actions=(SPLIT,))
    scene.place(order("b", BUY, 100))
    scene.place(order("c", SELL, 1, C105))
    scene.place(order("d", BUY, 1, C100))
    next_morning(scene)
    halved = "SPY240308C00052500"
    assert (scene.owned("SPY"), scene.owned(halved)) == (D(200), D(-2))
    assert scene.owned("SPY240308C00050000") == 2
    assert scene.available("SPY") == 200  # the long calls stand behind the written ones
    scene.restart()
    assert scene.venue.exercise("SPY240308C00050000") is None
    assert scene.owned("SPY") == 400
    scene.to(scene.at(16, days=4))
    assert scene.owned(halved) == 0


def test_a_reverse_split_cancels_orders_and_keeps_the_fraction() -> None:
    scene = Stage(CALM, actions=(action(ActionKind.REVERSE_SPLIT, old_rate=Decimal(4)),))
    scene.place(order("b", BUY, 10, order_class=OrderClass.BRACKET, take_profit=104, stop_loss=98, tif="gtc"))
    next_morning(scene)
    assert (scene.owned(), scene.available()) == (D("2.5"), D("2.5"))
    assert scene.status("b.stop", "b.target") == ["canceled", "canceled"]
    assert "reverse_split of SPY" in scene.named("b.stop").reason
    assert scene.news("b.target")[-1] == "canceled"


def test_a_fraction_that_cannot_be_held_is_paid_in_cash() -> None:
    scene = Stage(replace(CALM, fractional=False), actions=(action(ActionKind.REVERSE_SPLIT, old_rate=Decimal(4)),))
    scene.place(order("b", BUY, 10))
    cash = scene.cash
    next_morning(scene)
    assert scene.owned() == 2
    assert scene.cash == cash + 200  # half a new share, worth four times 100


@pytest.mark.parametrize(("side", "amount", "fees"), [(BUY, "37", "0"), (SELL, "-37", "0.10")])
def test_a_dividend_is_paid_to_the_long_and_by_the_short(side: Side, amount: str, fees: str) -> None:
    scene = Stage(CALM, actions=(action(ActionKind.CASH_DIVIDEND, cash=Decimal("0.37")),))
    scene.place(order("b", side, 100))
    cash = scene.cash
    next_morning(scene)
    assert scene.cash - cash == D(amount) - D(fees)  # a sale has had its fees by now
    (paid,) = [each for each in scene.venue.activities() if each.kind is ActivityKind.DIVIDEND]
    assert paid.amount == D(amount)


def test_a_dividend_is_owed_until_it_is_payable_to_who_held_the_shares_before() -> None:
    payable = action(ActionKind.CASH_DIVIDEND, cash=Decimal("0.37"), payable_date=MONDAY + timedelta(days=3))
    scene = Stage(CALM, actions=(payable,))
    scene.place(order("b", BUY, 100))
    next_morning(scene)
    assert scene.venue.activities() == []
    assert [each.amount for each in scene.venue.state().owed] == [D(37)]
    scene.to(scene.at(9, 30, days=1))
    scene.quote("99.99", "100.01")
    scene.place(order("s", SELL, 100))
    scene.restart()
    scene.to(scene.at(3, 59, days=3))
    assert not [each for each in scene.venue.activities() if each.kind is ActivityKind.DIVIDEND]
    scene.to(scene.at(4, days=3))
    assert [each.amount for each in scene.venue.activities() if each.kind is ActivityKind.DIVIDEND] == [D(37)]
    assert scene.venue.state().owed == ()


def test_a_dividend_lowers_buy_limits_and_sell_stops() -> None:
    scene = Stage(CALM, actions=(action(ActionKind.CASH_DIVIDEND, cash=Decimal("0.37")),))
    scene.place(order("b", BUY, 10, order_class=OrderClass.BRACKET, take_profit=104, stop_loss=98, tif="gtc"))
    scene.place(order("l", BUY, 5, limit=90, tif="gtc"))
    next_morning(scene)
    assert scene.named("l").limit == D("89.63")
    assert [(leg.stop, leg.limit) for leg in scene.venue.legs("b")] == [(D("97.63"), None), (None, D(104))]


def test_a_new_name_takes_the_position_and_cancels_the_orders() -> None:
    scene = Stage(CALM, actions=(action(ActionKind.NAME_CHANGE, new_symbol="QQQ"),))
    scene.place(order("b", BUY, 100, order_class=OrderClass.BRACKET, take_profit=104, stop_loss=98, tif="gtc"))
    scene.place(order("d", BUY, 1, C100))
    scene.place(order("o", BUY, 1, C105, limit="0.10", tif="gtc"))
    next_morning(scene)
    assert scene.auditor.owned() == {"QQQ": D(100), "QQQ240308C00100000": D(1)}
    assert scene.status("b.stop", "b.target", "o") == ["canceled"] * 3
    scene.restart()
    scene.to(scene.at(9, 30, days=1))
    scene.quote(50, 51, symbol="QQQ")
    scene.place(order("s", SELL, 100, "QQQ"))
    assert scene.owned("QQQ") == 0


def test_actions_are_carried_out_once() -> None:
    scene = Stage(CALM, actions=(SPLIT,))
    scene.place(order("b", BUY, 10))
    next_morning(scene)
    scene.restart()
    scene.to(scene.at(23, days=2))
    assert scene.owned() == 20
