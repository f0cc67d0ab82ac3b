"""What looks after a holding: how much of it a stop or an exit covers, since when nothing does, and the best price it has seen,
which a stop that follows is measured from.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from hydra.model.money import ZERO
from hydra.model.orders import Order, Purpose
from hydra.model.portfolio import Holding, Ledger, holding_key
from hydra.model.snapshot import Observed, Snapshot
from hydra.model.structures import structures_of
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
    unbounded = {
        leg.key for structure in structures_of(ledger) if structure.most_lost is None for leg in structure.legs
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


def left_of(holding: Holding, snapshot: Snapshot) -> Decimal:
    """How much of a holding there is to be closed: what its own exits have closed at the venue, unseen, is not closed again.

    News of an execution may be late, or lost. While the venue holds less of the symbol than the ledger, what it still holds may be
    another bot's. Where it holds as much, nothing is missing, whatever an old order says: a position is never trapped by one.
    """
    ledger, symbol = snapshot.ledger, holding.symbol
    held = next((position.quantity for position in snapshot.sight.positions or () if position.symbol == symbol), ZERO)
    ours = (one.quantity for one in ledger.holdings.values() if one.symbol == symbol)
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
    mine = tuple(
        o for o in ledger.orders.values() if o.bot == held.bot and o.symbol == held.symbol and not o.status.terminal
    )
    since = _bare_since(held, mine, at)
    if since == held.unprotected_since:
        return ledger
    return replace(ledger, holdings={**ledger.holdings, held.key: replace(held, unprotected_since=since)})


def _bare_since(holding: Holding, working: tuple[Order, ...], at: datetime) -> datetime | None:
    covered = sum([_covers(order, at) for order in working], ZERO)
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
    return sum([o.remaining for o in working if o.purpose is Purpose.STOP and not o.status.unresolved], ZERO)


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


def note_extremes(ledger: Ledger, best: Mapping[str, Decimal]) -> Ledger:
    """The same of bars that were passed over: the best price on the way, by the holding's key."""
    changed: dict[str, Holding] = {}
    for key, price in best.items():
        held = ledger.holdings[key]
        if held.best is None or (price - held.best) * held.quantity > 0:
            changed[key] = replace(held, best=price)
    return replace(ledger, holdings={**ledger.holdings, **changed}) if changed else ledger
