"""Counts, worked out by hand: four entries a day and one position for the bot, fifty and twenty for all."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from hydra.model.portfolio import BotRecord
from hydra.model.snapshot import Snapshot
from tests.fakes.outside import BOT
from tests.risk.rules.cases import (
    AT,
    P95,
    Row,
    admitted,
    after,
    ago,
    case,
    held_spread,
    hold,
    legs,
    risk,
    rules_of,
    short,
    spread,
)
from tests.risk.scenes import holding, order, with_ledger

D = Decimal
HELD = with_ledger(holdings={"a": holding()})
ELSEWHERE = with_ledger(holdings={"a": holding("AAPL")})
WORKING = with_ledger(orders={"o1": order()})
SPREAD = with_ledger(holdings=held_spread())
TWO = rules_of(bots=[{"id": BOT, "positions": 2}])


def made(*counts: int, **record: Any) -> Snapshot:
    """A day on which this bot, and others after it, sent so many entries."""
    names = (BOT, *(f"b{n}" for n in range(1, len(counts))))
    records = {name: BotRecord(bot=name, trades_today=n) for name, n in zip(names, counts, strict=False)}
    if record:
        records[BOT] = BotRecord(bot=BOT, **record)
    return with_ledger(bots=records)


def held_by(count: int) -> Snapshot:
    return with_ledger(holdings={str(n): holding("AAPL", bot=f"b{n}") for n in range(count)})


TABLE = [
    Row("trades_a_day", "none", case(), 1000),
    Row("trades_a_day", "forty-nine of three bots", case(made(4, 15, 30)), 1000, "49 entries"),
    Row("trades_a_day", "fifty", case(made(0, 20, 30)), 0),
    Row("trades_a_day", "forty-nine and one admitted", after(case(made(4, 15, 30)), admitted()), 0, "50 entries"),
    Row("trades_a_day", "a short", short(made(50)), 0),
    Row("trades_a_day", "a structure", spread(snapshot=made(50)), 0),
    Row("trades_per_day", "three made", case(made(3)), 1000),
    Row("trades_per_day", "four made", case(made(4)), 0, "4 entries of buyer"),
    Row("trades_per_day", "forty made by another", case(made(0, 40)), 1000),
    Row("trades_per_day", "four admitted", after(case(), *[admitted(bot=BOT)] * 4), 0),
    Row("trades_per_day", "four admitted of another", after(case(), *[admitted()] * 4), 1000),
    Row("open_positions", "none", case(), 1000),
    Row("open_positions", "nineteen", case(held_by(19)), 1000, "19 open"),
    Row("open_positions", "twenty", case(held_by(20)), 0),
    Row("open_positions", "nineteen and one admitted", after(case(held_by(19)), admitted()), 0),
    Row("open_positions", "one held and added to is one", after(case(held_by(19)), admitted(bot="b3", symbol="AAPL")), 1000),
    Row("open_positions", "a structure of two legs is one", case(SPREAD, rules=risk(positions=2)), 1000, "1 open"),
    Row("open_positions", "an entry under way", case(WORKING, rules=risk(positions=1)), 0),
    Row("concurrent_positions", "none", case(), 1000),
    Row("concurrent_positions", "this symbol held", case(HELD, rules=TWO), 0, "already"),
    Row("concurrent_positions", "this symbol held short", case(with_ledger(holdings={"a": holding(quantity=-10, stop=105)}), rules=TWO), 0),
    Row("concurrent_positions", "another held, one allowed", case(ELSEWHERE), 0, "1 of buyer"),
    Row("concurrent_positions", "another held, two allowed", case(ELSEWHERE, rules=TWO), 1000),
    Row("concurrent_positions", "another bot's", case(with_ledger(holdings={"a": holding(bot="b")})), 1000),
    Row("concurrent_positions", "an entry under way", case(WORKING, rules=TWO), 0),
    Row("concurrent_positions", "a part held and a part under way is one", case(with_ledger(holdings={"a": holding("AAPL")}, orders={"o": order(symbol="AAPL")}), rules=TWO), 1000),
    Row("concurrent_positions", "one admitted", after(case(), admitted(bot=BOT, symbol="AAPL")), 0),
    Row("concurrent_positions", "a structure on it is held", case(SPREAD, rules=TWO), 0, "SPY already"),
    Row("concurrent_positions", "a structure beside shares of it", spread(snapshot=HELD, rules=TWO), 0),
    Row("concurrent_positions", "a structure on it under way", spread(snapshot=with_ledger(orders={"o": order(legs=legs(P95), protection=None, order_type="limit", limit=D(2))}), rules=TWO), 0),
    Row("cool_down", "no stop today", case(), 1000, "no stop"),
    Row("cool_down", "fourteen minutes and 59 seconds ago", case(made(stopped={"SPY": ago(minutes=14, seconds=59)})), 0, "15.0 minutes"),
    Row("cool_down", "fifteen minutes ago", case(made(stopped={"SPY": ago(minutes=15)})), 1000),
    Row("cool_down", "another symbol", case(made(stopped={"AAPL": AT})), 1000),
    Row("cool_down", "a stop that lies ahead", case(made(stopped={"SPY": ago(minutes=-1)})), 0),
    Row("cool_down", "no cool-down asked", case(made(stopped={"SPY": AT}), rules=risk(cool_down_minutes=0)), 1000),
    Row("cool_down", "a structure by its underlying", spread(snapshot=made(stopped={"SPY": AT})), 0),
    Row("cool_down", "a short", short(made(stopped={"SPY": AT})), 0),
    Row("loss_streak", "four lost", case(made(loss_streak=4)), 1000),
    Row("loss_streak", "five lost", case(made(loss_streak=5)), 0, "5 trades of buyer lost"),
    Row("loss_streak", "six lost", spread(snapshot=made(loss_streak=6)), 0),
]  # fmt: skip


@pytest.mark.parametrize("row", TABLE, ids=str)
def test_a_rule_admits_what_was_worked_out_by_hand(row: Row) -> None:
    hold(row)


def test_another_bots_stop_quiets_nobody_else() -> None:
    stopped = with_ledger(bots={"b": BotRecord(bot="b", stopped={"SPY": AT}, loss_streak=9)})
    hold(Row("cool_down", "another's", case(stopped), 1000))
    hold(Row("loss_streak", "another's", case(stopped), 1000))
