"""Orders: how many, none twice, and none against another of ours. Bid 99.99, ask 100.01."""

from __future__ import annotations

from dataclasses import replace as changed
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from hydra.model.orders import Leg, Order, OrderStatus, OrderType, Purpose, Side
from hydra.model.portfolio import BotRecord
from hydra.model.snapshot import Snapshot
from hydra.model.values import replace
from hydra.risk.plugs import Case
from tests.fakes.outside import BOT
from tests.risk.rules.cases import (
    AT,
    C105,
    P90,
    P95,
    Row,
    admitted,
    after,
    ago,
    case,
    condor,
    held_spread,
    hold,
    legs,
    limited,
    pair,
    risk,
    short,
    spread,
    straddle,
)
from tests.risk.scenes import holding, order, with_ledger

D = Decimal
TIMES = (ago(seconds=59),)
L, S, SL, M = OrderType.LIMIT, OrderType.STOP, OrderType.STOP_LIMIT, OrderType.MARKET


def sent(**entered: Any) -> Snapshot:
    """What the bot has sent today, by symbol and side."""
    return with_ledger(bots={BOT: BotRecord(bot=BOT, entered={k.replace("_", " "): at for k, at in entered.items()})})


def working(side: Side, kind: OrderType, **more: Any) -> Snapshot:
    """An order of another bot that works at the venue: a target, a stop or an exit."""
    purpose = {L: Purpose.TARGET, S: Purpose.STOP, SL: Purpose.STOP}.get(kind, Purpose.EXIT)
    fields: dict[str, Any] = {"bot": "b", "side": side, "order_type": kind, "purpose": purpose} | more
    return with_ledger(orders={"x1": order("x1", **fields)})


def sells(kind: OrderType, price: Any = None, **more: Any) -> Snapshot:
    return working(Side.SELL, kind, **_at(kind, price), **more)


def buys(kind: OrderType, price: Any = None, **more: Any) -> Snapshot:
    return working(Side.BUY, kind, **_at(kind, price), **more)


def _at(kind: OrderType, price: Any) -> dict[str, Any]:
    prices: dict[str, Any] = {}
    if kind in (L, SL):
        prices["limit"] = D(str(price))
    if kind in (S, SL):
        prices["stop"] = D(str(price))
    return prices


def bare(usual: Case) -> Case:
    """The same where exits do not hang on the entry."""
    return changed(usual, instrument=replace(usual.instrument, exits_with_entry=False))


def entering(side: Side = Side.BUY, **more: Any) -> Snapshot:
    return with_ledger(orders={"x1": order("x1", bot="b", side=side, protection=None, **more)})


def closing(*signed: str) -> Snapshot:
    """An order of another bot that closes contracts."""
    closes = tuple(replace(leg, opens=False) for leg in legs(*signed))
    return with_ledger(orders={"x1": order("x1", bot="b", purpose=Purpose.EXIT, legs=closes)})


def named(symbol: str, usual: Case) -> Case:
    return changed(usual, intent=replace(usual.intent, symbol=symbol))


OTHERS_LONG = with_ledger(holdings={"a": holding(bot="b")})
OTHERS_SHORT = with_ledger(holdings={"a": holding(quantity=-10, stop=105, bot="b")})
OTHERS_SPREAD = with_ledger(holdings=held_spread("b"))  # short P95, long P90

