"""Brackets, one-triggers-other and one-cancels-other: what lives when, what shares a quantity, and what falls together."""

from __future__ import annotations

from typing import Any

import pytest

from hydra.adapters.exchange.terms import No, OrderClass, Status
from hydra.model.orders import TimeInForce
from hydra.model.values import replace
from tests.adapters.exchange.market_scenes import SELL, SIM, D, Stage, order
from tests.fakes.feed import Number

CALM = replace(SIM, day_trade_protection=False)
WHOLE = replace(CALM, participation=None)


def bracket(client_id: str = "b", **more: Any) -> Any:
    """A bracket around 100."""
    return order(
        client_id, **{"order_class": OrderClass.BRACKET, "take_profit": 104, "stop_loss": 98, "tif": "gtc", **more}
    )


def entered(**more: Any) -> Stage:
    """A bracket of ten whose entry has filled."""
    scene = Stage(WHOLE)
    scene.place(bracket(**more))
    return scene


def test_the_exits_of_a_bracket_wait_until_its_entry_has_filled() -> None:
    scene = Stage(WHOLE)
    scene.place(bracket(limit=99))
    assert scene.status("b", "b.stop", "b.target") == ["new", "held", "held"]
    scene.bar(100, 105, "99.5", 100)
    assert scene.fills() == []
    scene.bar(99, 100, 99, 100)
    assert scene.status("b", "b.stop", "b.target") == ["filled", "held", "new"]
    assert scene.news("b.target") == ["held", "new"]
    assert scene.available() == 0


@pytest.mark.parametrize(
    ("bar", "filled", "price", "other"),
    [
        ((100, 104, 99, 103), "b.target", 104, "b.stop"),
        ((100, 101, 98, 100), "b.stop", 98, "b.target"),
        ((100, 106, 97, 100), "b.stop", 98, "b.target"),
        ((105, 106, 104, 105), "b.target", 105, "b.stop"),
        ((95, 110, 94, 100), "b.stop", 95, "b.target"),
    ],
    ids=["target", "stop", "both reached: the stop", "gap to the target", "gap through the stop"],
)
def test_one_exit_fills_and_the_other_is_cancelled(
    bar: tuple[Number, ...], filled: str, price: Number, other: str
) -> None:
    scene = entered()
    scene.bar(*bar)
    assert scene.fills()[1:] == [(filled, D(10), D(price))]
    assert scene.status(filled, other) == ["filled", "canceled"]
    assert scene.owned() == 0


def test_a_short_bracket_is_its_mirror() -> None:
    scene = Stage(WHOLE)
    scene.place(bracket(side=SELL, take_profit=96, stop_loss=102))
    assert scene.owned() == -10
    scene.bar(100, 103, 95, 96)
    assert scene.fills()[1:] == [("b.stop", D(10), D(102))]
    assert scene.owned() == 0


def test_an_entry_filled_inside_a_bar_may_be_stopped_in_it_and_never_reaches_its_target_in_it() -> None:
    scene = Stage(WHOLE)
    scene.place(bracket(limit=99, take_profit=101))
    scene.bar(100, 102, "98.5", 101)
    assert scene.fills() == [("b", D(10), D(99))]
    scene.place(bracket("c", limit="98.5", take_profit=101))
    scene.bar(100, "100.5", 97, 100)
    assert [fill[0] for fill in scene.fills()] == ["b", "b.stop", "c", "c.stop"]


def test_a_stop_limit_exit_rests_when_it_is_gapped_through_and_its_target_goes_on() -> None:
    scene = entered(stop_loss_limit="97.5")
    scene.bar(95, 96, 94, 95)
    assert scene.status("b.stop", "b.target") == ["held", "new"]
    assert scene.named("b.stop").triggered
    scene.bar(97, 98, 96, 97)
    assert scene.fills()[1:] == [("b.stop", D(10), D("97.5"))]
    assert scene.status("b.target") == ["canceled"]


def test_exits_do_not_live_before_the_whole_entry_has_filled() -> None:
    scene = Stage(CALM)
    scene.quote("99.99", "100.01", size=4)
    scene.place(bracket(limit=101))
    assert scene.status("b", "b.stop", "b.target") == ["partially_filled", "held", "held"]
    scene.bar(100, 101, 99, 100)
    assert scene.status("b", "b.stop", "b.target") == ["filled", "held", "new"]
    assert [leg.quantity for leg in scene.venue.legs("b")] == [D(10), D(10)]


