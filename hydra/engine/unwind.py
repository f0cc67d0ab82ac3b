"""Structures are closed here: every leg that is owed and every leg somebody bids for, in one order at the market.

What is owed is never left behind what is sold: a leg that cannot be bought back (it has no ask) keeps the whole structure
waiting. A leg that is held and that nobody bids for is worth nothing and can lose nothing more: it is left to expire.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from math import gcd

from hydra.engine.drafts import Drafts
from hydra.engine.protection import left_of
from hydra.guard import ask_until_one_speaks, shown, told
from hydra.model.market import AssetClass
from hydra.model.money import ZERO, plain
from hydra.model.orders import Cancel, Leg, OrderType, Purpose, Send, Side, Skip, TimeInForce
from hydra.model.portfolio import FLATTEN_ALL, Holding, Ledger
from hydra.model.snapshot import Failure, Snapshot
from hydra.model.structures import Structure, structures_of
from hydra.risk.plugs import RuleBook

_REFUSED_WAIT_CYCLES = 5
"""After a refused exit the next one waits so many cycles: what was refused is not asked for in every one of them."""


@dataclass(slots=True, kw_only=True)
class Unwound:
    """What looking after the structures came to; ``failures`` are exits that did not answer."""

    sends: tuple[Send, ...] = ()
    skips: tuple[Skip, ...] = ()
    failures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """An order that closes a structure, before it has an identity."""

    structure: Structure
    legs: tuple[Leg, ...]
    quantity: Decimal
    side: Side
    release: tuple[Cancel, ...]

    def send(self, drafts: Drafts, cause: str, reason: str) -> Send:
        """The order, at the market."""
        order = drafts.order(
            bot=self.structure.bot,
            symbol=self.structure.underlying,
            purpose=Purpose.EXIT,
            side=self.side,
            quantity=self.quantity,
            order_type=OrderType.MARKET,
            time_in_force=TimeInForce.DAY,
            legs=self.legs,
            thesis=reason,
            cause=cause,
        )
        return Send(order=order, release=self.release)


def unwind(snapshot: Snapshot, book: RuleBook, drafts: Drafts, *, reachable: bool) -> Unwound:
    """Exits for every structure, in the ledger's order."""
    result = Unwound()
    for structure in structures_of(snapshot.ledger):
        cause, reason, failure = _why_exit(structure, snapshot, book)
        if failure:
            result.failures += (failure,)
        if not reason:
            continue
        closing = close(structure, snapshot, drafts, reachable=reachable)
        if isinstance(closing, str):
            subject = f"{structure.bot}|{structure.underlying}"
            result.skips += (Skip(subject=subject, code="exit_waits", reason=closing),)
        else:
            result.sends += (closing.send(drafts, cause, reason),)
    return result


def close(structure: Structure, snapshot: Snapshot, drafts: Drafts, *, reachable: bool) -> Closing | str:
    """The order that closes the structure, or why there can be none now."""
    why_not = _why_not_now(structure, snapshot, reachable=reachable)
    if why_not is not None:
        return why_not
    chain = snapshot.sight.chains.get(structure.underlying, {})
    going: dict[Holding, Decimal] = {}
    for held in structure.legs:
        quote = chain.get(held.symbol)
        price = None if quote is None else quote.bid if held.quantity > 0 else quote.ask
        if price is not None:
            going[held] = price
        elif held.quantity < 0:
            return f"nobody offers {held.symbol}, of which {plain(held.quantity)} is owed"
    if not going:
        return "nobody bids for what is left of it: it is worth nothing, and is left to expire"
    return _closing(structure, snapshot, drafts, going)


