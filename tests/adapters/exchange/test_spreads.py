"""Several contracts at one net price: debits and credits, partial sizes, what they reserve, and how they are closed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from hydra.adapters.exchange.model import Ticket
from hydra.adapters.exchange.terms import No, PositionIntent, Rejection, RequestLeg, Status
from hydra.model.orders import OrderType
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
DEBIT = ((P95, BUY, 1), (P90, SELL, 1))
CREDIT = ((P95, SELL, 1), (P90, BUY, 1))


def test_a_debit_spread_is_bought_on_the_far_sides_and_costs_its_debit() -> None:
    scene = Stage(CASH)
    scene.place(spread("v", *DEBIT, quantity=2, limit="0.50"))
    assert scene.status("v", "v.1", "v.2") == ["filled"] * 3
    assert scene.fills() == [("v.1", D(2), D("0.70")), ("v.2", D(2), D("0.20"))]
    assert scene.named("v").average_price == D("0.50")
    assert scene.cash == scene.power == 20_000 - 100


def test_a_credit_spread_brings_its_credit_and_locks_its_width() -> None:
    scene = Stage(CASH)
    scene.place(spread("v", *CREDIT, quantity=2, limit="-0.30"))
    assert scene.named("v").average_price == D("-0.30")
    assert scene.cash == 20_000 + 60
    assert scene.power == 20_000 + 60 - 1_000
    assert scene.venue.figures().options_buying_power == 20_000 + 60 - 1_000


def test_a_limit_is_the_worst_net_price() -> None:
    scene = Stage(CALM)
    assert scene.place(spread("v", *DEBIT, limit="0.49")).status is Status.NEW
    scene.options({P95: ("0.58", "0.69"), P90: ("0.20", "0.30")})
    assert scene.status("v") == ["filled"]
    assert scene.named("v").average_price == D("0.49")


@pytest.mark.parametrize("ended", ["cancel", "close"])
def test_an_open_spread_reserves_its_largest_loss_and_gives_it_back(ended: str) -> None:
    scene = Stage(CASH)
    scene.place(spread("d", *DEBIT, quantity=2, limit="0.40"))
    assert scene.power == 20_000 - 80
    scene.place(spread("c", (P100, SELL, 1), (C100, BUY, 1), limit="-5"))  # a written put wants its strike
    assert scene.power == 20_000 - 80 - 9_500
    if ended == "cancel":
        scene.cancel("d")
        scene.cancel("c")
    else:
        scene.to(scene.at(16))
        assert scene.status("d", "d.1", "d.2", "c") == ["expired"] * 4
    assert scene.power == 20_000


def test_sizes_are_those_of_the_smallest_leg_in_whole_units() -> None:
    scene = Stage(CALM)
    scene.options({P95: ("0.60", "0.70"), P90: ("0.20", "0.30")}, size=5)
    scene.place(spread("v", (P95, BUY, 1), (P90, SELL, 2), quantity=4, limit=1))
    assert (scene.status("v"), scene.named("v").filled) == (["partially_filled"], D(2))
    assert [leg.filled for leg in scene.venue.legs("v")] == [D(2), D(4)]
    scene.restart()
    scene.options({P95: ("0.60", "0.80"), P90: ("0.20", "0.30")}, size=4)
    assert scene.status("v") == ["filled"]
    assert scene.named("v").average_price == D("0.35")  # 0.30 twice and 0.40 twice
    assert (scene.owned(P95), scene.owned(P90)) == (D(4), D(-8))


def test_the_legs_of_a_spread_that_has_filled_in_part_never_fill_by_themselves() -> None:
    scene = Stage(CALM)
    scene.options({P95: ("0.60", "0.70"), P90: ("0.20", "0.30")}, size=1)
    scene.place(spread("v", *DEBIT, quantity=3))
    assert [leg.filled for leg in scene.venue.legs("v")] == [D(1), D(1)]
    scene.options({P95: ("0.60", "0.70")}, size=10)
    scene.options({P95: ("0.60", "0.70")}, size=10)
    assert [leg.filled for leg in scene.venue.legs("v")] == [D(1), D(1)]  # the size of the other leg is used up


@pytest.mark.parametrize(
    ("opened", "closed", "net"),
    [(DEBIT, ((P95, SELL, 1), (P90, BUY, 1)), "-0.30"), (CREDIT, ((P95, BUY, 1), (P90, SELL, 1)), "0.50")],
    ids=["debit", "credit"],
)
def test_a_spread_is_closed_by_its_opposite(opened: Any, closed: Any, net: str) -> None:
    scene = Stage(CASH)
    scene.place(spread("v", *opened, quantity=3))
    assert scene.place(spread("w", *closed, quantity=2, limit=net)).status is Status.FILLED
    assert [leg.position_intent.opens for leg in scene.venue.legs("w")] == [False, False]  # type: ignore[union-attr]  # said
    assert abs(scene.owned(P95)) == 1
    scene.place(spread("x", *closed))
    assert scene.venue.held() == ()
    assert scene.power == scene.cash == 20_000 - 3 * 20  # the two spreads of ten cents, three times


def test_what_an_open_spread_will_close_is_promised() -> None:
    scene = Stage(CALM)
    scene.place(spread("v", *DEBIT, quantity=2))
    scene.place(spread("w", *CREDIT, quantity=1, limit="-0.90"))
    assert scene.available(P95) == 1
    assert scene.refused(spread("x", *CREDIT, quantity=2)).kind is No.INSUFFICIENT_QUANTITY
    assert scene.refused(order("s", SELL, 2, P95)).kind is No.INSUFFICIENT_QUANTITY
    scene.restart()
    assert scene.available(P95) == 1


def test_an_open_spread_cannot_grow_beyond_what_there_is_to_close() -> None:
    scene = Stage(CALM)
    scene.place(order("long", BUY, 2, P90))
    scene.place(spread("v", *DEBIT, limit="0.10"))  # its second leg would close one of them
    no = scene.amend("v", "w", quantity=3)
    assert isinstance(no, Rejection)
    assert (no.kind, no.figures["available"]) == (No.INSUFFICIENT_QUANTITY, "2")
    assert isinstance(scene.amend("v", "w", quantity=2), Ticket)


def test_calls_that_are_only_ordered_do_not_free_the_shares_behind_a_written_one() -> None:
    scene = Stage(CALM)
    scene.place(order("shares", BUY, 100))
    scene.place(order("written", SELL, 1, C105))
    assert scene.available("SPY") == 0
    scene.place(spread("v", (C100, BUY, 1), (P90, SELL, 1), limit="-5"))
    assert scene.available("SPY") == 0
    assert scene.refused(order("s", SELL, 1)).kind is No.INSUFFICIENT_QUANTITY


def test_a_single_order_and_a_leg_do_not_open_a_contract_against_each_other() -> None:
    scene = Stage(CALM)
    scene.place(spread("v", *DEBIT, limit="0.10"))
    assert scene.refused(order("s", BUY, 1, P90, limit="0.10")).kind is No.WASH_TRADE
    scene.cancel("v")
    scene.place(order("s", BUY, 1, P90, limit="0.10"))
    assert scene.refused(spread("w", *DEBIT, limit="0.10")).kind is No.WASH_TRADE


def test_a_market_spread_that_has_become_too_dear_is_cancelled() -> None:
    scene = Stage(replace(CASH, starting_cash=Decimal(100)))
    scene.to(scene.at(22))
    scene.place(spread("v", *DEBIT))
    scene.to(scene.at(9, 30, days=1))
    scene.options({P95: ("3.00", "3.10"), P90: ("0.20", "0.30")})
    assert scene.status("v", "v.1", "v.2") == ["canceled"] * 3
    assert "needs 290, has 100" in scene.named("v").reason


def test_an_iron_condor_locks_its_wider_side() -> None:
    scene = Stage(CASH)
    scene.place(spread("v", (P95, SELL, 1), (P90, BUY, 1), (C100, SELL, 1), (C105, BUY, 1)))
    credit = (D("0.60") - D("0.30") + D("2.00") - D("0.60")) * 100
    assert scene.power == 20_000 + credit - 500


def test_a_spread_waits_until_every_leg_has_a_fresh_quote() -> None:
    scene = Stage(CALM)
    for _ in range(3):
        scene.bar(100)
    assert scene.place(spread("v", *DEBIT)).status is Status.NEW
    scene.options({P95: ("0.60", "0.70")})
    assert scene.status("v") == ["new"]
    scene.options({P90: ("0.20", "0.30")})
    assert scene.status("v") == ["filled"]


def legs(*parts: RequestLeg) -> Any:
    """A spread with legs as they are given."""
    return replace(spread("v", *DEBIT), legs=parts)


def part(symbol: str = P95, ratio: int = 1, **more: Any) -> RequestLeg:
    """A leg."""
    return RequestLeg(symbol=symbol, ratio=ratio, **{"side": BUY, **more})


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (legs(part()), "2 to 4 legs, got 1"),
        (legs(part(), part(side=SELL)), "different contracts"),
        (legs(part(), part("SPY")), "are option contracts, got SPY"),
        (legs(part(ratio=2), part(P90, 4)), "lowest terms, got 2, 4"),
        (legs(part(), part(P90, position_intent=PositionIntent.SELL_TO_OPEN)), "does not go with a buy"),
        (legs(part(), part(P90, position_intent=PositionIntent.BUY_TO_CLOSE)), "position intent mismatch"),
        (legs(part(), part("SPY240308P00050000")), "is not traded here"),
        (legs(part(), part("QQQ240308P00050000")), "one underlying"),
        (spread("v", *DEBIT, quantity="1.5"), "whole number of units, got 1.5"),
        (replace(spread("v", *DEBIT), symbol="SPY"), "no symbol"),
        (replace(spread("v", *DEBIT), order_type=OrderType.LIMIT), "a limit price belongs to limit orders"),
        (spread("v", *DEBIT, limit="0.505"), "not a multiple of 0.01"),
        (spread("v", (C105, SELL, 2), (C100, BUY, 1)), "no bound to its loss"),
    ],
)
def test_a_spread_that_is_none_is_refused(request_: Any, said: str) -> None:
    assert said in Stage(CALM).refused(request_).reason
