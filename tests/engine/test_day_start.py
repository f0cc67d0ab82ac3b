"""A new exchange day is measured from its first equity, unless nobody can explain how it came to that."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from hydra.adapters.memory.calendar import PlainCalendar
from hydra.engine.fold import fold
from hydra.model.activities import Activity, ActivityKind
from hydra.model.events import KIND_OF, VERSION, Event, ForeignAccepted
from hydra.model.portfolio import Account, BotRecord, Day, Ledger
from hydra.model.snapshot import Observed, Sight, Snapshot, Verdict
from hydra.model.values import Value, replace
from hydra.risk.gates import day_start
from tests.fakes.outside import BOT, OPEN, policy

D = Decimal
YESTERDAY = Ledger(
    run="r",
    cash=D(100_000),
    equity=D(100_000),
    day=Day(date=OPEN.date(), start_equity=D(99_000)),
    bots={
        BOT: BotRecord(bot=BOT, trades_today=3, loss_streak=2, stopped={"SPY": OPEN}, entered={"SPY buy": OPEN}),
    },
    day_trades=(OPEN.date() - timedelta(days=20), OPEN.date()),
)


def after(ledger: Ledger, payload: Value) -> Ledger:
    event = Event(v=VERSION, seq=1, ts=OPEN, run="r", kind=KIND_OF[type(payload)], data=payload, prev="", hash="")
    return fold(ledger, event)


def morning(equity: int, **more: Any) -> Observed:
    at = OPEN + timedelta(days=1)
    account = Account(account_id="A", status="ACTIVE", equity=D(equity), cash=D(equity), buying_power=D(equity))
    fields: dict[str, Any] = {"sessions": PlainCalendar().sessions(at), "account": account} | more
    return Observed(cycle=9, at=at, **fields)


def verdict(ledger: Ledger) -> Verdict:
    snapshot = Snapshot(run="r", cycle=9, at=OPEN, ledger=ledger, sight=Sight())
    return day_start.ask(snapshot, policy(), "").verdict


@pytest.mark.parametrize(
    ("equity", "expected"), [(100_000, Verdict.PASS), (76_000, Verdict.PASS), (74_000, Verdict.REFUSE)]
)
def test_the_first_equity_of_a_day_is_compared_with_the_last_of_the_day_before(equity: int, expected: Verdict) -> None:
    ledger = after(YESTERDAY, morning(equity))
    assert ledger.day == Day(date=(OPEN + timedelta(days=1)).date(), start_equity=D(equity), before=D(100_000))
    assert verdict(ledger) is expected


def test_a_new_day_forgets_what_counted_for_the_old_one() -> None:
    ledger = after(YESTERDAY, morning(100_000))
    assert ledger.bot(BOT) == BotRecord(bot=BOT)
    assert ledger.day_trades == (OPEN.date(),)


def test_money_that_was_paid_in_over_night_explains_itself() -> None:
    paid = Activity(activity_id="t1", kind=ActivityKind.TRANSFER, at=OPEN + timedelta(hours=9), amount=D(60_000))
    ledger = after(YESTERDAY, morning(160_000, activities=(paid,)))
    assert ledger.day is not None
    assert (ledger.day.start_equity, ledger.day.before) == (D(160_000), D(160_000))
    assert verdict(ledger) is Verdict.PASS


@pytest.mark.parametrize("seen", [True, False], ids=["by-the-running-engine", "before-the-days-first-cycle"])
def test_an_operator_takes_the_first_equity_as_it_is(*, seen: bool) -> None:
    ledger = after(YESTERDAY, morning(50_000)) if seen else YESTERDAY
    ledger = after(ledger, ForeignAccepted(by="me", reason="known", cash=D(50_000), equity=D(50_000)))
    ledger = ledger if seen else after(ledger, morning(50_000))
    assert verdict(ledger) is Verdict.PASS
    assert ledger.day is not None
    assert ledger.day.start_equity == D(50_000)


def test_nothing_is_compared_on_the_first_day_of_all() -> None:
    ledger = after(replace(YESTERDAY, day=None, equity=None), morning(50_000))
    assert ledger.day == Day(date=(OPEN + timedelta(days=1)).date(), start_equity=D(50_000))
    assert verdict(ledger) is Verdict.PASS
