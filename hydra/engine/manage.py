"""Exits first: every holding is either left alone, protected again, or closed, whatever the gates say of entries.

An exit needs only that the venue answers and that the session is open. It sells what is held and never more, after the
legs that reserve the quantity are confirmed gone. A holding without a working stop of its full size gets one.

A stop only ever moves closer: what the exits want is decided and journaled in one cycle and carried out in the next, by a new
stop that takes the place of the old one.

An entry that has filled in part is cut off at what it got: its exits wait for its end, and until then nothing protects. Where
the venue has no exits that hang on an entry, and no stops that become market orders, the protection is a stop-limit of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from hydra.engine.drafts import Drafts
from hydra.engine.protection import at_venue, closer, left_of, under_stops
from hydra.engine.unwind import unwind, why_flat
from hydra.guard import ask_until_one_speaks, shown, told
from hydra.model.market import AssetClass, Instrument, asset_class_of, usual_instrument
from hydra.model.money import plain, to_increment
from hydra.model.orders import (
    Cancel,
    Order,
    OrderStatus,
    OrderType,
    Purpose,
    Send,
    Side,
    Skip,
    TimeInForce,
)
from hydra.model.portfolio import Halt, Holding, by_owner
from hydra.model.snapshot import Failure, Snapshot, StopMoved, Tighten
from hydra.risk.plugs import Exit, RuleBook


@dataclass(slots=True, kw_only=True)
class Managed:
    """What managing the holdings came to."""

    sends: tuple[Send, ...] = ()
    cancels: tuple[Cancel, ...] = ()
    skips: tuple[Skip, ...] = ()
    stops: tuple[StopMoved, ...] = ()
    halts: tuple[Halt, ...] = ()


class _Wish(NamedTuple):
    """What the exits want of a holding: its end (with the exit's name), a closer stop, or nothing; and which one failed."""

    cause: str = ""
    reason: str = ""
    tighten: Tighten | None = None
    failure: str = ""


_NO_WISH = _Wish()


class _Round(NamedTuple):
    """What the holdings of a cycle are looked after with, and what that has come to so far."""

    snapshot: Snapshot
    book: RuleBook
    exits: tuple[tuple[str, Exit], ...]
    drafts: Drafts
    reachable: bool
    result: Managed


def manage(snapshot: Snapshot, book: RuleBook, drafts: Drafts, *, reachable: bool) -> Managed:
    """Exits and protective stops for every holding, in the ledger's order; structures after the rest."""
    result, holdings = Managed(), snapshot.ledger.holdings
    if not holdings:
        return result
    at_work, structures = by_owner(snapshot.ledger.orders), False
    now = _Round(snapshot, book, tuple(book.exits.items()), drafts, reachable, result)
    for holding in holdings.values():
        if holding.structure:
            structures = True
        else:
            _look_after(holding, at_work.get((holding.bot, holding.symbol), ()), now)
    if structures:
        unwound = unwind(snapshot, book, drafts, reachable=reachable)
        result.sends += unwound.sends
        result.skips += unwound.skips
        for failure in unwound.failures:
            result.halts = _latch(result.halts, snapshot, failure)
    return result


def _look_after(holding: Holding, working: Sequence[Order], now: _Round) -> None:
    """``working`` are the orders that work for it."""
    snapshot, result = now.snapshot, now.result
    why_not_now = _why_not_now(working, reachable=now.reachable)
    why_not = _why_shut(holding, snapshot) if why_not_now is None else why_not_now
    wish = _wish(holding, now)
    bare = under_stops(working) < abs(holding.quantity)
    if wish.failure:
        result.halts = _latch(result.halts, snapshot, wish.failure)
    if why_not is not None:
        if bare and why_not_now is None:
            _mend(holding, working, now)  # a stop may rest before its session opens
        elif wish.reason or bare:
            result.skips += (Skip(subject=holding.key, code="exit_waits", reason=why_not),)
    elif bare and 0 < holding.exit_refused == snapshot.cycle - 1:
        _mend(holding, working, now)  # its exit was refused just now: before that is tried again, it gets its stop back
    elif wish.reason:
        sends = exit_order(holding, snapshot, now.drafts, wish.reason, wish.cause)
        result.sends += sends
        if not sends:
            reason = _nothing_to_close(holding, snapshot)
            result.skips += (Skip(subject=holding.key, code="exit_waits", reason=reason),)
    elif bare or _behind(holding, working, snapshot):
        _mend(holding, working, now)
    if wish.tighten is not None and not wish.reason:
        moved = StopMoved(bot=holding.bot, symbol=holding.symbol, stop=wish.tighten.stop, reason=wish.tighten.reason)
        result.stops += (moved,)


def _mend(holding: Holding, working: Sequence[Order], now: _Round) -> None:
    """Get a stop of the full size under a holding: its own entry's, if that still works, else a new one."""
    snapshot, drafts, result = now.snapshot, now.drafts, now.result
    entry = next((order for order in working if order.purpose is Purpose.ENTRY), None)
    instrument = _instrument(holding.symbol, snapshot)
    if entry is not None and instrument.exits_with_entry:
        if entry.remaining and entry.status is not OrderStatus.PENDING_CANCEL:
            why = f"{plain(entry.filled)} of {plain(entry.quantity)} filled: its stop waits for its end"
            result.cancels += (Cancel(client_id=entry.client_id, venue_id=entry.venue_id, reason=why),)
        return  # its exits come up by themselves
    quantity = drafts.closable(holding.symbol, left_of(holding, snapshot))
    if quantity == 0:
        result.skips += (Skip(subject=holding.key, code="stop_waits", reason=_nothing_to_close(holding, snapshot)),)
        return
    result.sends += (_protect(holding, snapshot, drafts, quantity, now.book.policy.risk.stop_limit_slack),)


def _nothing_to_close(holding: Holding, snapshot: Snapshot) -> str:
    unseen = abs(holding.quantity) - left_of(holding, snapshot)
    if unseen:
        return f"{plain(unseen)} of {plain(holding.quantity)} were closed at the venue by its orders; the fills are not seen yet"
    held = at_venue(holding.symbol, snapshot)
    least = _instrument(holding.symbol, snapshot).minimum_quantity
    return f"the ledger holds {plain(holding.quantity)}, the venue {plain(held)}; the least that can be sold is {plain(least)}"


def exit_order(holding: Holding, snapshot: Snapshot, drafts: Drafts, reason: str, cause: str = "") -> tuple[Send, ...]:
    """A market order that closes the holding, clipped to what the venue says is held; none when nothing can be sold.

    Its legs are released first, and so is what is left of its entry: nothing may be bought again behind the exit.
    """
    quantity = drafts.closable(holding.symbol, left_of(holding, snapshot))
    if quantity == 0:
        return ()
    release = _release(holding, snapshot, f"makes way for an exit: {reason}")
    order = drafts.order(
        bot=holding.bot,
        symbol=holding.symbol,
        side=_closing_side(holding),
        quantity=quantity,
        order_type=OrderType.MARKET,
        purpose=Purpose.EXIT,
        time_in_force=TimeInForce.GTC if asset_class_of(holding.symbol) is AssetClass.CRYPTO else TimeInForce.DAY,
        thesis=reason,
        cause=cause,
    )
    return (Send(order=order, release=release),)


def cannot_act(holding: Holding, snapshot: Snapshot, *, reachable: bool) -> str | None:
    """Why nothing can be sold of this holding now, or ``None``: the venue, an order under way, or the session."""
    working = snapshot.ledger.working(bot=holding.bot, symbol=holding.symbol)
    why_not = _why_not_now(working, reachable=reachable)
    return _why_shut(holding, snapshot) if why_not is None else why_not


def _why_shut(holding: Holding, snapshot: Snapshot) -> str | None:
    """Why its session takes no order now that sells at once, or ``None``."""
    sessions, kind = snapshot.sight.sessions, asset_class_of(holding.symbol)
    session = None if sessions is None else sessions.by_class.get(kind)
    if session is None or not session.open:
        return f"the {kind} session is {'unknown' if session is None else session.phase}"
    return None


def _why_not_now(working: Sequence[Order], *, reachable: bool) -> str | None:
    """Why no order may be sent for a holding now, or ``None``: the venue, or one of these orders that work for it."""
    if not reachable:
        return "the venue does not answer"
    for order in working:
        if order.status.unresolved or order.purpose is Purpose.EXIT:
            return f"{order.purpose} {order.client_id} is {order.status}"
    return None


def _wish(holding: Holding, now: _Round) -> _Wish:
    """What the exits want: the first that wants it closed decides, and of the stops the closest."""
    snapshot, book, ledger = now.snapshot, now.book, now.snapshot.ledger
    flat = why_flat(ledger, holding.bot) if ledger.flatten else ""
    if flat:
        return _Wish(cause="flatten", reason=flat)
    if holding.leaving:
        return _Wish(cause=holding.cause, reason=holding.leaving)
    bot = book.bots.get(holding.bot)
    if bot is None:
        return _Wish(cause="no_bot", reason=f"no bot {holding.bot} is in the policy any more")
    exits, policy = iter(now.exits), book.policy
    failure, closest = "", None
    while (heard := ask_until_one_speaks(exits, holding, snapshot, policy, bot)) is not None:
        name, answer = heard
        if type(answer) is Failure:
            failure = failure or f"exit {name} failed: {answer.kind}: {answer.reason}"
        elif type(answer) is str and answer:
            return _Wish(cause=name, reason=f"{name}: {told(answer)}", failure=failure)
        elif type(answer) is Tighten and _is_sound(answer):
            moved = _moved(holding, snapshot, answer)
            if type(moved) is str:
                return _Wish(cause=name, reason=f"{name}: {told(answer.reason)}; {moved}", failure=failure)
            if type(moved) is Decimal and (closest is None or (moved - closest.stop) * holding.quantity > 0):
                closest = Tighten(stop=moved, reason=f"{name}: {told(answer.reason)}")
        else:
            failure = failure or f"exit {name} answered with {shown(answer)}"
    if closest is None and not failure:
        return _NO_WISH  # nearly always
    return _Wish(tighten=_worth_moving(closest, holding, book), failure=failure)


def _is_sound(answer: Tighten) -> bool:
    """Whether it is what its type says: an exit is foreign code, and could have forged it."""
    return type(answer.stop) is Decimal and answer.stop.is_finite() and answer.stop > 0 and type(answer.reason) is str


def _moved(holding: Holding, snapshot: Snapshot, answer: Tighten) -> Decimal | str | None:
    """The closer stop that is wished; in words, where the price has passed it already, which is an exit; ``None`` for one no closer."""
    way = 1 if holding.quantity > 0 else -1
    tick = _instrument(holding.symbol, snapshot).price_increment
    stop = to_increment(answer.stop, tick, "down" if way > 0 else "up")
    if stop <= 0 or not closer(holding, stop):
        return None
    quote = snapshot.sight.quotes.get(holding.symbol)
    price = None if quote is None else quote.bid if way > 0 else quote.ask
    if price is not None and (price - stop) * way <= 0:
        return f"the price {plain(price)} has passed the stop {plain(stop)}"
    return stop


def _worth_moving(closest: Tighten | None, holding: Holding, book: RuleBook) -> Tighten | None:
    """A stop is not replaced for less than ``risk.stop_step`` of its price."""
    if closest is None or holding.protection is None:
        return closest
    moves = abs(closest.stop - holding.protection.stop)
    return None if moves < book.policy.risk.stop_step * holding.protection.stop else closest


def _latch(halts: tuple[Halt, ...], snapshot: Snapshot, reason: str) -> tuple[Halt, ...]:
    """An exit that does not answer cannot be trusted to protect: no more entries until a person has looked."""
    kind = "exit_failed"
    if any(halt.kind == kind for halt in (*halts, *snapshot.ledger.halts)):
        return halts
    return (*halts, Halt(kind=kind, reason=reason, at=snapshot.at, by="hydra", automatic=False))


def _behind(holding: Holding, working: Sequence[Order], snapshot: Snapshot) -> bool:
    """True when the stop that rests for it is not the one that was decided, and nothing of its entry is still working."""
    if holding.protection is None:
        return False
    long, furthest = holding.quantity > 0, None
    for order in working:
        if order.purpose is Purpose.ENTRY:
            return False
        stop = order.stop if order.purpose is Purpose.STOP else None
        if stop is not None and (furthest is None or (stop < furthest if long else stop > furthest)):
            furthest = stop
    if furthest is None:
        return False
    wanted, tick = holding.protection.stop, _instrument(holding.symbol, snapshot).price_increment
    if wanted % tick:
        wanted = to_increment(wanted, tick)
    return furthest < wanted if long else furthest > wanted


def _protect(holding: Holding, snapshot: Snapshot, drafts: Drafts, quantity: Decimal, slack: Decimal) -> Send:
    """A stop for the whole holding, after whatever smaller one, target or rest of its entry is in its way is gone."""
    release = _release(holding, snapshot, "makes way for the stop that was decided")
    instrument = _instrument(holding.symbol, snapshot)
    side, tick = _closing_side(holding), instrument.price_increment
    assert holding.protection is not None, "what is no leg has a stop"
    stop = to_increment(holding.protection.stop, tick)
    limit = None
    if not instrument.plain_stops:
        worse = stop * (1 - slack * side.opposite.sign)
        limit = max(tick, to_increment(worse, tick, "down" if side is Side.SELL else "up"))
    order = drafts.order(
        bot=holding.bot,
        symbol=holding.symbol,
        side=side,
        quantity=quantity,
        order_type=OrderType.STOP if limit is None else OrderType.STOP_LIMIT,
        purpose=Purpose.STOP,
        time_in_force=TimeInForce.GTC,
        stop=stop,
        limit=limit,
        thesis=f"protects {holding.entry}",
    )
    return Send(order=order, release=release)


def _release(holding: Holding, snapshot: Snapshot, reason: str) -> tuple[Cancel, ...]:
    """What stands in the way of an exit or a stop: whatever reserves the quantity, and the rest of the entry.

    Where exits do not hang on their entry, another bot's entry on the other side does too: the venue would refuse the two beside
    each other as a wash trade.
    """
    working = snapshot.ledger.working(bot=holding.bot, symbol=holding.symbol)
    orders = [o for o in working if o.purpose is not Purpose.EXIT]
    if not _instrument(holding.symbol, snapshot).exits_with_entry:
        orders += [
            o
            for o in snapshot.ledger.orders.values()
            if o.symbol == holding.symbol
            and o.bot != holding.bot
            and o.purpose is Purpose.ENTRY
            and o.side is not _closing_side(holding)
            and not o.legs
            and not o.status.terminal
        ]
    return tuple(
        Cancel(client_id=order.client_id, venue_id=order.venue_id, reason=reason) for order in orders if order.venue_id
    )


def _instrument(symbol: str, snapshot: Snapshot) -> Instrument:
    return snapshot.sight.instruments.get(symbol) or usual_instrument(symbol)


def _closing_side(holding: Holding) -> Side:
    return Side.SELL if holding.quantity > 0 else Side.BUY
