"""Every order type against quotes and bars, at once and resting, and what a bar cannot be read for."""

from __future__ import annotations

from decimal import Decimal

import pytest

from hydra.adapters.exchange.terms import No, Status
from hydra.model.orders import Side
from hydra.model.values import replace
from tests.adapters.exchange.market_scenes import BUY, C100, P100, SELL, SIM, D, Stage, order
from tests.fakes.feed import Number

RICH = replace(SIM, participation=None, day_trade_protection=False, wash_trade_protection=False)


def stage() -> Stage:
    """A stage on which everything fills whole."""
    return Stage(RICH)


def holding(quantity: int, side: Side = BUY) -> Stage:
    """The same with shares, long or short."""
    scene = stage()
    scene.place(order("held", side, quantity))
    return scene


def test_a_market_order_trades_at_once_on_the_far_side_of_the_quote() -> None:
    scene = stage()
    assert scene.place(order("b", BUY)).status is Status.FILLED
    assert scene.place(order("s", SELL)).status is Status.FILLED
    assert scene.fills() == [("b", D(10), D("100.01")), ("s", D(10), D("99.99"))]
    assert scene.cash == D(100_000) - D("0.20")
    assert scene.news("b") == ["new", "fill"]


def test_a_market_order_without_a_fresh_quote_waits_for_the_next_open() -> None:
    scene = stage()
    for _ in range(3):
        scene.bar(100)
    assert scene.place(order("b")).status is Status.NEW
    scene.bar(101, 103, 100, 102)
    assert scene.fills() == [("b", D(10), D("101.02"))]  # half the last quote's spread is a cent in a hundred dollars


@pytest.mark.parametrize(
    ("side", "limit", "price"),
    [(BUY, "100.01", "100.01"), (BUY, "105", "100.01"), (SELL, "99.99", "99.99"), (SELL, "95", "99.99")],
)
def test_a_limit_that_the_quote_reaches_trades_at_once_and_never_worse_than_the_quote(
    side: Side, limit: str, price: str
) -> None:
    scene = stage()
    scene.place(order("o", side, limit=limit))
    assert scene.fills() == [("o", D(10), D(price))]


@pytest.mark.parametrize(
    ("side", "limit", "bar", "price"),
    [
        (BUY, "99", (100, 101, "99.01", 100), None),
        (BUY, "99", (100, 101, 99, 100), "99"),
        (BUY, "99", (98, 101, 97, 100), "98"),
        (SELL, "102", (100, "101.99", 99, 100), None),
        (SELL, "102", (100, 102, 99, 100), "102"),
        (SELL, "102", (103, 104, 99, 100), "103"),
    ],
)
def test_a_resting_limit_fills_at_its_price_or_at_a_better_open(
    side: Side, limit: str, bar: tuple[Number, ...], price: str | None
) -> None:
    scene = stage()
    assert scene.place(order("o", side, limit=limit)).status is Status.NEW
    scene.bar(*bar)
    assert scene.fills() == ([] if price is None else [("o", D(10), D(price))])


@pytest.mark.parametrize(
    ("side", "stop", "bar", "price"),
    [
        (SELL, "98", (100, 101, "98.01", 99), None),
        (SELL, "98", (100, 101, 98, 99), "98"),
        (SELL, "98", (95, 101, 94, 99), "95"),
        (BUY, "102", (100, "101.99", 99, 99), None),
        (BUY, "102", (100, 102, 99, 99), "102"),
        (BUY, "102", (104, 105, 99, 99), "104"),
    ],
)
def test_a_stop_fills_at_its_price_or_at_a_worse_open(
    side: Side, stop: str, bar: tuple[Number, ...], price: str | None
) -> None:
    scene = holding(10, side.opposite)
    assert scene.place(order("o", side, stop=stop)).status is Status.NEW
    scene.bar(*bar)
    assert scene.fills("o") == ([] if price is None else [("o", D(10), D(price))])


def test_a_stop_limit_that_is_gapped_through_rests_as_a_limit_and_never_fills_below_it() -> None:
    scene = holding(10)
    scene.place(order("o", SELL, stop=98, limit=97))
    scene.bar(95, 96, 94, "95.5")
    assert scene.fills("o") == []
    assert scene.named("o").triggered
    scene.restart()
    scene.bar(96, "96.99", 95, 96)
    assert scene.fills("o") == []
    scene.bar(96, 97, 95, 96)
    assert scene.fills("o") == [("o", D(10), D(97))]


def test_a_stop_limit_does_not_become_a_limit_before_its_stop() -> None:
    scene = stage()
    scene.place(order("o", BUY, stop=102, limit=103))
    scene.bar(100, "101.5", 99, 100)
    assert scene.fills() == []
    scene.bar(100, 104, 99, 100)
    assert scene.fills() == [("o", D(10), D(102))]


def test_no_order_meets_a_bar_that_had_begun_when_it_was_sent() -> None:
    scene = stage()
    scene.place(order("o", BUY, limit=95))
    scene.bar(94, 96, 93, 95, at=scene.venue.now - (scene.at(9, 31) - scene.at(9, 30)) / 2)
    assert scene.fills() == []
    scene.bar(94, 96, 93, 95)
    assert scene.fills() == [("o", D(10), D(94))]


