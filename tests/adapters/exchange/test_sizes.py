"""How much fills: displayed sizes, bar volume, what is remembered of both, notional and fractional orders, impact."""

from __future__ import annotations

from decimal import Decimal

import pytest

from hydra.adapters.exchange.model import Configuration
from hydra.adapters.exchange.terms import Status
from hydra.model.values import replace
from tests.adapters.exchange.market_scenes import BUY, C100, SELL, SIM, D, Stage, order

CALM = replace(SIM, day_trade_protection=False, wash_trade_protection=False)


def test_an_order_takes_what_the_quote_shows_and_the_rest_from_the_bars() -> None:
    scene = Stage(CALM)
    assert scene.place(order("o", quantity=130)).status is Status.PARTIALLY_FILLED
    scene.bar(101, volume=20)
    scene.bar(102, volume=20)
    assert scene.fills() == [("o", D(100), D("100.01")), ("o", D(20), D("101.02")), ("o", D(10), D("102.02"))]
    assert scene.named("o").average_price == D("100.32")  # (10001 + 2020.40 + 1020.20) / 130 = 13041.60 / 130
    assert scene.news("o") == ["new", "partial_fill", "partial_fill", "fill"]


def test_what_was_taken_of_a_quote_is_gone_for_the_next_order_even_after_a_restart() -> None:
    scene = Stage(CALM)
    scene.place(order("a", quantity=60))
    scene.restart()
    scene.place(order("b", quantity=60, limit=101))
    assert scene.named("b").filled == 40
    assert scene.place(order("s", SELL, quantity=20)).status is Status.FILLED  # the other side is untouched
    scene.quote("99.99", "100.01")
    assert scene.place(order("c", quantity=30, tif="ioc")).filled == 30


def test_what_was_taken_of_a_bar_is_gone_for_the_next_order() -> None:
    scene = Stage(CALM)
    scene.place(order("a", quantity=60, limit=95))
    scene.place(order("b", quantity=60, limit=95))
    scene.bar(95, volume=100)
    assert [scene.named(name).filled for name in "ab"] == [D(60), D(40)]


def test_participation_is_the_share_that_may_be_taken() -> None:
    scene = Stage(replace(CALM, participation=Decimal("0.1")))
    scene.place(order("o", quantity=50))
    assert scene.named("o").filled == 10
    scene.bar(100, volume=200)
    assert scene.named("o").filled == 30


def test_a_bar_without_volume_fills_nothing() -> None:
    scene = Stage(CALM)
    scene.place(order("o", quantity=10, limit=95))
    scene.bar(95, volume=0)
    assert scene.status("o") == ["new"]


def test_impact_grows_with_the_square_of_the_share_of_the_volume() -> None:
    scene = Stage(replace(CALM, impact=Decimal("0.1")))
    for _ in range(3):
        scene.bar(100)
    scene.place(order("o", quantity=100))
    scene.bar(100, volume=200)
    # Half of the volume: 0.1 * 0.5 * 0.5 = 0.025; with half the last spread 100 * 1.0251 = 102.51.
    assert scene.fills() == [("o", D(100), D("102.51"))]


def test_a_fraction_of_a_share_can_be_bought_and_sold() -> None:
    scene = Stage(CALM)
    scene.place(order("b", quantity="0.123456789"))
    assert scene.owned() == D("0.123456789")
    scene.place(order("s", SELL, "0.123456789", limit="99.99"))
    assert scene.owned() == 0


def test_a_notional_order_becomes_the_quantity_its_price_gives() -> None:
    scene = Stage(CALM)
    assert scene.place(order("b", notional="100.01")).status is Status.FILLED
    assert scene.owned() == 1
    scene.place(order("c", notional=50))
    assert scene.fills("c") == [("c", D("0.499950004"), D("100.01"))]  # 50 / 100.01, down to a billionth
    assert scene.cash >= D(100_000) - D("150.01")


def test_a_notional_order_waits_for_its_price_and_reserves_its_dollars() -> None:
    scene = Stage(CALM)
    power = scene.power
    scene.place(order("b", notional=95, limit=95))
    assert scene.power == power - 95
    scene.bar(94, 95, 93, 94)
    assert scene.fills() == [("b", D("1.010638297"), D(94))]


def test_a_notional_sale_never_takes_what_another_order_has_reserved() -> None:
    scene = Stage(CALM)
    scene.place(order("held", quantity=2))
    scene.place(order("s", SELL, 1, limit=110, tif="gtc"))
    for _ in range(3):
        scene.bar(100)
    scene.place(order("n", SELL, notional=99))
    scene.bar(50)
    assert scene.owned() == 1  # 99 dollars would be almost two shares now, and one of them is promised
    assert scene.available() == 0


def test_a_notional_order_for_coins() -> None:
    scene = Stage(CALM)
    scene.place(order("b", symbol="BTC-USD", notional="600.10"))
    assert scene.fills() == [("b", D("0.01"), D(60_010))]
    assert scene.owned("BTC-USD") == D("0.009975")


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (order("o", quantity="0.5", tif="gtc"), "fractional orders must be DAY orders, got gtc"),
        (order("o", notional=100, tif="ioc"), "fractional orders must be DAY orders"),
        (order("o", notional="10.001"), "more than two decimal places"),
        (order("o", notional="0.99"), "below the minimum of 1"),
        (order("o", SELL, "0.5"), "fractional orders cannot be sold short"),
        (order("o", SELL, notional=100), "fractional orders cannot be sold short"),
        (order("o", quantity="0.5", symbol=C100), "not a multiple of 1"),
        (order("o", notional=100, symbol=C100), "sized in contracts"),
        (order("o", BUY, notional=100, stop=101), "market or limit orders"),
    ],
)
def test_parts_of_a_share_have_their_own_rules(request_, said: str) -> None:
    assert said in Stage(CALM).refused(request_).reason


def test_an_account_may_be_without_fractions() -> None:
    scene = Stage(CALM)
    scene.venue.configure(Configuration(fractional_trading=False))
    assert "whole shares" in scene.refused(order("o", quantity="0.5")).reason
    assert "whole shares" in Stage(replace(CALM, fractional=False)).refused(order("o", notional=50)).reason


def test_prices_below_a_dollar_may_have_four_places() -> None:
    scene = Stage(CALM)
    assert scene.place(order("o", limit="0.1234")).limit == D("0.1234")
    assert "not a multiple of 0.0001" in scene.refused(order("p", limit="0.12345")).reason
    assert "not a multiple of 0.01" in scene.refused(order("p", limit="1.001")).reason
    assert scene.replaced("o", "o2", limit="0.1235").limit == D("0.1235")


def test_contracts_fill_by_their_quotes_sizes_and_go_on_with_the_next_quote() -> None:
    scene = Stage(CALM)
    scene.place(order("o", quantity=15, symbol=C100, limit="2.10"))
    assert scene.named("o").filled == 10
    scene.to(scene.venue.now + (scene.at(9, 31) - scene.at(9, 30)))
    assert scene.named("o").filled == 10
    scene.options({C100: ("2.00", "2.10")}, size=3)
    assert scene.named("o").filled == 13
    scene.restart()
    scene.options({C100: ("2.00", "2.05")}, size=30)
    assert scene.fills()[-1] == ("o", D(2), D("2.05"))
