"""Permissions: shorts, levels of options, and the day trades of a small account. The case is on Monday, 2024-03-04."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from hydra.model.orders import Side
from hydra.model.snapshot import Snapshot
from hydra.model.values import replace
from hydra.policy import Policy
from tests.fakes.outside import BOT
from tests.risk.rules.cases import (
    C105,
    C110,
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
    pair,
    risk,
    rules_of,
    secured_put,
    short,
    spread,
    straddle,
    structure,
)
from tests.risk.scenes import healthy, holding, order, with_ledger, with_sight

D = Decimal
TODAY = date(2024, 3, 4)
FRIDAY, LAST_MONDAY, FRIDAY_BEFORE = date(2024, 3, 1), date(2024, 2, 26), date(2024, 2, 23)


def margin(**keys: Any) -> Policy:
    """The rules in an account as Alpaca gives it."""
    return rules_of(risk=keys, broker={"account": "alpaca"})


def small(*days: date, rules: Policy | None = None, snapshot: Snapshot | None = None, **more: Any) -> Any:
    """An account of 20,000 dollars with day trades behind it."""
    base = with_ledger(snapshot, day_trades=days)
    return case(base, rules=rules or margin(), equity=D(20_000), **more)


def opened(*held: Any) -> Snapshot:
    return with_ledger(holdings={str(n): one for n, one in enumerate(held)})


def level(number: int) -> Policy:
    return risk(option_level=number)


ALONE = case(intent=replace(case().intent, symbol=C110))

TABLE = [
    Row("short_permission", "a buy", case(), 1000),
    Row("short_permission", "allowed twice", short(), 1000, "risk.short is true"),
    Row("short_permission", "not by the bot", short(rules=risk(short=True)), 0, "shorts of buyer is false"),
    Row("short_permission", "not by the policy", short(rules=rules_of(bots=[{"id": BOT, "shorts": True}])), 0, "risk.short is false"),
    Row("short_permission", "never a pair", pair(Side.SELL, rules=short().policy), 0, "only shares"),
    Row("short_permission", "never a contract alone", short(intent=replace(short().intent, symbol=C110)), 0, "only shares"),
    Row("short_permission", "a pair is bought", pair(), 1000),
    Row("short_permission", "a structure is no short", spread(), 100),
    Row("option_level", "shares", case(rules=level(0)), 1000, "no contract"),
    Row("option_level", "a put against cash at level 0", secured_put(rules=level(0)), 0, "needs level 1"),
    Row("option_level", "a put against cash at level 1", secured_put(rules=level(1)), 100),
    Row("option_level", "a straddle at level 1", straddle(rules=level(1)), 0, "needs level 2"),
    Row("option_level", "a straddle at level 2", straddle(rules=level(2)), 100),
    Row("option_level", "a call bought at level 2", structure(C105, side=Side.BUY, limit=2, rules=level(2)), 100),
    Row("option_level", "a spread at level 2", spread(rules=level(2)), 0, "needs level 3"),
    Row("option_level", "a spread at level 3", spread(rules=level(3)), 100),
    Row("option_level", "a condor at level 3", condor(rules=level(3)), 100),
    Row("option_level", "a call sold alone", structure(f"-{C105}", side=Side.SELL, limit=2), 0, "no level"),
    Row("option_level", "a strangle sold", structure(f"-{P90}", f"-{C110}", side=Side.SELL, limit=1), 0, "no level"),
    Row("option_level", "two puts sold against cash", structure(f"-{P90}", f"-{P95}", side=Side.SELL, limit=2, rules=level(1)), 100),
    Row("option_level", "a contract bought alone", case(intent=ALONE.intent, rules=level(1)), 0, "needs level 2"),
    Row("option_level", "a contract sold alone", short(intent=replace(short().intent, symbol=P95)), 0, "no level"),
    Row("pattern_day_trader", "no margin account", case(with_ledger(day_trades=(TODAY,) * 9), equity=D(20_000)), 1000, "no margin account"),
    Row("pattern_day_trader", "25,000 of equity", case(with_ledger(day_trades=(TODAY,) * 9), equity=D(25_000), rules=margin()), 1000, "free from 25000"),
    Row("pattern_day_trader", "a cent less", case(with_ledger(day_trades=(TODAY,) * 9), equity=D("24999.99"), rules=margin()), 0),
    Row("pattern_day_trader", "two made", small(FRIDAY, TODAY), 1000, "2 day trades"),
    Row("pattern_day_trader", "three made", small(FRIDAY, TODAY, TODAY), 0),
    Row("pattern_day_trader", "three made, one a week ago", small(LAST_MONDAY, FRIDAY, TODAY), 0, "since 2024-02-26"),
    Row("pattern_day_trader", "three made, one longer ago", small(FRIDAY_BEFORE, FRIDAY, TODAY), 1000),
    Row("pattern_day_trader", "two made, one opened today", small(FRIDAY, TODAY, snapshot=opened(holding(opened_on=TODAY))), 0, "1 more if all"),
    Row("pattern_day_trader", "two made, one held since Friday", small(FRIDAY, TODAY, snapshot=opened(holding(opened_on=FRIDAY))), 1000),
    Row("pattern_day_trader", "two made, one opened nobody knows when", small(FRIDAY, TODAY, snapshot=opened(holding())), 0),
    Row("pattern_day_trader", "two made, a pair opened today", small(FRIDAY, TODAY, snapshot=opened(holding("BTC-USD", opened_on=TODAY))), 1000),
    Row("pattern_day_trader", "two made, an entry under way", small(FRIDAY, TODAY, snapshot=with_ledger(orders={"o": order(bot="b")})), 0),
    Row("pattern_day_trader", "two made, an entry admitted", after(small(FRIDAY, TODAY), admitted(symbol="AAPL")), 0),
    Row("pattern_day_trader", "two made, a pair admitted", after(small(FRIDAY, TODAY), admitted(symbol="BTC-USD")), 1000),
    Row("pattern_day_trader", "a spread may become two", spread(snapshot=with_ledger(day_trades=(TODAY,)), rules=margin(), equity=D(20_000)), 100, "2 asked"),
    Row("pattern_day_trader", "a spread with two made", spread(snapshot=with_ledger(day_trades=(TODAY, TODAY)), rules=margin(), equity=D(20_000)), 0),
    Row("pattern_day_trader", "a condor may become four", condor(rules=margin(), equity=D(20_000)), 0, "4 asked"),
    Row("pattern_day_trader", "a spread held counts its legs", small(TODAY, snapshot=with_ledger(holdings=held_spread())), 0, "2 more if all"),
    Row("pattern_day_trader", "a spread admitted counts its legs", after(small(TODAY), admitted(legs=legs(P95, P90))), 0),
    Row("pattern_day_trader", "pairs are exempt", pair(snapshot=with_ledger(day_trades=(TODAY,) * 9), rules=margin(), equity=D(1)), 1000),
    Row("pattern_day_trader", "a short", short(with_ledger(day_trades=(TODAY,) * 3), rules=margin(), equity=D(20_000)), 0),
    Row("pattern_day_trader", "the exchange's day is unknown", case(with_sight(sessions=None), rules=margin(), equity=D(20_000)), 0, "unknown"),
]  # fmt: skip


@pytest.mark.parametrize("row", TABLE, ids=str)
def test_a_rule_admits_what_was_worked_out_by_hand(row: Row) -> None:
    hold(row)


@pytest.mark.parametrize(
    ("today", "first"),
    [
        (date(2024, 3, 4), LAST_MONDAY),  # a Monday: six weekdays begin on the Monday before
        (date(2024, 3, 8), date(2024, 3, 1)),
        (date(2024, 3, 9), date(2024, 3, 1)),  # a Saturday is none
        (date(2024, 3, 10), date(2024, 3, 1)),
    ],
)
def test_the_window_is_six_weekdays(today: date, first: date) -> None:
    sessions = healthy().sight.sessions
    assert sessions is not None
    on = with_sight(sessions=replace(sessions, day=today))
    hold(Row("pattern_day_trader", "a window", small(snapshot=on), 1000, f"since {first}"))


def test_with_the_last_day_trade_unspent_everything_that_is_open_can_still_be_closed() -> None:
    """Two entries of one morning are admitted, the third is not: closing both today makes two day trades, and none is left over
    for a third that would have to be closed as well."""
    first = small(TODAY)
    hold(Row("pattern_day_trader", "the first", first, 1000))
    second = after(first, admitted(symbol="AAPL"))
    hold(Row("pattern_day_trader", "the second", second, 1000))
    third = after(first, admitted(symbol="AAPL"), admitted(symbol="MSFT"))
    hold(Row("pattern_day_trader", "the third", third, 0))
