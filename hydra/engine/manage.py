"""Exits first: every holding is either left alone, protected again, or closed, whatever the gates say of entries.

An exit needs only that the venue answers and that the session is open. It sells what is held and never more, after the
legs that reserve the quantity are confirmed gone. A holding without a working stop of its full size gets one.

A stop only ever moves closer: what the exits want is decided and journaled in one cycle and carried out in the next, by a new
stop that takes the place of the old one.

An entry that has filled in part is cut off at what it got: its exits wait for its end, and until then nothing protects. Where
the venue has no exits that hang on an entry, and no stops that become market orders, the protection is a stop-limit of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from hydra.engine.drafts import Drafts
from hydra.engine.protection import closer, left_of, protected_quantity
from hydra.engine.unwind import unwind, why_flat
from hydra.guard import ask_foreign, shown, told
from hydra.model.market import AssetClass, Instrument, asset_class_of, usual_instrument
from hydra.model.money import ZERO, plain, to_increment
from hydra.model.orders import (
    Cancel,
    OrderStatus,
    OrderType,
    Purpose,
    Send,
    Side,
    Skip,
    TimeInForce,
)
from hydra.model.portfolio import Halt, Holding
from hydra.model.snapshot import Failure, Snapshot, StopMoved, Tighten
from hydra.risk.plugs import RuleBook


@dataclass(slots=True, kw_only=True)
class Managed:
    """What managing the holdings came to."""

    sends: tuple[Send, ...] = ()
    cancels: tuple[Cancel, ...] = ()
    skips: tuple[Skip, ...] = ()
    stops: tuple[StopMoved, ...] = ()
    halts: tuple[Halt, ...] = ()


@dataclass(slots=True, kw_only=True)
class _Wish:
    """What the exits want of a holding: its end (with the exit's name), a closer stop, or nothing; and which one failed."""

    cause: str = ""
    reason: str = ""
    tighten: Tighten | None = None
    failure: str = ""


def manage(snapshot: Snapshot, book: RuleBook, drafts: Drafts, *, reachable: bool) -> Managed:
    """Exits and protective stops for every holding, in the ledger's order; structures after the rest."""
    result = Managed()
    for holding in snapshot.ledger.holdings.values():
        if not holding.structure:
            _look_after(holding, snapshot, book, drafts, result, reachable=reachable)
    unwound = unwind(snapshot, book, drafts, reachable=reachable)
    result.sends += unwound.sends
    result.skips += unwound.skips
    for failure in unwound.failures:
        result.halts = _latch(result.halts, snapshot, failure)
    return result


def _look_after(
    holding: Holding, snapshot: Snapshot, book: RuleBook, drafts: Drafts, result: Managed, *, reachable: bool
) -> None:
    why_not = cannot_act(holding, snapshot, reachable=reachable)
    wish = _wish(holding, snapshot, book)
    if wish.failure:
        result.halts = _latch(result.halts, snapshot, wish.failure)
    if why_not is not None:
        bare = _bare(holding, snapshot)
        if bare and _why_not_now(holding, snapshot, reachable=reachable) is None:
            _mend(holding, snapshot, book, drafts, result)  # a stop may rest before its session opens
        elif wish.reason or bare:
            result.skips += (Skip(subject=holding.key, code="exit_waits", reason=why_not),)
    elif _stop_first(holding, snapshot):
        _mend(holding, snapshot, book, drafts, result)
    elif wish.reason:
        sends = exit_order(holding, snapshot, drafts, wish.reason, wish.cause)
        result.sends += sends
        if not sends:
            reason = _nothing_to_close(holding, snapshot)
            result.skips += (Skip(subject=holding.key, code="exit_waits", reason=reason),)
    elif _bare(holding, snapshot) or _behind(holding, snapshot):
        _mend(holding, snapshot, book, drafts, result)
    if wish.tighten is not None and not wish.reason:
        moved = StopMoved(bot=holding.bot, symbol=holding.symbol, stop=wish.tighten.stop, reason=wish.tighten.reason)
        result.stops += (moved,)


def _stop_first(holding: Holding, snapshot: Snapshot) -> bool:
    """True when the venue refused its exit just now: before that is tried again, it gets its stop back."""
    return 0 < holding.exit_refused == snapshot.cycle - 1 and _bare(holding, snapshot)


def _mend(holding: Holding, snapshot: Snapshot, book: RuleBook, drafts: Drafts, result: Managed) -> None:
    """Get a stop of the full size under a holding: its own entry's, if that still works, else a new one."""
    working = snapshot.ledger.working(bot=holding.bot, symbol=holding.symbol)
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
    result.sends += (_protect(holding, snapshot, drafts, quantity, book.policy.risk.stop_limit_slack),)


def _nothing_to_close(holding: Holding, snapshot: Snapshot) -> str:
    unseen = abs(holding.quantity) - left_of(holding, snapshot)
    if unseen:
        return f"{plain(unseen)} of {plain(holding.quantity)} were closed at the venue by its orders; the fills are not seen yet"
    held = next((p.quantity for p in snapshot.sight.positions or () if p.symbol == holding.symbol), ZERO)
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
        time_in_force=TimeInForce.GTC if _class(holding) is AssetClass.CRYPTO else TimeInForce.DAY,
        thesis=reason,
        cause=cause,
    )
    return (Send(order=order, release=release),)


