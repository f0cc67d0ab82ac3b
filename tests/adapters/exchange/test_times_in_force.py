"""How long orders work: the day, until cancelled, now or never, the auctions, and the hours around the session."""

from __future__ import annotations

from datetime import date, time
from typing import Any

import pytest

from hydra.adapters.calendar import new_york
from hydra.adapters.exchange.terms import No, Status
from hydra.model.orders import TimeInForce
from hydra.model.values import replace
from tests.adapters.exchange.market_scenes import BUY, C100, MINUTE, OPEN, SELL, SIM, D, Stage, order

WHOLE = replace(SIM, participation=None, day_trade_protection=False)


def test_a_day_order_expires_at_the_close_and_frees_what_it_reserved() -> None:
    scene = Stage(WHOLE)
    power = scene.power
    ticket = scene.place(order("o", limit=95))
    assert ticket.expires_at == scene.at(16)
    scene.to(scene.at(15, 59))
    assert scene.status("o") == ["new"]
    scene.to(scene.at(16))
    assert (scene.status("o"), scene.named("o").expired_at) == (["expired"], scene.at(16))
    assert scene.power == power
    assert scene.news("o") == ["new", "expired"]


def test_the_last_bar_of_the_day_still_fills_a_day_order() -> None:
    scene = Stage(WHOLE)
    scene.place(order("o", limit=95))
    scene.to(scene.at(15, 59))
    scene.bar(100, 100, 95, 96)
    assert scene.status("o") == ["filled"]


def test_a_gtc_order_works_day_after_day_and_rests_in_between() -> None:
    scene = Stage(WHOLE)
    scene.place(order("o", limit=95, tif="gtc"))
    scene.to(scene.at(17))
    scene.bar(90)
    scene.to(scene.at(8, days=1))
    scene.bar(90)
    assert scene.status("o") == ["new"]
    scene.to(scene.at(9, 30, days=1))
    scene.bar(94)
    assert scene.fills() == [("o", D(10), D(94))]


def test_an_order_sent_over_night_waits_for_the_open() -> None:
    scene = Stage(WHOLE)
    scene.to(scene.at(22))
    ticket = scene.place(order("o"))
    assert (ticket.status, ticket.expires_at) == (Status.ACCEPTED, scene.at(16, days=1))
    scene.to(scene.at(9, 30, days=1))
    assert scene.news("o") == ["accepted", "new"]
    scene.bar(103)
    assert scene.fills() == [("o", D(10), D("103.02"))]


def test_an_order_sent_on_friday_evening_waits_for_monday() -> None:
    scene = Stage(WHOLE, at=new_york(date(2024, 3, 1), time(9, 30)))
    scene.to(new_york(date(2024, 3, 1), time(21)))
    ticket = scene.place(order("o", limit=105))
    assert ticket.expires_at == scene.at(16)
    scene.to(new_york(date(2024, 3, 3), time(12)))
    assert scene.status("o") == ["accepted"]
    scene.to(scene.at(9, 30))
    scene.bar(104)
    assert scene.fills() == [("o", D(10), D(104))]


def test_a_short_day_ends_at_one() -> None:
    christmas_eve = date(2024, 12, 24)
    scene = Stage(WHOLE, at=new_york(christmas_eve, time(9, 30)))
    scene.place(order("o", limit=95))
    scene.place(order("c", tif="cls"))
    scene.to(new_york(christmas_eve, time(12, 51)))
    assert "until 10 minutes before" in scene.refused(order("late", tif="cls")).reason
    scene.to(new_york(christmas_eve, time(12, 59)))
    scene.bar(101)
    assert scene.venue.now == new_york(christmas_eve, time(13))
    assert scene.status("o", "c") == ["expired", "filled"]
    assert scene.fills() == [("c", D(10), D(101))]


