"""The ledger is the fold of the journal: ``fold(ledger, event) -> ledger``, and nothing else ever changes it.

One table names what each kind of event does. A venue's report never raises here: what it says beyond the lifecycle is
kept out of the order's status and shows as a residual instead. Fresh facts (done orders, fills, trades) stay in the
ledger until the next look at the world, so that whoever stores it between two looks has seen them all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from hydra.engine.happenings import apply_activity, apply_withheld
from hydra.engine.protection import closer, note_best, note_extremes, watch_one, watch_protection
from hydra.engine.release import release
from hydra.engine.reports import set_status, take_in
from hydra.engine.trades import apply_fill
from hydra.model.events import (
    Answered,
    CancelHeard,
    CancelSent,
    Certified,
    Decided,
    Event,
    Flattened,
    ForeignAccepted,
    Halted,
    OrderAccepted,
    OrderRejected,
    OrderSent,
    OrderUnknown,
    Passed,
    Recovered,
    Released,
    Resumed,
    SegmentOpened,
    Voted,
)
from hydra.model.money import ZERO
from hydra.model.orders import Order, OrderStatus, Purpose
from hydra.model.portfolio import FLATTEN_ALL, Day, Holding, Ledger, holding_key
from hydra.model.snapshot import Observed
from hydra.model.values import encode, replace

_RATE_WINDOW = timedelta(seconds=60)
_FAILURES_KEPT = 256
_COMMANDS_KEPT = 256
_DAY_TRADES_KEPT = timedelta(days=14)
_UNPOSTED_KEPT = timedelta(days=3)
"""A fee that was not told of after a weekend will not come; until then it may explain a difference in cash."""


def fold(ledger: Ledger, event: Event) -> Ledger:
    """The ledger after ``event``. Kinds that change nothing are not in the table."""
    change = _CHANGES.get(type(event.data))
    return ledger if change is None else change(ledger, event.data, event)


def fold_all(ledger: Ledger, events: Iterable[Event]) -> Ledger:
    """The ledger after all of ``events``."""
    for event in events:
        ledger = fold(ledger, event)
    return ledger


def _segment_opened(_ledger: Ledger, opened: SegmentOpened, event: Event) -> Ledger:
    """A command that asks no bots tells nothing of what keeps them apart: what was known of it still is.

    What is running is told anew by the first look of every segment, and is not known until then.
    """
    return replace(opened.ledger, run=event.run, isolation=opened.isolation or opened.ledger.isolation, binding=None)


def _observed(ledger: Ledger, seen: Observed, _event: Event) -> Ledger:
    day = None if seen.sessions is None else seen.sessions.day
    ledger = _count_anew(_forget_what_is_done(ledger), day)
    if seen.orders or seen.not_received:
        ledger = take_in(ledger, seen.orders, seen.not_received)
    for fill in seen.fills:
        ledger = apply_fill(ledger, fill, seen.cycle)
    ledger = _account_for(ledger, seen, seen.at)
    equity = ledger.equity if seen.account is None else seen.account.equity
    changes: dict[str, Any] = {"cycle": seen.cycle, "at": seen.at}
    if seen.missing:
        missing = [failure.what for failure in seen.missing]
        if seen.account is None and "account" in missing:
            equity = None
        if ledger.binding is not None and "binding" in missing:
            changes["binding"] = None
        failed = sum([failure.asked for failure in seen.missing])
        if failed:
            changes["failed_at"] = (*ledger.failed_at, *[seen.at] * failed)[-_FAILURES_KEPT:]
    if seen.binding is not None:
        changes["binding"] = seen.binding
    if seen.fill_cursor is not None:
        changes["fill_cursor"] = seen.fill_cursor
    if seen.commands:
        changes["obeyed"] = (*ledger.obeyed, *(command.command_id for command in seen.commands))[-_COMMANDS_KEPT:]
    changes["equity"] = equity
    new_day = day is not None and (ledger.day is None or ledger.day.date != day)
    # What was earned is never above the equity: below the peak it is asked for by a new day only.
    if equity is not None and (new_day or equity > ledger.peak_equity):
        earned = equity - _unexplained(ledger, seen)
        if earned > ledger.peak_equity:
            changes["peak_equity"] = earned
        if day is not None and new_day and earned > 0:
            changes["day"] = Day(date=day, start_equity=earned, before=None if ledger.day is None else ledger.equity)
    return watch_protection(note_best(replace(ledger, **changes), seen), seen.at)


def _forget_what_is_done(ledger: Ledger) -> Ledger:
    """Drop done orders whose fills were all seen, and the facts the store has taken over."""
    changes: dict[str, Any] = {}
    if ledger.fills or ledger.trades:
        changes["fills"], changes["trades"] = (), ()
    if ledger.orders:
        orders = {cid: o for cid, o in ledger.orders.items() if not o.status.terminal or o.filled < o.venue_filled}
        if len(orders) != len(ledger.orders):
            changes["orders"] = orders
    return replace(ledger, **changes) if changes else ledger


def _count_anew(ledger: Ledger, day: date | None) -> Ledger:
    """The ledger on an exchange day: what counts by day begins anew with it.

    First of all, so that what is told of with the day's first look counts for it: a stop that the night's gap ran through.
    """
    if day is None or day == ledger.counted_on:
        return ledger
    bots = {
        bot: replace(record, trades_today=0, realized_today=ZERO, loss_streak=0, stopped={}, entered={})
        for bot, record in ledger.bots.items()
    }
    kept = tuple(traded for traded in ledger.day_trades if traded > day - _DAY_TRADES_KEPT)
    return replace(ledger, counted_on=day, bots=bots, day_trades=kept)


def _unexplained(ledger: Ledger, seen: Observed) -> Decimal:
    """Cash that came in and was not told of yet: no profit, and counted once, when the transfer is told."""
    if seen.account is None or ledger.cash is None:
        return ZERO
    return max(ZERO, seen.account.cash - ledger.cash)


def _recovered(ledger: Ledger, found: Recovered, _event: Event) -> Ledger:
    ledger = _count_anew(_forget_what_is_done(ledger), found.day)
    ledger = take_in(ledger, found.orders, found.not_received)
    for fill in found.fills:
        ledger = apply_fill(ledger, fill, ledger.cycle)
    ledger = _account_for(ledger, found, found.at)
    if found.fill_cursor is not None:
        ledger = replace(ledger, fill_cursor=found.fill_cursor)
    if found.baseline_cash is not None:
        foreign = {position.symbol: position.quantity for position in found.foreign}
        ledger = replace(
            ledger, cash=found.baseline_cash, foreign=foreign, foreign_orders=found.foreign_orders, unposted=()
        )
    return watch_protection(ledger, found.at)


def _account_for(ledger: Ledger, news: Observed | Recovered, at: datetime) -> Ledger:
    """Fees, dividends, transfers, splits, and coin kept back: what changed the account beside executions."""
    if not (news.activities or news.withheld or news.activity_cursor is not None or ledger.unposted):
        return ledger
    for activity in news.activities:
        ledger = apply_activity(ledger, activity)
    for withheld in news.withheld:
        ledger = apply_withheld(ledger, withheld)
    changes: dict[str, Any] = {}
    if news.activity_cursor is not None:
        changes["activity_cursor"] = news.activity_cursor
    if ledger.unposted and ledger.unposted[0].at < at - _UNPOSTED_KEPT:
        changes["unposted"] = tuple(u for u in ledger.unposted if u.at >= at - _UNPOSTED_KEPT)
    return replace(ledger, **changes) if changes else ledger


def _passed(ledger: Ledger, passed: Passed, _event: Event) -> Ledger:
    """What the cycles that were passed over would have left: nothing but their number, the time, and the extremes of prices."""
    ledger = _forget_what_is_done(ledger)
    changes: dict[str, Any] = {"cycle": passed.cycle, "at": passed.at, "equity": passed.equity}
    if passed.peak is not None and passed.peak > ledger.peak_equity:
        changes["peak_equity"] = passed.peak
    return note_extremes(replace(ledger, **changes), passed.best)


def _answered(ledger: Ledger, answered: Answered, _event: Event) -> Ledger:
    if not answered.answers:
        return ledger
    bots = dict(ledger.bots)
    for answer in answered.answers:
        record = ledger.bot(answer.bot)
        if answer.failure is not None:
            bots[answer.bot] = replace(record, strikes=record.strikes + answer.failure.strikes)
        elif answer.memory is not None:
            bots[answer.bot] = replace(record, memory=answer.memory)
    return replace(ledger, bots=bots)


def _voted(ledger: Ledger, voted: Voted, _event: Event) -> Ledger:
    """The last iteration is the bot's memory: it says which one is next, and what was voted should the process end before it is acted on."""
    record = ledger.bot(voted.bot)
    return replace(ledger, bots={**ledger.bots, voted.bot: replace(record, memory=msgspec.json.decode(encode(voted)))})


