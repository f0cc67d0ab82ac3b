"""Trailing stops: what moves them, what hits them, and in which order a bar is taken to do both."""

from __future__ import annotations

from typing import Any

import pytest

from hydra.adapters.exchange.terms import Status
from hydra.model.orders import Side
from hydra.model.values import replace
from tests.adapters.exchange.market_scenes import BUY, SELL, SIM, D, Stage, order
from tests.fakes.feed import Number

RICH = replace(SIM, participation=None, day_trade_protection=False)


def trailing(side: Side, **trail: Any) -> Stage:
    """Ten shares, long or short, with a trailing stop on them, begun at 100."""
    scene = Stage(RICH)
    scene.place(order("held", side.opposite))
    ticket = scene.place(order("o", side, **trail))
    assert (ticket.status, ticket.high_water) == (Status.NEW, D(100))
    return scene


@pytest.mark.parametrize("trail", [{"trail_price": 2}, {"trail_percent": 2}], ids=["price", "percent"])
@pytest.mark.parametrize(
    ("side", "bars", "price", "mark"),
    [
        (SELL, [(100, 101, "98.5", 101)], None, 101),
        (SELL, [(100, 101, 98, 100)], 98, 100),
        (SELL, [(97, 101, 97, 100)], 97, 100),
        (BUY, [(100, "101.5", 99, 99)], None, 99),
        (BUY, [(100, 102, 99, 100)], 102, 100),
        (BUY, [(103, 104, 99, 100)], 103, 100),
    ],
)
def test_the_adverse_extreme_comes_first(
    trail: dict[str, Any], side: Side, bars: list[tuple[Number, ...]], price: Number | None, mark: Number
) -> None:
    scene = trailing(side, **trail)
    for bar in bars:
        scene.bar(*bar)
    assert scene.fills("o") == ([] if price is None else [("o", D(10), D(price))])
    assert scene.named("o").high_water == D(mark)


def test_a_higher_open_moves_the_stop_before_the_low_is_met() -> None:
    scene = trailing(SELL, trail_price=2)
    scene.bar(105, 106, "102.9", 104)
    assert scene.fills("o") == [("o", D(10), D(103))]  # the open moved it to 103


def test_the_high_moves_the_stop_and_a_close_below_it_is_a_fill_at_the_stop() -> None:
    scene = trailing(SELL, trail_price=2)
    scene.bar(100, 110, "99.5", 105)
    assert scene.fills("o") == [("o", D(10), D(108))]


def test_the_mark_is_kept_over_a_restart_and_never_goes_back() -> None:
    scene = trailing(SELL, trail_price=5)
    scene.bar(100, 103, 99, 102)
    scene.restart()
    scene.bar(102, "102.5", "98.5", 99)
    assert scene.named("o").high_water == D(103)
    scene.bar(99, 100, "97.9", 98)
    assert scene.fills("o") == [("o", D(10), D(98))]


def test_a_percentage_is_of_the_mark_and_the_fill_is_rounded_against_the_trader() -> None:
    scene = trailing(SELL, trail_percent="1.5")
    scene.bar(100, "101.33", 99, "101.33")
    scene.bar("101.33", "101.33", 90, 95)
    assert scene.fills("o") == [("o", D(10), D("99.81"))]  # 101.33 less 1.51995 is 99.81005


def test_the_pre_market_neither_moves_nor_hits_a_trailing_stop() -> None:
    scene = Stage(RICH)
    scene.place(order("held"))
    scene.place(order("o", SELL, trail_price=2, tif="gtc"))
    scene.to(scene.at(8, days=1))
    scene.bar(90, 120, 80, 100)
    assert scene.fills("o") == []
    assert scene.named("o").high_water == D(100)


def test_a_trail_can_be_replaced_and_keeps_its_mark() -> None:
    scene = trailing(SELL, trail_price=5)
    scene.bar(100, 103, 99, 102)
    new = scene.replaced("o", "o2", trail=3)
    assert (new.trail_price, new.high_water, new.status) == (D(3), D(103), Status.NEW)
    assert scene.status("o") == ["replaced"]
    scene.bar(102, 102, "99.5", 101)
    assert scene.fills("o2") == [("o2", D(10), D(100))]