def test_an_entry_cancelled_after_a_partial_fill_leaves_its_exits_on_what_filled() -> None:
    scene = Stage(CALM)
    scene.quote("99.99", "100.01", size=4)
    scene.place(bracket(limit=101))
    scene.cancel("b")
    assert scene.status("b", "b.stop", "b.target") == ["canceled", "held", "new"]
    assert [leg.quantity for leg in scene.venue.legs("b")] == [D(4), D(4)]
    scene.restart()
    scene.bar(100, 100, 97, 98)
    assert scene.fills("b.stop") == [("b.stop", D(4), D(98))]
    assert scene.owned() == 0


def test_exits_protect_no_more_than_is_left_of_what_their_entry_filled() -> None:
    scene = Stage(replace(CALM, wash_trade_protection=False))
    scene.quote("99.99", "100.01", size=4)
    scene.place(bracket(limit="100.01"))
    scene.place(order("s", SELL, 3, limit="99.99"))
    assert scene.owned() == 1
    scene.bar(100, 101, 100, 101)
    assert scene.status("b") == ["filled"]
    assert [leg.quantity for leg in scene.venue.legs("b")] == [D(7), D(7)]


def test_exits_with_nothing_left_to_protect_are_cancelled() -> None:
    scene = Stage(replace(CALM, wash_trade_protection=False))
    scene.quote("99.99", "100.01", size=4)
    scene.place(bracket(limit="100.01"))
    scene.place(order("s", SELL, 4, limit="99.99"))
    scene.cancel("b")
    assert scene.status("b.stop", "b.target") == ["canceled", "canceled"]
    assert "nothing of what b filled" in scene.named("b.stop").reason


def test_a_partial_exit_takes_as_much_off_its_sibling() -> None:
    scene = Stage(CALM)
    scene.place(bracket())
    scene.bar(104, 105, 104, 104, volume=3)
    assert scene.status("b.target", "b.stop") == ["partially_filled", "held"]
    assert scene.named("b.stop").quantity == 7
    scene.restart()
    scene.bar(98, 98, 97, 97, volume=5)
    assert scene.status("b.target", "b.stop") == ["partially_filled", "partially_filled"]
    assert (scene.named("b.target").remaining, scene.named("b.stop").remaining) == (D(2), D(2))
    scene.bar(97)
    assert scene.status("b.target", "b.stop") == ["canceled", "filled"]
    assert scene.owned() == 0


@pytest.mark.parametrize("member", ["b", "b.stop", "b.target"])
def test_before_the_entry_has_filled_cancelling_any_member_cancels_all(member: str) -> None:
    scene = Stage(WHOLE)
    power = scene.power
    scene.place(bracket(limit=99))
    assert scene.power < power
    scene.cancel(member)
    assert scene.status("b", "b.stop", "b.target") == ["canceled"] * 3
    assert scene.power == power


@pytest.mark.parametrize("member", ["b.stop", "b.target"])
def test_cancelling_one_exit_cancels_the_other(member: str) -> None:
    scene = entered()
    scene.cancel(member)
    assert scene.status("b", "b.stop", "b.target") == ["filled", "canceled", "canceled"]
    assert scene.available() == 10


def test_a_day_bracket_expires_whole() -> None:
    scene = Stage(WHOLE)
    scene.place(bracket(limit=99, tif="day"))
    scene.to(scene.at(16))
    assert scene.status("b", "b.stop", "b.target") == ["expired"] * 3


def test_exits_may_outlive_the_day_of_their_entry() -> None:
    scene = entered(tif=TimeInForce.DAY, exits_force=TimeInForce.GTC)
    scene.to(scene.at(9, 30, days=1))
    assert scene.status("b.stop", "b.target") == ["held", "new"]
    scene.bar(100, 100, 97, 98)
    assert scene.status("b.stop", "b.target") == ["filled", "canceled"]


def test_day_exits_expire_together() -> None:
    scene = entered(tif="day")
    scene.to(scene.at(16))
    assert scene.status("b.stop", "b.target") == ["expired", "expired"]
    assert scene.available() == 10


@pytest.mark.parametrize(
    ("price", "leg", "bar", "at"),
    [
        ({"stop_loss": 98}, "b.stop", (100, 105, 97, 100), 98),
        ({"take_profit": 104}, "b.target", (100, 105, 97, 100), 104),
    ],
    ids=["stop", "target"],
)
def test_an_entry_brings_one_exit_along(price: dict[str, Any], leg: str, bar: tuple[Number, ...], at: Number) -> None:
    scene = Stage(WHOLE)
    scene.place(order("b", order_class=OrderClass.OTO, tif="gtc", **price))
    assert scene.status("b", leg) == ["filled", "new"]
    scene.bar(*bar)
    assert scene.fills(leg) == [(leg, D(10), D(at))]


