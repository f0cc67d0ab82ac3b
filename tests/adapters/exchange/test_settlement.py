"""What becomes of contracts on their last day, and of those that are exercised before it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest

from hydra.adapters.exchange.model import ActivityKind, VenueSettings
from hydra.adapters.exchange.terms import No, Rejection
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
    average,
    order,
    spread,
)
from tests.fakes.feed import Number

CALM = replace(SIM, day_trade_protection=False)


def friday(scene: Stage) -> datetime:
    """The close of the day on which the contracts expire."""
    return scene.at(16, days=4)


def expire(scene: Stage, price: Number) -> None:
    """Let the contracts expire with SPY at a price."""
    scene.to(scene.at(15, 59, days=4))
    scene.bar(price)
    assert scene.venue.now == friday(scene)
    assert not any(len(symbol) > 10 for symbol in scene.auditor.owned())


def kinds(scene: Stage) -> list[str]:
    """What was recorded of contracts."""
    return [each.kind.value for each in scene.venue.activities() if each.kind.value.startswith("OP")]


def fees(scene: Stage) -> Decimal:
    """What was charged at the end of a day."""
    return -sum((each.amount for each in scene.venue.activities() if each.kind is ActivityKind.FEE), Decimal(0))


def test_out_of_the_money_a_contract_lapses() -> None:
    scene = Stage(CALM)
    scene.place(order("l", BUY, 1, C100))
    scene.place(order("s", SELL, 2, P95))
    expire(scene, 100)
    assert kinds(scene) == ["OPEXP", "OPEXP"]
    assert scene.venue.held() == ()
    assert scene.cash == 100_000 - 210 + 120 - fees(scene)
    assert scene.power > 0


def test_a_cent_in_the_money_a_contract_is_exercised() -> None:
    scene = Stage(CALM)
    scene.place(order("l", BUY, 2, C100))
    expire(scene, "100.01")
    assert kinds(scene) == ["OPEXC", "OPTRD"]
    assert (scene.owned(), average(scene)) == (D(200), D(100))
    assert scene.cash == 100_000 - 420 - 20_000 - fees(scene)
    scene.restart()


@pytest.mark.parametrize(
    ("settings", "price", "held", "change"),
    [(CALM, 90, -100, 10_000), (CASH, 90, 0, 1_000)],
    ids=["sold short on margin", "settled in a cash account"],
)
def test_a_put_without_shares(settings: VenueSettings, price: int, held: int, change: int) -> None:
    scene = Stage(settings)
    scene.place(order("l", BUY, 1, P100))
    expire(scene, price)
    assert scene.owned() == held
    assert scene.cash == settings.starting_cash - 200 + change - fees(scene)
    if settings is CASH:
        assert "could not carry the exercise" in scene.venue.activities()[-1].description


def test_a_call_that_cannot_be_paid_is_settled_at_what_it_is_worth() -> None:
    scene = Stage(replace(CASH, starting_cash=Decimal(1_000)))
    scene.place(order("l", BUY, 1, C100))
    expire(scene, 107)
    assert scene.cash == 1_000 - 210 + 700 - fees(scene)
    assert "settled at its intrinsic value of 7" in scene.venue.activities()[-1].description


def test_a_declined_contract_lapses_though_it_is_worth_something() -> None:
    scene = Stage(CALM)
    scene.place(order("l", BUY, 1, C100))
    assert scene.venue.decline(C100) is None
    scene.restart()
    expire(scene, 110)
    assert kinds(scene) == ["OPEXP"]
    assert "declined" in scene.venue.activities()[-1].description


def test_a_covered_call_is_assigned_and_takes_the_shares() -> None:
    scene = Stage(CALM)
    scene.place(order("b", BUY, 100))
    scene.place(order("s", SELL, 1, C105))
    expire(scene, 110)
    assert kinds(scene) == ["OPASN", "OPTRD"]
    assert scene.venue.held() == ()
    assert scene.cash == 100_000 - 10_001 + 50 + 10_500 - fees(scene)


def test_a_secured_put_is_assigned_and_its_cash_becomes_shares() -> None:
    scene = Stage(CASH)
    scene.place(order("s", SELL, 2, P95))
    assert scene.power == 20_000 + 120 - 19_000
    expire(scene, 80)
    assert (scene.owned(), average(scene)) == (D(200), D(95))
    assert scene.cash == scene.power == 20_000 + 120 - 19_000 - fees(scene)


@pytest.mark.parametrize(
    ("legs", "price", "debit", "worth"),
    [
        (((C100, BUY, 1), (C105, SELL, 1)), 110, 160, 500),
        (((P100, BUY, 1), (P95, SELL, 1)), 90, 140, 500),
        (((P95, SELL, 1), (P90, BUY, 1)), 80, -30, -500),
    ],
    ids=["call debit", "put debit", "put credit"],
)
@pytest.mark.parametrize("settings", [CALM, CASH], ids=["margin", "cash"])
def test_a_spread_with_both_legs_in_the_money_ends_at_its_width(
    settings: VenueSettings, legs: tuple, price: int, debit: int, worth: int
) -> None:
    scene = Stage(settings)
    scene.place(spread("v", *legs))
    expire(scene, price)
    assert scene.venue.held() == ()
    assert scene.cash == settings.starting_cash - debit + worth - fees(scene)


def test_a_spread_with_one_leg_in_the_money_leaves_shares() -> None:
    scene = Stage(CASH)
    scene.place(spread("v", (P95, SELL, 1), (P90, BUY, 1)))
    expire(scene, 93)
    assert (scene.owned(), average(scene)) == (D(100), D(95))


def test_orders_for_a_contract_end_with_it() -> None:
    scene = Stage(CALM)
    scene.place(order("l", BUY, 1, C100))
    scene.place(order("s", SELL, 1, C100, limit=9, tif="gtc"))
    scene.place(order("o", BUY, 1, P90, limit="0.05", tif="gtc"))
    expire(scene, 100)
    assert scene.status("s") == ["expired"]
    scene.to(scene.at(12, days=7))
    assert scene.status("o") == ["expired"]


def test_orders_that_lay_claim_to_the_shares_are_cancelled_by_an_assignment() -> None:
    scene = Stage(replace(CALM, participation=None))
    scene.place(order("b", BUY, 200))
    scene.place(order("c", SELL, 1, C105))
    scene.place(order("s", SELL, 100, limit=120, tif="gtc"))
    expire(scene, 110)
    assert scene.status("s") == ["canceled"]
    assert scene.available() == 100


def test_a_short_sale_that_waits_does_not_meet_shares_from_an_assignment() -> None:
    scene = Stage(CALM)
    scene.place(order("p", SELL, 1, P95))
    scene.place(order("s", SELL, 10, limit=120, tif="gtc"))
    expire(scene, 90)
    assert scene.status("s") == ["canceled"]
    assert scene.owned() == scene.available() == 100


def test_a_contract_is_exercised_on_demand() -> None:
    scene = Stage(CALM)
    scene.place(order("l", BUY, 2, C100))
    assert scene.venue.exercise(C100) is None
    scene.check()
    assert (scene.owned(), scene.owned(C100)) == (D(200), D(0))
    scene.restart()


@pytest.mark.parametrize("verb", ["exercise", "decline"])
def test_only_a_long_contract_can_be_exercised_or_declined(verb: str) -> None:
    scene = Stage(CALM)
    scene.place(order("s", SELL, 1, P95))
    for symbol, kind in (
        (P95, No.NO_POSITION),
        (C100, No.NO_POSITION),
        ("SPY", No.NO_POSITION),
        ("X", No.UNKNOWN_SYMBOL),
    ):
        no = getattr(scene.venue, verb)(symbol)
        assert isinstance(no, Rejection)
        assert no.kind is kind


def test_a_contract_that_is_promised_or_cannot_be_carried_is_not_exercised() -> None:
    scene = Stage(replace(CASH, starting_cash=Decimal(1_000)))
    scene.place(order("l", BUY, 1, C100))
    no = scene.venue.exercise(C100)
    assert isinstance(no, Rejection)
    assert no.kind is No.INSUFFICIENT_BUYING_POWER
    scene.place(order("s", SELL, 1, C100, limit=9))
    no = scene.venue.exercise(C100)
    assert isinstance(no, Rejection)
    assert no.kind is No.NOT_PERMITTED


def test_a_put_that_stands_behind_another_may_be_exercised_since_its_strike_comes_in() -> None:
    scene = Stage(replace(CASH, starting_cash=Decimal(10_400)))
    scene.place(order("b", BUY, 100))
    scene.place(spread("v", (P95, BUY, 1), (P100, SELL, 1)))
    power = scene.power
    assert power == 10_400 - 10_001 + 120 - 500
    assert scene.venue.exercise(P95) is None
    scene.check()
    assert (scene.owned(), scene.power) == (D(0), power)


def test_a_call_that_stands_behind_another_is_exercised_into_the_shares_that_cover_it() -> None:
    scene = Stage(CALM)
    scene.place(spread("v", (C100, BUY, 1), (C105, SELL, 1)))
    assert scene.venue.exercise(C100) is None
    scene.check()
    assert (scene.owned(), scene.available()) == (D(100), D(0))


def test_shares_behind_a_written_call_are_not_given_away_by_a_put() -> None:
    later = "SPY240315C00105000"
    scene = Stage(CASH, chain={C105: ("0.50", "0.60"), P100: ("1.90", "2.00"), later: ("1.00", "1.10")})
    scene.place(order("b", BUY, 100))
    scene.place(order("c", SELL, 1, later))
    scene.place(order("p", BUY, 1, P100))
    no = scene.venue.exercise(P100)
    assert isinstance(no, Rejection)
    scene.to(scene.at(15, 59, days=4))
    scene.bar(90)
    assert (scene.owned(), scene.owned(later), scene.owned(P100)) == (D(100), D(-1), D(0))
    assert "settled at its intrinsic value of 10" in scene.venue.activities()[-1].description


def test_contracts_expire_at_one_on_a_short_day() -> None:
    chain = {"SPY241224C00100000": ("2.00", "2.10")}
    scene = Stage(CALM, at=datetime.fromisoformat("2024-12-24T14:30:00+00:00"), chain=chain)
    scene.place(order("l", BUY, 1, "SPY241224C00100000"))
    scene.to(datetime.fromisoformat("2024-12-24T17:59:00+00:00"))
    scene.bar(104)
    assert kinds(scene) == ["OPEXC", "OPTRD"]
    assert scene.owned() == 100