TABLE = [
    Row("order_rate", "nine sent", case(with_ledger(sent_at=TIMES * 9)), 1000, "9 orders"),
    Row("order_rate", "ten sent", case(with_ledger(sent_at=TIMES * 10)), 0),
    Row("order_rate", "ten sent a minute ago", case(with_ledger(sent_at=(ago(seconds=60),) * 10)), 1000),
    Row("order_rate", "six sent, four admitted", after(case(with_ledger(sent_at=TIMES * 6)), *[admitted()] * 4), 0),
    Row("order_rate", "a structure is one order", after(spread(snapshot=with_ledger(sent_at=TIMES * 8)), admitted(legs=legs(P95, C105))), 100, "9 orders"),
    Row("duplicate", "nothing sent", case(), 1000),
    Row("duplicate", "sent five seconds ago", case(sent(SPY_buy=ago(seconds=5))), 1000, "5.0 s ago"),
    Row("duplicate", "sent 4.9 seconds ago", case(sent(SPY_buy=ago(seconds=4.9))), 0, "not again within 5 s"),
    Row("duplicate", "sent at a time that lies ahead", case(sent(SPY_buy=ago(seconds=-9))), 0),
    Row("duplicate", "the other side", case(sent(SPY_sell=AT)), 1000),
    Row("duplicate", "a short", short(sent(SPY_sell=AT)), 0),
    Row("duplicate", "another symbol", case(sent(AAPL_buy=AT)), 1000),
    Row("duplicate", "no seconds asked", case(sent(SPY_buy=AT), rules=risk(duplicate_seconds=0)), 1000),
    Row("duplicate", "under way for an hour", case(with_ledger(orders={"o1": order()}), rules=risk(duplicate_seconds=0)), 0, "o1 is under way"),
    Row("duplicate", "another bot's is under way", case(entering()), 1000),
    Row("duplicate", "done", case(with_ledger(orders={"o1": order(status=OrderStatus.REJECTED)})), 1000),
    Row("duplicate", "admitted in this cycle", after(case(), admitted(bot=BOT)), 0, "an entry of this cycle"),
    Row("duplicate", "a structure of the same side", spread(snapshot=sent(SPY_sell=AT)), 0),
    Row("opposite", "nobody", case(), 1000),
    Row("opposite", "another is long", case(OTHERS_LONG), 1000),
    Row("opposite", "another is short", case(OTHERS_SHORT), 0, "b is short in SPY"),
    Row("opposite", "a short, another is long", short(OTHERS_LONG), 0, "b is long in SPY"),
    Row("opposite", "a short, another is short", short(OTHERS_SHORT), 1000),
    Row("opposite", "another enters short", case(entering(Side.SELL)), 0, "b enters short in SPY"),
    Row("opposite", "another was admitted short", after(case(), admitted(side=Side.SELL)), 0, "b enters short"),
    Row("opposite", "another is short elsewhere", case(with_ledger(holdings={"a": holding("AAPL", -10, 100, 105, bot="b")})), 1000),
    Row("opposite", "itself is long", short(with_ledger(holdings={"a": holding()})), 0, "buyer is long in SPY"),
    Row("opposite", "shares and contracts on them are two things", short(OTHERS_SPREAD), 1000),
    Row("opposite", "a straddle, another has sold its put", straddle(snapshot=OTHERS_SPREAD), 0, f"b is short in {P95}"),
    Row("opposite", "a spread, another has sold the same put", spread(snapshot=OTHERS_SPREAD), 100),
    Row("opposite", "a condor, another enters its sold call", after(condor(), admitted(legs=legs(C105))), 0, f"b enters long in {C105}"),
    Row("wash_trade", "nothing rests", case(), 1000),
    Row("wash_trade", "a target far above", case(sells(L, 104)), 1000),
    Row("wash_trade", "a target within a spread of the ask", case(sells(L, "100.03")), 0, "x1, a sell limit at 100.03 of b"),
    Row("wash_trade", "a target just further", case(sells(L, "100.04")), 1000),
    Row("wash_trade", "a target at the limit exactly", limited(101, snapshot=sells(L, 101)), 0),
    Row("wash_trade", "a target above the limit", limited("100.99", snapshot=sells(L, 101)), 1000),
    Row("wash_trade", "a stop far below", case(sells(S, 95)), 1000),
    Row("wash_trade", "a stop at the bid is about to sell", case(sells(S, "99.99")), 0),
    Row("wash_trade", "a stop below a limit that fills now", limited(101, snapshot=sells(S, 99)), 1000),
    Row("wash_trade", "a stop the price passes before a low limit", limited(98, snapshot=sells(S, 99)), 0),
    Row("wash_trade", "a stop below a low limit", limited(98, snapshot=sells(S, "97.99")), 1000),
    Row("wash_trade", "a stop-limit counts as a stop", limited(98, snapshot=sells(SL, 99)), 0),
    Row("wash_trade", "an exit at the market", case(sells(M)), 0, "could trade"),
    Row("wash_trade", "its own exit at the market", case(sells(M, bot=BOT)), 0),
    Row("wash_trade", "an order that is done", case(sells(M, status=OrderStatus.FILLED)), 1000),
    Row("wash_trade", "an order of the same side", case(buys(L, 101)), 1000),
    Row("wash_trade", "another symbol", case(sells(M, symbol="AAPL")), 1000),
    Row("wash_trade", "a short and a cover far below", short(buys(L, 96)), 1000),
    Row("wash_trade", "a short and a cover within a spread of the bid", short(buys(L, "99.97")), 0),
    Row("wash_trade", "a short and a stop far above", short(buys(S, 105)), 1000),
    Row("wash_trade", "a short and a stop at the ask", short(buys(S, "100.01")), 0),
    Row("wash_trade", "a high short limit and a stop before it", limited(103, Side.SELL, snapshot=buys(S, 102)), 0),
    Row("wash_trade", "a high short limit and a stop beyond it", limited(103, Side.SELL, snapshot=buys(S, "103.01")), 1000),
    Row("wash_trade", "admitted on the other side", after(case(), admitted(side=Side.SELL)), 0, "an entry of this cycle"),
    Row("wash_trade", "admitted on the other side, far away", after(case(), admitted(side=Side.SELL, price=D(104))), 1000),
    Row("wash_trade", "admitted on the same side", after(case(), admitted()), 1000),
    Row("wash_trade", "without exits at the venue, a stop far below", bare(case(sells(S, 50))), 0, "takes no order against it"),
    Row("wash_trade", "without exits, its own stop", bare(case(sells(S, 50, bot=BOT))), 0),
    Row("wash_trade", "without exits, a target far above", bare(case(sells(L, 200))), 0),
    Row("wash_trade", "without exits, two limits that do not cross", bare(limited(100, snapshot=sells(L, 101))), 1000),
    Row("wash_trade", "without exits, two limits that cross", bare(limited(101, snapshot=sells(L, 101))), 0),
    Row("wash_trade", "without exits, another enters beside it", bare(case(entering())), 0, "its stop could not be placed"),
    Row("wash_trade", "without exits, another was admitted beside it", bare(after(case(), admitted())), 0, "its stop could not be placed"),
    Row("wash_trade", "with exits, another enters beside it", case(entering()), 1000),
    Row("wash_trade", "a pair in an account with exits", pair(snapshot=sells(L, 104, symbol="BTC-USD")), 1000),
    Row("wash_trade", "contracts are closed the same way", spread(snapshot=closing(f"-{P95}")), 100),
    Row("wash_trade", "a contract is closed the other way", spread(snapshot=closing(P95)), 0, "the same contract the other way"),
    Row("wash_trade", "shares and contracts on them are two things", spread(snapshot=sells(M)), 100),
    Row("wash_trade", "a contract alone beside a structure of it", named(P95, case(closing(f"-{P95}"))), 0),
    Row("wash_trade", "contracts admitted before are for opposite to judge", after(spread(), admitted(legs=legs(P95))), 100),
]  # fmt: skip


