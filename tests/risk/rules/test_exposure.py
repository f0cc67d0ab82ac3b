"""Exposure, worked out by hand: 100,000 of equity, a unit costs 100 dollars, 1000 are asked."""

from __future__ import annotations

from decimal import Decimal

import pytest

from hydra.model.orders import Side
from hydra.policy import RiskPolicy
from tests.risk.rules.cases import (
    P95,
    Row,
    admitted,
    after,
    case,
    held_spread,
    hold,
    naked_call,
    pair,
    risk,
    short,
    spread,
)
from tests.risk.scenes import holding, order, with_ledger

D = Decimal
HELD = with_ledger(holdings={"a": holding()})  # ten shares at 100: 1000 dollars
SHORT = with_ledger(holdings={"a": holding("AAPL", -200, 100, 105, bot="b")})  # 20,000 dollars short
LONG = with_ledger(holdings={"a": holding("AAPL", 200, 100, 95, bot="b")})  # 20,000 dollars long
WORKING = with_ledger(orders={"o1": order(quantity=D(20))})  # twenty shares at 100: 2000 dollars
SELLING = with_ledger(orders={"o1": order(symbol="AAPL", side=Side.SELL, quantity=D(200), bot="b")})
SPREADS = with_ledger(holdings=held_spread(units=10))  # ten spreads that can lose 3550
NAKED = with_ledger(holdings=naked_call())
TECH = risk(groups={"tech": ("SPY", "AAPL"), "small": ("SPY", "IWM")}, group_exposure=D("0.4"))

TABLE = [
    Row("order_notional", "25,000 / 100", case(), 250, "25000"),
    Row("order_notional", "never above the ask", case(asked=D(7)), 7),
    Row("order_notional", "at the limit exactly", case(asked=D(250)), 250),
    Row("order_notional", "a short", short(), 250),
    Row("order_notional", "a spread binds 500 a unit", spread(), 50),
    Row("order_notional", "a unit that costs nothing cannot be counted", case(unit_cost=D(0)), 0),
    Row("symbol_exposure", "35,000 / 100", case(), 350),
    Row("symbol_exposure", "1,000 held", case(HELD), 340, "1000 in use"),
    Row("symbol_exposure", "2,000 under way", case(WORKING), 330),
    Row("symbol_exposure", "another symbol held", case(LONG), 350),
    Row("symbol_exposure", "3,000 admitted before", after(case(), admitted(notional=3000)), 320),
    Row("symbol_exposure", "more than the limit held", case(with_ledger(holdings={"a": holding(quantity=400)})), 0),
    Row("symbol_exposure", "at the limit exactly", case(with_ledger(holdings={"a": holding(quantity=350)})), 0),
    Row("symbol_exposure", "a short of 1,000 counts as much", case(with_ledger(holdings={"a": holding(quantity=-10, stop=105)})), 340),
    Row("symbol_exposure", "spreads on it count with what they can lose", case(SPREADS), "314.5"),
    Row("symbol_exposure", "shares count for a spread on them", spread(snapshot=HELD), 68),
    Row("symbol_exposure", "a contract held alone counts for its underlying", case(with_ledger(holdings={"a": holding(P95, 10, 5, 4)})), 300),
    Row("symbol_exposure", "no equity", case(equity=D(-5)), 0),
    Row("gross_exposure", "70,000 / 100", case(), 700),
    Row("gross_exposure", "20,000 long elsewhere", case(LONG), 500),
    Row("gross_exposure", "20,000 short elsewhere", case(SHORT), 500),
    Row("gross_exposure", "20,000 being sold short", case(SELLING), 500),
    Row("gross_exposure", "3,550 in spreads", case(SPREADS), "664.5"),
    Row("gross_exposure", "60,000 admitted before", after(case(), admitted(notional=60_000)), 100),
    Row("gross_exposure", "at the limit exactly", after(case(), admitted(notional=70_000)), 0),
    Row("gross_exposure", "twice the equity on margin", case(rules=risk(gross_exposure=D(2), margin=True), asked=D(3000)), 2000),
    Row("gross_exposure", "twice the equity without margin", case(rules=risk(gross_exposure=D(2)), asked=D(3000)), 1000),
    Row("gross_exposure", "something without a bound is open", case(NAKED), 0, "no bound"),
    Row("net_exposure", "100,000 / 100", case(asked=D(2000)), 1000),
    Row("net_exposure", "20,000 long", case(LONG), 800, "20000 in use"),
    Row("net_exposure", "20,000 short makes room for longs", case(SHORT, asked=D(2000)), 1200),
    Row("net_exposure", "20,000 short", short(SHORT), 800),
    Row("net_exposure", "20,000 long makes room for shorts", short(LONG, asked=D(2000)), 1200),
    Row("net_exposure", "a short under way is no relief yet", case(SELLING, asked=D(2000)), 1000),
    Row("net_exposure", "a long under way is no relief yet", short(WORKING, asked=D(2000)), 1000),
    Row("net_exposure", "a short under way counts for shorts", short(SELLING), 800),
    Row("net_exposure", "admitted on the other side is no relief", after(case(asked=D(2000)), admitted(side=Side.SELL, notional=9000)), 1000),
    Row("net_exposure", "at the limit exactly", after(case(), admitted(notional=100_000)), 0),
    Row("net_exposure", "half of equity", case(rules=risk(net_exposure=D("0.5"))), 500),
    Row("net_exposure", "a structure has no direction", spread(), 100, "no direction"),
    Row("group_exposure", "in no group", case(), 1000, "no group"),
    Row("group_exposure", "in two groups, both empty", case(rules=TECH), 400),
    Row("group_exposure", "20,000 long in one of them", case(LONG, rules=TECH), 200, "the group tech"),
    Row("group_exposure", "20,000 short in one of them counts as much", case(SHORT, rules=TECH), 200),
    Row("group_exposure", "its own symbol counts in both", case(HELD, rules=TECH), 390),
    Row("group_exposure", "at the limit exactly", after(case(rules=TECH), admitted(symbol="IWM", notional=40_000)), 0, "the group small"),
    Row("group_exposure", "a structure by its underlying", spread(rules=TECH), 80),
    Row("group_exposure", "a pair outside of it", pair(rules=TECH), 1000),
    Row("group_exposure", "a symbol named twice counts once", case(HELD, rules=risk(groups={"g": ("SPY", "SPY")}, group_exposure=D("0.4"))), 390),
]  # fmt: skip


@pytest.mark.parametrize("row", TABLE, ids=str)
def test_a_rule_admits_what_was_worked_out_by_hand(row: Row) -> None:
    hold(row)


def test_leverage_is_refused_with_the_policy_when_margin_is_not_meant() -> None:
    keys = risk().risk.model_dump()
    with pytest.raises(ValueError, match=r"gross_exposure 1\.5 is above 1, which needs margin = true"):
        RiskPolicy(**{**keys, "gross_exposure": D("1.5"), "margin": False})