def oco(client_id: str = "o", **more: Any) -> Any:
    """Two exits from a long position."""
    return order(
        client_id,
        SELL,
        **{"order_class": OrderClass.OCO, "limit": 104, "take_profit": 104, "stop_loss": 98, "tif": "gtc", **more},
    )


def test_one_cancels_the_other_and_both_share_one_quantity() -> None:
    scene = Stage(WHOLE)
    scene.place(order("held"))
    scene.place(oco())
    assert scene.status("o", "o.stop") == ["new", "held"]
    assert scene.available() == 0
    scene.bar(100, 105, 97, 100)
    assert scene.status("o", "o.stop") == ["canceled", "filled"]
    assert scene.owned() == 0


@pytest.mark.parametrize("member", ["o", "o.stop"])
def test_an_oco_falls_together(member: str) -> None:
    scene = Stage(WHOLE)
    scene.place(order("held"))
    scene.place(oco())
    scene.cancel(member)
    assert scene.status("o", "o.stop") == ["canceled", "canceled"]
    assert scene.available() == 10


def test_an_oco_that_fills_in_part_goes_on_with_the_rest() -> None:
    scene = Stage(CALM)
    scene.place(order("held"))
    scene.place(oco())
    scene.bar(98, 98, 97, 97, volume=6)
    assert (scene.named("o.stop").filled, scene.named("o").quantity) == (D(6), D(4))
    scene.bar(104, volume=3)  # a stop that was reached is a market order
    assert (scene.named("o.stop").filled, scene.named("o").quantity) == (D(9), D(1))
    assert scene.fills("o.stop") == [("o.stop", D(6), D(98)), ("o.stop", D(3), D(104))]


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (oco(), "oco orders must be exit orders"),
        (bracket(take_profit=None), "needs take_profit.limit_price and stop_loss.stop_price"),
        (bracket(stop_loss=101), "stop_loss.stop_price must be below the entry: 101, entry 100"),
        (bracket(take_profit=99), "take_profit.limit_price must be above the entry: 99, entry 100"),
        (bracket(stop_loss_limit=99), "the limit of the protective stop 99 is beyond its stop 98"),
        (bracket(tif="ioc"), "a bracket order is day or gtc, got ioc"),
        (bracket(exits_force=TimeInForce.OPG), "the exits of a bracket order are day or gtc, got opg"),
        (bracket(notional=100), "no notional size"),
        (order("b", order_class=OrderClass.OTO), "an oto order needs take_profit or stop_loss"),
        (order("b", take_profit=104), "need order class bracket, oto or oco"),
        (bracket(symbol="BTC-USD", quantity=1), "order class bracket is not offered for crypto"),
    ],
)
def test_a_group_that_is_not_whole_is_refused(request_: Any, said: str) -> None:
    assert said in Stage(WHOLE).refused(request_).reason


def test_the_entry_of_a_bracket_cannot_close_a_position() -> None:
    scene = Stage(WHOLE)
    scene.place(order("held"))
    no = scene.refused(bracket(side=SELL, take_profit=96, stop_loss=102))
    assert "must open a position" in no.reason


def test_an_oco_stop_is_on_the_losing_side_and_no_more_than_is_held() -> None:
    scene = Stage(WHOLE)
    scene.place(order("held"))
    assert "must be below its limit" in scene.refused(oco(stop_loss=105)).reason
    assert scene.refused(oco(quantity=11)).kind is No.INSUFFICIENT_QUANTITY


def test_exits_of_one_bracket_leave_the_shares_of_another_alone() -> None:
    scene = entered()
    scene.place(bracket("c", quantity=5))
    assert scene.available() == 0
    scene.bar(100, 100, 98, 99)
    assert scene.owned() == 0
    assert scene.status("b.stop", "c.stop") == ["filled", "filled"]


def test_orders_meet_a_bar_by_their_number_even_after_a_restart() -> None:
    """Exits came to life later than an order that was sent after them; from the books they come in the same order."""
    scene = Stage(CALM)
    scene.place(bracket(limit=99, take_profit=104))
    scene.place(order("held", quantity=5))
    scene.bar(99, 100, 99, 100)
    scene.place(order("s", SELL, 5, limit=104))
    scene.restart()
    scene.bar(104, volume=12)
    assert scene.fills()[-2:] == [("b.target", D(10), D(104)), ("s", D(2), D(104))]
    assert scene.status("b.stop") == [Status.CANCELED]