@pytest.mark.parametrize("row", TABLE, ids=str)
def test_a_rule_admits_what_was_worked_out_by_hand(row: Row) -> None:
    hold(row)


def test_what_leaves_in_the_same_cycle_counts_as_sent_and_as_working() -> None:
    usual = case(with_ledger(sent_at=TIMES * 9))
    hold(Row("order_rate", "before", usual, 1000, "9 orders"))
    planned: Order = order("x1", bot="b", side=Side.SELL, purpose=Purpose.EXIT)
    usual.standing.plan(planned)
    hold(Row("order_rate", "one exit is about to be sent", usual, 0, "10 orders"))
    hold(Row("wash_trade", "and this would meet it", usual, 0, "x1, a sell market of b"))


def test_a_leg_counts_on_its_own_side_not_on_the_orders() -> None:
    put = Leg(symbol=P90, side=Side.SELL, ratio=1, opens=False)
    unwinding = with_ledger(orders={"x1": order("x1", bot="b", side=Side.BUY, purpose=Purpose.EXIT, legs=(put,))})
    hold(Row("wash_trade", "its long put is sold by another", spread(snapshot=unwinding), 0))


def test_the_minute_of_the_rate_moves_on() -> None:
    sent_at = tuple(AT - timedelta(seconds=s) for s in range(5, 55, 5))
    hold(Row("order_rate", "ten within the minute", case(with_ledger(sent_at=sent_at)), 0))
    later = replace(with_ledger(sent_at=sent_at), at=AT + timedelta(seconds=10))
    hold(Row("order_rate", "the first has left it", case(later), 1000, "9 orders"))
