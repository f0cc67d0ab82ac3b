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

from hydra.engine.happenings import apply_activity, apply_withheld
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
    Recovered,
    Resumed,
    SegmentOpened,
)
from hydra.model.money import ZERO
from hydra.model.orders import LIFECYCLE, Order, OrderStatus, OrderType, Purpose, VenueOrder
from hydra.model.portfolio import FLATTEN_ALL, Day, Holding, Ledger, holding_key
from hydra.model.snapshot import Observed
from hydra.model.structures import structures_of
from hydra.model.values import replace

_RESTING_STOPS = (OrderType.STOP, OrderType.STOP_LIMIT)
_RATE_WINDOW = timedelta(seconds=60)
_FAILURES_KEPT = 256
_COMMANDS_KEPT = 256
_EXIT_COVERS = timedelta(minutes=5)
"""So long a working exit stands in for the stop it has replaced."""
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
    return replace(opened.ledger, run=event.run)


def _observed(ledger: Ledger, seen: Observed, _event: Event) -> Ledger:
    ledger = _forget_what_is_done(ledger)
    ledger = _count_anew(ledger, None if seen.sessions is None else seen.sessions.day)
    ledger = _take_in(ledger, seen.orders, seen.not_received)
    for fill in seen.fills:
        ledger = apply_fill(ledger, fill, seen.cycle)
    ledger = _account_for(ledger, seen, seen.at)
    account_unread = any(failure.what == "account" for failure in seen.missing)
    equity = seen.account.equity if seen.account is not None else (None if account_unread else ledger.equity)
    changes: dict[str, Any] = {"cycle": seen.cycle, "at": seen.at, "equity": equity}
    if seen.fill_cursor is not None:
        changes["fill_cursor"] = seen.fill_cursor
    if seen.commands:
        changes["obeyed"] = (*ledger.obeyed, *(command.command_id for command in seen.commands))[-_COMMANDS_KEPT:]
    failed = sum(failure.asked for failure in seen.missing)
    if failed:
        changes["failed_at"] = (*ledger.failed_at, *[seen.at] * failed)[-_FAILURES_KEPT:]
    earned = None if equity is None else equity - _unexplained(ledger, seen)
    if earned is not None and earned > ledger.peak_equity:
        changes["peak_equity"] = earned
    if seen.sessions is not None and earned is not None and earned > 0:
        new_day = ledger.day is None or ledger.day.date != seen.sessions.day
        if new_day:
            before = None if ledger.day is None else ledger.equity
            changes["day"] = Day(date=seen.sessions.day, start_equity=earned, before=before)
    return _watch_protection(_note_best(replace(ledger, **changes), seen), seen.at)


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


def _note_best(ledger: Ledger, seen: Observed) -> Ledger:
    """The best price each holding has seen: what it could have been sold (a short: bought back) at, and what was traded."""
    mine = {held.symbol for held in ledger.holdings.values() if not held.structure}
    if not mine:
        return ledger
    quotes = {quote.symbol: quote for quote in seen.quotes if quote.symbol in mine}
    bars = [bar for bar in seen.bars if bar.symbol in mine]
    if not quotes and not bars:
        return ledger
    changed: dict[str, Holding] = {}
    for key, held in ledger.holdings.items():
        if held.structure:
            continue
        quote, since = quotes.get(held.symbol), [b for b in bars if b.symbol == held.symbol and b.at >= held.opened_at]
        if held.quantity > 0:
            prices = [bar.high for bar in since] + ([] if quote is None else [quote.bid])
            best = max(prices, default=held.best)
        else:
            prices = [bar.low for bar in since] + ([] if quote is None else [quote.ask])
            best = min(prices, default=held.best)
        if best is not None and (held.best is None or (best > held.best) is (held.quantity > 0)) and best != held.best:
            changed[key] = replace(held, best=best)
    return replace(ledger, holdings={**ledger.holdings, **changed}) if changed else ledger


