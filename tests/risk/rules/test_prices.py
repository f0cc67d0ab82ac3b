"""Prices: bid 99.99, ask 100.01; the spread is bought at -1.60 to -1.40, its middles add up to 2.60."""

from __future__ import annotations

from dataclasses import replace as changed
from decimal import Context, Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.model.money import plain
from hydra.model.orders import Side
from hydra.model.values import replace
from hydra.risk.plugs import Case
from hydra.risk.rules import prices
from hydra.risk.rules.answers import shown
from tests.fakes.outside import entry
from tests.risk.rules.cases import (
    C105,
    P90,
    P95,
    Row,
    case,
    condor,
    hold,
    leg_quote,
    limited,
    pair,
    risk,
    short,
    spread,
    straddle,
)
from tests.risk.scenes import healthy

D = Decimal
SELL = Side.SELL
USUAL = healthy().sight.quotes["SPY"]


def quoted(bid: Any, ask: Any, usual: Case | None = None) -> Case:
    """The usual case at another quote, and what it expects to pay there."""
    usual = usual or case()
    quote = replace(USUAL, bid=D(str(bid)), ask=D(str(ask)))
    price = usual.intent.limit or (quote.ask if usual.intent.side is Side.BUY else quote.bid)
    return changed(usual, quote=quote, price=price, unit_cost=price)


def seen_at(reference: Any, usual: Case) -> Case:
    return changed(usual, intent=replace(usual.intent, reference=D(str(reference))))


def no_bid() -> Case:
    return spread(leg_quotes=(leg_quote(P95), leg_quote(P90, bid=None)))


def wide(ask: str = "3.00") -> Case:
    return spread(leg_quotes=(leg_quote(P95, ask=D(ask)), leg_quote(P90)))


CONTRACT = case(intent=entry(symbol=P95, stop=1, target=None, reference=D("2.05")), price=D("2.10"), quote=replace(USUAL, symbol=P95, bid=D("2.00"), ask=D("2.10")))  # fmt: skip

TABLE = [
    Row("price_collar", "at the market", case(), 1000, "accepted from 94.99 to 105.01"),
    Row("price_collar", "a limit at the upper edge", limited("105.01"), 1000),
    Row("price_collar", "a limit beyond it", limited("105.02"), 0),
    Row("price_collar", "a limit at the lower edge", limited("94.99"), 1000),
    Row("price_collar", "a limit below it", limited("94.98"), 0),
    Row("price_collar", "a short's limit at the lower edge", limited("94.99", SELL), 1000),
    Row("price_collar", "a short's limit below it", limited("94.98", SELL), 0),
    Row("price_collar", "a short's limit far above", limited("105.02", SELL), 0),
    Row("price_collar", "a digit too many", limited(1000), 0),
    Row("price_collar", "a spread within its quotes", spread("1.45"), 100, "cost -1.45"),
    Row("price_collar", "a spread at the edge of what is too good", spread("1.73"), 100),
    Row("price_collar", "a spread that is too good", spread("1.74"), 0),
    Row("price_collar", "a spread at the edge of what is too bad", spread("1.27"), 100),
    Row("price_collar", "a spread that is too bad", spread("1.26"), 0),
    Row("price_collar", "a straddle at the edge", straddle("4.405"), 100),
    Row("price_collar", "a straddle beyond it", straddle("4.41"), 0),
    Row("price_collar", "a leg has no bid", no_bid(), 0, f"{P90} has no bid"),
    Row("price_collar", "a leg is not quoted", spread(leg_quotes=(leg_quote(P95),)), 0, "1 quotes for 2 legs"),
    Row("price_collar", "quotes of other legs", spread(leg_quotes=(leg_quote(P90), leg_quote(P95))), 0),
    Row("price_collar", "another symbol's quote", case(quote=replace(USUAL, symbol="AAPL")), 0, "no quote of its own"),
    Row("spread", "two cents", case(), 1000, "SPY 99.99 to 100.01"),
    Row("spread", "at the limit exactly", quoted("99.5", "100.5"), 1000),
    Row("spread", "beyond it", quoted("99.49", "100.5"), 0, "at most 0.01 of 99.995"),
    Row("spread", "a short", quoted("99.49", "100.5", short()), 0),
    Row("spread", "a locked quote has none", quoted(100, 100), 1000),
    Row("spread", "legs 5% and 18% wide", spread(), 100, P90),
    Row("spread", "a leg 40% wide", wide(), 0, f"{P95} 2 to 3"),
    Row("spread", "a leg at the limit exactly", spread(leg_quotes=(leg_quote(P95), leg_quote(P90, bid=D("0.45"), ask=D("0.55"))), rules=risk(option_spread=D("0.2"))), 100),
    Row("spread", "one of four legs", condor(rules=risk(option_spread=D("0.15"))), 0),
    Row("spread", "a leg has no ask", spread(leg_quotes=(leg_quote(P95, ask=None), leg_quote(P90))), 0, f"{P95} has no ask"),
    Row("spread", "a contract alone is held to option_spread", CONTRACT, 1000),
    Row("slippage", "a cent above the middle", case(), 1000),
    Row("slippage", "a limit at the cap exactly", limited("100.5"), 1000),
    Row("slippage", "a limit beyond it", limited("100.51"), 0, "at most 100.5"),
    Row("slippage", "a short's limit at the cap exactly", limited("99.5", SELL), 1000),
    Row("slippage", "a short's limit beyond it", limited("99.49", SELL), 0),
    Row("slippage", "a limit far below", limited(90), 1000),
    Row("slippage", "the market moved away by the cap exactly", seen_at(99, quoted("99.475", "99.495")), 1000),
    Row("slippage", "the market moved away by more", seen_at(99, quoted("99.476", "99.496")), 0, "99 when the bot looked"),
    Row("slippage", "the market came closer", seen_at(104, case()), 1000),
    Row("slippage", "a limit holds what is paid", limited("99.4", reference=99), 1000),
    Row("slippage", "a short, the market moved down", seen_at(101, short()), 0),
    Row("slippage", "a short, the market moved up", seen_at(99, short()), 1000),
    Row("slippage", "a wide market", quoted(99, 101), 0),
    Row("slippage", "a spread at its quotes", spread("1.40"), 100),
    Row("slippage", "a spread at the cap exactly", spread("1.387"), 100),
    Row("slippage", "a spread beyond it", spread("1.386"), 0),
    Row("slippage", "a straddle at its asks", straddle("4.20"), 100),
    Row("slippage", "a straddle beyond the cap", straddle("4.221"), 0),
    Row("slippage", "a structure's reference is its limit", seen_at(9, spread()), 100),
    Row("slippage", "a leg has no bid", no_bid(), 0, "no bid"),
    Row("slippage", "a pair without a quote of its own", pair(quote=USUAL), 0),
]  # fmt: skip