def _decided(ledger: Ledger, decided: Decided, _event: Event) -> Ledger:
    plan = decided.plan
    if not plan.answers and not plan.sends and not plan.stops and not ledger.residual_cycles:
        return ledger
    disagree = any(answer.gate == "ledger_agrees" for answer in plan.answers)
    # What an operator has accepted or lifted in this cycle is not held against the next.
    settled = plan.accepts or plan.resumes
    cycles = ledger.residual_cycles + 1 if disagree and not settled else 0
    # What makes way for the sale is taken back first: whatever happens in between, it is the sale that comes next.
    exits = [send.order for send in plan.sends if send.order.purpose is Purpose.EXIT]
    leaving = {key: order for order in exits for key in _holdings_of(order)}
    changed: dict[str, Holding] = {}
    for key, order in leaving.items():
        if key in ledger.holdings:
            changed[key] = replace(ledger.holdings[key], leaving=order.thesis, cause=order.cause)
    for moved in plan.stops:
        key = holding_key(moved.bot, moved.symbol)
        held = changed.get(key) or ledger.holdings.get(key)
        if held is not None and held.protection is not None and closer(held, moved.stop):
            changed[key] = replace(held, protection=replace(held.protection, stop=moved.stop))
    if changed:
        ledger = replace(ledger, holdings={**ledger.holdings, **changed})
    return ledger if cycles == ledger.residual_cycles else replace(ledger, residual_cycles=cycles)