@pytest.mark.parametrize("force", [TimeInForce.IOC, TimeInForce.FOK])
def test_now_or_never_is_cancelled_when_it_cannot_trade(force: TimeInForce) -> None:
    scene = Stage(SIM)
    ticket = scene.place(order("o", limit=95, tif=force))
    assert ticket.status is Status.CANCELED
    assert force.value in ticket.reason


def test_ioc_keeps_what_it_got_and_fok_takes_all_or_nothing() -> None:
    scene = Stage(SIM)
    ioc = scene.place(order("i", quantity=150, limit=101, tif="ioc"))
    assert (ioc.status, ioc.filled) == (Status.CANCELED, D(100))
    scene.quote("99.99", "100.01")
    fok = scene.place(order("f", quantity=150, limit=101, tif="fok"))
    assert (fok.status, fok.filled) == (Status.CANCELED, D(0))
    assert scene.place(order("g", quantity=100, tif="fok")).status is Status.FILLED
    assert scene.news("i") == ["new", "partial_fill", "canceled"]


def test_now_or_never_outside_the_session_is_never() -> None:
    scene = Stage(SIM)
    scene.to(scene.at(22))
    assert scene.place(order("o", tif="ioc")).status is Status.CANCELED


def test_the_opening_auction_fills_at_the_open() -> None:
    scene = Stage(SIM)
    scene.to(scene.at(22))
    scene.place(order("m", tif="opg"))
    scene.place(order("l", limit=102, tif="opg"))
    scene.place(order("n", limit=101, tif="opg"))
    scene.to(scene.at(8, days=1))
    scene.bar(90)
    assert scene.fills() == []
    scene.to(scene.at(9, 30, days=1))
    scene.bar("101.5", 103, 99, 100, volume=5)
    assert scene.fills() == [("m", D(10), D("101.5")), ("l", D(10), D("101.5"))]
    assert scene.status("n") == ["expired"]


@pytest.mark.parametrize(("hour", "minute"), [(9, 28), (12, 0), (18, 59)])
def test_the_opening_auction_is_closed_from_9_28_to_19_00(hour: int, minute: int) -> None:
    scene = Stage(SIM)
    scene.to(scene.at(hour, minute, days=1))
    assert "opg orders are taken from 19:00 to 09:28" in scene.refused(order("o", limit=95, tif="opg")).reason


@pytest.mark.parametrize(("hour", "minute"), [(9, 27), (19, 0), (23, 0), (4, 30)])
def test_the_opening_auction_can_be_joined_the_evening_before_and_in_the_morning(hour: int, minute: int) -> None:
    scene = Stage(SIM)
    scene.to(scene.at(hour, minute, days=1))
    assert scene.place(order("o", limit=95, tif="opg")).status is Status.ACCEPTED


def test_the_closing_auction_fills_at_the_close_if_its_limit_allows() -> None:
    scene = Stage(SIM)
    scene.place(order("m", tif="cls"))
    scene.place(order("l", limit=101, tif="cls"))
    scene.place(order("n", limit=100, tif="cls"))
    scene.bar(90)
    assert scene.fills() == []
    scene.to(scene.at(15, 59))
    scene.bar(100, 102, 99, 101)
    assert scene.fills() == [("m", D(10), D(101)), ("l", D(10), D(101))]
    assert scene.status("n") == ["expired"]


def test_the_closing_auction_is_closed_ten_minutes_before_the_close() -> None:
    scene = Stage(SIM)
    scene.to(scene.at(15, 49))
    assert scene.place(order("o", limit=95, tif="cls")).status is Status.NEW
    scene.to(scene.at(15, 50))
    assert "until 10 minutes before the close" in scene.refused(order("p", limit=95, tif="cls")).reason


def test_an_order_for_the_closing_auction_sent_in_the_evening_is_for_the_next_day() -> None:
    scene = Stage(SIM)
    scene.to(scene.at(17))
    assert scene.place(order("o", limit=105, tif="cls")).expires_at == scene.at(16, days=1)
    scene.to(scene.at(15, 59, days=1))
    scene.bar(102)
    assert scene.fills() == [("o", D(10), D(102))]


