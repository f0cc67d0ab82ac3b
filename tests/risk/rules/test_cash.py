"""Cash, worked out by hand: 100,000 in the account, of which 30,000 stay; a unit costs 100 dollars."""

from __future__ import annotations

from decimal import Decimal

import pytest

from hydra.model.orders import Order, OrderType, Side
from hydra.model.snapshot import Failure
from tests.risk.rules.cases import (
    P90,
    P95,
    Row,
    admitted,
    after,
    case,
    condor,
    held_spread,
    hold,
    legs,
    naked_call,
    pair,
    risk,
    secured_put,
    short,
    spread,
    straddle,
)
from tests.risk.scenes import holding, order, with_account, with_ledger, with_sight

D = Decimal
WORKING = with_ledger(orders={"o1": order(quantity=D(20))})  # 2000 dollars
SHORT = with_ledger(holdings={"a": holding("AAPL", -200, 100, 105, bot="b")})  # 20,000 received
LONG = with_ledger(holdings={"a": holding("AAPL", 200, 100, 95, bot="b")})
SPREADS = with_ledger(holdings=held_spread(units=10))  # 1450 received, up to 5000 to pay
NAKED = with_ledger(holdings=naked_call())
BLIND = with_sight(account=None)
MISSING = with_sight(missing={"account": Failure(what="account", kind="Unreachable", reason="no answer")})
MARGIN = risk(margin=True)


def spreads_under_way() -> Order:
    """Ten of the spread at a credit of 1.45: up to 5000 dollars to pay out, 1450 of them received with the fill."""
    return order(
        "o1",
        side=Side.SELL,
        order_type=OrderType.LIMIT,
        limit=D("1.45"),
        legs=legs(f"-{P95}", P90),
        protection=None,
    )


TABLE = [
    Row("buying_power", "100,000 less 30%", case(), 700),
    Row("buying_power", "cash 40,000", case(with_account(cash=D(40_000))), 100),
    Row("buying_power", "buying power 12,000", case(with_account(buying_power=D(12_000))), 120),
    Row("buying_power", "cash below the reserve", case(with_account(cash=D(29_999))), 0),
    Row("buying_power", "cash at the reserve exactly", case(with_account(cash=D(30_000))), 0),
    Row("buying_power", "2,000 under way", case(WORKING), 680),
    Row("buying_power", "what is held long is paid", case(LONG), 700),
    Row("buying_power", "what a short brought in is owed, and as much again is bound", case(SHORT), 300),
    Row("buying_power", "spreads may have to pay 5,000", case(SPREADS), 650),
    Row("buying_power", "spreads under way bind as much", case(with_ledger(orders={"o": spreads_under_way()})), 650),
    Row("buying_power", "65,000 admitted before", after(case(), admitted(notional=65_000)), 50),
    Row("buying_power", "the venue's power knows all but this cycle", after(case(with_account(buying_power=D(12_000), cash=D(90_000))), admitted(notional=9000)), 30),
    Row("buying_power", "on margin the venue's power less the reserve", case(with_account(buying_power=D(200_000), cash=D(10_000)), rules=MARGIN, asked=D(5000)), 1700),
    Row("buying_power", "pairs are paid for with cash", pair(snapshot=with_account(buying_power=D(200_000), cash=D(40_000)), rules=MARGIN), 100),
    Row("buying_power", "contracts are paid for with cash", straddle(snapshot=with_account(buying_power=D(200_000), cash=D(40_000)), rules=MARGIN), Decimal(10_000) // 420 + Decimal("0.8095238095238095238095238"), "less a reserve of 30000"),
    Row("buying_power", "a condor binds 500", condor(snapshot=with_account(cash=D(40_000))), 20),
    Row("buying_power", "a put against cash binds its strike", secured_put(), "7.368421052631578947368421052"),
    Row("buying_power", "a short binds its price", short(), 700),
    Row("buying_power", "the account is unknown", case(BLIND), 0, "unknown"),
    Row("buying_power", "the account was not read in this cycle", case(MISSING), 0, "unknown"),
    Row("buying_power", "something without a bound is open", case(NAKED), 0, "no bound"),
    Row("buying_power", "debts keep a reserve of nothing", case(with_account(cash=D(50)), equity=D(-1000)), "0.5"),
    Row("margin_permission", "100,000 of own cash", case(), 1000),
    Row("margin_permission", "50,000 of own cash", case(with_account(cash=D(50_000))), 500, "nothing is borrowed"),
    Row("margin_permission", "no cash", case(with_account(cash=D(0))), 0),
    Row("margin_permission", "below nothing", case(with_account(cash=D(-10))), 0),
    Row("margin_permission", "a short's money is not own cash", case(SHORT), 600),
    Row("margin_permission", "2,000 under way", case(WORKING, asked=D(2000)), 980),
    Row("margin_permission", "admitted before", after(case(), admitted(notional=99_000)), 10),
    Row("margin_permission", "allowed", case(with_account(cash=D(0)), rules=MARGIN), 1000, "allows"),
    Row("margin_permission", "never for pairs", pair(snapshot=with_account(cash=D(0)), rules=MARGIN), 0),
    Row("margin_permission", "never for contracts", spread(snapshot=with_account(cash=D(5000)), rules=MARGIN), 10),
    Row("margin_permission", "the account is unknown", case(BLIND), 0, "unknown"),
    Row("margin_permission", "something without a bound is open", case(NAKED), 0, "no bound"),
]  # fmt: skip


@pytest.mark.parametrize("row", TABLE, ids=str)
def test_a_rule_admits_what_was_worked_out_by_hand(row: Row) -> None:
    hold(row)
