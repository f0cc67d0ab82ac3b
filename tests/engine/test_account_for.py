"""What changes the account and is no execution: folded, explained, and never guessed."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.engine.fold import fold
from hydra.engine.happenings import apply_activity, apply_withheld
from hydra.engine.observe import coin_kept
from hydra.engine.trades import apply_fill
from hydra.model.activities import Activity, ActivityKind, Unposted, Withheld
from hydra.model.events import Event
from hydra.model.orders import Fill, Protection, Side
from hydra.model.portfolio import Account, BotRecord, Day, Holding, Ledger, Position
from hydra.model.snapshot import Failure, Observed
from hydra.model.values import replace
from hydra.ports import ActivityPage
from tests.fakes.outside import BOT, OPEN, Fault, Stage, buys_at
from tests.risk.scenes import holding, order

D = Decimal
K = ActivityKind
PAIR = "BTC-USD"


def activity(kind: ActivityKind, **more: Any) -> Activity:
    return Activity(activity_id=f"a-{kind}", kind=kind, at=OPEN, **more)


def ledger(*holdings: Holding, **more: Any) -> Ledger:
    fields: dict[str, Any] = {
        "cash": D(1000),
        "peak_equity": D(5000),
        "day": Day(date=OPEN.date(), start_equity=D(5000)),
    } | more
    return Ledger(holdings={held.key: held for held in holdings}, **fields)


def bought(quantity: str, most: str, price: str = "4000") -> Fill:
    return Fill(
        fill_id="f1",
        venue_id="v1",
        client_id="o1",
        symbol=PAIR,
        side=Side.BUY,
        quantity=D(quantity),
        price=D(price),
        at=OPEN,
        coin_fee_most=D(most),
    )


# -- cash


def test_fees_dividends_and_interest_change_cash_and_nothing_else() -> None:
    for kind in (K.FEE, K.DIVIDEND, K.INTEREST, K.OTHER):
        after = apply_activity(ledger(), activity(kind, amount=D("-1.25")))
        assert after == replace(ledger(), cash=D("998.75"))


def test_money_paid_in_is_no_profit_and_money_taken_out_no_loss() -> None:
    for amount in (D(2000), D(-2000)):
        after = apply_activity(ledger(), activity(K.TRANSFER, amount=amount))
        assert after.day is not None
        assert (after.cash, after.peak_equity, after.day.start_equity) == (1000 + amount, 5000 + amount, 5000 + amount)


def test_a_deposit_that_is_told_of_late_is_counted_once() -> None:
    def look(before: Ledger, number: int, *told: Activity) -> Ledger:
        account = Account(account_id="a", status="ACTIVE", equity=D(7000), cash=D(3000), buying_power=D(3000))
        seen = Observed(cycle=number, at=OPEN, account=account, activities=told)
        return fold(before, Event(v=1, seq=1, ts=OPEN, run="r", kind="observed", data=seen, prev="", hash=""))

    seen_first = look(ledger(), 1)
    assert (seen_first.peak_equity, seen_first.equity) == (D(5000), D(7000))
    told = look(seen_first, 2, activity(K.TRANSFER, amount=D(2000)))
    assert told.day is not None
    assert (told.peak_equity, told.day.start_equity, told.cash) == (D(7000), D(7000), D(3000))


def test_taking_out_more_than_the_day_began_with_leaves_a_day_that_can_be_folded() -> None:
    after = apply_activity(ledger(), activity(K.TRANSFER, amount=D(-9000)))
    assert after.day is not None
    assert after.day.start_equity > 0
    assert after.peak_equity == 0


def test_a_posted_fee_uses_up_what_was_still_to_come_oldest_first() -> None:
    waiting = tuple(Unposted(at=OPEN - timedelta(hours=h), amount=D(n)) for h, n in ((2, 2), (1, 3)))
    after = apply_activity(ledger(unposted=waiting), activity(K.COIN_FEE, amount=D("-2.5")))
    assert [left.amount for left in after.unposted] == [D("2.5")]
    assert apply_activity(after, activity(K.FEE, amount=D(-100))).unposted == ()


def test_what_sales_were_waiting_for_is_paid_by_their_bots_in_proportion() -> None:
    earlier = OPEN - timedelta(minutes=1)
    waiting = (
        Unposted(at=earlier, bot="slow", symbol="BTC-USD", amount=D(3)),
        Unposted(at=earlier, bot="other", symbol="ETH-USD", amount=D(5)),
        Unposted(at=earlier, bot="fast", symbol="BTC-USD", amount=D(1)),
    )
    after = apply_activity(ledger(unposted=waiting), activity(K.COIN_FEE, symbol="BTC-USD", amount=D(-2)))
    paid = {bot: (record.fees, record.realized, record.realized_today) for bot, record in after.bots.items()}
    assert paid == {"slow": (D("1.5"), D("-1.5"), D("-1.5")), "fast": (D("0.5"), D("-0.5"), D("-0.5"))}
    assert [(left.bot, left.amount) for left in after.unposted] == [("slow", D(1)), ("other", D(5)), ("fast", D(1))]
    assert after.cash == D(998)


def test_a_fee_of_a_sales_own_instant_is_that_sales() -> None:
    waiting = (
        Unposted(at=OPEN - timedelta(minutes=9), bot="slow", symbol="BTC-USD", amount=D(3)),
        Unposted(at=OPEN, bot="fast", symbol="BTC-USD", amount=D(3)),
    )
    after = apply_activity(ledger(unposted=waiting), activity(K.COIN_FEE, symbol="BTC-USD", amount=D(-2)))
    assert {bot: record.fees for bot, record in after.bots.items()} == {"fast": D(2)}
    assert [(left.bot, left.amount) for left in after.unposted] == [("slow", D(3)), ("fast", D(1))]


def test_what_no_sale_waits_for_is_nobodys() -> None:
    waiting = (Unposted(at=OPEN, bot="slow", symbol="SPY", amount=D(3)),)
    after = apply_activity(ledger(unposted=waiting), activity(K.FEE, amount=D(-100)))
    assert after.bot("slow").fees == D(3)
    assert apply_activity(ledger(), activity(K.FEE, amount=D(-100))).bots == {}


# -- splits


def test_a_split_restates_holdings_stops_and_the_baseline_and_forgets_the_bots_memory() -> None:
    held = holding(symbol="AAPL", quantity=10, price=700, stop=650, target=D(770))
    before = ledger(held, foreign={"AAPL": D(3)}, bots={BOT: BotRecord(bot=BOT, memory={"high": 700})})
    after = apply_activity(before, activity(K.SPLIT, symbol="AAPL", quantity=D(78), ratio=D(7)))
    now = after.holdings[held.key]
    assert (now.quantity, now.average_price, now.entered) == (D(70), D(100), D(70))
    assert now.protection == Protection(stop=D(650) / 7, target=D(110))
    assert after.foreign == {"AAPL": D(21)}
    assert after.bot(BOT).memory == {}
    assert after.cash == before.cash


def test_a_split_without_a_ratio_changes_no_holding() -> None:
    before = ledger(holding())
    assert apply_activity(before, activity(K.SPLIT, symbol="SPY", quantity=D(10))) == before


@settings(derandomize=True, deadline=None)
@given(
    quantities=st.lists(st.integers(1, 1000), min_size=1, max_size=4),
    foreign=st.integers(0, 500),
    new=st.integers(1, 20),
    old=st.integers(1, 20),
)
def test_after_any_split_holdings_and_baseline_are_what_the_venue_has(
    quantities: list[int], foreign: int, new: int, old: int
) -> None:
    before = ledger(
        *(holding(quantity=each, bot=f"bot{n}") for n, each in enumerate(quantities)),
        foreign={"SPY": D(foreign)} if foreign else {},
    )
    total = sum(quantities) + foreign
    venue = D(total * new // old)  # the rest is paid in cash
    ratio = D(new) / D(old)
    after = apply_activity(before, activity(K.SPLIT, symbol="SPY", quantity=venue - total, ratio=ratio))
    left = sum((held.quantity for held in after.holdings.values()), after.foreign.get("SPY", D(0)))
    assert abs(left - venue) < D("1e-9")
    assert all(held.quantity > 0 for held in after.holdings.values())


def test_what_rounding_leaves_of_a_holding_that_a_split_took_away_is_nothing() -> None:
    before = ledger(holding(quantity=1), foreign={"SPY": D(1)})
    after = apply_activity(before, activity(K.SPLIT, symbol="SPY", quantity=D(-2), ratio=D(1) / D(12)))
    assert (after.holdings, after.foreign) == ({}, {})


def test_a_renamed_symbol_is_held_under_its_new_name() -> None:
    held = holding(symbol="FB", quantity=5)
    after = apply_activity(ledger(held, foreign={"FB": D(2)}), activity(K.RENAME, symbol="FB", new_symbol="META"))
    assert list(after.holdings) == [f"{BOT}|META"]
    assert after.foreign == {"META": D(2)}


def test_a_contract_that_lapsed_is_no_longer_held_and_its_cost_is_the_loss() -> None:
    contract = "GOOG151231C00750000"
    held = holding(symbol=contract, quantity=2, price="3.5", stop="1")
    after = apply_activity(ledger(held), activity(K.OPTION, symbol=contract, quantity=D(-2), note="expired worthless"))
    assert after.holdings == {}
    (trade,) = after.trades
    assert (trade.profit, trade.exit_price, trade.reason) == (D(-700), D(0), "expired worthless")
    assert after.bot(BOT).realized == -700


def test_shares_that_go_with_an_assignment_are_taken_from_no_bot() -> None:
    held = holding(symbol="GOOG", quantity=100, price=700, stop=650)
    before = ledger(held)
    after = apply_activity(before, activity(K.OPTION, symbol="GOOG", quantity=D(-100), amount=D(75_000)))
    assert after.holdings == before.holdings
    assert after.cash == D(76_000)


# -- fees in coin


def held_pair(quantity: str = "0.1", most: str = "0.00025") -> tuple[Ledger, Observed]:
    entry = order("o1", symbol=PAIR, quantity=D(quantity), protection=Protection(stop=D(3900)))
    return Ledger(orders={"o1": entry}, cash=D(10_000)), Observed(cycle=1, at=OPEN, fills=(bought(quantity, most),))


def position(quantity: str) -> tuple[Position, ...]:
    return (Position(symbol=PAIR, quantity=D(quantity), average_price=D(4000)),)


def test_coin_the_venue_kept_within_its_fee_is_explained() -> None:
    before, seen = held_pair()
    (kept,) = coin_kept(before, seen, position("0.09975"))
    assert kept == Withheld(bot=BOT, symbol=PAIR, quantity=D("0.00025"))
    after = apply_withheld(apply_fill(before, seen.fills[0], 1), kept)
    now = after.holdings[f"{BOT}|{PAIR}"]
    assert (now.quantity, now.withheld, now.fees, now.average_price) == (D("0.09975"), D("0.00025"), D(1), D(4000))


def test_a_difference_beyond_the_fee_explains_nothing() -> None:
    before, seen = held_pair()
    for there in ("0.0997", "0", "0.1001"):
        assert coin_kept(before, seen, position(there) if D(there) else ()) == ()
    assert coin_kept(before, seen, None) == ()


def test_the_fee_in_coin_is_the_newest_buyers_and_not_that_of_who_held_it_before() -> None:
    before, seen = held_pair()
    older = holding(bot="a", symbol=PAIR, quantity=D(1), price=4000, stop=3900)
    before = replace(before, holdings={older.key: replace(older, withheld=D("0.0015"), withheld_most=D("0.0025"))})
    (kept,) = coin_kept(before, seen, position("1.09975"))
    assert kept == Withheld(bot=BOT, symbol=PAIR, quantity=D("0.00025"))


def test_coin_that_was_thought_kept_is_given_back() -> None:
    before, seen = held_pair()
    after = apply_withheld(apply_fill(before, seen.fills[0], 1), Withheld(bot=BOT, symbol=PAIR, quantity=D("0.0002")))
    quiet = Observed(cycle=2, at=OPEN)
    (back,) = coin_kept(after, quiet, position("0.09985"))
    assert back.quantity == D("-0.00005")
    now = apply_withheld(after, back).holdings[f"{BOT}|{PAIR}"]
    assert (now.quantity, now.withheld) == (D("0.09985"), D("0.00015"))


def test_the_trade_of_a_pair_loses_what_its_fee_in_coin_had_cost() -> None:
    before, seen = held_pair()
    after = apply_fill(before, seen.fills[0], 1)
    after = apply_withheld(after, Withheld(bot=BOT, symbol=PAIR, quantity=D("0.00025")))
    sale = replace(
        bought("0.09975", "0", "4400"), fill_id="f2", side=Side.SELL, coin_fee_most=D(0), cash_fee_most=D("1.1")
    )
    after = apply_fill(after, sale, 2)
    (trade,) = after.trades
    assert trade.profit == D("0.09975") * 4400 - D("0.1") * 4000
    assert (trade.exit_price, trade.fees) == (D(4400), D(1))
    assert [waiting.amount for waiting in after.unposted] == [D("1.1")]


def test_a_question_that_was_kept_back_for_an_exit_is_no_failed_read() -> None:
    missing = (
        Failure(what="account", kind="OverBudget", reason="request budget: 3 of 200 left"),
        Failure(what="positions", kind="Unreachable", reason="429"),
    )
    seen = Observed(cycle=1, at=OPEN, missing=missing)
    event = Event(v=1, seq=1, ts=OPEN, run="r", kind="observed", data=seen, prev="", hash="")
    after = fold(ledger(), event)
    assert after.failed_at == (OPEN,)
    assert after.equity is None


@pytest.mark.parametrize("looks_between", [0, 1])
def test_a_deposit_is_no_profit_however_long_the_account_then_stays_as_it_is(looks_between: int) -> None:
    """The account is written down when it changes; the deposit in it may be told of many unchanged looks later."""
    stage = Stage({BOT: buys_at(minute=99)})
    before = stage.step(2).ledger
    assert (before.peak_equity, before.equity) == (D(100_000), D(100_000))
    richer = replace(stage.broker.inner.account(), cash=D(102_000), equity=D(102_000))
    stage.broker.always["account"] = Fault(answer=richer)
    seen = stage.step(1 + looks_between).ledger
    assert (seen.equity, seen.peak_equity) == (D(102_000), D(100_000))

    told = activity(K.TRANSFER, amount=D(2000))
    stage.broker.always["activities"] = Fault(answer=ActivityPage(activities=(told,), cursor="1"))
    stage.step()
    stage.broker.always["activities"] = Fault(answer=ActivityPage(activities=(), cursor="1"))
    after = stage.step(2).ledger
    assert after.day is not None
    assert (after.equity, after.peak_equity, after.day.start_equity) == (D(102_000), D(102_000), D(102_000))
    assert not after.halts
