"""What the account may do at all: blocks, levels, buying power, wash trades, day trades."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from hydra.adapters.exchange.model import Configuration
from hydra.adapters.exchange.terms import No, PositionIntent, Rejection, Status
from hydra.model.values import replace
from tests.adapters.exchange.market_scenes import (
    BUY,
    C100,
    C105,
    CASH,
    P90,
    P95,
    P100,
    SELL,
    SIM,
    D,
    Stage,
    order,
    spread,
)

CALM = replace(SIM, day_trade_protection=False)
SMALL = replace(SIM, starting_cash=Decimal(10_000))


@pytest.mark.parametrize(("status", "blocked"), [("INACTIVE", False), ("ACTIVE", True), ("ACCOUNT_CLOSED", True)])
def test_an_account_that_is_not_active_or_is_blocked_takes_no_order(status: str, *, blocked: bool) -> None:
    scene = Stage(CALM)
    scene.venue.set_standing(status, blocked=blocked)
    for request in (order("o", limit=95), spread("v", (P95, BUY, 1), (P90, SELL, 1))):
        assert scene.refused(request).kind is No.ACCOUNT_BLOCKED
    scene.restart()
    assert scene.venue.state().status == status
    scene.venue.set_standing("ACTIVE")
    assert scene.place(order("o", limit=95)).status is Status.NEW


def test_an_owner_may_suspend_trading() -> None:
    scene = Stage(CALM)
    scene.venue.configure(Configuration(suspend_trade=True))
    assert "suspend_trade" in scene.refused(order("o")).reason
    scene.restart()
    scene.venue.configure(Configuration())
    scene.place(order("o"))


@pytest.mark.parametrize(
    ("level", "allowed"),
    [
        (0, set()),
        (1, {"covered", "secured"}),
        (2, {"covered", "secured", "long"}),
        (3, {"covered", "secured", "long", "spread"}),
    ],
)
@pytest.mark.parametrize("by", ["venue", "owner"])
def test_each_options_level_allows_its_orders(level: int, allowed: set[str], by: str) -> None:
    scene = Stage(replace(CALM, options_level=level if by == "venue" else 3))
    scene.venue.configure(Configuration(max_options_level=level if by == "owner" else 3))
    scene.place(order("shares", BUY, 100))
    wanted = {
        "covered": order("covered", SELL, 1, C105),
        "secured": order("secured", SELL, 1, P95),
        "long": order("long", BUY, 1, C100),
        "spread": spread("spread", (P100, BUY, 1), (P90, SELL, 1)),
    }
    for name, request in wanted.items():
        if name in allowed:
            assert scene.place(request).status is Status.FILLED
        else:
            assert scene.refused(request).kind is No.NOT_PERMITTED


def test_what_is_held_can_be_closed_at_any_level() -> None:
    scene = Stage(CALM)
    scene.place(order("l", BUY, 1, C100))
    scene.place(order("s", SELL, 1, P95))
    scene.venue.configure(Configuration(max_options_level=0))
    scene.place(order("x", SELL, 1, C100))
    scene.place(order("y", BUY, 1, P95))
    assert scene.venue.held() == ()


def test_below_level_three_no_contract_stands_behind_another() -> None:
    scene = Stage(replace(CALM, options_level=2))
    scene.place(order("l", BUY, 1, C100))
    assert scene.refused(order("s", SELL, 1, C105)).kind is No.NOT_PERMITTED
    scene.place(order("p", BUY, 1, P95))
    assert scene.place(order("q", SELL, 1, P90)).status is Status.FILLED


def test_a_naked_call_is_refused_at_every_level() -> None:
    no = Stage(CALM).refused(order("s", SELL, 1, C100))
    assert no.kind is No.NOT_PERMITTED
    assert "uncovered" in no.reason


def test_the_shares_behind_a_written_call_cannot_be_sold() -> None:
    scene = Stage(replace(CALM, participation=None))
    scene.place(order("b", BUY, 250))
    scene.place(order("c", SELL, 2, C105))
    assert scene.available() == 50
    no = scene.refused(order("s", SELL, 51))
    assert no.kind is No.INSUFFICIENT_QUANTITY
    assert "200 stand behind written calls" in no.reason
    assert scene.refused(order("d", SELL, 1, C105)).kind is No.NOT_PERMITTED
    scene.place(order("s", SELL, 50))
    scene.place(order("e", BUY, 1, C105))
    assert scene.available() == 100


def test_the_shares_are_locked_as_soon_as_the_call_is_ordered() -> None:
    scene = Stage(CALM)
    scene.place(order("b", BUY, 100))
    scene.place(order("c", SELL, 1, C105, limit="0.90"))
    assert scene.available() == 0
    assert scene.refused(order("s", SELL, 1)).kind is No.INSUFFICIENT_QUANTITY
    assert scene.refused(order("d", SELL, 1, C100)).kind is No.NOT_PERMITTED
    scene.cancel("c")
    assert scene.available() == 100


def test_shares_promised_to_a_sale_cover_no_call() -> None:
    scene = Stage(CALM)
    scene.place(order("b", BUY, 100))
    scene.place(order("s", SELL, 1, limit=110))
    assert scene.refused(order("c", SELL, 1, C105)).kind is No.NOT_PERMITTED


def test_a_put_is_secured_by_its_strike_in_cash() -> None:
    scene = Stage(CASH)
    scene.place(order("p", SELL, 1, P95, limit="0.80"))
    assert scene.power == 20_000 - 9_500
    scene.restart()
    scene.options({P95: ("0.80", "0.90")})
    assert scene.power == 20_000 + 80 - 9_500
    assert scene.refused(order("q", SELL, 2, P90)).kind is No.INSUFFICIENT_BUYING_POWER
    assert scene.refused(order("b", BUY, 200, limit=60)).kind is No.INSUFFICIENT_BUYING_POWER
    scene.place(order("c", BUY, 1, P95))
    assert scene.power == scene.cash == 20_000 + 80 - 90


def test_an_ordered_spread_covers_nothing_yet() -> None:
    scene = Stage(CALM)
    scene.place(spread("v", (P100, BUY, 1), (C100, BUY, 1), limit=0))
    assert scene.refused(order("s", SELL, 1, C105)).kind is No.NOT_PERMITTED


def test_the_long_side_of_a_spread_is_not_sold_from_under_its_short_side() -> None:
    scene = Stage(replace(CASH, starting_cash=Decimal(5_000)))
    scene.place(spread("v", (P95, BUY, 1), (P90, SELL, 1)))
    no = scene.refused(order("s", SELL, 1, P95))
    assert (no.kind, no.figures["cost_basis"]) == (No.INSUFFICIENT_BUYING_POWER, "9000")
    scene = Stage(CALM)
    scene.place(spread("c", (C100, BUY, 1), (C105, SELL, 1)))
    assert scene.refused(order("s", SELL, 1, C100)).kind is No.NOT_PERMITTED


def test_buying_power_is_reserved_and_released_to_the_cent() -> None:
    scene = Stage(CASH)
    scene.place(order("a", BUY, 10, limit=95))
    assert scene.power == 20_000 - 950
    scene.place(order("b", BUY, 10, stop=105))
    assert scene.power == 20_000 - 950 - D("1060.5")  # a hundredth more than its stop
    scene.place(order("c", BUY, 1, C100, limit="1.00"))
    assert scene.power == 20_000 - 950 - D("1060.5") - 100
    scene.place(order("d", BUY, "0.1", "BTC-USD", limit=50_000))
    assert scene.power == 20_000 - 950 - D("1060.5") - 100 - 5_000
    for name in "abcd":
        scene.cancel(name)
    assert scene.power == 20_000


def test_a_partial_fill_keeps_its_share_reserved() -> None:
    scene = Stage(CASH)
    scene.place(order("a", BUY, 150, limit="100.01"))
    assert scene.named("a").reserved == D("5000.50")
    assert scene.power == 20_000 - D("15001.50")


@pytest.mark.parametrize(
    ("request_", "cost"),
    [
        (order("o", BUY, 300, limit=100), "30000"),
        (order("o", BUY, "0.4", "BTC-USD", limit=60_000), "24000"),
        (order("o", BUY, 100, C100), "21210"),
        (order("o", SELL, 3, P95), "28500"),
    ],
    ids=["shares", "coins", "contracts", "written puts"],
)
def test_what_cannot_be_paid_is_refused_with_the_numbers(request_, cost: str) -> None:
    no = Stage(CASH).refused(request_)
    assert no.kind is No.INSUFFICIENT_BUYING_POWER
    assert no.figures == {"buying_power": "20000", "cost_basis": cost}


def test_an_order_that_has_become_too_dear_is_cancelled_at_the_fill() -> None:
    scene = Stage(CASH)
    scene.place(order("o", BUY, 190, stop=104))
    scene.bar(120)
    assert scene.status("o") == ["canceled"]
    assert "needs 22800, has 20000" in scene.named("o").reason


def test_an_order_does_not_fill_with_money_that_another_has_reserved() -> None:
    scene = Stage(CASH)
    scene.place(order("a", BUY, 100, limit=90, tif="gtc"))
    scene.place(order("o", BUY, 100, stop=104))
    scene.bar(115)
    assert scene.status("a", "o") == ["new", "canceled"]


def test_two_orders_that_could_trade_with_each_other_are_not_both_taken() -> None:
    scene = Stage(CALM)
    scene.place(order("held"))
    first = scene.place(order("s", SELL, 10, limit=101))
    for request in (order("b", limit=101), order("b"), order("b", stop=105)):
        no = scene.refused(request)
        assert (no.kind, no.order) == (No.WASH_TRADE, first.venue_id)
    assert scene.place(order("b", limit="100.50")).status is Status.FILLED
    free = Stage(replace(CALM, wash_trade_protection=False))
    free.place(order("held"))
    free.place(order("s", SELL, 10, limit=101))
    assert free.place(order("b", limit=101)).status is Status.FILLED


def test_a_said_intent_must_be_true() -> None:
    scene = Stage(CALM)
    wrong = scene.refused(order("o", position_intent=PositionIntent.BUY_TO_CLOSE))
    assert "inferred: buy_to_open, specified: buy_to_close" in wrong.reason
    assert "does not go with a buy" in scene.refused(order("o", position_intent=PositionIntent.SELL_TO_OPEN)).reason
    scene.place(order("o", position_intent=PositionIntent.BUY_TO_OPEN))


def _day_trade(scene: Stage, number: int) -> None:
    scene.quote("99.99", "100.01")
    scene.place(order(f"in{number}", BUY, 1))
    scene.place(order(f"out{number}", SELL, 1))


def test_the_fourth_day_trade_in_five_days_is_refused_to_a_small_account() -> None:
    scene = Stage(SMALL)
    for number in range(3):
        _day_trade(scene, number)
    assert scene.venue.figures().day_trades == 3
    scene.place(order("in", BUY, 1))
    no = scene.refused(order("out", SELL, 1))
    assert no.kind is No.PATTERN_DAY_TRADER
    scene.to(scene.at(9, 30, days=1))
    scene.quote("99.99", "100.01")
    scene.place(order("out", SELL, 1))  # held over night, it is no day trade


def test_day_trades_leave_the_window_after_five_exchange_days() -> None:
    scene = Stage(SMALL)
    for number in range(3):
        _day_trade(scene, number)
    scene.to(scene.at(12, days=4))
    assert scene.venue.figures().day_trades == 3
    scene.to(scene.at(12, days=7))
    assert scene.venue.figures().day_trades == 0


def test_a_rich_account_may_day_trade() -> None:
    scene = Stage(SIM)
    for number in range(5):
        _day_trade(scene, number)
    assert scene.venue.figures().day_trades == 5
    scene.to(scene.at(16))
    assert scene.venue.state().pattern_day_trader


def test_an_expired_contract_is_not_traded() -> None:
    scene = Stage(CALM)
    scene.to(scene.at(12, days=5) + timedelta(days=2))
    assert scene.refused(order("o", BUY, 1, C100, limit=1)).kind is No.NOT_TRADABLE
    assert scene.refused(spread("v", (P95, BUY, 1), (P90, SELL, 1), limit=1)).kind is No.NOT_TRADABLE


def test_closing_a_spread_on_its_day_is_a_day_trade_too() -> None:
    scene = Stage(SMALL)
    for number in range(3):
        _day_trade(scene, number)
    scene.options({P95: ("0.60", "0.70"), P90: ("0.20", "0.30")})
    scene.place(spread("v", (P95, BUY, 1), (P90, SELL, 1)))
    assert scene.refused(spread("w", (P95, SELL, 1), (P90, BUY, 1))).kind is No.PATTERN_DAY_TRADER


def test_a_limit_is_not_moved_to_where_it_meets_another_order_of_the_account() -> None:
    scene = Stage(CALM)
    scene.place(order("held"))
    scene.place(order("s", SELL, 10, limit=102))
    scene.place(order("b", BUY, 10, limit=95))
    no = scene.amend("s", "t", limit=95)
    assert isinstance(no, Rejection)
    assert (no.kind, no.order) == (No.WASH_TRADE, scene.named("b").venue_id)
    scene.replaced("s", "t", limit=96)
