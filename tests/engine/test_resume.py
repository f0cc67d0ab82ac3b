"""Lifting a halt accepts what it was latched for, and only an operator does it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from hydra.adapters.bots.inline import InlineBotHost
from hydra.engine.fold import fold
from hydra.engine.replay import replay
from hydra.model.events import VERSION, Event, Halted, Resumed
from hydra.model.portfolio import Day, Halt, Ledger
from hydra.model.values import Value, replace
from tests.fakes.outside import OPEN, Stage


def folded(ledger: Ledger, data: Value) -> Ledger:
    return fold(ledger, Event(v=VERSION, seq=1, ts=OPEN, run="r", kind="k", data=data, prev="", hash=""))


def halted(*kinds: str) -> Ledger:
    halts = tuple(Halt(kind=kind, reason="limit", at=OPEN, by="hydra", automatic=True) for kind in kinds)
    day = Day(date=date(2025, 1, 6), start_equity=Decimal(100_000))
    return Ledger(equity=Decimal(93_000), peak_equity=Decimal(101_000), day=day, halts=halts)


def test_resuming_after_a_drawdown_measures_from_the_equity_of_now() -> None:
    after = folded(halted("drawdown"), Resumed(by="me", reason="looked"))
    assert after.peak_equity == 93_000
    assert after.day is not None
    assert after.day.start_equity == 100_000


def test_resuming_after_a_daily_loss_grants_a_new_limit_from_the_equity_of_now() -> None:
    after = folded(halted("daily_loss"), Resumed(by="me", reason="looked"))
    assert after.peak_equity == 101_000
    assert after.day is not None
    assert after.day.start_equity == 93_000


def test_resuming_from_any_other_halt_changes_no_limit() -> None:
    after = folded(halted("operator", "failure_window"), Resumed(by="me", reason="looked"))
    assert after.peak_equity == 101_000
    assert after.halts == ()


def test_resuming_with_unknown_equity_changes_no_limit() -> None:
    before = replace(halted("drawdown", "daily_loss"), equity=None)
    after = folded(before, Resumed(by="me", reason="looked"))
    assert (after.peak_equity, after.day) == (before.peak_equity, before.day)


def test_a_halt_in_a_cycle_that_was_not_planned_is_a_difference() -> None:
    stage = Stage()
    stage.step(2)
    stage.engine.record(Halted(halt=Halt(kind="invented", reason="x", at=OPEN, by="nobody", automatic=False)))
    stage.engine.settle()
    result = replay(stage.events(), lambda _document: (stage.book, InlineBotHost(stage.bots, None)))
    assert result.difference is not None
    assert result.difference.where == "halted.planned"
