"""Taking orders back and replacing them, at once or after the venue's latency.

With latency a request is taken, the order goes to a pending state, and goes on working: it may fill before the request is
carried out, which then fails and is told of. Without latency the pending state is passed through and told of all the same.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from hydra.adapters.exchange import tickets
from hydra.adapters.exchange.account_checks import could_meet
from hydra.adapters.exchange.admission import blocked
from hydra.adapters.exchange.desk import Desk
from hydra.adapters.exchange.model import News, Pending, Ticket, VenueSettings
from hydra.adapters.exchange.order_checks import price_step
from hydra.adapters.exchange.pit import Pit
from hydra.adapters.exchange.prices import Prices
from hydra.adapters.exchange.spreads import Spreads
from hydra.adapters.exchange.terms import Amendment, No, OrderClass, Rejection, Role, Status, refuse
from hydra.model.market import AssetClass, asset_class_of
from hydra.model.money import ZERO, plain
from hydra.model.orders import OrderType, TimeInForce
from hydra.model.values import replace

_PENDING = {Status.PENDING_CANCEL: News.PENDING_CANCEL, Status.PENDING_REPLACE: News.PENDING_REPLACE}
_LIMITED = (OrderType.LIMIT, OrderType.STOP_LIMIT)
_PERCENT_MAX = Decimal(100)
_STOPPED = (OrderType.STOP, OrderType.STOP_LIMIT)


class Changes:
    """Requests that change an order which is there."""

    def __init__(self, desk: Desk, prices: Prices, pit: Pit, spreads: Spreads, settings: VenueSettings) -> None:
        self._desk = desk
        self._prices = prices
        self._pit = pit
        self._spreads = spreads
        self._settings = settings
        self._latency = timedelta(milliseconds=settings.latency_ms)

    def withdraw(self, venue_id: str) -> Ticket | Rejection:
        """Take an open order back, with the group that hangs on it."""
        ticket = self._changeable(venue_id)
        if isinstance(ticket, Rejection):
            return ticket
        return self._begin(ticket, Status.PENDING_CANCEL, None)

    def amend(self, venue_id: str, amendment: Amendment) -> Ticket | Rejection:
        """Replace an open order. The answer is the new order, or the old one while it is pending."""
        ticket = self._changeable(venue_id)
        if isinstance(ticket, Rejection):
            return ticket
        no = blocked(self._desk.account) or self._pit.taken(amendment.client_id) or self._unfit(ticket, amendment)
        return self._begin(ticket, Status.PENDING_REPLACE, amendment) if no is None else no

    def next_due(self) -> datetime | None:
        """When the next pending request is carried out."""
        return min((t.pending.due for t in self._desk.pending.values() if t.pending is not None), default=None)

    def carry_out(self) -> None:
        """Carry out every pending request whose time has come."""
        now = self._prices.now
        due = [t for t in self._desk.pending.values() if t.pending is not None and t.pending.due <= now]
        for ticket in sorted(due, key=lambda each: (each.pending.due if each.pending else now, each.number)):
            current = self._desk.open.get(ticket.client_id)
            if current is not None and current.pending is not None:
                self._carry_out(current, current.pending)

    def _changeable(self, venue_id: str) -> Ticket | Rejection:
        ticket = self._desk.by_venue_id(venue_id)
        if ticket is None:
            return refuse(f"there is no order {venue_id}", No.NOT_FOUND)
        if ticket.status.done:
            return Rejection(kind=No.NOT_OPEN, reason=f"order {venue_id} is already {ticket.status}", order=venue_id)
        if ticket.pending is not None:
            return Rejection(kind=No.NOT_OPEN, reason=f"order {venue_id} is {ticket.status}", order=venue_id)
        if ticket.role is Role.LEG:
            reason = f"order {venue_id} is a leg of {ticket.parent} and changes only with it"
            return Rejection(kind=No.NOT_OPEN, reason=reason, order=venue_id)
        return ticket

    def _begin(self, ticket: Ticket, status: Status, amendment: Amendment | None) -> Ticket | Rejection:
        now = self._prices.now
        pending = Pending(due=now + self._latency, before=ticket.status, amendment=amendment)
        if self._latency:
            return self._desk.mark(ticket, status, now, pending=pending)
        # Nobody can see the order between here and what comes of it, so that it was pending is told of and not kept.
        ticket = replace(ticket, pending=pending, status=status, updated_at=now)
        self._desk.tell(_PENDING[status], now, ticket)
        return self._carry_out(ticket, pending)

    def _carry_out(self, ticket: Ticket, pending: Pending) -> Ticket | Rejection:
        if pending.amendment is None:
            return self._pit.end(ticket, Status.CANCELED, self._prices.now, "canceled on request")
        return self._replace(ticket, pending, pending.amendment)

    def _replace(self, old: Ticket, pending: Pending, amendment: Amendment) -> Ticket | Rejection:
        now = self._prices.now
        no = self._unfit(old, amendment) or self._pit.taken(amendment.client_id)
        new: Ticket | None = None
        if no is None:
            new = tickets.replacement(old, amendment, self._arrival(old, amendment))
            hold = self._hold(old, new)
            no = self._pit.affordable(old.symbol, hold, old.reserved)
            new = replace(new, reserved=hold or ZERO)
        if no is not None or new is None:
            assert no is not None
            status = Status.PARTIALLY_FILLED if old.filled else pending.before
            kept = self._desk.put(replace(old, status=status, pending=None, updated_at=now))
            self._desk.tell(News.ORDER_REPLACE_REJECTED, now, kept)
            return no
        return self._swap(old, new)

    def _swap(self, old: Ticket, new: Ticket) -> Ticket:
        """Put the new order in the old one's place: in its group, with its exits, with its legs."""
        desk, now = self._desk, self._prices.now
        hanging = desk.legs(old.client_id)
        desk.mark(replace(old, replaced_by=new.venue_id), Status.REPLACED, now)
        desk.put(new)
        for leg in hanging:
            if not leg.status.done:
                quantity = leg.quantity
                if new.order_class is OrderClass.MLEG:
                    quantity = leg.filled + new.quantity * (leg.ratio or 1)
                elif not leg.working:
                    quantity = self._pit.bought(new) + new.quantity
                desk.put(replace(leg, parent=new.client_id, quantity=quantity, updated_at=now))
        for sibling in desk.siblings(new) if new.working else ():
            if sibling.quantity - sibling.filled != new.quantity:
                desk.put(replace(sibling, quantity=sibling.filled + new.quantity, updated_at=now))
        desk.tell(News.NEW if new.status is not Status.HELD else News.HELD, now, new)
        if new.order_class is OrderClass.MLEG:
            self._spreads.trade_now(new)
        else:
            self._pit.trade_now(new)
        return desk.orders[new.client_id]

    def _arrival(self, old: Ticket, amendment: Amendment) -> tickets.Arrival:
        force = amendment.time_in_force or old.time_in_force
        symbol = old.symbol or self._desk.legs(old.client_id)[0].symbol
        ends = self._pit.ends_at(symbol, force, extended=old.extended_hours)
        return tickets.Arrival(
            account_id=self._desk.account.account_id,
            number=self._desk.next_number,
            at=self._prices.now,
            expires_at=ends,
            open=old.status is not Status.ACCEPTED
            and (old.pending is None or old.pending.before is not Status.ACCEPTED),
        )

    def _hold(self, old: Ticket, new: Ticket) -> Decimal | None:
        if new.order_class is OrderClass.MLEG:
            return self._spreads.hold(new, self._desk.legs(old.client_id), old.client_id)
        return self._pit.money.hold(new, old.client_id)

    def _unfit(self, ticket: Ticket, amendment: Amendment) -> Rejection | None:
        """What of an amendment does not go with the order."""
        return (
            _shape(ticket, amendment)
            or _fits_its_group(ticket, amendment)
            or self._size(ticket, amendment)
            or self._price(ticket, amendment)
            or self._wash_trade(ticket, amendment)
        )

    def _wash_trade(self, ticket: Ticket, amendment: Amendment) -> Rejection | None:
        """A limit may not be moved to where the order could trade with another one of the account."""
        simple = ticket.symbol and ticket.order_class is OrderClass.SIMPLE
        if not self._settings.wash_trade_protection or not simple or amendment.limit is None:
            return None
        moved = replace(ticket, limit=amendment.limit)
        for other in self._pit.opposite(ticket.symbol, ticket.side):
            if other.role is Role.ALONE and could_meet(moved, other):
                reason = "potential wash trade detected. use complex orders"
                figures = {"reject_reason": f"opposite side {other.order_type} order exists"}
                return Rejection(kind=No.WASH_TRADE, reason=reason, figures=figures, order=other.venue_id)
        return None

    def _size(self, ticket: Ticket, amendment: Amendment) -> Rejection | None:
        quantity = amendment.quantity
        if quantity is None:
            return None
        fraction = quantity % 1 != 0 and (not ticket.symbol or asset_class_of(ticket.symbol) is not AssetClass.CRYPTO)
        if fraction:
            return refuse(f"replacement quantities are whole numbers, got {plain(quantity)}")
        if ticket.symbol:
            increment = self._desk.instruments[ticket.symbol].quantity_increment
            if quantity % increment != 0:
                return refuse(f"quantity {plain(quantity)} of {ticket.symbol} is not a multiple of {plain(increment)}")
        if quantity <= ticket.filled:
            return refuse(f"quantity {plain(quantity)} is not above what has filled, {plain(ticket.filled)}")
        covers = self._covers(ticket)
        if covers is not None and quantity > covers:
            return refuse(f"{plain(covers)} of {ticket.parent} is left to exit, got {plain(quantity)}")
        wanted = quantity - ticket.filled
        if ticket.symbol:
            return self._owned(ticket, wanted) if ticket.working else None
        legs = self._desk.legs(ticket.client_id)
        return next(filter(None, (self._owned(leg, wanted * (leg.ratio or 1)) for leg in legs)), None)

    def _covers(self, ticket: Ticket) -> Decimal | None:
        """How much an exit may be for: what its entry filled, less what other exits of it did; ``None`` for other orders."""
        entry = self._desk.orders.get(ticket.parent)
        if entry is None or entry.role is not Role.ENTRY:
            return None
        gone = sum((leg.filled for leg in self._desk.legs(entry.client_id)), ZERO) - ticket.filled
        return self._pit.bought(entry) - gone

    def _owned(self, ticket: Ticket, wanted: Decimal) -> Rejection | None:
        """Why an order to close cannot grow to what is wanted; what it reserves itself is its own."""
        if ticket.position_intent is None or ticket.position_intent.opens:
            return None
        owned, held = abs(self._desk.owned(ticket.symbol)), self._desk.held(ticket.symbol) - ticket.remaining
        available = self._pit.money.backing.available(ticket.symbol) + ticket.remaining
        if wanted <= available:
            return None
        return refuse(
            f"insufficient qty available for {ticket.symbol}: requested {plain(wanted)}, available {plain(available)}, "
            f"held_for_orders {plain(held)}, position {plain(owned)}",
            No.INSUFFICIENT_QUANTITY,
            symbol=ticket.symbol,
            available=available,
            existing_qty=owned,
            held_for_orders=held,
        )

    def _price(self, ticket: Ticket, amendment: Amendment) -> Rejection | None:
        for name, price in (("limit", amendment.limit), ("stop", amendment.stop), ("trail", amendment.trail)):
            if price is None or (name == "trail" and ticket.trail_price is None):
                continue
            increment = Decimal("0.01")
            if ticket.symbol:
                increment = price_step(self._desk.instruments[ticket.symbol], self._settings, price)
            if price % increment != 0:
                return refuse(f"{name} {plain(price)} is not a multiple of {plain(increment)}")
        return None


