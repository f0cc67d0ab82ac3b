"""Taking orders back and replacing them: at once, after the venue's latency, and in the races that latency allows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hydra.adapters.exchange.terms import Amendment, No, OrderClass, Rejection, Status
from hydra.model.orders import TimeInForce
from hydra.model.values import replace
from tests.adapters.exchange.market_scenes import BUY, C100, P90, P95, SELL, SIM, D, Stage, order, spread
from tests.fakes.feed import Number

CALM = replace(SIM, day_trade_protection=False)
SLOW = replace(CALM, latency_ms=90_000)
"""A minute and a half: one bar passes in between."""


def bracket_with_partial_entry() -> Stage:
    """A bracket for ten, of which four have filled."""
    scene = Stage(CALM)
    scene.quote("99.99", "100.01", size=4)
    scene.place(order("b", limit="100.01", order_class=OrderClass.BRACKET, take_profit=104, stop_loss=98, tif="gtc"))
    return scene


NINETY_DAYS_ON = datetime(2024, 6, 2, 20, 15, tzinfo=UTC)
"""A quarter past four in New York, ninety days after the Monday of these scenes."""


def test_a_cancelled_order_is_told_of_twice_and_never_fills() -> None:
    scene = Stage(CALM)
    scene.place(order("o", limit=95))
    assert scene.cancel("o").status is Status.CANCELED
    assert scene.news("o") == ["new", "pending_cancel", "canceled"]
    scene.bar(90)
    assert scene.fills() == []


def test_what_is_not_open_cannot_be_changed() -> None:
    scene = Stage(CALM)
    ticket = scene.place(order("o"))
    for no in (scene.venue.withdraw(ticket.venue_id), scene.amend("o", "p", limit=5)):
        assert isinstance(no, Rejection)
        assert (no.kind, no.order) == (No.NOT_OPEN, ticket.venue_id)
    missing = scene.venue.withdraw("no such order")
    assert isinstance(missing, Rejection)
    assert missing.kind is No.NOT_FOUND


@pytest.mark.parametrize(
    ("first", "change", "field", "value"),
    [
        ({"limit": 95}, {"limit": 96}, "limit", 96),
        ({"limit": 95}, {"quantity": 20}, "quantity", 20),
        ({"stop": 105}, {"stop": 106}, "stop", 106),
        ({"stop": 105, "limit": 107}, {"limit": 108, "stop": 106}, "limit", 108),
        ({"trail_price": 5}, {"trail": 4}, "trail_price", 4),
        ({"trail_percent": 5}, {"trail": 4}, "trail_percent", 4),
    ],
    ids=["limit", "quantity", "stop", "stop-limit", "trail price", "trail percent"],
)
def test_a_replacement_takes_the_place_of_the_old_order(
    first: dict[str, Any], change: dict[str, Any], field: str, value: Number
) -> None:
    scene = Stage(CALM)
    old = scene.place(order("o", **first))
    new = scene.replaced("o", "p", **change)
    assert getattr(new, field) == D(value)
    assert (new.status, new.replaces, new.number) == (Status.NEW, old.venue_id, old.number + 1)
    assert (scene.named("o").status, scene.named("o").replaced_by) == (Status.REPLACED, new.venue_id)
    assert scene.news("o") == ["new", "pending_replace", "replaced"]
    scene.restart()


def test_a_replaced_time_in_force_moves_the_expiry() -> None:
    scene = Stage(CALM)
    scene.place(order("o", limit=95))
    assert scene.replaced("o", "p", time_in_force=TimeInForce.GTC).expires_at == NINETY_DAYS_ON
    scene.to(scene.at(17))
    assert scene.status("p") == ["new"]
    scene.to(scene.at(12, days=1))
    assert scene.replaced("p", "q", time_in_force=TimeInForce.DAY).expires_at == scene.at(16, days=1)


def test_a_replacement_that_reaches_the_market_trades_at_once() -> None:
    scene = Stage(CALM)
    scene.place(order("o", limit=95))
    assert scene.replaced("o", "p", limit=101).status is Status.FILLED
    assert scene.fills() == [("p", D(10), D("100.01"))]


def test_a_replacement_reserves_the_new_amount_exactly() -> None:
    scene = Stage(CALM)
    power = scene.power
    scene.place(order("o", limit=95))
    assert scene.power == power - 950
    scene.replaced("o", "p", quantity=20, limit=96)
    assert scene.power == power - 1920
    scene.cancel("p")
    assert scene.power == power


def test_after_a_partial_fill_the_replacement_is_for_the_rest() -> None:
    scene = Stage(CALM)
    scene.place(order("o", quantity=150, limit="100.01"))
    assert scene.named("o").filled == 100
    new = scene.replaced("o", "p", limit=99)
    assert (new.quantity, new.filled) == (D(50), D(0))
    again = scene.amend("p", "q", quantity=30)
    assert not isinstance(again, Rejection)
    scene.bar(99)
    assert scene.owned() == 130


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, "nothing to replace"),
        ({"stop": 90}, "a limit order has no stop price"),
        ({"trail": 1}, "a limit order has no trail price"),
        ({"limit": "95.001"}, "not a multiple of 0.01"),
        ({"limit": -1}, "must be above 0"),
        ({"quantity": "10.5"}, "whole numbers"),
        ({"quantity": 5000}, "insufficient buying power"),
        ({"time_in_force": TimeInForce.IOC}, "time in force cannot be replaced by ioc"),
    ],
)
def test_a_change_that_does_not_fit_is_refused_and_the_order_works_on(change: dict, said: str) -> None:
    scene = Stage(CALM)
    scene.place(order("o", limit=95))
    power = scene.power
    no = scene.amend("o", "p", **change)
    assert isinstance(no, Rejection)
    assert said in no.reason
    assert (scene.status("o"), scene.power) == (["new"], power)
    assert scene.venue.ticket_named("p") is None
    scene.bar(95)
    assert scene.status("o") == ["filled"]


def test_a_new_id_that_is_taken_is_refused() -> None:
    scene = Stage(CALM)
    scene.place(order("o", limit=95))
    scene.place(order("p", limit=95))
    no = scene.amend("o", "p", limit=96)
    assert isinstance(no, Rejection)
    assert no.kind is No.DUPLICATE_ID


def test_a_quantity_must_be_above_what_has_filled() -> None:
    scene = Stage(CALM)
    scene.place(order("o", quantity=150, limit="100.01"))
    no = scene.amend("o", "p", quantity=100)
    assert isinstance(no, Rejection)
    assert "not above what has filled, 100" in no.reason


def test_an_order_by_notional_or_a_fraction_keeps_what_it_is() -> None:
    scene = Stage(CALM)
    scene.place(order("n", notional=50, limit=95))
    scene.place(order("f", quantity="0.5", limit=95))
    for no in (scene.amend("n", "x", limit=96), scene.amend("f", "x", time_in_force=TimeInForce.GTC)):
        assert isinstance(no, Rejection)
    assert scene.replaced("f", "g", limit=96).quantity == D("0.5")


def test_a_blocked_account_can_take_back_and_not_replace() -> None:
    scene = Stage(CALM)
    scene.place(order("o", limit=95))
    scene.venue.set_standing("INACTIVE", blocked=True)
    no = scene.amend("o", "p", limit=96)
    assert isinstance(no, Rejection)
    assert no.kind is No.ACCOUNT_BLOCKED
    assert scene.cancel("o").status is Status.CANCELED


def test_a_replaced_exit_stays_in_its_group() -> None:
    scene = Stage(CALM)
    scene.place(order("b", order_class=OrderClass.BRACKET, take_profit=104, stop_loss=98, tif="gtc"))
    scene.replaced("b.stop", "tighter", stop=99)
    assert scene.status("b.stop", "tighter", "b.target") == ["replaced", "held", "new"]
    assert scene.available() == 0
    scene.restart()
    scene.bar(100, 105, "98.5", 100)
    assert scene.fills()[1:] == [("tighter", D(10), D(99))]
    assert scene.status("b.target") == ["canceled"]


def test_a_smaller_exit_makes_its_sibling_smaller() -> None:
    scene = Stage(CALM)
    scene.place(order("b", order_class=OrderClass.BRACKET, take_profit=104, stop_loss=98, tif="gtc"))
    scene.replaced("b.target", "less", quantity=6)
    assert scene.named("b.stop").quantity == 6
    assert scene.available() == 4
    no = scene.amend("less", "more", quantity=11)
    assert isinstance(no, Rejection)
    assert "10 of b is left to exit" in no.reason
    assert scene.replaced("less", "all of it", quantity=10).quantity == 10


def test_the_quantity_of_a_waiting_exit_follows_its_entry() -> None:
    scene = Stage(CALM)
    scene.place(order("b", limit=99, order_class=OrderClass.BRACKET, take_profit=104, stop_loss=98, tif="gtc"))
    no = scene.amend("b.stop", "x", quantity=5)
    assert isinstance(no, Rejection)
    assert "follows its entry" in no.reason
    assert scene.replaced("b.stop", "lower", stop=97).status is Status.HELD
    assert scene.named("b").quantity == 10
    scene.replaced("b", "c", quantity=20)
    assert scene.named("lower").quantity == 20
    scene.bar(99)
    assert scene.status("c", "lower", "b.target") == ["filled", "held", "new"]
    scene.bar(100, 105, 96, 100)
    assert scene.fills("lower") == [("lower", D(20), D(97))]


def test_exits_protect_what_both_the_replaced_entry_and_its_replacement_filled() -> None:
    scene = bracket_with_partial_entry()
    scene.replaced("b", "c", limit=99)
    scene.bar(99)
    assert scene.owned() == 10
    assert [leg.quantity for leg in scene.venue.legs("c")] == [D(10), D(10)]


def test_exits_protect_what_the_replaced_entry_filled_when_its_replacement_is_cancelled() -> None:
    scene = bracket_with_partial_entry()
    scene.replaced("b", "c", limit=99)
    scene.cancel("c")
    assert scene.status("c", "b.stop", "b.target") == ["canceled", "held", "new"]
    assert scene.named("b.stop").quantity == 4


def test_a_replaced_spread_goes_on_with_its_legs() -> None:
    scene = Stage(CALM)
    scene.options({P95: ("0.60", "0.70"), P90: ("0.20", "0.30")}, size=1)
    scene.place(spread("v", (P95, BUY, 1), (P90, SELL, 1), quantity=3, limit="0.50"))
    assert scene.named("v").filled == 1
    new = scene.replaced("v", "w", limit="0.60")
    assert (new.quantity, new.status) == (D(2), Status.NEW)
    scene.restart()
    scene.options({P95: ("0.65", "0.75"), P90: ("0.20", "0.30")}, size=5)
    assert scene.status("w") == ["filled"]
    assert (scene.owned(P95), scene.owned(P90)) == (D(3), D(-3))


def test_only_the_price_of_a_spreads_close_can_be_replaced_without_wanting_the_position_twice() -> None:
    scene = Stage(CALM)
    scene.place(spread("v", (P95, BUY, 1), (P90, SELL, 1)))
    scene.place(spread("c", (P95, SELL, 1), (P90, BUY, 1), limit="-0.60"))
    assert scene.available(P95) == 0
    assert scene.replaced("c", "d", limit="-0.30").status is Status.FILLED
    assert scene.owned(P95) == scene.owned(P90) == 0


def test_with_latency_an_order_works_on_until_it_is_taken_back() -> None:
    scene = Stage(SLOW)
    scene.place(order("o", limit=95, quantity=50))
    assert scene.cancel("o").status is Status.PENDING_CANCEL
    no = scene.venue.withdraw(scene.named("o").venue_id)
    assert isinstance(no, Rejection)
    assert "pending_cancel" in no.reason
    scene.bar(95, volume=20)
    assert (scene.status("o"), scene.named("o").filled) == (["pending_cancel"], D(20))
    scene.restart()
    scene.to(scene.venue.now + timedelta(seconds=30))
    assert scene.status("o") == ["canceled"]
    scene.bar(95)
    assert scene.owned() == 20


def test_an_order_that_fills_before_it_is_taken_back_was_too_late_to_cancel() -> None:
    scene = Stage(SLOW)
    scene.place(order("o", limit=95))
    scene.cancel("o")
    scene.bar(95)
    assert scene.status("o") == ["filled"]
    assert scene.news("o") == ["new", "pending_cancel", "fill", "order_cancel_rejected"]
    scene.to(scene.venue.now + timedelta(minutes=5))
    assert scene.status("o") == ["filled"]


def test_an_order_that_fills_before_it_is_replaced_was_too_late_to_replace() -> None:
    scene = Stage(SLOW)
    scene.place(order("o", limit=95))
    assert scene.replaced("o", "p", limit=90).client_id == "o"
    assert scene.status("o") == ["pending_replace"]
    scene.bar(95)
    assert scene.news("o") == ["new", "pending_replace", "fill", "order_replace_rejected"]
    scene.to(scene.venue.now + timedelta(minutes=5))
    assert scene.venue.ticket_named("p") is None


def test_a_partial_fill_on_the_way_leaves_the_replacement_the_rest() -> None:
    scene = Stage(SLOW)
    scene.place(order("o", quantity=50, limit=95))
    scene.replaced("o", "p", limit=90, quantity=40)
    scene.bar(95, volume=30)
    scene.to(scene.venue.now + timedelta(minutes=1))
    assert scene.status("o", "p") == ["replaced", "new"]
    assert (scene.named("o").filled, scene.named("p").quantity) == (D(30), D(10))


def test_a_replacement_that_became_too_small_on_the_way_is_told_of_and_the_order_works_on() -> None:
    scene = Stage(SLOW)
    scene.place(order("o", quantity=50, limit=95))
    scene.replaced("o", "p", quantity=20)
    scene.bar(95, volume=30)
    scene.to(scene.venue.now + timedelta(minutes=1))
    assert scene.status("o") == ["partially_filled"]
    assert scene.news("o")[-1] == "order_replace_rejected"
    scene.bar(95)
    assert scene.status("o") == ["filled"]


def test_an_id_taken_on_the_way_stops_a_replacement() -> None:
    scene = Stage(SLOW)
    scene.place(order("o", limit=95))
    scene.replaced("o", "p", limit=96)
    scene.place(order("p", limit=94))
    scene.to(scene.venue.now + timedelta(minutes=2))
    assert scene.status("o", "p") == ["new", "new"]
    assert scene.named("p").limit == 94


def test_an_order_that_expires_while_it_waits_to_be_taken_back_has_expired() -> None:
    scene = Stage(SLOW)
    scene.place(order("o", limit=95))
    scene.to(scene.at(15, 59))
    scene.cancel("o")
    scene.to(scene.at(16, 5))
    assert scene.status("o") == ["expired"]


def test_a_queued_order_whose_replacement_fails_after_the_open_is_working() -> None:
    scene = Stage(SLOW)
    scene.to(scene.at(9, 29, days=1))
    scene.place(order("o", quantity=10, limit=95))
    scene.place(order("p", quantity=5, limit=90))
    answer = scene.venue.amend(scene.named("o").venue_id, Amendment(client_id="x", limit=D(96)))
    assert not isinstance(answer, Rejection)
    scene.place(order("x", limit=94))
    scene.to(scene.at(9, 31, days=1))
    assert scene.status("o", "p") == ["new", "new"]


def test_a_leg_changes_only_with_its_spread() -> None:
    scene = Stage(CALM)
    scene.place(spread("v", (P95, BUY, 1), (P90, SELL, 1), limit="0.10"))
    no = scene.venue.withdraw(scene.named("v.1").venue_id)
    assert isinstance(no, Rejection)
    assert "changes only with it" in no.reason
    scene.cancel("v")
    assert scene.status("v", "v.1", "v.2") == ["canceled"] * 3


def test_a_contract_order_is_replaced_by_whole_contracts_at_a_new_price() -> None:
    scene = Stage(CALM)
    scene.place(order("o", quantity=1, symbol=C100, limit="1.50", tif="gtc"))
    assert scene.replaced("o", "p", quantity=2, limit="2.10").status is Status.FILLED
    assert scene.owned(C100) == 2


def test_an_exit_cannot_grow_beyond_what_its_entry_filled() -> None:
    """A position of other orders is there to be closed, but not by this group."""
    scene = Stage(CALM)
    scene.place(order("other", quantity=50))
    scene.place(order("b", quantity=10, order_class=OrderClass.BRACKET, take_profit=104, stop_loss=98, tif="gtc"))
    no = scene.amend("b.stop", "more", quantity=11)
    assert isinstance(no, Rejection)
    assert "10 of b is left to exit, got 11" in no.reason
    scene.replaced("b.stop", "less", quantity=9)
    assert scene.named("b.target").quantity == 9
