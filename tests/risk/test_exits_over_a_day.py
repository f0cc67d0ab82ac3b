"""The exits that move a stop, over a day at the simulated venue: what they wish is what rests there, and where the trade ends."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from hydra.adapters.exchange.model import as_at_alpaca
from hydra.model.orders import Purpose, Side
from tests.engine.books import generous
from tests.fakes.outside import BOT, Stage, buys_at, policy
from tests.risk.test_exits import EXITS, PERCENT

D = Decimal


def a_day(side: Side, **bot: Any) -> Stage:
    """An entry at 100 with its stop five dollars behind, a price that goes four its way and comes back to where it began."""
    way = side.sign
    there = [100 + D(step) * way for step in range(5)]
    course = [D(100)] * 4 + there + there[::-1] + [D(100) - 2 * way] * 2
    rules = policy(bots=[{"id": BOT, "shorts": True, **bot}], risk={"short": True})
    stage = Stage(
        {BOT: buys_at(2, side=side, stop=100 - 5 * way, target=None)},
        prices=[(price, price, price, price) for price in course],
        book=generous(rules, exits={name: EXITS[name] for name in ("stop_loss", "break_even", "trailing")}),
        account=as_at_alpaca(D(100_000)),
    )
    stage.day()
    return stage


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize("mover", [{"trailing": PERCENT}, {"break_even": D("0.02")}], ids=["trailing", "break-even"])
def test_over_a_day_the_stop_at_the_venue_follows_the_price_and_ends_the_trade(side: Side, mover: Any) -> None:
    stage = a_day(side, **mover)
    moved = [stop.stop for report in stage.reports for stop in report.plan.stops]
    assert moved
    assert moved == sorted(moved, reverse=side is Side.SELL)
    assert [order.stop for order in stage.sent(Purpose.STOP)] == moved
    assert stage.sent(Purpose.EXIT) == []
    assert stage.at_venue() == {}
    assert stage.ledger.halts == ()
    (out,) = [fill for report in stage.reports for fill in report.snapshot.ledger.fills if fill.side is side.opposite]
    assert abs(out.price - moved[-1]) <= 1
    assert stage.agrees()