def holdings_of(order: Order) -> tuple[str, ...]:
    """The keys of the holdings that an order is about."""
    return tuple(holding_key(order.bot, symbol) for symbol in ([leg.symbol for leg in order.legs] or [order.symbol]))


def closer(holding: Holding, stop: Decimal) -> bool:
    """True when ``stop`` gives up less than the stop the holding has."""
    if holding.protection is None:
        return False
    return (stop - holding.protection.stop) * holding.quantity > 0


def _unexplained(ledger: Ledger, seen: Observed) -> Decimal:
    """Cash that came in and was not told of yet: no profit, and counted once, when the transfer is told."""
    if seen.account is None or ledger.cash is None:
        return ZERO
    return max(ZERO, seen.account.cash - ledger.cash)


def _recovered(ledger: Ledger, found: Recovered, _event: Event) -> Ledger:
    ledger = _count_anew(_forget_what_is_done(ledger), found.day)
    ledger = _take_in(ledger, found.orders, found.not_received)
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
    return _watch_protection(ledger, found.at)


def _account_for(ledger: Ledger, news: Observed | Recovered, at: datetime) -> Ledger:
    """Fees, dividends, transfers, splits, and coin kept back: what changed the account beside executions."""
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


def _answered(ledger: Ledger, answered: Answered, _event: Event) -> Ledger:
    if not answered.answers:
        return ledger
    bots = dict(ledger.bots)
    for answer in answered.answers:
        record = ledger.bot(answer.bot)
        if answer.failure is not None:
            bots[answer.bot] = replace(record, strikes=record.strikes + 1)
        elif answer.memory is not None:
            bots[answer.bot] = replace(record, memory=answer.memory)
    return replace(ledger, bots=bots)


def _decided(ledger: Ledger, decided: Decided, _event: Event) -> Ledger:
    disagree = any(answer.gate == "ledger_agrees" for answer in decided.plan.answers)
    cycles = ledger.residual_cycles + 1 if disagree else 0
    # What makes way for the sale is taken back first: whatever happens in between, it is the sale that comes next.
    exits = [send.order for send in decided.plan.sends if send.order.purpose is Purpose.EXIT]
    leaving = {key: order for order in exits for key in holdings_of(order)}
    changed: dict[str, Holding] = {}
    for key, order in leaving.items():
        if key in ledger.holdings:
            changed[key] = replace(ledger.holdings[key], leaving=order.thesis, cause=order.cause)
    for moved in decided.plan.stops:
        key = holding_key(moved.bot, moved.symbol)
        held = changed.get(key) or ledger.holdings.get(key)
        if held is not None and held.protection is not None and closer(held, moved.stop):
            changed[key] = replace(held, protection=replace(held.protection, stop=moved.stop))
    if changed:
        ledger = replace(ledger, holdings={**ledger.holdings, **changed})
    return ledger if cycles == ledger.residual_cycles else replace(ledger, residual_cycles=cycles)


def _order_sent(ledger: Ledger, sent: OrderSent, event: Event) -> Ledger:
    order = sent.order
    at = order.sent_at or event.ts
    changes: dict[str, Any] = {
        "orders": {**ledger.orders, order.client_id: order},
        "sent_at": (*(t for t in ledger.sent_at if at - _RATE_WINDOW < t <= at), at),
    }
    if order.purpose is Purpose.EXIT:
        going = [ledger.holdings[key] for key in holdings_of(order) if key in ledger.holdings]
        sent_now = {held.key: replace(held, leaving="", cause="") for held in going if held.leaving}
        changes["holdings"] = {**ledger.holdings, **sent_now}
    if order.purpose is Purpose.ENTRY:
        record = ledger.bot(order.bot)
        entered = {**record.entered, f"{order.symbol} {order.side}": at}
        changed = replace(record, trades_today=record.trades_today + 1, entered=entered)
        changes["bots"] = {**ledger.bots, order.bot: changed}
    return replace(ledger, **changes)