@pytest.mark.parametrize("row", TABLE, ids=str)
def test_a_rule_admits_what_was_worked_out_by_hand(row: Row) -> None:
    hold(row)


def test_a_ratio_counts_as_often_as_it_is_traded() -> None:
    usual = straddle("6.30")
    first, second = usual.intent.legs
    twice = changed(usual, intent=replace(usual.intent, legs=(replace(first, ratio=2), second)))
    assert [leg.symbol for leg in twice.intent.legs] == [P95, C105]
    hold(Row("slippage", "two puts and a call at their asks", twice, 100, "cost up to 6.3"))


def test_the_market_is_worked_out_anew_for_every_case() -> None:
    usual, spreads = case(), spread()
    others = [
        (usual, market("99.99", "100.01", "100")),
        (changed(usual, quote=replace(USUAL, bid=D(90), ask=D(92))), market(90, 92, 91)),
        (changed(usual, intent=short().intent), market("-100.01", "-99.99", "100")),
        (spreads, market("-1.60", "-1.40", "2.60")),
        (changed(spreads, leg_quotes=(leg_quote(P95, ask=D("3.00")), spreads.leg_quotes[1])), None),
        (no_bid(), None),
    ]
    for one, wanted in (*others, *reversed(others)):
        found = prices.quoted(one)
        assert wanted is None or found == wanted
        assert found == prices.quoted(changed(one)), "an equal case that was never asked about"


def market(*dollars: Any) -> prices.Quoted:
    return prices.Quoted(*(D(str(one)) for one in dollars))


@given(
    number=st.decimals(allow_nan=False, allow_infinity=False, places=6)
    | st.sampled_from([D("-0"), D("0E+5"), D("1E-30")])
)
@settings(max_examples=200, deadline=None, derandomize=True)
def test_equal_numbers_have_equal_texts_however_they_are_written(number: Decimal) -> None:
    fresh = plain(Context(prec=12).plus(number))
    for written in (number, number.normalize(), number + D("0E-9"), number * D("1.000")):
        assert written != number or shown(written) == fresh
