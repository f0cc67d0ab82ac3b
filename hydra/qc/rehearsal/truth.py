"""What is so, by the exchange's own books: who holds what since when and at what cost, what works, what there is in cash.

An execution belongs to the bot whose order (or whose order's leg) it filled; nothing here is read from the ledger.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from hydra.adapters.exchange.model import Activity, ActivityKind, Execution, Ticket
from hydra.adapters.exchange.terms import Role
from hydra.adapters.exchange.venue import SimulatedVenue
from hydra.model.market import AssetClass, Quote, asset_class_of
from hydra.model.orders import Order, OrderType, Purpose
from hydra.model.snapshot import Sessions
from hydra.model.values import Value, replace

ZERO = Decimal(0)
_COUNTED_AT_THE_FILL = frozenset({ActivityKind.FEE, ActivityKind.CRYPTO_FEE, ActivityKind.DIVIDEND})


class Lot(Value, frozen=True, kw_only=True):
    """What a bot holds of a symbol: signed quantity, average cost a unit, since when, and the entry that began it."""

    bot: str
    symbol: str
    quantity: Decimal
    price: Decimal
    opened_at: datetime
    entry: str
    structure: bool


class Now(Value, frozen=True, kw_only=True):
    """One look at the exchange."""

    at: datetime
    cash: Decimal
    equity: Decimal
    buying_power: Decimal
    positions: Mapping[str, Decimal]
    lots: Mapping[tuple[str, str], Lot]
    working: tuple[Ticket, ...]
    quotes: Mapping[str, Quote]
    sessions: Sessions


@dataclass(slots=True)
class Truth:
    """The books of a voyage. ``orders`` are those that reached the broker's door, by client id."""

    venue: SimulatedVenue
    orders: dict[str, Order] = field(default_factory=dict)
    lots: dict[tuple[str, str], Lot] = field(default_factory=dict)
    stopped: dict[tuple[str, str], datetime] = field(default_factory=dict)
    turned: list[str] = field(default_factory=list)
    strange: list[str] = field(default_factory=list)
    fills: int = 0
    happened: int = 0

    def look(self) -> Now:
        """Take in what happened since the last look."""
        venue = self.venue
        for execution in venue.executions(self.fills):
            self._fill(execution)
            self.fills = execution.number
        for activity in venue.activities(self.happened):
            self._happen(activity)
            self.happened = activity.number
        figures = venue.figures()
        return Now(
            at=venue.now,
            cash=venue.state().cash,
            equity=figures.equity,
            buying_power=figures.buying_power,
            positions={position.symbol: position.quantity for position in venue.positions()},
            lots=dict(self.lots),
            working=tuple(venue.working()),
            quotes=venue.quotes(),
            sessions=venue.calendar.sessions(venue.now),
        )

    def order_of(self, client_id: str) -> Order | None:
        """The sent order a ticket or an execution belongs to: itself, or the one it is a leg of."""
        if client_id in self.orders:
            return self.orders[client_id]
        ticket = self.venue.ticket_named(client_id)
        return None if ticket is None or not ticket.parent else self.orders.get(ticket.parent)

    def protected(self, lot: Lot, working: tuple[Ticket, ...]) -> Decimal:
        """How much of a lot working stops cover, and orders that close it."""
        covered: dict[str, Decimal] = {}
        for ticket in working:
            order = self.order_of(ticket.client_id)
            if order is None or order.bot != lot.bot or ticket.symbol != lot.symbol or not ticket.working:
                continue
            if ticket.side.sign * lot.quantity > 0 or ticket.role is Role.TAKE_PROFIT:
                continue
            stops = ticket.order_type in (OrderType.STOP, OrderType.STOP_LIMIT)
            if stops or order.purpose is Purpose.EXIT:
                covered[ticket.group] = max(covered.get(ticket.group, ZERO), ticket.remaining)
        return sum(covered.values(), ZERO)

    # -- inside

    def _fill(self, done: Execution) -> None:
        order = self.order_of(done.client_id)
        if order is None:
            self.strange.append(f"execution {done.number} of {done.client_id}, which was never sent")
            return
        key = (order.bot, done.symbol)
        amount = done.side.sign * done.quantity
        held = self.lots.get(key)
        if held is None or held.quantity * amount > 0:
            if order.purpose.reduces or (held is None and done.client_id != order.client_id and not order.legs):
                self.turned.append(f"{order.bot}: {done.client_id} ({order.purpose}) opened {amount} {done.symbol}")
            self.lots[key] = self._more(order, done, held, amount)
            return
        left = held.quantity + amount
        if left * held.quantity < 0:
            self.turned.append(f"{order.bot}: {done.client_id} turned {held.quantity} {done.symbol} into {left}")
        ticket = self.venue.ticket_named(done.client_id)
        if not left and ticket is not None and ticket.order_type in (OrderType.STOP, OrderType.STOP_LIMIT):
            self.stopped[key] = done.at
        self._keep(key, replace(held, quantity=left))

    def _more(self, order: Order, done: Execution, held: Lot | None, amount: Decimal) -> Lot:
        before = ZERO if held is None else held.quantity
        price = done.price
        if held is not None:
            price = (held.price * abs(held.quantity) + done.price * abs(amount)) / (abs(held.quantity) + abs(amount))
        return Lot(
            bot=order.bot,
            symbol=done.symbol,
            quantity=before + amount - done.fee_coin,
            price=price,
            opened_at=done.at if held is None else held.opened_at,
            entry=order.client_id if held is None else held.entry,
            structure=bool(order.legs),
        )

    def _keep(self, key: tuple[str, str], lot: Lot) -> None:
        if lot.quantity:
            self.lots[key] = lot
        else:
            del self.lots[key]

    def _happen(self, activity: Activity) -> None:
        """Contracts that expired or were exercised go; shares that come or go with them are nobody's."""
        if activity.kind in _COUNTED_AT_THE_FILL or not activity.quantity or not activity.symbol:
            return
        left = activity.quantity
        for key, lot in list(self.lots.items()):
            contract = asset_class_of(lot.symbol) is AssetClass.OPTION
            if contract and lot.symbol == activity.symbol and lot.quantity * left < 0:
                part = min(abs(left), abs(lot.quantity)).copy_sign(left)
                self._keep(key, replace(lot, quantity=lot.quantity + part))
                left -= part
        if left:
            key = ("", activity.symbol)
            price = activity.price or Decimal(1)
            nobody = Lot(
                bot="",
                symbol=activity.symbol,
                quantity=ZERO,
                price=price,
                opened_at=activity.at,
                entry="",
                structure=False,
            )
            held = self.lots.get(key, nobody)
            self.lots[key] = replace(held, quantity=held.quantity + left)
            if not self.lots[key].quantity:
                del self.lots[key]