def _order_accepted(ledger: Ledger, accepted: OrderAccepted, event: Event) -> Ledger:
    return _watch_one(_take_in(ledger, (accepted.order,), ()), accepted.order.client_id, event.ts)


def _order_rejected(ledger: Ledger, rejected: OrderRejected, _event: Event) -> Ledger:
    order = ledger.orders.get(rejected.client_id)
    if order is not None and order.purpose is Purpose.EXIT:
        going = [ledger.holdings[key] for key in holdings_of(order) if key in ledger.holdings]
        marked = {held.key: replace(held, exit_refused=ledger.cycle) for held in going}
        ledger = replace(ledger, holdings={**ledger.holdings, **marked})
    return _set_status(ledger, rejected.client_id, OrderStatus.REJECTED, rejected.reason)


def _order_unknown(ledger: Ledger, unknown: OrderUnknown, _event: Event) -> Ledger:
    return _set_status(ledger, unknown.client_id, OrderStatus.UNKNOWN, unknown.reason)


def _cancel_sent(ledger: Ledger, sent: CancelSent, _event: Event) -> Ledger:
    return _set_status(ledger, sent.client_id, OrderStatus.PENDING_CANCEL, sent.reason)


def _cancel_heard(ledger: Ledger, heard: CancelHeard, event: Event) -> Ledger:
    if heard.order is None:
        return ledger
    return _watch_one(_take_in(ledger, (heard.order,), ()), heard.order.client_id, event.ts)


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
    Decided: _decided,
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
    Certified: _certified,
}


def _forget_what_is_done(ledger: Ledger) -> Ledger:
    """Drop done orders whose fills were all seen, and the facts the store has taken over."""
    if ledger.fills or ledger.trades:
        ledger = replace(ledger, fills=(), trades=())
    orders = {cid: o for cid, o in ledger.orders.items() if not o.status.terminal or o.filled < o.venue_filled}
    return ledger if len(orders) == len(ledger.orders) else replace(ledger, orders=orders)


def _take_in(ledger: Ledger, reports: Iterable[VenueOrder], not_received: Iterable[str]) -> Ledger:
    """The ledger after the venue's reports on orders, new bracket legs included."""
    orders = dict(ledger.orders)
    changed = False
    for report in reports:
        known = orders.get(report.client_id) or _leg_of_ours(ledger, orders, report)
        if known is not None:
            orders[report.client_id] = _as_reported(known, report)
            changed = True
    ledger = replace(ledger, orders=orders) if changed else ledger
    for client_id in not_received:
        ledger = _set_status(ledger, client_id, OrderStatus.NOT_RECEIVED, "the venue never had it")
    return ledger


def _as_reported(order: Order, report: VenueOrder) -> Order:
    """What the venue says of an order. Size and prices too: a split restates them, and legs give up what the other filled."""
    status = report.status if report.status in LIFECYCLE[order.status] else order.status
    restated: dict[str, Any] = {"quantity": report.quantity} if report.quantity >= order.filled else {}
    for name in ("limit", "stop"):
        if getattr(order, name) is not None and getattr(report, name) is not None:
            restated[name] = getattr(report, name)
    if order.legs and report.average_price is not None:
        restated["average_price"] = report.average_price
    return replace(
        order,
        **restated,
        status=status,
        venue_id=report.venue_id,
        venue_filled=max(order.venue_filled, report.filled),
        updated_at=report.updated_at or order.updated_at,
        reason=report.reason or order.reason,
    )


