"""Exits first: every holding is either left alone, protected again, or closed, whatever the gates say of entries.

An exit needs only that the venue answers and that the session is open. It sells what is held and never more, after the
legs that reserve the quantity are confirmed gone. A holding without a working stop of its full size gets one.

An entry that has filled in part is cut off at what it got: its exits wait for its end, and until then nothing protects. Where
the venue has no exits that hang on an entry, and no stops that become market orders, the protection is a stop-limit of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from hydra.engine.drafts import Drafts
from hydra.engine.fold import protected_quantity
from hydra.guard import attempt_foreign, shown
from hydra.model.market import AssetClass, Instrument, asset_class_of, usual_instrument
from hydra.model.money import ZERO, plain, to_increment
from hydra.model.orders import Cancel, OrderStatus, OrderType, Purpose, Send, Side, Skip, TimeInForce
from hydra.model.portfolio import FLATTEN_ALL, Halt, Holding
from hydra.model.snapshot import Snapshot
from hydra.policy import BotPolicy
from hydra.risk.plugs import RuleBook


@dataclass(slots=True, kw_only=True)
class Managed:
    """What managing the holdings came to."""

    sends: tuple[Send, ...] = ()
    cancels: tuple[Cancel, ...] = ()
    skips: tuple[Skip, ...] = ()
    halts: tuple[Halt, ...] = ()


def manage(snapshot: Snapshot, book: RuleBook, drafts: Drafts, *, reachable: bool) -> Managed:
    """Exits and protective stops for every holding, in the ledger's order."""
    result = Managed()
    for holding in snapshot.ledger.holdings.values():
        why_not = cannot_act(holding, snapshot, reachable=reachable)
        reason, failure = _why_exit(holding, snapshot, book)
        if failure:
            result.halts = _latch(result.halts, snapshot, failure)
        if why_not is not None:
            bare = _bare(holding, snapshot)
            if bare and _why_not_now(holding, snapshot, reachable=reachable) is None:
                _mend(holding, snapshot, book, drafts, result)  # a stop may rest before its session opens
            elif reason or bare:
                result.skips += (Skip(subject=holding.key, code="exit_waits", reason=why_not),)
        elif _stop_first(holding, snapshot):
            _mend(holding, snapshot, book, drafts, result)
        elif reason is not None:
            sends = exit_order(holding, snapshot, drafts, reason)
            result.sends += sends
            if not sends:
                result.skips += (
                    Skip(subject=holding.key, code="exit_waits", reason=_nothing_to_close(holding, snapshot)),
                )
        elif _bare(holding, snapshot):
            _mend(holding, snapshot, book, drafts, result)
    return result


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
    quantity = drafts.closable(holding.symbol, abs(holding.quantity))
    if quantity == 0:
        result.skips += (Skip(subject=holding.key, code="stop_waits", reason=_nothing_to_close(holding, snapshot)),)
        return
    result.sends += (_protect(holding, snapshot, drafts, quantity, book.policy.risk.stop_limit_slack),)


def _nothing_to_close(holding: Holding, snapshot: Snapshot) -> str:
    held = next((p.quantity for p in snapshot.sight.positions or () if p.symbol == holding.symbol), ZERO)
    least = _instrument(holding.symbol, snapshot).minimum_quantity
    return f"the ledger holds {plain(holding.quantity)}, the venue {plain(held)}; the least that can be sold is {plain(least)}"


def exit_order(holding: Holding, snapshot: Snapshot, drafts: Drafts, reason: str) -> tuple[Send, ...]:
    """A market order that closes the holding, clipped to what the venue says is held; none when nothing can be sold.

    Its legs are released first, and so is what is left of its entry: nothing may be bought again behind the exit.
    """
    quantity = drafts.closable(holding.symbol, abs(holding.quantity))
    if quantity == 0:
        return ()
    working = snapshot.ledger.working(bot=holding.bot, symbol=holding.symbol)
    release = tuple(
        Cancel(client_id=o.client_id, venue_id=o.venue_id, reason=f"makes way for an exit: {reason}")
        for o in working
        if o.purpose is not Purpose.EXIT and o.venue_id
    )
    order = drafts.order(
        bot=holding.bot,
        symbol=holding.symbol,
        side=_closing_side(holding),
        quantity=quantity,
        order_type=OrderType.MARKET,
        purpose=Purpose.EXIT,
        time_in_force=TimeInForce.GTC if _class(holding) is AssetClass.CRYPTO else TimeInForce.DAY,
        thesis=reason,
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


def _why_exit(holding: Holding, snapshot: Snapshot, book: RuleBook) -> tuple[str | None, str | None]:
    """(why the holding must go now, which exit failed to answer)."""
    if holding.bot in snapshot.ledger.flatten or FLATTEN_ALL in snapshot.ledger.flatten:
        return "flatten: an operator asked for it", None
    if holding.leaving:
        return holding.leaving, None
    bot = book.bots.get(holding.bot)
    if bot is None:
        return f"no bot {holding.bot} is in the policy any more", None
    failure = None
    for name, ask in book.exits.items():
        outcome = attempt_foreign(f"exit {name}", _call(ask, holding, snapshot, book, bot))
        if outcome.failure is not None:
            failure = failure or f"exit {name} failed: {outcome.failure.kind}: {outcome.failure.reason}"
            continue
        answer: object = outcome.value
        if isinstance(answer, str) and answer:
            return f"{name}: {answer}", failure
        if answer is not None:
            failure = failure or f"exit {name} answered with {shown(answer)}"
    return None, failure


def _call(
    ask: Callable[..., str | None], holding: Holding, snapshot: Snapshot, book: RuleBook, bot: BotPolicy
) -> Callable[[], str | None]:
    return lambda: ask(holding, snapshot, book.policy, bot)


def _latch(halts: tuple[Halt, ...], snapshot: Snapshot, reason: str) -> tuple[Halt, ...]:
    """An exit that does not answer cannot be trusted to protect: no more entries until a person has looked."""
    kind = "exit_failed"
    if any(halt.kind == kind for halt in (*halts, *snapshot.ledger.halts)):
        return halts
    return (*halts, Halt(kind=kind, reason=reason, at=snapshot.at, by="hydra", automatic=False))


def _bare(holding: Holding, snapshot: Snapshot) -> bool:
    return protected_quantity(snapshot.ledger, holding.bot, holding.symbol) < abs(holding.quantity)


def _protect(holding: Holding, snapshot: Snapshot, drafts: Drafts, quantity: Decimal, slack: Decimal) -> Send:
    """A stop for the whole holding, after whatever smaller one, target or rest of its entry is in its way is gone."""
    working = snapshot.ledger.working(bot=holding.bot, symbol=holding.symbol)
    release = tuple(
        Cancel(client_id=o.client_id, venue_id=o.venue_id, reason="makes way for a stop of the full size")
        for o in working
        if o.purpose is not Purpose.EXIT and o.venue_id
    )
    instrument = _instrument(holding.symbol, snapshot)
    side, tick = _closing_side(holding), instrument.price_increment
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


def _instrument(symbol: str, snapshot: Snapshot) -> Instrument:
    return snapshot.sight.instruments.get(symbol) or usual_instrument(symbol)


def _closing_side(holding: Holding) -> Side:
    return Side.SELL if holding.quantity > 0 else Side.BUY


def _class(holding: Holding) -> AssetClass:
    return asset_class_of(holding.symbol)
