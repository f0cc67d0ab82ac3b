"""Do the ledger and the venue agree? What they do not agree on is a residual, and a residual bars entries.

Positions are compared by symbol: the bots' holdings plus the foreign baseline must be exactly what the venue holds. What is
owed counts down, and the legs of a structure are holdings like any other: one bot may owe what another holds. Open
orders are compared by client id, foreign ones by the venue's. Cash is compared with what fills and activities explain, within a
tolerance in dollars; the fees that sales may still be charged widen it to one side.

What is not ours an operator may accept (``acceptance``): from then on it is the baseline.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum

from hydra.model.events import ForeignAccepted
from hydra.model.money import ZERO, plain
from hydra.model.orders import Order, VenueOrder
from hydra.model.portfolio import Holding, Ledger
from hydra.model.same import kept
from hydra.model.snapshot import Sight
from hydra.model.values import Value


class Subject(StrEnum):
    """What ledger and venue can differ on. ORDER_GONE is an order of ours that is not open there."""

    UNKNOWN = "unknown"
    POSITION = "position"
    FOREIGN_ORDER = "foreign_order"
    ORDER_GONE = "order_gone"
    CASH = "cash"


class Difference(Value, frozen=True, kw_only=True):
    """One residual. ``name`` is the symbol or the client id; ``ours`` and ``theirs`` are units, or dollars of cash."""

    subject: Subject
    text: str
    name: str = ""
    ours: Decimal = ZERO
    theirs: Decimal = ZERO


def residuals(ledger: Ledger, sight: Sight, cash_tolerance: Decimal) -> tuple[str, ...]:
    """Everything on which ledger and venue differ, in words with numbers. Unknown is a difference."""
    found = differences(ledger, sight, cash_tolerance)
    return tuple([difference.text for difference in found]) if found else ()


def differences(ledger: Ledger, sight: Sight, cash_tolerance: Decimal) -> tuple[Difference, ...]:
    """The same, to be told apart."""
    if sight.positions is None or sight.open_orders is None or sight.account is None:
        return (Difference(subject=Subject.UNKNOWN, text="the venue's positions, open orders or account are unknown"),)
    return (*_positions(ledger, sight), *_orders(ledger, sight), *_cash(ledger, sight, cash_tolerance))


def _positions(ledger: Ledger, sight: Sight) -> list[Difference]:
    if not (ledger.foreign or ledger.holdings or sight.positions):
        return []
    ours: dict[str, Decimal] = dict(ledger.foreign)
    for holding in ledger.holdings.values():
        ours[holding.symbol] = ours.get(holding.symbol, ZERO) + holding.quantity
    theirs = {position.symbol: position.quantity for position in sight.positions or ()}
    found: list[Difference] = []
    if ours == theirs:
        return found
    for symbol in sorted(ours.keys() | theirs.keys()):
        here, there = ours.get(symbol, ZERO), theirs.get(symbol, ZERO)
        if here != there:
            text = f"{symbol}: ledger holds {plain(here)}, venue holds {plain(there)}"
            found.append(Difference(subject=Subject.POSITION, text=text, name=symbol, ours=here, theirs=there))
    return found


def _orders(ledger: Ledger, sight: Sight) -> tuple[Difference, ...]:
    if not sight.open_orders and not ledger.orders:
        return ()
    return _orders_between(ledger.orders, ledger.foreign_orders, sight.open_orders or ())


@kept
def _orders_between(
    ours: Mapping[str, Order], foreign: tuple[str, ...], open_orders: tuple[VenueOrder, ...]
) -> tuple[Difference, ...]:
    theirs = {order.client_id: order for order in open_orders}
    found = [
        Difference(
            subject=Subject.FOREIGN_ORDER,
            text=f"the venue has an open order {client_id} ({order.side} {plain(order.quantity)} {order.symbol}) "
            f"that is not ours",
            name=client_id,
            theirs=order.quantity,
        )
        for client_id, order in theirs.items()
        if client_id not in ours and order.venue_id not in foreign
    ]
    found += [
        Difference(
            subject=Subject.ORDER_GONE,
            text=f"order {order.client_id} is {order.status} here and not open at the venue",
            name=order.client_id,
            ours=order.quantity,
        )
        for order in ours.values()
        if not order.status.terminal and not order.status.unresolved and order.client_id not in theirs
    ]
    return tuple(found)


def _cash(ledger: Ledger, sight: Sight, tolerance: Decimal) -> list[Difference]:
    if ledger.cash is None or sight.account is None:
        return [Difference(subject=Subject.UNKNOWN, text="the account was never taken into the ledger")]
    difference = sight.account.cash - ledger.cash
    coming = sum([unposted.amount for unposted in ledger.unposted], ZERO) if ledger.unposted else ZERO
    if -tolerance - coming <= difference <= tolerance:
        return []
    fees = f", fees of at most {plain(coming)} still to be told of" if coming else ""
    text = (
        f"cash {plain(sight.account.cash)} at the venue, {plain(ledger.cash)} explained by fills and activities, "
        f"difference {plain(difference)} above tolerance {plain(tolerance)}{fees}"
    )
    return [Difference(subject=Subject.CASH, text=text, ours=ledger.cash, theirs=sight.account.cash)]


_READ = ("account", "positions", "open_orders", "fills", "activities")
"""What is accepted is what these say together."""


def acceptance(ledger: Ledger, sight: Sight, by: str, reason: str) -> ForeignAccepted | str:
    """What accepting the venue's account as it is now would come to; a text: why nothing can be accepted now.

    Of a symbol of which the venue has less than the bots hold, the holdings give up what is missing, the last one first;
    everything else is foreign.
    """
    if sight.positions is None or sight.open_orders is None or sight.account is None or ledger.cash is None:
        return "the venue's positions, open orders or account are unknown"
    unread = [name for name in _READ if name in sight.missing]
    if unread:
        return f"not read just now: {', '.join(unread)}; what they have to tell would be booked on top of it"
    if ledger.unresolved:
        return "outcome unknown: " + ", ".join(order.client_id for order in ledger.unresolved)
    theirs = {position.symbol: position.quantity for position in sight.positions}
    foreign: dict[str, Decimal] = {}
    given_up: dict[str, Decimal] = {}
    for symbol in sorted(theirs.keys() | {held.symbol for held in ledger.holdings.values()}):
        mine = [held for held in ledger.holdings.values() if held.symbol == symbol]
        ours, there = sum((held.quantity for held in mine), ZERO), theirs.get(symbol, ZERO)
        kept = min(abs(ours), max(ZERO, there * (1 if ours >= 0 else -1))).copy_sign(ours)
        _give_up(mine, ours - kept, given_up)
        if there != kept:
            foreign[symbol] = there - kept
    orders = tuple(order.venue_id for order in sight.open_orders if order.client_id not in ledger.orders)
    cash = sight.account.cash
    return ForeignAccepted(
        by=by,
        reason=reason,
        cash=cash,
        foreign=foreign,
        foreign_orders=orders,
        given_up=given_up,
        equity=sight.account.equity,
        notes=_accepted_notes(ledger, sight, foreign, given_up),
    )


def _give_up(holdings: list[Holding], missing: Decimal, given_up: dict[str, Decimal]) -> None:
    """Take what is missing off holdings that point the same way: one bot may owe a contract that another holds."""
    for held in reversed(holdings):
        if missing * held.quantity <= 0:
            continue
        part = min(abs(missing), abs(held.quantity)).copy_sign(held.quantity)
        given_up[held.key] = part
        missing -= part


def _accepted_notes(
    ledger: Ledger, sight: Sight, foreign: Mapping[str, Decimal], given_up: Mapping[str, Decimal]
) -> tuple[str, ...]:
    """What changes with it, one line each."""
    told = [
        f"{symbol}: foreign {plain(foreign.get(symbol, ZERO))}, was {plain(ledger.foreign.get(symbol, ZERO))}"
        for symbol in sorted(foreign.keys() | ledger.foreign.keys())
        if foreign.get(symbol, ZERO) != ledger.foreign.get(symbol, ZERO)
    ]
    told += [f"{key}: {plain(quantity)} of it are gone and written off" for key, quantity in given_up.items()]
    told += [
        f"open order {order.client_id or order.venue_id} ({order.side} {plain(order.quantity)} {order.symbol}) is foreign"
        for order in sight.open_orders or ()
        if order.client_id not in ledger.orders and order.venue_id not in ledger.foreign_orders
    ]
    assert sight.account is not None
    if sight.account.cash != ledger.cash:
        told.append(f"cash {plain(sight.account.cash)}, was {plain(ledger.cash or ZERO)}")
    return tuple(told)