def _leg_of_ours(ledger: Ledger, orders: dict[str, Order], report: VenueOrder) -> Order | None:
    """A bracket leg the venue made for one of our entries, seen for the first time; ``None`` when it is not ours."""
    resting = report.stop if report.order_type in _RESTING_STOPS else report.limit
    if not report.parent or resting is None:
        return None
    parent = orders.get(report.parent)
    if parent is not None and parent.legs:
        return None  # its contracts are its own legs already
    owner = parent.bot if parent is not None else None
    if owner is None:
        owner = next((h.bot for h in ledger.holdings.values() if h.entry == report.parent), None)
    if owner is None:
        return None
    stops = report.order_type in _RESTING_STOPS
    return Order(
        client_id=report.client_id,
        run=ledger.run,
        cycle=ledger.cycle,
        bot=owner,
        symbol=report.symbol,
        side=report.side,
        quantity=report.quantity,
        order_type=report.order_type,
        purpose=Purpose.STOP if stops else Purpose.TARGET,
        limit=report.limit,
        stop=report.stop,
        parent=report.parent,
        thesis=f"protects {report.parent}",
        status=OrderStatus.ACCEPTED,
        sent_at=report.updated_at,
    )


def _set_status(ledger: Ledger, client_id: str, status: OrderStatus, reason: str) -> Ledger:
    order = ledger.orders.get(client_id)
    if order is None or status not in LIFECYCLE[order.status]:
        return ledger
    return replace(ledger, orders={**ledger.orders, client_id: replace(order, status=status, reason=reason)})


def _watch_protection(ledger: Ledger, at: datetime) -> Ledger:
    """Note since when each holding has had neither a working stop of its full size nor an exit under way.

    A leg is protected by the others of its structure, as long as they bound what can be lost.
    """
    if not ledger.holdings:
        return ledger
    changed: dict[str, Holding] = {}
    unbounded = {
        leg.key
        for structure in (structures_of(ledger) if any(h.structure for h in ledger.holdings.values()) else ())
        if structure.most_lost is None
        for leg in structure.legs
    }
    for key, holding in ledger.holdings.items():
        if holding.structure:
            since = (holding.unprotected_since or at) if key in unbounded else None
            if since != holding.unprotected_since:
                changed[key] = replace(holding, unprotected_since=since)
            continue
        since = _bare_since(holding, ledger.working(bot=holding.bot, symbol=holding.symbol), at)
        if since != holding.unprotected_since:
            changed[key] = replace(holding, unprotected_since=since)
    return replace(ledger, holdings={**ledger.holdings, **changed}) if changed else ledger


def _watch_one(ledger: Ledger, client_id: str, at: datetime) -> Ledger:
    """The same for the one holding that a word about one order can concern; legs depend on what is held alone."""
    order = ledger.orders.get(client_id)
    held = None if order is None else ledger.holdings.get(holding_key(order.bot, order.symbol))
    if held is None or held.structure:
        return ledger
    mine = tuple(
        o for o in ledger.orders.values() if o.bot == held.bot and o.symbol == held.symbol and not o.status.terminal
    )
    since = _bare_since(held, mine, at)
    if since == held.unprotected_since:
        return ledger
    return replace(ledger, holdings={**ledger.holdings, held.key: replace(held, unprotected_since=since)})


def _bare_since(holding: Holding, working: tuple[Order, ...], at: datetime) -> datetime | None:
    covered = sum((_covers(order, at) for order in working), ZERO)
    return None if covered >= abs(holding.quantity) else holding.unprotected_since or at


def _covers(order: Order, at: datetime) -> Decimal:
    """How much of a holding an order looks after: a stop that is known to rest, or an exit that is about to sell.

    An exit that does not get done covers nothing for long.
    """
    if order.status.unresolved or order.purpose not in (Purpose.STOP, Purpose.EXIT):
        return ZERO
    if order.purpose is Purpose.EXIT and (order.sent_at is None or at - order.sent_at >= _EXIT_COVERS):
        return ZERO
    return order.remaining


def protected_quantity(ledger: Ledger, bot: str, symbol: str) -> Decimal:
    """How much of a holding rests under a stop that the venue is known to have."""
    working = ledger.working(bot=bot, symbol=symbol)
    return sum((o.remaining for o in working if o.purpose is Purpose.STOP and not o.status.unresolved), ZERO)
