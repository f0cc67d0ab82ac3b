"""What the account owns and has asked for: cash, positions, orders, executions. No prices, no time, no rules of trading.

The desk keeps a note of every row it touches, so that the books write those and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal

from hydra.adapters.exchange.model import Change, FeedClock, Standing, Ticket
from hydra.model.market import Instrument
from hydra.model.money import ZERO
from hydra.model.orders import Fill, OrderStatus, Side
from hydra.model.portfolio import Position
from hydra.model.values import replace

_AVERAGE = Decimal("1e-8")


class Desk:
    """The account's state. ``version`` grows with every change, so views can tell whether theirs still holds."""

    def __init__(self, standing: Standing, instruments: Mapping[str, Instrument]) -> None:
        self.instruments = instruments
        self.cash = standing.cash
        self.positions: dict[str, Position] = {position.symbol: position for position in standing.positions}
        self.orders: dict[str, Ticket] = {ticket.client_id: ticket for ticket in standing.orders}
        self.open: dict[str, Ticket] = {t.client_id: t for t in standing.orders if not t.status.terminal}
        self.fills: list[Fill] = list(standing.fills)
        self.version = 0
        self._by_venue_id = {ticket.venue_id: ticket.client_id for ticket in standing.orders}
        self.forget()

    @property
    def flat(self) -> bool:
        """True when nothing is held and nothing is open."""
        return not self.positions and not self.open

    @property
    def next_number(self) -> int:
        """The number of the next order."""
        return len(self.orders) + 1

    def by_venue_id(self, venue_id: str) -> Ticket | None:
        """The order with this venue id."""
        client_id = self._by_venue_id.get(venue_id)
        return None if client_id is None else self.orders[client_id]

    def working(self, symbol: str) -> tuple[Ticket, ...]:
        """The open orders of a symbol, in the order in which they were accepted."""
        return tuple(ticket for ticket in self.open.values() if ticket.symbol == symbol)

    def owned(self, symbol: str) -> Decimal:
        """The quantity held of a symbol."""
        position = self.positions.get(symbol)
        return ZERO if position is None else position.quantity

    def held(self, symbol: str) -> Decimal:
        """The quantity that open sells reserve; the legs of one entry reserve theirs once."""
        groups: dict[str, Decimal] = {}
        for ticket in self.open.values():
            if ticket.symbol == symbol and ticket.side is Side.SELL:
                groups[ticket.group] = max(groups.get(ticket.group, ZERO), ticket.quantity - ticket.filled)
        return sum(groups.values(), ZERO)

    @property
    def buying_power(self) -> Decimal:
        """Cash that no open buy holds back."""
        return self.cash - sum((ticket.reserved for ticket in self.open.values()), ZERO)

    def put(self, ticket: Ticket) -> Ticket:
        """Keep an order, new or changed."""
        self.orders[ticket.client_id] = ticket
        self._by_venue_id[ticket.venue_id] = ticket.client_id
        if ticket.status.terminal:
            self.open.pop(ticket.client_id, None)
        else:
            self.open[ticket.client_id] = ticket
        self._orders.add(ticket.client_id)
        self.version += 1
        return ticket

    def end(self, ticket: Ticket, status: OrderStatus, at: datetime, reason: str) -> Ticket:
        """Close an order without a fill; what it reserved is free again."""
        return self.put(replace(ticket, status=status, updated_at=at, reason=reason, reserved=ZERO))

    def fill(self, ticket: Ticket, price: Decimal, fee: Decimal, at: datetime) -> Ticket:
        """Execute an order whole: book the cash, the position and the fill, and close the order."""
        quantity = ticket.quantity
        notional = price * quantity * self.instruments[ticket.symbol].multiplier
        self.cash -= ticket.side.sign * notional + fee
        self._move(ticket.symbol, ticket.side.sign * quantity, price)
        self.fills.append(
            Fill(
                fill_id=f"{len(self.fills) + 1:012d}",
                venue_id=ticket.venue_id,
                client_id=ticket.client_id,
                symbol=ticket.symbol,
                side=ticket.side,
                quantity=quantity,
                price=price,
                at=at,
                fee=fee,
            )
        )
        done = OrderStatus.FILLED
        return self.put(
            replace(ticket, status=done, filled=quantity, average_price=price, updated_at=at, reserved=ZERO)
        )

    def siblings(self, ticket: Ticket) -> Iterable[Ticket]:
        """The open legs that share an entry with this leg."""
        return [t for t in self.open.values() if ticket.parent and t.parent == ticket.parent and t is not ticket]

    def take_change(self, clock: FeedClock) -> Change:
        """Everything that changed since this was last asked."""
        change = Change(
            cash=self.cash,
            clock=clock,
            orders=tuple(sorted((self.orders[name] for name in self._orders), key=lambda ticket: ticket.number)),
            positions=tuple(self.positions[name] for name in sorted(self._symbols) if name in self.positions),
            gone=tuple(name for name in sorted(self._symbols) if name not in self.positions),
            fills=tuple(self.fills[self._fills_written :]),
        )
        self.forget()
        return change

    def _move(self, symbol: str, signed: Decimal, price: Decimal) -> None:
        before = self.positions.get(symbol)
        owned = ZERO if before is None else before.quantity
        after = owned + signed
        assert after >= 0, f"{symbol}: {owned} and {signed} would be a short position"
        average = price if before is None else before.average_price
        if before is not None and signed > 0:
            average = ((owned * before.average_price + signed * price) / after).quantize(_AVERAGE)
        if after == 0:
            del self.positions[symbol]
        else:
            self.positions[symbol] = Position(symbol=symbol, quantity=after, average_price=average)
        self._symbols.add(symbol)

    def forget(self) -> None:
        """Take the present state as written."""
        self._orders: set[str] = set()
        self._symbols: set[str] = set()
        self._fills_written = len(self.fills)
