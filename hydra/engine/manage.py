"""Exits first: every holding is either left alone, protected again, or closed, whatever the gates say of entries.

An exit needs only that the venue answers and that the session is open. It sells what is held and never more, after the
legs that reserve the quantity are confirmed gone. A holding without a working stop of its full size gets one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from hydra.engine.drafts import Drafts
from hydra.engine.fold import protected_quantity
from hydra.guard import attempt_foreign, shown
from hydra.model.market import AssetClass, asset_class_of
from hydra.model.money import to_increment
from hydra.model.orders import Cancel, OrderType, Purpose, Send, Side, Skip, TimeInForce
from hydra.model.portfolio import Halt, Holding
from hydra.model.snapshot import Snapshot
from hydra.policy import BotPolicy
from hydra.risk.plugs import RuleBook


@dataclass(slots=True, kw_only=True)
class Managed:
    """What managing the holdings came to."""

    sends: tuple[Send, ...] = ()
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
            if reason or _bare(holding, snapshot):
                result.skips += (Skip(subject=holding.key, code="exit_waits", reason=why_not),)
        elif reason is not None:
            result.sends += exit_order(holding, snapshot, drafts, reason)
        elif _bare(holding, snapshot):
            result.sends += (_protect(holding, snapshot, drafts),)
    return result


def exit_order(holding: Holding, snapshot: Snapshot, drafts: Drafts, reason: str) -> tuple[Send, ...]:
    """A market order that closes the holding, clipped to what the venue says is held.

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
    """Why nothing can be sent for this holding now, or ``None``: the venue, an order under way, or the session."""
    if not reachable:
        return "the venue does not answer"
    working = snapshot.ledger.working(bot=holding.bot, symbol=holding.symbol)
    pending = [o for o in working if o.status.unresolved or o.purpose is Purpose.EXIT]
    if pending:
        return f"{pending[0].purpose} {pending[0].client_id} is {pending[0].status}"
    sessions = snapshot.sight.sessions
    session = None if sessions is None else sessions.by_class.get(_class(holding))
    if session is None or not session.open:
        return f"the {_class(holding)} session is {'unknown' if session is None else session.phase}"
    return None


def _why_exit(holding: Holding, snapshot: Snapshot, book: RuleBook) -> tuple[str | None, str | None]:
    """(why the holding must go now, which exit failed to answer)."""
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


def _protect(holding: Holding, snapshot: Snapshot, drafts: Drafts) -> Send:
    """A stop for the whole holding, after whatever smaller one or target reserves its quantity is gone."""
    working = snapshot.ledger.working(bot=holding.bot, symbol=holding.symbol)
    release = tuple(
        Cancel(client_id=o.client_id, venue_id=o.venue_id, reason="makes way for a stop of the full size")
        for o in working
        if o.purpose in (Purpose.STOP, Purpose.TARGET) and o.venue_id
    )
    instrument = snapshot.sight.instruments.get(holding.symbol)
    increment = instrument.price_increment if instrument is not None else Decimal("0.01")
    order = drafts.order(
        bot=holding.bot,
        symbol=holding.symbol,
        side=_closing_side(holding),
        quantity=abs(holding.quantity),
        order_type=OrderType.STOP,
        purpose=Purpose.STOP,
        time_in_force=TimeInForce.GTC,
        stop=to_increment(holding.protection.stop, increment),
        thesis=f"protects {holding.entry}",
    )
    return Send(order=order, release=release)


def _closing_side(holding: Holding) -> Side:
    return Side.SELL if holding.quantity > 0 else Side.BUY


def _class(holding: Holding) -> AssetClass:
    return asset_class_of(holding.symbol)