def _closing(structure: Structure, snapshot: Snapshot, drafts: Drafts, going: dict[Holding, Decimal]) -> Closing | str:
    closable = {held: drafts.closable(held.symbol, left_of(held, snapshot)) for held in going}
    short = [held for held, quantity in closable.items() if quantity != abs(held.quantity)]
    if short:
        for held, quantity in closable.items():
            drafts.give_back(held.symbol, quantity)
        told = (
            f"{h.symbol}: the ledger holds {plain(h.quantity)}, the venue {plain(closable[h])} to close" for h in short
        )
        return "; ".join(told)
    units = gcd(*(int(quantity) for quantity in closable.values()))
    legs = tuple(
        Leg(
            symbol=held.symbol,
            side=Side.SELL if held.quantity > 0 else Side.BUY,
            ratio=int(quantity) // units,
            opens=False,
        )
        for held, quantity in closable.items()
    )
    cost = sum((-going[held] * held.quantity for held in going), ZERO)
    working = snapshot.ledger.working(bot=structure.bot, symbol=structure.underlying)
    release = tuple(
        Cancel(client_id=o.client_id, venue_id=o.venue_id, reason="makes way for the exit of its structure")
        for o in working
        if o.purpose is Purpose.ENTRY and o.legs and o.venue_id
    )
    return Closing(
        structure=structure,
        legs=legs,
        quantity=Decimal(units),
        side=Side.BUY if cost > 0 else Side.SELL,
        release=release,
    )


def _why_not_now(structure: Structure, snapshot: Snapshot, *, reachable: bool) -> str | None:
    if not reachable:
        return "the venue does not answer"
    working = snapshot.ledger.working(bot=structure.bot, symbol=structure.underlying)
    pending = [o for o in working if o.legs and (o.status.unresolved or o.purpose is Purpose.EXIT)]
    if pending:
        return f"{pending[0].purpose} {pending[0].client_id} is {pending[0].status}"
    refused = max(leg.exit_refused for leg in structure.legs)
    if refused > 0 and snapshot.cycle - refused < _REFUSED_WAIT_CYCLES:
        return f"the venue refused its exit in cycle {refused}; asked for again {_REFUSED_WAIT_CYCLES} cycles later"
    sessions = snapshot.sight.sessions
    session = None if sessions is None else sessions.by_class.get(AssetClass.OPTION)
    if session is None or not session.open:
        return f"the option session is {'unknown' if session is None else session.phase}"
    return None


def _all_seen(structure: Structure, ledger: Ledger) -> bool:
    """False while fills of its entry may still be on their way: what is missing of it may have been bought."""
    entry = ledger.orders.get(structure.entry)
    return entry is None or (entry.status.terminal and entry.filled >= entry.venue_filled)


def why_flat(ledger: Ledger, bot: str) -> str:
    """Why everything of the bot is to be closed; empty when it is not."""
    if bot not in ledger.flatten and FLATTEN_ALL not in ledger.flatten:
        return ""
    halt = next((halt for halt in ledger.halts if halt.flatten), None)
    return "flatten: an operator asked for it" if halt is None else f"flatten: the halt {halt.kind} closes everything"


def _why_exit(structure: Structure, snapshot: Snapshot, book: RuleBook) -> tuple[str, str, str]:
    """(name of the exit, why the structure must go now, which exit failed to answer); empty where there is nothing."""
    flat = why_flat(snapshot.ledger, structure.bot)
    if flat:
        return "flatten", flat, ""
    leaving = next((leg for leg in structure.legs if leg.leaving), None)
    if leaving is not None:
        return leaving.cause, leaving.leaving, ""
    if structure.most_lost is None and _all_seen(structure, snapshot.ledger):
        return "unbounded", "unbounded: nothing bounds what is left of it", ""
    bot = book.bots.get(structure.bot)
    if bot is None:
        return "no_bot", f"no bot {structure.bot} is in the policy any more", ""
    failure, exits, policy = "", iter(book.option_exits.items()), book.policy
    while (heard := ask_until_one_speaks(exits, structure, snapshot, policy, bot)) is not None:
        name, answer = heard
        if type(answer) is Failure:
            failure = failure or f"option exit {name} failed: {answer.kind}: {answer.reason}"
        elif type(answer) is str and answer:
            return name, f"{name}: {told(answer)}", failure
        else:
            failure = failure or f"option exit {name} answered with {shown(answer)}"
    return "", "", failure
