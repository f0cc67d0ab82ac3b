"""What a structure can lose is known before it is entered: tables by hand, and a search that may not find worse."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.model.market import OptionContract, Right
from hydra.model.orders import Leg, Side
from hydra.model.portfolio import Holding, Ledger
from hydra.model.structures import most_lost_of, structures_of, value_at, worst_loss

D = Decimal
EXPIRY = date(2016, 1, 15)


def contract(right: str, strike: int, expiry: date = EXPIRY, root: str = "GOOG") -> str:
    return OptionContract(root=root, expiry=expiry, right=Right(right), strike=Decimal(strike)).symbol


def sold(right: str, strike: int, ratio: int = 1) -> Leg:
    return Leg(symbol=contract(right, strike), side=Side.SELL, ratio=ratio, opens=True)


def bought(right: str, strike: int, ratio: int = 1) -> Leg:
    return Leg(symbol=contract(right, strike), side=Side.BUY, ratio=ratio, opens=True)


CONDOR = (bought("put", 720), sold("put", 730), sold("call", 770), bought("call", 780))


@pytest.mark.parametrize(
    ("legs", "net_paid", "lost"),
    [
        pytest.param((sold("put", 740),), "-5.00", "73500", id="a-cash-secured-put-loses-the-strike-less-the-credit"),
        pytest.param(
            (sold("put", 740), bought("put", 735)), "-1.10", "390", id="a-put-spread-its-width-less-the-credit"
        ),
        pytest.param((sold("call", 760), bought("call", 765)), "-1.50", "350", id="a-call-spread-likewise"),
        pytest.param(CONDOR, "-2.50", "750", id="a-condor-one-width-less-the-whole-credit"),
        pytest.param((bought("call", 750), bought("put", 750)), "21.40", "2140", id="a-straddle-what-it-costs"),
        pytest.param((bought("put", 740), sold("put", 735)), "1.25", "125", id="a-debit-spread-what-it-costs"),
        pytest.param((bought("put", 740), sold("put", 730, 2)), "0.50", "72050", id="two-sold-below-one-bought"),
        pytest.param((sold("put", 740), bought("put", 735)), "-5.00", "0", id="a-credit-as-wide-as-the-spread"),
        pytest.param((sold("put", 740), bought("put", 735)), "-6.00", "0", id="nothing-is-lost-by-a-larger-one"),
        pytest.param((sold("call", 760),), "-3.00", None, id="a-naked-call-has-no-bound"),
        pytest.param((bought("call", 750), sold("call", 760, 2)), "1.00", None, id="nor-has-a-ratio-of-calls"),
    ],
)
def test_the_most_that_one_unit_can_lose(legs: tuple[Leg, ...], net_paid: str, lost: str | None) -> None:
    answer = most_lost_of(legs, Decimal(net_paid))
    assert answer == (None if lost is None else Decimal(lost))


def test_legs_of_different_days_or_roots_have_no_bound_that_is_known() -> None:
    later = Leg(symbol=contract("call", 750, date(2016, 2, 19)), side=Side.BUY, ratio=1, opens=True)
    other = Leg(symbol=contract("put", 735, root="SPY"), side=Side.BUY, ratio=1, opens=True)
    assert most_lost_of((sold("call", 750), later), Decimal(1)) is None
    assert most_lost_of((sold("put", 740), other), Decimal(1)) is None


_LEGS = st.lists(
    st.tuples(st.sampled_from(["call", "put"]), st.integers(1, 40), st.integers(-3, 3).filter(bool)),
    min_size=1,
    max_size=4,
    unique_by=lambda leg: leg[:2],
)


@settings(derandomize=True, max_examples=200)
@given(legs=_LEGS, paid=st.integers(-2000, 2000))
def test_no_price_at_expiry_loses_more(legs: list[tuple[str, int, int]], paid: int) -> None:
    amounts = {contract(right, strike): Decimal(100 * count) for right, strike, count in legs}
    lost = worst_loss(amounts, Decimal(paid))
    prices = [Decimal(quarter) / 4 for quarter in range(4 * 45)]
    results = [
        sum(amount * value_at(OptionContract.parse(symbol), price) for symbol, amount in amounts.items()) - paid
        for price in prices
    ]
    if lost is None:
        far = [amounts[s] * value_at(OptionContract.parse(s), Decimal(10**9)) for s in amounts]
        assert sum(far) < -(10**6)
    else:
        assert -lost <= min(results)
        assert lost == max(0, *(-result for result in results))


def leg(symbol: str, quantity: int, price: str, bot: str = "condor", entry: str = "e1") -> Holding:
    return Holding(
        bot=bot,
        symbol=symbol,
        quantity=Decimal(quantity),
        average_price=Decimal(price),
        protection=None,
        entry=entry,
        opened_at=datetime(2015, 12, 24, 15, tzinfo=UTC),
        opened_cycle=1,
        entered=Decimal(abs(quantity)),
        structure=entry,
    )


def test_what_was_entered_together_is_one_structure() -> None:
    legs = (leg(contract("put", 740), -2, "3.20"), leg(contract("put", 735), 2, "2.10"))
    other = leg(contract("put", 700), -1, "0.80", bot="put", entry="e2")
    ledger = Ledger(holdings={held.key: held for held in (*legs, other)})
    first, second = structures_of(ledger)
    assert (first.entry, first.bot, first.underlying, first.units) == ("e1", "condor", "GOOG", D(2))
    assert (first.paid, first.most_lost, first.expiry) == (Decimal(-220), Decimal(780), EXPIRY)
    assert (second.entry, second.most_lost) == ("e2", Decimal(70000 - 80))
    assert all(held.open_risk == 0 for held in legs)


def test_structures_are_those_of_the_holdings_that_are_asked_about() -> None:
    one, other = leg(CONDOR[0].symbol, 1, "1.00"), leg(CONDOR[1].symbol, -1, "2.00", entry="e2")
    ledgers = [Ledger(holdings={one.key: one}), Ledger(holdings={one.key: one, other.key: other}), Ledger()]
    for ledger in (*ledgers, *reversed(ledgers)):
        assert [found.entry for found in structures_of(ledger)] == [held.structure for held in ledger.holdings.values()]
    assert structures_of(ledgers[0]) is structures_of(ledgers[0])