def cannot_act(holding: Holding, snapshot: Snapshot, *, reachable: bool) -> str | None:
    """Why nothing can be sold of this holding now, or ``None``: the venue, an order under way, or the session."""
    why_not = _why_not_now(holding, snapshot, reachable=reachable)
    if why_not is not None:
        return why_not
    sessions = snapshot.sight.sessions
    session = None if sessions is None else sessions.by_class.get(_class(holding))
    if session is None or not session.open:
        return f"the {_class(holding)} session is {'unknown' if session is None else session.phase}"
    return None


def _why_not_now(holding: Holding, snapshot: Snapshot, *, reachable: bool) -> str | None:
    if not reachable:
        return "the venue does not answer"
    working = snapshot.ledger.working(bot=holding.bot, symbol=holding.symbol)
    pending = [o for o in working if o.status.unresolved or o.purpose is Purpose.EXIT]
    return f"{pending[0].purpose} {pending[0].client_id} is {pending[0].status}" if pending else None


def _wish(holding: Holding, snapshot: Snapshot, book: RuleBook) -> _Wish:
    """What the exits want: the first that wants it closed decides, and of the stops the closest."""
    flat = why_flat(snapshot.ledger, holding.bot)
    if flat:
        return _Wish(cause="flatten", reason=flat)
    if holding.leaving:
        return _Wish(cause=holding.cause, reason=holding.leaving)
    bot = book.bots.get(holding.bot)
    if bot is None:
        return _Wish(cause="no_bot", reason=f"no bot {holding.bot} is in the policy any more")
    wish = _Wish()
    for name, ask in book.exits.items():
        answer = ask_foreign(name, ask, holding, snapshot, book.policy, bot)
        if type(answer) is Failure:
            wish.failure = wish.failure or f"exit {name} failed: {answer.kind}: {answer.reason}"
        elif type(answer) is str and answer:
            wish.cause, wish.reason = name, f"{name}: {told(answer)}"
            return wish
        elif type(answer) is Tighten and _is_sound(answer):
            _tighten(wish, holding, snapshot, name, answer)
            if wish.reason:
                return wish
        elif answer is not None:
            wish.failure = wish.failure or f"exit {name} answered with {shown(answer)}"
    return _worth_moving(wish, holding, book)


def _is_sound(answer: Tighten) -> bool:
    """Whether it is what its type says: an exit is foreign code, and could have forged it."""
    return type(answer.stop) is Decimal and answer.stop.is_finite() and answer.stop > 0 and type(answer.reason) is str


def _tighten(wish: _Wish, holding: Holding, snapshot: Snapshot, name: str, answer: Tighten) -> None:
    """Take a closer stop in; one that the price has passed already is an exit."""
    way = 1 if holding.quantity > 0 else -1
    tick = _instrument(holding.symbol, snapshot).price_increment
    stop = to_increment(answer.stop, tick, "down" if way > 0 else "up")
    if stop <= 0 or not closer(holding, stop):
        return
    quote = snapshot.sight.quotes.get(holding.symbol)
    price = None if quote is None else quote.bid if way > 0 else quote.ask
    if price is not None and (price - stop) * way <= 0:
        wish.cause = name
        wish.reason = f"{name}: {told(answer.reason)}; the price {plain(price)} has passed the stop {plain(stop)}"
    elif wish.tighten is None or (stop - wish.tighten.stop) * way > 0:
        wish.tighten = Tighten(stop=stop, reason=f"{name}: {told(answer.reason)}")


def _worth_moving(wish: _Wish, holding: Holding, book: RuleBook) -> _Wish:
    """A stop is not replaced for less than ``risk.stop_step`` of its price."""
    if wish.tighten is not None and holding.protection is not None:
        moves = abs(wish.tighten.stop - holding.protection.stop)
        if moves < book.policy.risk.stop_step * holding.protection.stop:
            wish.tighten = None
    return wish


def _latch(halts: tuple[Halt, ...], snapshot: Snapshot, reason: str) -> tuple[Halt, ...]:
    """An exit that does not answer cannot be trusted to protect: no more entries until a person has looked."""
    kind = "exit_failed"
    if any(halt.kind == kind for halt in (*halts, *snapshot.ledger.halts)):
        return halts
    return (*halts, Halt(kind=kind, reason=reason, at=snapshot.at, by="hydra", automatic=False))


def _bare(holding: Holding, snapshot: Snapshot) -> bool:
    return protected_quantity(snapshot.ledger, holding.bot, holding.symbol) < abs(holding.quantity)


def _behind(holding: Holding, snapshot: Snapshot) -> bool:
    """True when the stop that rests for it is not the one that was decided, and nothing of its entry is still working."""
    working = snapshot.ledger.working(bot=holding.bot, symbol=holding.symbol)
    if holding.protection is None or Purpose.ENTRY in [order.purpose for order in working]:
        return False
    resting = [o.stop for o in working if o.purpose is Purpose.STOP and o.stop is not None]
    if not resting:
        return False
    wanted = to_increment(holding.protection.stop, _instrument(holding.symbol, snapshot).price_increment)
    return any((wanted - stop) * holding.quantity > 0 for stop in resting)


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


def _class(holding: Holding) -> AssetClass:
    return asset_class_of(holding.symbol)
