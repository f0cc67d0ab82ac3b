"""Losses, worked out by hand: 2,000 may be lost today, a unit risks 5 dollars, 1000 are asked."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from hydra.model.orders import OrderStatus, OrderType, Purpose, Side
from hydra.model.portfolio import BotRecord, Day
from hydra.model.snapshot import Snapshot
from hydra.model.values import replace
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
    naked_call,
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
HELD = with_ledger(holdings={"a": holding()})  # ten shares at 100, stop 95: 50 at risk
SHORT = with_ledger(holdings={"a": holding(quantity=-10, stop=105)})  # as much
BARE = with_ledger(holdings={"a": replace(holding(), protection=None)})  # no stop: all of 1000
BARE_SHORT = with_ledger(holdings={"a": replace(holding(quantity=-10), protection=None)})
WORKING = with_ledger(orders={"o1": order(quantity=D(20))})  # twenty shares at 100, stop 95: 100 at risk
SPREADS = with_ledger(holdings=held_spread())  # 355
NAKED = with_ledger(holdings=naked_call())


def today(**record: Any) -> Snapshot:
    return with_ledger(bots={BOT: BotRecord(bot=BOT, **record)})


def day(**changes: Any) -> Snapshot:
    now = healthy().ledger.day
    assert now is not None
    return with_ledger(day=replace(now, **changes))


def shy(**budget: Any) -> Any:
    """A bot with a share of 500 dollars that may lose or have open a part of it only."""
    usual = rules_of().bots[0].budget
    return rules_of(bots=[{"id": BOT, "budget": usual.model_copy(update=budget)}])


TABLE = [
    Row("daily_loss", "2,000 / 5", case(), 400),
    Row("daily_loss", "500 lost", case(equity=D(99_500)), 300, "equity is 99500"),
    Row("daily_loss", "a profit raises nothing", case(equity=D(104_000)), 400),
    Row("daily_loss", "all lost", case(equity=D(98_000)), 0),
    Row("daily_loss", "more than all lost", case(equity=D(90_000)), 0),
    Row("daily_loss", "50 at risk already", case(HELD), 390, "50 at risk"),
    Row("daily_loss", "50 at risk in a short", case(SHORT), 390),
    Row("daily_loss", "a holding without a stop may lose all of it", case(BARE), 200),
    Row("daily_loss", "a short without a stop has no bound", case(BARE_SHORT), 0, "no bound"),
    Row("daily_loss", "100 at risk under way", case(WORKING), 380),
    Row("daily_loss", "355 at risk in a spread", case(SPREADS), 329),
    Row("daily_loss", "1,000 admitted before", after(case(), admitted(risk=1000)), 200),
    Row("daily_loss", "at the limit exactly", after(case(), admitted(risk=2000)), 0),
    Row("daily_loss", "something without a bound is open", case(NAKED), 0, "no bound"),
    Row("daily_loss", "something without a bound was admitted", after(case(), admitted(risk=None)), 0, "no bound"),
    Row("daily_loss", "a short", short(), 400),
    Row("daily_loss", "spreads that lose 355 each", spread(), "5.633802816901408450704225352"),
    Row("daily_loss", "no day yet", case(with_ledger(day=None)), 0, "unknown"),
    Row("daily_loss", "yesterday's equity", case(day(date=healthy().at.date() - timedelta(days=1))), 0, "unknown"),
    Row("daily_loss", "the exchange's day is unknown", case(with_sight(sessions=None)), 0, "unknown"),
    Row("drawdown", "6,000 / 5 is more than asked", case(), 1000),
    Row("drawdown", "6,000 / 5", case(asked=D(2000)), 1200),
    Row("drawdown", "peak 105,000 leaves 1,300", case(with_ledger(peak_equity=D(105_000))), 260),
    Row("drawdown", "at the limit exactly", case(equity=D(94_000)), 0),
    Row("drawdown", "1,300 less 50 at risk", case(with_ledger(HELD, peak_equity=D(105_000))), 250),
    Row("drawdown", "1,300 less 300 admitted", after(case(with_ledger(peak_equity=D(105_000))), admitted(risk=300)), 200),
    Row("drawdown", "something without a bound is open", case(NAKED), 0, "no bound"),
    Row("drawdown", "no peak yet", case(with_ledger(peak_equity=D(0))), 0, "unknown"),
    Row("risk_per_trade", "1,000 / 5", case(), 200),
    Row("risk_per_trade", "a close stop", case(risk_per_unit=D("0.5")), 1000),
    Row("risk_per_trade", "at the limit exactly", case(asked=D(200)), 200),
    Row("risk_per_trade", "never above the hard cap", case(rules=risk(risk_per_trade=D("0.5"))), 400),
    Row("risk_per_trade", "a short", short(), 200),
    Row("risk_per_trade", "a condor that loses 210", condor(), "4.761904761904761904761904761"),
    Row("risk_per_trade", "no risk at all cannot be counted", case(risk_per_unit=D(0)), 0),
    Row("bot_budget", "a quarter of 2,000, alone in its bucket", case(), 100),
    Row("bot_budget", "two share it", case(rules=rules_of(bots=[{"id": BOT}, {"id": "b"}])), 50),
    Row("bot_budget", "200 lost today", case(today(realized_today=D(-200))), 60),
    Row("bot_budget", "a profit adds nothing", case(today(realized_today=D(200))), 100),
    Row("bot_budget", "all lost today", case(today(realized_today=D(-500))), 0),
    Row("bot_budget", "50 at risk", case(HELD), 90),
    Row("bot_budget", "another's risk", case(with_ledger(holdings={"a": holding(bot="b")})), 100),
    Row("bot_budget", "100 admitted before", after(case(), admitted(bot=BOT, risk=100)), 80),
    Row("bot_budget", "another's admission", after(case(), admitted(risk=100)), 100),
    Row("bot_budget", "its own risk has no bound", case(with_ledger(holdings=naked_call(BOT))), 0, "no bound"),
    Row("bot_budget", "half of its share may be lost", case(rules=shy(daily_loss=D("0.5"))), 50),
    Row("bot_budget", "half of its share may be open", case(rules=shy(open_risk=D("0.5"))), 50),
    Row("bot_budget", "half open, 100 of it taken", case(WORKING, rules=shy(open_risk=D("0.5"))), 30),
    Row("bot_budget", "half open, 200 of the whole lost", case(today(realized_today=D(-200)), rules=shy(open_risk=D("0.5"))), 50),
    Row("bot_budget", "no day yet", case(with_ledger(day=None)), 0),
    Row("option_loss", "shares are no contracts", case(), 1000, "no contract"),
    Row("option_loss", "spreads that lose 355 each", spread(), "5.633802816901408450704225352"),
    Row("option_loss", "condors that lose 210 each", condor(), "9.523809523809523809523809523"),
    Row("option_loss", "straddles that lose 420 each", straddle(), "4.761904761904761904761904761"),
    Row("option_loss", "a put sold against cash loses 9300", secured_put(), "0.2150537634408602150537634408"),
    Row("option_loss", "at the limit exactly", spread(rules=risk(option_loss=D("0.0355")), asked=D(10)), 10),
    Row("option_loss", "a call sold alone", structure(f"-{C105}", side=Side.SELL, limit=2), 0, "nothing bounds"),
    Row("option_loss", "more calls sold than bought", structure(f"-{C105}", P90, side=Side.SELL, limit=2), 0, "nothing bounds"),
    Row("option_loss", "legs of two days", structure(f"-{P95}", P90.replace("240419", "240517"), side=Side.SELL, limit=1), 0, "nothing bounds"),
    Row("option_loss", "the case says more than the legs", spread(risk_per_unit=D(1000)), 2),
    Row("option_loss", "the case says less than the legs", spread(risk_per_unit=D(1)), "5.633802816901408450704225352"),
    Row("option_loss", "a contract bought alone", case(intent=replace(case().intent, symbol=C110), unit_cost=D(500)), 4),
    Row("option_loss", "a contract sold alone", short(intent=replace(short().intent, symbol=C110)), 0, "nothing bounds"),
]  # fmt: skip


@pytest.mark.parametrize("row", TABLE, ids=str)
def test_a_rule_admits_what_was_worked_out_by_hand(row: Row) -> None:
    hold(row)


def test_what_is_left_of_an_entry_is_at_risk_and_nothing_of_a_stop() -> None:
    half = order(quantity=D(10), filled=D(4), status=OrderStatus.PARTIALLY_FILLED)  # 6 x 5
    lower = order("o2", order_type=OrderType.LIMIT, limit=D(98), quantity=D(10))  # 10 x 3
    done = order("o3", status=OrderStatus.CANCELED)
    stop = order("o4", side=Side.SELL, purpose=Purpose.STOP, order_type=OrderType.STOP, stop=D(90))
    condors = order("o5", side=Side.SELL, order_type=OrderType.LIMIT, limit=D("2.90"), quantity=D(2), protection=None, legs=legs(f"-{P95}", P90, f"-{C105}", C110))  # fmt: skip
    snapshot = with_ledger(orders={o.client_id: o for o in (half, lower, done, stop, condors)})
    assert case(snapshot).standing.risk == 30 + 30 + 2 * 210


def test_the_day_begins_anew_with_its_own_equity() -> None:
    now = healthy().ledger.day
    assert now is not None
    richer = with_ledger(day=Day(date=now.date, start_equity=D(200_000)))
    hold(Row("daily_loss", "4,000 less what is gone", case(richer, equity=D(199_000)), 600))
