"""Selling what is not owned: margin, covering, and never through zero in one order."""

from __future__ import annotations

import pytest

from hydra.adapters.exchange.model import Configuration
from hydra.adapters.exchange.terms import No, PositionIntent, Status
from hydra.model.values import replace
from tests.adapters.exchange.market_scenes import BUY, CASH, SELL, SIM, D, Stage, average, order

CALM = replace(SIM, day_trade_protection=False)


def test_a_short_sale_brings_cash_and_owes_shares() -> None:
    scene = Stage(CALM)
    ticket = scene.place(order("s", SELL, 100))
    assert ticket.position_intent is PositionIntent.SELL_TO_OPEN
    assert (scene.owned(), average(scene)) == (D(-100), D("99.99"))
    figures = scene.venue.figures()
    assert figures.cash == D(100_000) + D(9_999)
    assert figures.short_market_value == -10_000
    assert figures.equity == D(99_999)
    assert figures.initial_margin == 15_000  # one and a half times what it is worth
    assert figures.maintenance_margin == 3_000


def test_a_short_sale_reserves_three_percent_above_the_ask_or_its_limit() -> None:
    scene = Stage(CALM)
    power = scene.power
    scene.place(order("s", SELL, 10, limit=101))
    assert scene.power == power - D("100.01") * D("1.03") * 10
    scene.cancel("s")
    scene.place(order("t", SELL, 10, limit=110))
    assert scene.power == power - 1_100


def test_covering_needs_no_buying_power_and_ends_at_zero() -> None:
    scene = Stage(CALM)
    scene.place(order("s", SELL, 100))
    power = scene.power
    ticket = scene.place(order("c", BUY, 100, limit=95, tif="gtc"))
    assert (ticket.position_intent, ticket.reserved, scene.power) == (PositionIntent.BUY_TO_CLOSE, D(0), power)
    assert scene.available() == 0
    scene.bar(95)
    assert scene.owned() == 0
    assert scene.cash == D(100_000) + D(9_999) - D(9_500)


@pytest.mark.parametrize(("first", "then"), [(BUY, SELL), (SELL, BUY)])
def test_no_order_goes_through_zero(first, then) -> None:
    scene = Stage(CALM)
    scene.place(order("a", first, 10))
    no = scene.refused(order("b", then, 11))
    assert no.kind is No.INSUFFICIENT_QUANTITY
    assert no.figures["available"] == "10"
    scene.place(order("c", then, 4, limit=200 if then is SELL else 50))
    assert "available 6, held_for_orders 4" in scene.refused(order("d", then, 7)).reason


def test_a_long_and_a_short_cannot_be_opened_against_each_other() -> None:
    scene = Stage(CALM)
    scene.place(order("b", BUY, 10, limit=95))
    no = scene.refused(order("s", SELL, 10, limit=105))
    assert no.kind is No.WASH_TRADE
    assert no.order == scene.named("b").venue_id


def test_a_short_is_stopped_out_above() -> None:
    scene = Stage(CALM)
    scene.place(order("s", SELL, 10))
    scene.place(order("x", BUY, 10, stop=102, tif="gtc"))
    scene.bar(100, 103, 99, 103)
    assert scene.fills("x") == [("x", D(10), D(102))]
    assert scene.owned() == 0


def test_shorting_can_be_switched_off_by_its_owner_or_not_be_there_at_all() -> None:
    scene = Stage(CALM)
    scene.venue.configure(Configuration(no_shorting=True))
    assert scene.refused(order("s", SELL)).reason == "account is not allowed to short"
    assert "short positions are not offered" in Stage(CASH).refused(order("s", SELL)).reason
    assert "short positions are not offered" in Stage(CALM).refused(order("s", SELL, 1, "BTC-USD")).reason


def test_a_short_beyond_the_buying_power_is_refused() -> None:
    scene = Stage(CALM)
    no = scene.refused(order("s", SELL, 4_000))
    assert no.kind is No.INSUFFICIENT_BUYING_POWER
    assert no.figures["cost_basis"] == "412041.2"  # 4,000 times 100.01 and 3%


def test_a_losing_short_is_never_closed_by_the_venue() -> None:
    scene = Stage(CALM)
    scene.place(order("s", SELL, 100))
    scene.quote(5_000, 5_001)
    assert scene.venue.figures().equity < 0
    scene.to(scene.at(12, days=1))
    assert scene.owned() == -100
    assert scene.power == 0
    assert scene.refused(order("b", BUY, 1, "BTC-USD")).kind is No.INSUFFICIENT_BUYING_POWER


def test_covering_in_two_orders_keeps_the_average() -> None:
    scene = Stage(CALM)
    scene.place(order("s", SELL, 10))
    scene.place(order("c", BUY, 4))
    assert (scene.owned(), average(scene)) == (D(-6), D("99.99"))
    assert scene.place(order("d", BUY, 6)).status is Status.FILLED
    assert scene.owned() == 0