def _fits_its_group(ticket: Ticket, amendment: Amendment) -> Rejection | None:
    """An exit that waits protects what its entry fills, and a part of a share is traded in day orders only."""
    waits = ticket.role in (Role.STOP_LOSS, Role.TAKE_PROFIT) and not ticket.working
    if waits and amendment.quantity is not None:
        return refuse(f"the quantity of {ticket.client_id} follows its entry {ticket.parent}, which has not filled")
    fraction = bool(ticket.symbol) and ticket.quantity % 1 != 0 and asset_class_of(ticket.symbol) is AssetClass.EQUITY
    if fraction and amendment.time_in_force not in (None, TimeInForce.DAY):
        return refuse(f"fractional orders must be DAY orders, got {amendment.time_in_force}")
    return None


def _shape(ticket: Ticket, amendment: Amendment) -> Rejection | None:
    given = (amendment.quantity, amendment.time_in_force, amendment.limit, amendment.stop, amendment.trail)
    if all(each is None for each in given):
        return refuse("nothing to replace: give qty, time_in_force, limit_price, stop_price or trail")
    if ticket.notional is not None:
        return refuse("an order by notional cannot be replaced; cancel it and send another")
    for name, price, allowed in (
        ("limit", amendment.limit, ticket.order_type in _LIMITED),
        ("stop", amendment.stop, ticket.order_type in _STOPPED),
        ("trail", amendment.trail, ticket.order_type is OrderType.TRAILING_STOP),
    ):
        if price is not None and not allowed:
            return refuse(f"a {ticket.order_type} order has no {name} price to replace")
    if amendment.limit is not None and amendment.limit <= 0 and ticket.symbol:
        return refuse(f"the limit price must be above 0, got {plain(amendment.limit)}")
    if amendment.trail is not None and ticket.trail_percent is not None and amendment.trail >= _PERCENT_MAX:
        return refuse(f"a trail in percent must be below 100, got {plain(amendment.trail)}")
    forces = (TimeInForce.DAY, TimeInForce.GTC) if ticket.symbol else (TimeInForce.DAY,)
    crypto = bool(ticket.symbol) and asset_class_of(ticket.symbol) is AssetClass.CRYPTO
    if amendment.time_in_force is not None and amendment.time_in_force not in (
        (TimeInForce.GTC,) if crypto else forces
    ):
        return refuse(f"time in force cannot be replaced by {amendment.time_in_force} here")
    return None
