"""What looks after a holding: how much of it a stop or an exit covers, since when nothing does, and the best price it has seen,
which a stop that follows is measured from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from hydra.model.market import Bar, Quote
from hydra.model.money import ZERO
from hydra.model.orders import Order, Purpose
from hydra.model.portfolio import Holding, Ledger, by_owner, holding_key
from hydra.model.snapshot import Observed, Snapshot
from hydra.model.structures import Structure, structures_of
from hydra.model.values import replace

_EXIT_COVERS = timedelta(minutes=5)
"""So long a working exit stands in for the stop it has replaced."""


def watch_protection(ledger: Ledger, at: datetime) -> Ledger:
    """Note since when each holding has had neither a working stop of its full size nor an exit under way.

    A leg is protected by the others of its structure, as long as they bound what can be lost.
    """
    if not ledger.holdings:
        return ledger
    changed: dict[str, Holding] = {}
    at_work = by_owner(ledger.orders)
    unbounded: frozenset[str] | None = None
    for key, holding in ledger.holdings.items():
        if holding.structure:
            if unbounded is None:
                unbounded = _unbounded(structures_of(ledger))
            since = (holding.unprotected_since or at) if key in unbounded else None
        else:
            since = _bare_since(holding, at_work.get((holding.bot, holding.symbol), ()), at)
        if since != holding.unprotected_since:
            changed[key] = replace(holding, unprotected_since=since)
    return replace(ledger, holdings={**ledger.holdings, **changed}) if changed else ledger


def _unbounded(structures: tuple[Structure, ...]) -> frozenset[str]:
    """The keys of the legs that nothing bounds the loss of."""
    return frozenset(leg.key for one in structures if one.most_lost is None for leg in one.legs)


def left_of(holding: Holding, snapshot: Snapshot) -> Decimal:
    """How much of a holding there is to be closed: what its own exits have closed at the venue, unseen, is not closed again.

    News of an execution may be late, or lost. While the venue holds less of the symbol than the ledger, what it still holds may be
    another bot's. Where it holds as much, nothing is missing, whatever an old order says: a position is never trapped by one.
    """
    ledger, symbol = snapshot.ledger, holding.symbol
    held = at_venue(symbol, snapshot)
    ours = [one.quantity for one in ledger.holdings.values() if one.symbol == symbol]
    booked = sum(ours, ledger.foreign.get(symbol, ZERO))
    if (held - booked) * holding.quantity >= 0:
        return abs(holding.quantity)
    closed = sum(
        (
            _closed_by(order, symbol)
            for order in ledger.orders.values()
            if order.bot == holding.bot and order.purpose.reduces and order.venue_filled > order.filled
        ),
        ZERO,
    )
    return max(ZERO, abs(holding.quantity) - closed)


def at_venue(symbol: str, snapshot: Snapshot) -> Decimal:
    """How much of a symbol the venue says is held; below zero when it is owed."""
    for position in snapshot.sight.positions or ():
        if position.symbol == symbol:
            return position.quantity
    return ZERO


def _closed_by(order: Order, symbol: str) -> Decimal:
    """Units of a symbol that an order has filled at the venue, and whose fills are not seen."""
    if order.legs:
        mine = (order.venue_filled * leg.ratio - leg.filled for leg in order.legs if leg.symbol == symbol)
        return max(ZERO, sum(mine, ZERO))
    return order.venue_filled - order.filled if order.symbol == symbol else ZERO


def watch_one(ledger: Ledger, client_id: str, at: datetime) -> Ledger:
    """The same for the one holding that a word about one order can concern; legs depend on what is held alone."""
    order = ledger.orders.get(client_id)
    held = None if order is None else ledger.holdings.get(holding_key(order.bot, order.symbol))
    if held is None or held.structure:
        return ledger
    bot, symbol = held.bot, held.symbol
    mine = [o for o in ledger.orders.values() if o.symbol == symbol and o.bot == bot and not o.status.terminal]
    since = _bare_since(held, mine, at)
    if since == held.unprotected_since:
        return ledger
    return replace(ledger, holdings={**ledger.holdings, held.key: replace(held, unprotected_since=since)})


def _bare_since(holding: Holding, working: Sequence[Order], at: datetime) -> datetime | None:
    """Since when less than all of it is looked after: by a stop that is known to rest, or by an exit that is about to sell.

    An exit that does not get done covers nothing for long.
    """
    size, covered = abs(holding.quantity), under_stops(working)
    if covered < size:
        covered += sum([order.remaining for order in working if _is_about_to_sell(order, at)], ZERO)
    return None if covered >= size else holding.unprotected_since or at


def _is_about_to_sell(order: Order, at: datetime) -> bool:
    if order.purpose is not Purpose.EXIT or order.status.unresolved or order.sent_at is None:
        return False
    return at - order.sent_at < _EXIT_COVERS


def under_stops(working: Iterable[Order]) -> Decimal:
    """How much of what a bot holds of a symbol rests under stops that the venue is known to have; these are its orders that work."""
    covered = ZERO
    for order in working:
        if order.purpose is Purpose.STOP and not order.status.unresolved:
            covered += order.quantity - order.filled
    return covered


def protected_quantity(ledger: Ledger, bot: str, symbol: str) -> Decimal:
    """How much of a holding rests under a stop that the venue is known to have."""
    return under_stops(ledger.working(bot=bot, symbol=symbol))


def closer(holding: Holding, stop: Decimal) -> bool:
    """True when ``stop`` gives up less than the stop the holding has."""
    if holding.protection is None:
        return False
    return (stop - holding.protection.stop) * holding.quantity > 0


def note_best(ledger: Ledger, seen: Observed) -> Ledger:
    """The best price each holding has seen: what it could have been sold (a short: bought back) at, and what was traded."""
    mine = {held.symbol for held in ledger.holdings.values() if not held.structure} if ledger.holdings else None
    if not mine:
        return ledger
    quotes = {quote.symbol: quote for quote in seen.quotes if quote.symbol in mine}
    bars = [bar for bar in seen.bars if bar.symbol in mine]
    if not quotes and not bars:
        return ledger
    changed: dict[str, Holding] = {}
    for key, held in ledger.holdings.items():
        best = held.best if held.structure else _best(held, quotes.get(held.symbol), bars)
        if best is not held.best:
            changed[key] = replace(held, best=best)
    return replace(ledger, holdings={**ledger.holdings, **changed}) if changed else ledger


def _best(held: Holding, quote: Quote | None, bars: Iterable[Bar]) -> Decimal | None:
    """The best price with one look more; the very same as before where that shows no better one."""
    best, symbol, since, long = held.best, held.symbol, held.opened_at, held.quantity > 0
    prices = [bar.high if long else bar.low for bar in bars if bar.symbol == symbol and bar.at >= since]
    if quote is not None:
        prices.append(quote.bid if long else quote.ask)
    for price in prices:
        if best is None or (price > best if long else price < best):
            best = price
    return best


def note_extremes(ledger: Ledger, best: Mapping[str, Decimal]) -> Ledger:
    """The same of bars that were passed over: the best price on the way, by the holding's key."""
    changed: dict[str, Holding] = {}
    for key, price in best.items():
        held = ledger.holdings[key]
        if held.best is None or (price - held.best) * held.quantity > 0:
            changed[key] = replace(held, best=price)
    return replace(ledger, holdings={**ledger.holdings, **changed}) if changed else ledger