def test_an_order_sent_after_the_fall_does_not_profit_from_it() -> None:
    scene = stage()
    scene.bar(100, 100, 90, 100)
    scene.place(order("o", BUY, limit=91))
    assert scene.fills() == []
    scene.bar(100)
    assert scene.fills() == []


@pytest.mark.parametrize(("side", "slipped"), [(BUY, "100.12"), (SELL, "99.89")])
def test_slippage_is_paid_by_market_orders_and_rounded_against_the_trader(side: Side, slipped: str) -> None:
    scene = Stage(replace(RICH, slippage=Decimal("0.001")))
    scene.place(order("o", side))
    assert scene.fills() == [("o", D(10), D(slipped))]


def test_slippage_never_carries_a_limit_beyond_its_price() -> None:
    scene = Stage(replace(RICH, slippage=Decimal("0.001")))
    scene.place(order("o", BUY, limit="100.05"))
    assert scene.fills() == [("o", D(10), D("100.05"))]


@pytest.mark.parametrize(("side", "price"), [(BUY, "2.10"), (SELL, "2.00")])
def test_contracts_trade_on_their_quotes(side: Side, price: str) -> None:
    scene = stage()
    if side is SELL:
        scene.place(order("held", BUY, 2, C100))
    scene.place(order("o", side, 2, C100))
    assert scene.fills("o") == [("o", D(2), D(price))]


def test_a_resting_limit_for_a_contract_fills_when_a_quote_comes_to_it() -> None:
    scene = stage()
    scene.place(order("o", BUY, 2, P100, limit="1.50"))
    scene.options({P100: ("1.45", "1.55")})
    assert scene.fills() == []
    scene.options({P100: ("1.30", "1.40")})
    assert scene.fills() == [("o", D(2), D("1.40"))]
    assert scene.cash == D(100_000 - 280)


def test_a_stop_for_a_contract_is_reached_by_the_quote_it_would_trade_on() -> None:
    scene = stage()
    scene.place(order("held", BUY, 2, C100))
    scene.place(order("o", SELL, 2, C100, stop="1.50"))
    scene.options({C100: ("1.55", "1.60")})
    assert scene.fills("o") == []
    scene.options({C100: ("1.40", "1.60")})
    assert scene.fills("o") == [("o", D(2), D("1.40"))]


def test_a_one_sided_quote_of_a_contract_trades_on_the_side_it_has() -> None:
    scene = stage()
    scene.options({C100: (None, "0.05")})
    assert scene.place(order("b", BUY, 1, C100)).status is Status.FILLED
    assert scene.place(order("s", SELL, 1, C100)).status is Status.NEW
    assert scene.fills("s") == []


def test_crypto_trades_at_night_and_keeps_its_fee_in_coin() -> None:
    scene = stage()
    scene.to(scene.at(23))
    scene.quote(59_990, 60_010, symbol="BTC-USD")
    scene.place(order("b", BUY, "0.1", "BTC-USD"))
    assert scene.owned("BTC-USD") == D("0.09975")  # 0.1 less 0.25%
    assert scene.cash == D("93999")  # 0.1 at 60,010
    assert scene.available("BTC-USD") == D("0.09975")
    scene.place(order("s", SELL, "0.09975", "BTC-USD"))
    assert scene.owned("BTC-USD") == 0
    # 0.09975 at 59,990 is 5984.0025, less 0.25% of it: 14.96000625, up to a billionth of a dollar.
    assert scene.cash == D("93999") + D("5984.0025") - D("14.960006250")


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (order("o", symbol="BTC-USD", quantity=1, stop=50_000), "order type stop is not offered for crypto"),
        (order("o", symbol=C100, quantity=1, trail_price=1), "order type trailing_stop is not offered for option"),
        (order("o", trail_price=1, trail_percent=1), "one of trail_price and trail_percent"),
        (order("o", SELL, trail_percent=100), "must be below 100"),
        (order("o", limit="100.001"), "limit 100.001 of SPY is not a multiple of 0.01"),
        (order("o", limit=-1), "must be above 0"),
        (order("o", quantity=1, symbol="IBM"), "IBM is not traded here"),
        (order("o", quantity="0.0000000001"), "not a multiple"),
        (order("o", quantity=None), "one of qty and notional is required"),
    ],
)
def test_what_cannot_be_an_order_is_refused_with_its_numbers(request_, said: str) -> None:
    assert said in stage().refused(request_).reason


def test_a_client_id_is_used_once_for_ever() -> None:
    scene = stage()
    first = scene.place(order("o", BUY, limit=95))
    no = scene.refused(order("o", BUY, limit=95))
    assert (no.kind, no.order) == (No.DUPLICATE_ID, first.venue_id)
    scene.cancel("o")
    assert scene.refused(order("o", BUY)).kind is No.DUPLICATE_ID
    scene.restart()
    assert scene.refused(order("o", BUY)).kind is No.DUPLICATE_ID
