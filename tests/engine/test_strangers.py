"""A fill of an order nobody has heard of is not taken in before it is known whose it is, and counts for the day it is told on."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from hydra.model.events import Recovered
from hydra.model.orders import Purpose
from hydra.model.snapshot import Observed
from tests.engine.books import generous
from tests.fakes.feed import ScriptedFeed, bar, quote
from tests.fakes.outside import BOT, MINUTE, OPEN, Fault, Prices, Stage, buys_at, feed_of, policy

D = Decimal
FALLS_AT_ONCE: Prices = [(100, 100, 100, 100)] * 2 + [(100, 100, 97, 97)] + [(97, 97, 97, 97)] * 9
"""The bar in which the entry fills runs through its stop as well: both executions are told of in one look."""


def looks(stage: Stage) -> list[Observed]:
    return [event.data for event in stage.events() if isinstance(event.data, Observed)]


def test_an_execution_whose_order_cannot_be_looked_up_is_read_again_and_lost_by_nobody() -> None:
    stage = Stage({BOT: buys_at(2)}, prices=FALLS_AT_ONCE, book=generous(policy()))
    stage.broker.plan("order", 0, Fault(error=TimeoutError("no answer")))
    before = ""
    while not stage.broker.calls.get("order"):
        before = stage.ledger.fill_cursor
        stage.step()
    assert (looks(stage)[-1].fills, stage.ledger.fill_cursor) == ((), before)
    stage.step(2)
    assert stage.ledger.holdings == {}
    (trade,) = [t for report in stage.reports for t in report.ledger.trades]
    assert trade.reason.startswith("stop")
    assert stage.agrees()


def overnight() -> ScriptedFeed:
    """Bought in the evening; the next morning opens below the stop."""
    feed = feed_of([(100, 100, 100, 100)] * 6)
    morning = OPEN + timedelta(days=1)
    for number in range(6):
        at = morning + number * MINUTE
        feed.add(bar("SPY", at, (95, 95, 95, 95)))
        feed.add(quote("SPY", at + MINUTE, D("94.99"), D("95.01")))
    return feed


def test_a_stop_that_the_nights_gap_ran_through_counts_for_the_day_it_is_told_on() -> None:
    stage = Stage({BOT: buys_at(2)}, feed=overnight(), book=generous(policy(), exits={}))
    while stage.ledger.counted_on in (None, OPEN.date()):
        stage.step()
    while stage.ledger.holdings:
        stage.step()
    record = stage.ledger.bot(BOT)
    assert stage.ledger.counted_on == OPEN.date() + timedelta(days=1)
    assert record.realized_today < D(-49)
    assert (record.loss_streak, set(record.stopped)) == (1, {"SPY"})
    assert stage.ledger.day_trades == ()  # opened the day before
    assert stage.agrees()


def test_what_happened_while_nobody_looked_counts_for_the_day_of_the_recovery() -> None:
    stage = Stage({BOT: buys_at(2)}, feed=overnight(), book=generous(policy(), exits={}))
    stage.step(4)
    assert stage.ledger.holdings
    while stage.venue.held():
        stage.clock.inner.wait(60)
    stage.restart()
    recovered = [event.data for event in stage.events() if isinstance(event.data, Recovered)][-1]
    assert recovered.day == OPEN.date() + timedelta(days=1)
    assert [fill.client_id for fill in recovered.fills]
    stage.step()
    record = stage.ledger.bot(BOT)
    assert record.realized_today < D(-49)
    assert (record.loss_streak, record.trades_today) == (1, 0)
    assert stage.sent(Purpose.EXIT) == []
