"""Each part of a look changes the ledger although it comes alone, and a part that is not there changes nothing."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from hydra.engine.fold import fold, fold_all
from hydra.model.activities import Unposted, Withheld
from hydra.model.events import OrderSent
from hydra.model.orders import Side
from hydra.model.portfolio import Binding, Day, Ledger
from hydra.model.snapshot import Command, Failure, Sessions
from hydra.model.values import replace
from tests.engine.test_ledger import EMPTY, account, event, fill, looked, order
from tests.fakes.outside import BOT, OPEN

D = Decimal
BINDING = Binding(policy_hash="p", code_hash="c", account_id="a", url="u", mode="paper", host="h")
DAY = Day(date=OPEN.date(), start_equity=D(100))
TODAY = Sessions(day=OPEN.date(), minute=0, by_class={})
HOLDING = fold_all(
    EMPTY, (event(OrderSent(order=order())), looked(1, fills=(fill(1, "e1", Side.BUY, 10, 100, coin_fee_most=D(1)),)))
)


def unread(what: str) -> Failure:
    return Failure(what=what, kind="Unreachable", reason="no answer")


def test_a_look_that_tells_nothing_changes_nothing_but_its_number_and_its_time() -> None:
    before = fold(HOLDING, looked(2))
    before = replace(
        before, day=DAY, equity=D(100), peak_equity=D(100), binding=BINDING, activity_cursor="7", failed_at=(OPEN,)
    )
    after = fold(before, looked(5))
    assert after == replace(before, cycle=5, at=after.at)
    assert after.bots is before.bots
    assert after.holdings is before.holdings
    assert after.orders is before.orders


def test_coin_that_was_kept_back_is_taken_off_though_nothing_else_is_told() -> None:
    key = f"{BOT}|SPY"
    after = fold(HOLDING, looked(2, withheld=(Withheld(bot=BOT, symbol="SPY", quantity=D("0.5")),)))
    assert (after.holdings[key].quantity, after.holdings[key].withheld) == (D("9.5"), D("0.5"))


def test_a_place_among_the_activities_is_kept_though_none_was_told() -> None:
    assert fold(EMPTY, looked(1, activity_cursor="9")).activity_cursor == "9"


def test_a_fee_that_does_not_come_is_waited_for_three_days() -> None:
    waiting = replace(
        EMPTY, unposted=(Unposted(at=OPEN, amount=D(1)), Unposted(at=OPEN + timedelta(days=1), amount=D(2)))
    )
    three_days = 3 * 24 * 60
    assert fold(waiting, looked(three_days)).unposted == waiting.unposted
    assert fold(waiting, looked(three_days + 1)).unposted == waiting.unposted[1:]


@pytest.mark.parametrize(
    ("equity", "peak", "start"), [("101", "101", "100"), ("100", "100", "100"), ("99", "100", "100")]
)
def test_within_a_day_the_peak_follows_what_was_earned_and_the_days_start_stays(
    equity: str, peak: str, start: str
) -> None:
    before = replace(EMPTY, cash=D(50), day=DAY, counted_on=DAY.date, equity=D(100), peak_equity=D(100))
    after = fold(before, looked(1, account=replace(account(equity), cash=D(50)), sessions=TODAY))
    assert (after.equity, after.peak_equity) == (D(equity), D(peak))
    assert after.day == replace(DAY, start_equity=D(start))


@pytest.mark.parametrize("day", [None, replace(DAY, date=OPEN.date() - timedelta(days=1))])
def test_cash_that_nobody_has_told_of_is_neither_a_peak_nor_a_days_start(day: Day | None) -> None:
    before = replace(EMPTY, cash=D(50), day=day, equity=D(100), peak_equity=D(100))
    after = fold(before, looked(1, account=replace(account(120), cash=D(75)), sessions=TODAY))
    assert (after.equity, after.peak_equity) == (D(120), D(100))
    assert after.day == Day(date=OPEN.date(), start_equity=D(95), before=None if day is None else D(100))


def test_below_the_peak_a_new_day_begins_all_the_same() -> None:
    before = replace(EMPTY, equity=D(90), peak_equity=D(100))
    after = fold(before, looked(1, sessions=TODAY))
    assert (after.day, after.peak_equity) == (Day(date=OPEN.date(), start_equity=D(90)), D(100))


def test_what_was_read_counts_though_it_is_named_as_missing() -> None:
    seen = looked(1, account=account(10_000), binding=BINDING, missing=(unread("account"), unread("binding")))
    after = fold(EMPTY, seen)
    assert (after.equity, after.binding, len(after.failed_at)) == (D(10_000), BINDING, 2)


def test_what_could_not_be_read_is_not_known() -> None:
    before = replace(EMPTY, equity=D(100), binding=BINDING)
    for what, equity, binding in (("account", None, BINDING), ("binding", D(100), None), ("market", D(100), BINDING)):
        after = fold(before, looked(1, missing=(unread(what),)))
        assert (after.equity, after.binding, len(after.failed_at)) == (equity, binding, 1)


def test_what_was_not_asked_is_no_failed_read() -> None:
    kept_back = Failure(what="market", kind="OverBudget", reason="an exit comes first")
    assert fold(EMPTY, looked(1, missing=(kept_back,))).failed_at == ()


def test_a_word_and_a_place_among_the_fills_are_kept_though_they_come_alone() -> None:
    word = Command(command_id="c1", action="halt", by="me", wall=OPEN, reason="r")
    assert fold(EMPTY, looked(1, commands=(word,))).obeyed == ("c1",)
    assert fold(EMPTY, looked(1, fill_cursor="f9")).fill_cursor == "f9"


def test_a_look_at_nothing_leaves_an_empty_ledger_empty() -> None:
    after = fold(Ledger(), looked(1))
    assert after == Ledger(cycle=1, at=after.at)