def _holdings_of(order: Order) -> tuple[str, ...]:
    """The keys of the holdings that an order is about."""
    return tuple(holding_key(order.bot, symbol) for symbol in ([leg.symbol for leg in order.legs] or [order.symbol]))


def _order_sent(ledger: Ledger, sent: OrderSent, event: Event) -> Ledger:
    order = sent.order
    at = order.sent_at or event.ts
    changes: dict[str, Any] = {
        "orders": {**ledger.orders, order.client_id: order},
        "sent_at": (*(t for t in ledger.sent_at if at - _RATE_WINDOW < t <= at), at),
    }
    if order.purpose is Purpose.EXIT:
        going = [ledger.holdings[key] for key in _holdings_of(order) if key in ledger.holdings]
        sent_now = {held.key: replace(held, leaving="", cause="") for held in going if held.leaving}
        changes["holdings"] = {**ledger.holdings, **sent_now}
    if order.purpose is Purpose.ENTRY:
        record = ledger.bot(order.bot)
        entered = {**record.entered, f"{order.symbol} {order.side}": at}
        changed = replace(record, trades_today=record.trades_today + 1, entered=entered)
        changes["bots"] = {**ledger.bots, order.bot: changed}
    return replace(ledger, **changes)


def _order_accepted(ledger: Ledger, accepted: OrderAccepted, event: Event) -> Ledger:
    return watch_one(take_in(ledger, (accepted.order,), ()), accepted.order.client_id, event.ts)


def _order_rejected(ledger: Ledger, rejected: OrderRejected, _event: Event) -> Ledger:
    order = ledger.orders.get(rejected.client_id)
    if order is not None and order.purpose is Purpose.EXIT:
        going = [ledger.holdings[key] for key in _holdings_of(order) if key in ledger.holdings]
        marked = {held.key: replace(held, exit_refused=ledger.cycle) for held in going}
        ledger = replace(ledger, holdings={**ledger.holdings, **marked})
    return set_status(ledger, rejected.client_id, OrderStatus.REJECTED, rejected.reason)


