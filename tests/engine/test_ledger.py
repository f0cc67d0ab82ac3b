"""The fold, by hand and by chance: what each event does to orders, holdings, cash and trades."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.adapters.memory.calendar import PlainCalendar
from hydra.engine.fold import fold, fold_all
from hydra.engine.protection import protected_quantity
from hydra.engine.trades import apply_fill
from hydra.model.events import (
    KIND_OF,
    VERSION,
    Answered,
    CancelHeard,
    CancelSent,
    Event,
    Halted,
    Mended,
    OrderAccepted,
    OrderRejected,
    OrderSent,
    OrderUnknown,
    Recovered,
    Released,
    Resumed,
)
from hydra.model.isolation import INLINE, Guard, Isolation
from hydra.model.orders import Fill, Order, OrderStatus, OrderType, Protection, Purpose, Side, VenueOrder
from hydra.model.portfolio import Account, BotRecord, Halt, Ledger, Position
from hydra.model.snapshot import Answer, Command, Failure, Observed
from hydra.model.values import Value, replace
from tests.fakes.outside import BOT, MINUTE, OPEN, Stage, entry, leave, policy, scripted

D = Decimal
EMPTY = Ledger(run="r", cash=D(10_000))


def event(payload: Value, minute: int = 0) -> Event:
    at = OPEN + minute * MINUTE
    return Event(v=VERSION, seq=1, ts=at, run="r", kind=KIND_OF[type(payload)], data=payload, prev="", hash="")


def order(client_id: str = "e1", **more: Any) -> Order:
    fields: dict[str, Any] = {
        "symbol": "SPY",
        "side": Side.BUY,
        "quantity": D(10),
        "order_type": OrderType.MARKET,
        "purpose": Purpose.ENTRY,
        "protection": Protection(stop=D(95)),
        "sent_at": OPEN,
    } | more
    return Order(client_id=client_id, run="r", cycle=1, bot=BOT, **fields)


def report(client_id: str = "e1", status: OrderStatus = OrderStatus.ACCEPTED, **more: Any) -> VenueOrder:
    fields: dict[str, Any] = {
        "venue_id": f"v-{client_id}",
        "symbol": "SPY",
        "side": Side.BUY,
        "order_type": OrderType.MARKET,
        "quantity": D(10),
    } | more
    return VenueOrder(client_id=client_id, status=status, **fields)


def fill(number: int, client_id: str, side: Side, quantity: Any, price: Any, fee: Any = 0, **more: Any) -> Fill:
    fields: dict[str, Any] = {"symbol": "SPY", "at": OPEN + number * MINUTE} | more
    return Fill(
        fill_id=f"{number:03d}",
        venue_id=f"v-{client_id}",
        client_id=client_id,
        side=side,
        quantity=D(str(quantity)),
        price=D(str(price)),
        fee=D(str(fee)),
        **fields,
    )


def looked(minute: int, **more: Any) -> Event:
    return event(Observed(cycle=minute, at=OPEN + minute * MINUTE, **more), minute)


def exit_(client_id: str = "x1", quantity: Any = 10) -> Order:
    return order(client_id, side=Side.SELL, quantity=D(str(quantity)), purpose=Purpose.EXIT, protection=None)


# -- fills, by hand


def test_an_entry_in_two_fills_and_an_exit_in_two_make_one_trade_with_the_right_profit() -> None:
    ledger = fold_all(EMPTY, [event(OrderSent(order=order())), event(OrderSent(order=exit_()))])
    for one in (
        fill(1, "e1", Side.BUY, 4, 100, "0.40"),
        fill(2, "e1", Side.BUY, 6, 101, "0.60"),
        fill(3, "x1", Side.SELL, 3, 104, "0.30"),
    ):
        ledger = apply_fill(ledger, one, 1)
    (holding,) = ledger.holdings.values()
    # 4 x 100 + 6 x 101 = 1006 for 10; three of them sold at 104 gain 3 x 3.40.
    assert (holding.quantity, holding.average_price, holding.entered) == (D(7), D("100.6"), D(10))
    assert (holding.realized, holding.fees, holding.exited_value) == (D("10.2"), D("1.30"), D(312))
    assert ledger.trades == ()
    ledger = apply_fill(ledger, fill(4, "x1", Side.SELL, 7, 99, "0.70"), 1)
    (trade,) = ledger.trades
    # 312 + 693 = 1005 came in for 1006; fees are 2.00.
    assert (trade.quantity, trade.entry_price, trade.exit_price) == (D(10), D("100.6"), D("100.5"))
    assert (trade.profit, trade.fees) == (D(-3), D(2))
    assert (ledger.holdings, ledger.cash) == ({}, D(9997))
    record = ledger.bot(BOT)
    assert (record.realized_today, record.realized, record.fees) == (D(-3), D(-3), D(2))


def test_an_order_sums_its_fills_and_keeps_their_average() -> None:
    ledger = fold(EMPTY, event(OrderSent(order=order())))
    ledger = apply_fill(ledger, fill(1, "e1", Side.BUY, 4, 100, 1), 1)
    ledger = apply_fill(ledger, fill(2, "e1", Side.BUY, 6, 110, 2), 1)
    filled = ledger.orders["e1"]
    assert (filled.filled, filled.average_price, filled.fees) == (D(10), D(106), D(3))


def test_an_option_counts_a_hundred_times() -> None:
    symbol = "GOOG151231C00750000"
    bought = order(symbol=symbol, quantity=D(2), protection=Protection(stop=D(4)))
    sold = replace(exit_(quantity=2), symbol=symbol)
    ledger = fold_all(EMPTY, [event(OrderSent(order=bought)), event(OrderSent(order=sold))])
    ledger = apply_fill(ledger, fill(1, "e1", Side.BUY, 2, 5, symbol=symbol), 1)
    assert ledger.cash == 9000
    assert next(iter(ledger.holdings.values())).open_risk == 200
    ledger = apply_fill(ledger, fill(2, "x1", Side.SELL, 2, 6, symbol=symbol), 1)
    assert (ledger.cash, ledger.trades[0].profit, ledger.trades[0].exit_price) == (D(10_200), D(200), D(6))


def test_a_fill_of_somebody_else_moves_cash_and_nothing_of_ours() -> None:
    ledger = apply_fill(EMPTY, fill(1, "stranger", Side.SELL, 5, 100, 1), 1)
    assert (ledger.cash, ledger.holdings, ledger.trades) == (D(10_499), {}, ())


def test_cash_that_was_never_counted_stays_unknown() -> None:
    assert apply_fill(replace(EMPTY, cash=None), fill(1, "e1", Side.BUY, 1, 1), 1).cash is None


# -- orders, by hand


def test_legs_are_adopted_through_their_entry_and_protect_the_holding() -> None:
    stop = report("e1.stop", side=Side.SELL, order_type=OrderType.STOP, stop=D(95), parent="e1")
    target = report("e1.target", side=Side.SELL, order_type=OrderType.LIMIT, limit=D(110), parent="e1")
    accepted = report(status=OrderStatus.FILLED, filled=D(10))
    ledger = fold_all(
        EMPTY,
        [
            event(OrderSent(order=order())),
            event(OrderAccepted(client_id="e1", order=accepted)),
            looked(1, orders=(stop, target), fills=(fill(1, "e1", Side.BUY, 10, 100),)),
        ],
    )
    assert [(o.purpose, o.bot) for o in ledger.orders.values() if o.parent] == [
        (Purpose.STOP, BOT),
        (Purpose.TARGET, BOT),
    ]
    assert protected_quantity(ledger, BOT, "SPY") == 10
    assert next(iter(ledger.holdings.values())).unprotected_since is None


def test_a_leg_whose_entry_is_forgotten_is_adopted_through_the_holding() -> None:
    ledger = fold_all(
        EMPTY,
        [
            event(OrderSent(order=order())),
            event(OrderAccepted(client_id="e1", order=report(status=OrderStatus.FILLED, filled=D(10)))),
            looked(1, fills=(fill(1, "e1", Side.BUY, 10, 100),)),
            looked(2),
        ],
    )
    assert ledger.orders == {}
    assert next(iter(ledger.holdings.values())).unprotected_since == OPEN + MINUTE
    late = report("e1.stop", side=Side.SELL, order_type=OrderType.STOP, stop=D(95), parent="e1")
    ledger = fold(ledger, looked(3, orders=(late,)))
    assert ledger.orders["e1.stop"].purpose is Purpose.STOP
    assert next(iter(ledger.holdings.values())).unprotected_since is None


def test_a_leg_of_somebody_else_is_not_adopted() -> None:
    stranger = report("z.stop", side=Side.SELL, order_type=OrderType.STOP, stop=D(95), parent="z")
    assert fold(EMPTY, looked(1, orders=(stranger,))).orders == {}


def test_unknown_is_left_by_the_venues_word_only() -> None:
    unknown = [event(OrderSent(order=order())), event(OrderUnknown(client_id="e1", reason="timeout"))]
    assert fold_all(EMPTY, unknown).orders["e1"].status is OrderStatus.UNKNOWN
    found = fold_all(EMPTY, [*unknown, looked(1, orders=(report(),))])
    assert found.orders["e1"].status is OrderStatus.ACCEPTED
    lost = fold_all(EMPTY, [*unknown, looked(1, not_received=("e1",))])
    assert lost.orders["e1"].status is OrderStatus.NOT_RECEIVED
    assert fold(lost, looked(2)).orders == {}


def test_a_rejected_order_takes_nothing_with_it() -> None:
    sent = [event(OrderSent(order=order())), event(OrderRejected(client_id="e1", reason="no"))]
    ledger = fold_all(EMPTY, sent)
    assert (ledger.orders["e1"].status, ledger.cash, ledger.holdings) == (OrderStatus.REJECTED, D(10_000), {})


def test_a_cancel_that_comes_too_late_leaves_a_filled_order() -> None:
    ledger = fold_all(
        EMPTY,
        [
            event(OrderSent(order=order())),
            event(OrderAccepted(client_id="e1", order=report())),
            event(CancelSent(client_id="e1", venue_id="v-e1", reason="halt")),
            event(CancelHeard(client_id="e1", order=None, reason="timeout")),
        ],
    )
    assert ledger.orders["e1"].status is OrderStatus.PENDING_CANCEL
    done = report(status=OrderStatus.FILLED, filled=D(10))
    ledger = fold(ledger, looked(1, orders=(done,), fills=(fill(1, "e1", Side.BUY, 10, 100),)))
    assert ledger.orders["e1"].status is OrderStatus.FILLED
    assert ledger.holdings[f"{BOT}|SPY"].quantity == 10


def test_what_a_report_says_beyond_the_lifecycle_is_kept_out() -> None:
    done = event(OrderAccepted(client_id="e1", order=report(status=OrderStatus.FILLED, filled=D(10))))
    back = event(OrderAccepted(client_id="e1", order=report(status=OrderStatus.CANCELED)))
    ledger = fold_all(EMPTY, [event(OrderSent(order=order())), done, back])
    assert (ledger.orders["e1"].status, ledger.orders["e1"].venue_filled) == (OrderStatus.FILLED, D(10))


def test_a_done_order_is_kept_until_all_its_fills_were_seen() -> None:
    ledger = fold_all(
        EMPTY,
        [
            event(OrderSent(order=order())),
            event(OrderAccepted(client_id="e1", order=report(status=OrderStatus.FILLED, filled=D(10)))),
            looked(1),
            looked(2, fills=(fill(1, "e1", Side.BUY, 6, 100),)),
            looked(3),
        ],
    )
    assert "e1" in ledger.orders
    ledger = fold(ledger, looked(4, fills=(fill(2, "e1", Side.BUY, 4, 100),)))
    assert ledger.holdings[f"{BOT}|SPY"].quantity == 10
    assert fold(ledger, looked(5)).orders == {}


def test_fresh_fills_and_trades_stay_for_one_look_only() -> None:
    ledger = fold(EMPTY, looked(1, fills=(fill(1, "z", Side.BUY, 1, 1),)))
    assert len(ledger.fills) == 1
    assert fold(ledger, looked(2)).fills == ()


# -- the day, the account, halts, bots


def account(equity: Any) -> Account:
    return Account(account_id="a", status="ACTIVE", equity=D(equity), cash=D(equity), buying_power=D(equity))


def test_a_new_day_begins_with_the_equity_it_finds_and_forgets_the_days_counts() -> None:
    monday, tuesday = PlainCalendar().sessions(OPEN), PlainCalendar().sessions(OPEN + timedelta(days=1))
    ledger = replace(EMPTY, bots={BOT: BotRecord(bot=BOT, trades_today=3, realized_today=D(-5), realized=D(-5))})
    ledger = fold(ledger, looked(1, sessions=monday, account=account(100)))
    ledger = replace(ledger, bots={BOT: BotRecord(bot=BOT, trades_today=3, realized_today=D(-5), realized=D(-5))})
    ledger = fold(ledger, looked(2, account=account(90)))
    assert ledger.day is not None
    assert (ledger.day.start_equity, ledger.peak_equity, ledger.bot(BOT).trades_today) == (D(100), D(100), 3)
    ledger = fold(ledger, looked(3, sessions=tuesday, account=account(95)))
    assert ledger.day is not None
    assert (ledger.day.start_equity, ledger.peak_equity) == (D(95), D(100))
    assert (ledger.bot(BOT).trades_today, ledger.bot(BOT).realized_today, ledger.bot(BOT).realized) == (0, D(0), D(-5))


def test_an_account_that_could_not_be_read_is_unknown_and_not_the_last_one() -> None:
    ledger = fold(EMPTY, looked(1, account=account(100)))
    assert fold(ledger, looked(2)).equity == 100
    missing = (Failure(what="account", kind="TimeoutError", reason="slow"),)
    ledger = fold(ledger, looked(2, missing=missing))
    assert (ledger.equity, len(ledger.failed_at)) == (None, 1)


def test_an_entry_counts_as_a_trade_of_the_day_and_every_order_counts_for_the_rate() -> None:
    ledger = fold_all(EMPTY, [event(OrderSent(order=order())), event(OrderSent(order=exit_()))])
    assert ledger.bot(BOT).trades_today == 1
    assert len(ledger.sent_at) == 2
    late = order("e2", sent_at=OPEN + MINUTE)
    assert fold(ledger, event(OrderSent(order=late), 1)).sent_at == (OPEN + MINUTE,)


def test_failures_are_strikes_and_memory_changes_only_on_success() -> None:
    ok = Answer(bot=BOT, memory={"a": 1})
    bad = Answer(bot=BOT, memory={"a": 2}, failure=Failure(what=BOT, kind="timeout", reason="slow"))
    ledger = fold_all(EMPTY, [event(Answered(cycle=1, answers=(ok,))), event(Answered(cycle=2, answers=(bad,)))])
    assert (ledger.bot(BOT).memory, ledger.bot(BOT).strikes) == ({"a": 1}, 1)


@given(
    strikes=st.integers(0, 9),
    forget=st.booleans(),
    others=st.lists(st.sampled_from(("a", "b")), unique=True, max_size=2),
)
@settings(derandomize=True, deadline=None)
def test_a_release_changes_the_conduct_of_one_bot_and_nothing_else(
    strikes: int, forget: bool, others: list[str]
) -> None:
    record = BotRecord(bot=BOT, strikes=strikes, memory={"a": 1}, trades_today=2, realized=D("1.50"), loss_streak=1)
    bots = {BOT: record, **{one: BotRecord(bot=one, strikes=4, memory={"b": 2}) for one in others}}
    before = replace(EMPTY, bots=bots)
    after = fold(before, event(Released(by="me", reason="r", bot=BOT, forget=forget)))
    wanted = replace(record, strikes=0, memory={} if forget else {"a": 1})
    assert after == replace(before, bots={**bots, BOT: wanted})
    assert list(after.bots) == list(bots)
    assert fold(after, event(Released(by="me", reason="r", bot=BOT, forget=forget))) == after


@pytest.mark.parametrize("told", [None, Isolation(host="process", held=tuple(Guard), landlock=7, seccomp=True)])
@pytest.mark.parametrize("known", [None, INLINE])
def test_what_keeps_bots_apart_is_known_from_the_last_segment_that_says_so(
    known: Isolation | None, told: Isolation | None
) -> None:
    """A command that asks no bots says nothing of it."""
    stage = Stage({BOT: scripted({})})
    opened = replace(stage.segment(), ledger=replace(EMPTY, isolation=known), isolation=told)
    assert fold(Ledger(), event(opened)).isolation == (told or known)


def test_resume_lifts_every_halt_and_forgets_what_led_to_them() -> None:
    halt = Halt(kind="operator", reason="r", at=OPEN, by="me", automatic=False)
    ledger = replace(EMPTY, residual_cycles=2, failed_at=(OPEN,))
    ledger = fold_all(ledger, [event(Halted(halt=halt)), event(Halted(halt=replace(halt, kind="drawdown")))])
    assert [one.kind for one in ledger.halts] == ["operator", "drawdown"]
    ledger = fold(ledger, event(Resumed(by="me", reason="r")))
    assert (ledger.halts, ledger.residual_cycles, ledger.failed_at) == ((), 0, ())


def test_the_first_look_takes_the_account_as_it_is() -> None:
    foreign = (Position(symbol="AAPL", quantity=D(3), average_price=D(200)),)
    found = Recovered(at=OPEN, baseline_cash=D(500), foreign=foreign, fill_cursor="7")
    ledger = fold(Ledger(), event(found))
    assert (ledger.cash, ledger.foreign, ledger.fill_cursor) == (D(500), {"AAPL": D(3)}, "7")


def test_commands_are_remembered_up_to_a_bound_and_notes_change_nothing() -> None:
    commands = tuple(Command(command_id=f"c{n}", action="halt", by="me", wall=OPEN, reason="r") for n in range(300))
    ledger = fold(EMPTY, looked(1, commands=commands))
    assert (len(ledger.obeyed), ledger.obeyed[-1]) == (256, "c299")
    assert fold(EMPTY, event(Mended(what="x", note="y"))) is EMPTY


# -- by chance

_ACTIONS = st.sampled_from(["buy", "buy more", "bare", "leave", "nothing", "nothing", "nothing"])
_MOVES = st.integers(-250, 250)


@given(
    actions=st.lists(st.tuples(_ACTIONS, _ACTIONS), min_size=4, max_size=14),
    moves=st.lists(_MOVES, min_size=15, max_size=15),
    fee=st.sampled_from(["0", "0.005", "1.37"]),
)
@settings(max_examples=40, deadline=None)
def test_ledger_and_venue_agree_to_the_cent_whatever_is_traded(
    actions: list[tuple[str, str]], moves: list[int], fee: str
) -> None:
    price, prices = D(100), []
    for move in moves:
        last = max(D(20), price + D(move) / 100)
        prices.append((price, max(price, last), min(price, last), last))
        price = last
    wishes = {"buy": (10, "0.99", "1.01"), "buy more": (25, "0.98", "1.05"), "bare": (7, "0.97", None)}
    scripts: dict[str, dict[int, list]] = {"one": {}, "two": {}}
    for minute, pair in enumerate(actions, start=1):
        reference = prices[minute - 1][3] + D("0.01")
        for bot, action in zip(scripts, pair, strict=True):
            if action == "leave":
                scripts[bot][minute] = [leave(bot)]
            elif action in wishes:
                quantity, below, above = wishes[action]
                stop, target = reference * D(below), None if above is None else reference * D(above)
                scripts[bot][minute] = [entry(bot, stop=stop, target=target, quantity=quantity, reference=reference)]
    plain = {"trades_per_day": 100, "positions": 5}
    rules = policy(bots=[{"id": bot, **plain} for bot in scripts], risk={"orders_per_minute": 200})
    bots = {bot: scripted(script) for bot, script in scripts.items()}
    stage = Stage(bots, rules=rules, prices=prices, commission_per_share=D(fee))
    stage.day()
    stage.cycle()
    assert stage.agrees()
    assert stage.ledger.residual_cycles == 0
    fills = stage.broker.inner.fills("").fills
    bought = sum((f.quantity for f in fills if f.side is Side.BUY), D(0))
    assert bought - sum((f.quantity for f in fills if f.side is Side.SELL), D(0)) == stage.at_venue().get("SPY", D(0))
    trades = [trade for one in stage.reports for trade in one.ledger.trades]
    held = sum((h.average_price * h.quantity - h.realized + h.fees for h in stage.ledger.holdings.values()), D(0))
    kept = stage.ledger.cash
    assert kept is not None
    assert abs(kept + held - (100_000 + sum((trade.profit for trade in trades), D(0)))) < D("0.000001")