def test_extended_hours_fill_before_the_open_and_after_the_close() -> None:
    scene = Stage(WHOLE)
    scene.place(order("x", limit=99, extended_hours=True))
    scene.place(order("y", limit=99))
    assert scene.named("x").expires_at == scene.at(20)
    scene.to(scene.at(17))
    assert scene.status("x", "y") == ["new", "expired"]
    scene.bar(98)
    assert scene.fills() == [("x", D(10), D(98))]


def test_extended_hours_end_at_eight_and_begin_at_four() -> None:
    scene = Stage(WHOLE)
    scene.place(order("x", limit=99, extended_hours=True))
    scene.to(scene.at(20))
    assert (scene.status("x"), scene.named("x").expired_at) == (["expired"], scene.at(20))
    scene.to(scene.at(22))
    night = scene.place(order("z", limit=99, extended_hours=True))
    assert (night.status, night.expires_at) == (Status.ACCEPTED, scene.at(20, days=1))
    scene.to(scene.at(4, days=1))
    assert scene.status("z") == ["new"]
    scene.bar(98)
    assert scene.fills() == [("z", D(10), D(98))]


def test_a_quote_after_the_close_is_traded_on_by_who_asked_for_it() -> None:
    scene = Stage(WHOLE)
    scene.to(scene.at(18))
    scene.quote("99.99", "100.01")
    assert scene.place(order("y", limit=101)).status is Status.ACCEPTED
    assert scene.place(order("x", limit=101, extended_hours=True)).status is Status.FILLED


@pytest.mark.parametrize(
    "request_",
    [
        order("o", extended_hours=True),
        order("o", limit=100, tif="ioc", extended_hours=True),
        order("o", stop=101, extended_hours=True),
        order("o", symbol=C100, quantity=1, limit=1, extended_hours=True),
    ],
    ids=["market", "ioc", "stop", "option"],
)
def test_extended_hours_are_for_limit_orders_for_shares(request_: Any) -> None:
    assert "extended hours orders are limit orders" in Stage(SIM).refused(request_).reason


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (order("o", stop=101, tif="ioc"), "time in force ioc does not fit a stop order"),
        (order("o", symbol="BTC-USD", quantity=1, tif="day"), "time in force day is not offered for crypto"),
        (order("o", symbol=C100, quantity=1, tif="fok"), "time in force fok is not offered for option"),
    ],
)
def test_a_time_in_force_goes_with_a_class_and_a_type(request_: Any, said: str) -> None:
    no = Stage(SIM).refused(request_)
    assert (no.kind, said in no.reason) == (No.INVALID, True)


def test_a_contract_does_not_trade_outside_the_session() -> None:
    scene = Stage(WHOLE)
    scene.to(scene.at(17))
    scene.options({C100: ("2.00", "2.10")})
    assert scene.place(order("o", symbol=C100, quantity=1)).status is Status.ACCEPTED
    scene.to(scene.at(9, 30, days=1))
    assert scene.fills() == []
    scene.options({C100: ("3.00", "3.10")})
    assert scene.fills() == [("o", D(1), D("3.10"))]


def test_one_long_step_over_the_night_does_everything_on_the_way() -> None:
    scene = Stage(WHOLE)
    scene.place(order("d", limit=95))
    scene.place(order("g", limit=95, tif="gtc"))
    scene.place(order("held"))
    scene.place(order("s", SELL, tif="cls", limit=96))
    scene.bar(93, at=OPEN + (scene.at(9, 30, days=1) - OPEN))
    assert scene.venue.now == scene.at(9, 30, days=1) + MINUTE
    assert scene.status("d", "g", "s") == ["expired", "filled", "expired"]
    assert scene.owned() == 20
    assert scene.fills("g") == [("g", D(10), D(93))]
    assert BUY is scene.named("g").side