def _order_unknown(ledger: Ledger, unknown: OrderUnknown, _event: Event) -> Ledger:
    return set_status(ledger, unknown.client_id, OrderStatus.UNKNOWN, unknown.reason)


def _cancel_sent(ledger: Ledger, sent: CancelSent, _event: Event) -> Ledger:
    return set_status(ledger, sent.client_id, OrderStatus.PENDING_CANCEL, sent.reason)


def _cancel_heard(ledger: Ledger, heard: CancelHeard, event: Event) -> Ledger:
    if heard.order is None:
        return ledger
    return watch_one(take_in(ledger, (heard.order,), ()), heard.order.client_id, event.ts)


def _halted(ledger: Ledger, halted: Halted, _event: Event) -> Ledger:
    ledger = replace(ledger, halts=(*ledger.halts, halted.halt))
    if not halted.halt.flatten or FLATTEN_ALL in ledger.flatten:
        return ledger
    return replace(ledger, flatten=(*ledger.flatten, FLATTEN_ALL))


def _resumed(ledger: Ledger, _resumed: Resumed, _event: Event) -> Ledger:
    """Lifting a loss halt accepts the loss: what it was measured from becomes the equity of now, or it would latch again."""
    lifted = {halt.kind for halt in ledger.halts}
    changes: dict[str, Any] = {"halts": (), "residual_cycles": 0, "failed_at": (), "flatten": ()}
    if ledger.equity is not None and ledger.equity > 0:
        if "drawdown" in lifted:
            changes["peak_equity"] = ledger.equity
        if "daily_loss" in lifted and ledger.day is not None:
            changes["day"] = replace(ledger.day, start_equity=ledger.equity)
    return replace(ledger, **changes)


def _released(ledger: Ledger, released: Released, _event: Event) -> Ledger:
    return release(ledger, released.bot, forget=released.forget)


def _flattened(ledger: Ledger, asked: Flattened, _event: Event) -> Ledger:
    wanted = asked.bot or FLATTEN_ALL
    return ledger if wanted in ledger.flatten else replace(ledger, flatten=(*ledger.flatten, wanted))


def _foreign_accepted(ledger: Ledger, accepted: ForeignAccepted, _event: Event) -> Ledger:
    """What is not ours is the baseline from here on; what we no longer have is written off, its cost with it.

    The day's first equity is taken as it is, however far it is from the last of the day before.
    """
    holdings: dict[str, Holding] = {}
    for key, held in ledger.holdings.items():
        left = held.quantity - accepted.given_up.get(key, ZERO)
        if left:
            holdings[key] = held if left == held.quantity else replace(held, quantity=left)
    return replace(
        ledger,
        cash=accepted.cash,
        foreign=dict(accepted.foreign),
        foreign_orders=accepted.foreign_orders,
        holdings=holdings,
        equity=ledger.equity if accepted.equity is None else accepted.equity,
        day=None if ledger.day is None else replace(ledger.day, before=ledger.day.start_equity),
        unposted=(),
        residual_cycles=0,
    )


def _certified(ledger: Ledger, certified: Certified, _event: Event) -> Ledger:
    return replace(ledger, certificate=certified.certificate)


_CHANGES: dict[type, Callable[[Ledger, Any, Event], Ledger]] = {
    SegmentOpened: _segment_opened,
    Observed: _observed,
    Recovered: _recovered,
    Answered: _answered,
    Voted: _voted,
    Decided: _decided,
    Passed: _passed,
    OrderSent: _order_sent,
    OrderAccepted: _order_accepted,
    OrderRejected: _order_rejected,
    OrderUnknown: _order_unknown,
    CancelSent: _cancel_sent,
    CancelHeard: _cancel_heard,
    Halted: _halted,
    Flattened: _flattened,
    ForeignAccepted: _foreign_accepted,
    Resumed: _resumed,
    Released: _released,
    Certified: _certified,
}
