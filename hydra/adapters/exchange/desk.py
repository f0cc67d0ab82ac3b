"""What the account owns and has asked for: cash, positions, orders, executions. No prices, no time, no rules of trading.

The desk keeps a note of every row it touches, so that the books write those and nothing else, and of every piece of news,
so that listeners hear it after it is written. What is reserved is kept as running sums: ten thousand open orders cost no
more to ask about than ten.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from decimal import ROUND_CEILING, Decimal

from hydra.adapters.exchange.holds import Holds
from hydra.adapters.exchange.model import AccountState, Activity, ActivityKind, Execution, News, Source, Ticket, Update
from hydra.adapters.exchange.standing import Change, FeedClock, Standing
from hydra.adapters.exchange.terms import OrderClass, Role, Status
from hydra.model.market import AssetClass, Instrument, asset_class_of
from hydra.model.money import ZERO
from hydra.model.orders import Side
from hydra.model.portfolio import Position
from hydra.model.values import Value, replace

_AVERAGE = Decimal("1e-8")
_BILLIONTH = Decimal("1e-9")
_EXITS = (Role.TAKE_PROFIT, Role.STOP_LOSS)
_NEWS: dict[Status, News] = {
    Status.ACCEPTED: News.ACCEPTED,
    Status.PENDING_NEW: News.PENDING_NEW,
    Status.NEW: News.NEW,
    Status.HELD: News.HELD,
    Status.CANCELED: News.CANCELED,
    Status.EXPIRED: News.EXPIRED,
    Status.REPLACED: News.REPLACED,
    Status.REJECTED: News.REJECTED,
    Status.PENDING_CANCEL: News.PENDING_CANCEL,
    Status.PENDING_REPLACE: News.PENDING_REPLACE,
}
_STAMPS: dict[Status, str] = {
    Status.FILLED: "filled_at",
    Status.CANCELED: "canceled_at",
    Status.EXPIRED: "expired_at",
    Status.REPLACED: "replaced_at",
    Status.REJECTED: "failed_at",
}


class Print(Value, frozen=True, kw_only=True):
    """An execution about to be booked: ``fee`` in dollars, ``fee_coin`` in the coin received.

    ``posted`` are dollars that are charged by an activity of their own.
    """

    quantity: Decimal
    price: Decimal
    at: datetime
    source: Source
    fee: Decimal = ZERO
    fee_coin: Decimal = ZERO
    posted: Decimal = ZERO


class Desk:
    """The account's state. ``version`` grows with every change, so views can tell whether theirs still holds.

    ``moves`` grows with every change of a position. ``heard`` says whether anybody listens; news that nobody would hear is not
    kept.
    """

    def __init__(self, standing: Standing, instruments: Mapping[str, Instrument]) -> None:
        self.instruments = instruments
        self._account = standing.account
        self.positions: dict[str, Position] = {position.symbol: position for position in standing.positions}
        self.orders: dict[str, Ticket] = {}
        self.open: dict[str, Ticket] = {}
        self.pending: dict[str, Ticket] = {}
        self.executions: list[Execution] = list(standing.executions)
        self.activities: list[Activity] = list(standing.activities)
        self.reserved = ZERO
        self.reserved_cash = ZERO
        self.version = 0
        self.moves = 0
        self.heard = False
        self._working: dict[str, dict[Side, dict[str, Ticket]]] = {}
        self._families: dict[str, dict[str, None]] = {}
        self._holds = Holds()
        self._names: dict[str, str] = {}
        for ticket in standing.orders:
            self._index(None, ticket)
        self.news: list[Update] = []
        self._orders: dict[str, None] = {}
        self._symbols: dict[str, None] = {}
        self.forget()

    @property
    def account(self) -> AccountState:
        """The account beside its positions and orders."""
        return self._account

    @account.setter
    def account(self, account: AccountState) -> None:
        self._account = account
        self._account_touched = True
        self.version += 1

    @property
    def cash(self) -> Decimal:
        """Settled and unsettled dollars together."""
        return self._account.cash

    @cash.setter
    def cash(self, cash: Decimal) -> None:
        self.account = replace(self._account, cash=cash)

    @property
    def touched(self) -> bool:
        """True when something is to be written."""
        return bool(
            self._orders
            or self._symbols
            or self._account_touched
            or len(self.executions) > self._executions_written
            or len(self.activities) > self._activities_written
        )

    @property
    def next_number(self) -> int:
        """The number of the next order."""
        return len(self.orders) + 1

    def by_venue_id(self, venue_id: str) -> Ticket | None:
        """The order with this venue id."""
        client_id = self._names.get(venue_id)
        return None if client_id is None else self.orders[client_id]

    def working(self, symbol: str) -> tuple[Ticket, ...]:
        """The orders of a symbol (empty: of several legs) that the market can fill, in the order they were accepted."""
        sides = self._working.get(symbol)
        if sides is None:
            return ()
        buys, sells = sides[Side.BUY], sides[Side.SELL]
        if not buys or not sells:
            return _in_order((buys or sells).values())
        return _in_order((*buys.values(), *sells.values()))

    def opposite(self, symbol: str, side: Side) -> tuple[Ticket, ...]:
        """The working orders of a symbol on the other side than ``side``."""
        sides = self._working.get(symbol)
        others = None if sides is None else sides[side.opposite]
        return _in_order(others.values()) if others else ()

    def working_symbols(self) -> tuple[str, ...]:
        """Every symbol that has a working order; the empty one for orders of several legs."""
        return tuple([symbol for symbol, sides in self._working.items() if sides[Side.BUY] or sides[Side.SELL]])

    def legs(self, client_id: str) -> tuple[Ticket, ...]:
        """The orders whose parent this is, as they were accepted."""
        family = self._families.get(client_id)
        return tuple([self.orders[name] for name in family]) if family else ()

    def owned(self, symbol: str) -> Decimal:
        """The signed quantity held of a symbol."""
        position = self.positions.get(symbol)
        return ZERO if position is None else position.quantity

    def held(self, symbol: str) -> Decimal:
        """The quantity that working orders to close reserve; the exits of one entry reserve theirs once."""
        return self._holds.of(symbol)

    def siblings(self, ticket: Ticket) -> list[Ticket]:
        """The open orders that share a quantity with this one."""
        if ticket.order_class is OrderClass.OCO and ticket.role is Role.TAKE_PROFIT:
            family: Iterable[Ticket] = self.legs(ticket.client_id)
        elif ticket.role in _EXITS and ticket.parent:
            parent = self.orders.get(ticket.parent)
            family = (*self.legs(ticket.parent), *(() if parent is None else (parent,)))
        else:
            return []
        return [each for each in family if each.client_id != ticket.client_id and not each.status.done]

    def put(self, ticket: Ticket) -> Ticket:
        """Keep an order, new or changed. What it reserves is rounded, so that sums of many stay exact."""
        if ticket.reserved:
            exact = _exact(ticket.reserved)
            if exact is not ticket.reserved:
                ticket = replace(ticket, reserved=exact)
        self._index(self.orders.get(ticket.client_id), ticket)
        self._orders[ticket.client_id] = None
        self.version += 1
        return ticket

    def mark(self, ticket: Ticket, status: Status, at: datetime, reason: str = "", **more: object) -> Ticket:
        """Give an order another status (and change ``more`` of it), and tell of it. One that is done reserves nothing any more."""
        if status.done:
            more |= {"reserved": ZERO, "pending": None, "working": False, _STAMPS[status]: at}
        if reason:
            more["reason"] = reason
        ticket = self.put(replace(ticket, status=status, updated_at=at, **more))
        self.tell(_NEWS[status], at, ticket)
        return ticket

    def tell(self, news: News, at: datetime, ticket: Ticket, execution: Execution | None = None) -> None:
        """Keep a piece of news for the listeners, if there are any."""
        if self.heard:
            self.news.append(Update(news=news, at=at, ticket=ticket, execution=execution))

    def fill(self, ticket: Ticket, done: Print) -> Ticket:
        """Execute some or all of an order: book cash, position and execution, and close the order when nothing remains."""
        sign, quantity, account = ticket.side.sign, done.quantity, self._account
        paid = sign * done.price * quantity * self.instruments[ticket.symbol].multiplier + done.fee
        self.account = replace(account, cash=account.cash - paid)
        self.move(ticket.symbol, sign * quantity, done.price)
        if done.fee_coin:
            self.move(ticket.symbol, -done.fee_coin, done.price)
        filled = ticket.filled + quantity
        before = ZERO if ticket.average_price is None else ticket.average_price * ticket.filled
        remaining = ticket.quantity - filled
        execution = Execution(
            number=len(self.executions) + 1,
            venue_id=ticket.venue_id,
            client_id=ticket.client_id,
            symbol=ticket.symbol,
            side=ticket.side,
            quantity=quantity,
            price=done.price,
            at=done.at,
            filled=filled,
            remaining=remaining,
            position=self.owned(ticket.symbol),
            fee=done.fee,
            fee_coin=done.fee_coin,
            source=done.source,
        )
        self.executions.append(execution)
        average = done.price if before == 0 else tidy((before + done.price * quantity) / filled)
        return self._after_fill(ticket, execution, average)

    def _after_fill(self, ticket: Ticket, execution: Execution, average: Decimal) -> Ticket:
        if execution.remaining == 0:
            status, news, reserved, working = Status.FILLED, News.FILL, ZERO, False
        else:
            status = Status.PARTIALLY_FILLED if ticket.pending is None else ticket.status
            news, working = News.PARTIAL_FILL, ticket.working
            reserved = ticket.reserved * execution.remaining / (execution.remaining + execution.quantity)
        after = self.put(
            replace(
                ticket,
                status=status,
                filled=execution.filled,
                average_price=average,
                updated_at=execution.at,
                filled_at=execution.at,
                reserved=reserved,
                working=working,
                pending=None if status.done else ticket.pending,
            )
        )
        self.tell(news, execution.at, after, execution)
        if status.done and ticket.pending is not None:
            late = News.ORDER_CANCEL_REJECTED if ticket.pending.amendment is None else News.ORDER_REPLACE_REJECTED
            self.tell(late, execution.at, after)
        return after

    def note(self, kind: ActivityKind, at: datetime, **what: object) -> Activity:
        """Record an activity and book its cash. Its position, if it changes one, is moved by the caller."""
        return self.enter(Activity(number=0, kind=kind, at=at, **what), at)  # type: ignore[arg-type]  # its other fields

    def enter(self, activity: Activity, at: datetime) -> Activity:
        """Record an activity that somebody else made out, under the next number."""
        activity = replace(activity, number=len(self.activities) + 1, at=at)
        self.activities.append(activity)
        if activity.amount:
            self.cash += activity.amount
        self.version += 1
        return activity

    def take_change(self, clock: FeedClock) -> Change:
        """Everything that changed since this was last asked."""
        change = Change(
            clock=clock,
            account=self._account if self._account_touched else None,
            orders=tuple(sorted((self.orders[name] for name in self._orders), key=lambda ticket: ticket.number)),
            positions=tuple(self.positions[name] for name in sorted(self._symbols) if name in self.positions),
            gone=tuple(name for name in sorted(self._symbols) if name not in self.positions),
            executions=tuple(self.executions[self._executions_written :]),
            activities=tuple(self.activities[self._activities_written :]),
        )
        self.forget()
        return change

    def take_news(self) -> list[Update]:
        """What there is to tell, and forget it."""
        news, self.news = self.news, []
        return news

    def move(self, symbol: str, signed: Decimal, price: Decimal) -> None:
        """Change a position. One that grows averages its price; one that shrinks keeps it; one that turns begins anew."""
        before = self.positions.get(symbol)
        owned = ZERO if before is None else before.quantity
        after = owned + signed
        average = price if before is None else before.average_price
        if before is not None and owned * signed > 0:
            average = tidy((owned * before.average_price + signed * price) / after)
        elif owned * after < 0:
            average = price
        self.set_position(symbol, after, average)

    def set_position(self, symbol: str, quantity: Decimal, average: Decimal) -> None:
        """Write a position as it is to be; a quantity of zero removes it."""
        if quantity == 0:
            self.positions.pop(symbol, None)
        else:
            self.positions[symbol] = Position(symbol=symbol, quantity=quantity, average_price=average)
        self._symbols[symbol] = None
        self.moves += 1
        self.version += 1

    def forget(self) -> None:
        """Take the present state as written."""
        if self._orders:
            self._orders.clear()
        if self._symbols:
            self._symbols.clear()
        self._account_touched = False
        self._executions_written = len(self.executions)
        self._activities_written = len(self.activities)

    def _index(self, before: Ticket | None, after: Ticket) -> None:
        """Bring every index and sum from the one version of an order to the other."""
        name, done = after.client_id, after.status.done
        self.orders[name] = after
        if before is None:
            self._names[after.venue_id] = name
        if after.parent != ("" if before is None else before.parent):
            self._adopt(before, after)
        # What is done never opens again, so the open orders stay in the order of their numbers.
        if not done:
            self.open[name] = after
        elif before is not None:
            self.open.pop(name, None)
        if after.pending is not None and not done:
            self.pending[name] = after
        elif before is not None and before.pending is not None:
            self.pending.pop(name, None)
        # Symbols keep the order in which they first had an order: that is the order in which contracts meet their quotes.
        sides = self._working.get(after.symbol)
        if sides is None:
            sides = self._working[after.symbol] = {Side.BUY: {}, Side.SELL: {}}
        if after.working and not done:
            sides[after.side][name] = after
        elif before is not None and before.working:
            sides[after.side].pop(name, None)
        if after.reserved or (before is not None and before.reserved):
            self._reserve(before, after)
        self._holds.change(before, after)

    def _adopt(self, before: Ticket | None, after: Ticket) -> None:
        """Put an order into the family of its parent, and out of the one it was in."""
        if before is not None and before.parent:
            self._families[before.parent].pop(after.client_id, None)
        if after.parent:
            self._families.setdefault(after.parent, {})[after.client_id] = None

    def _reserve(self, before: Ticket | None, after: Ticket) -> None:
        was = ZERO if before is None else before.reserved
        if was != after.reserved:
            self.reserved += after.reserved - was
            if not after.symbol or asset_class_of(after.symbol) is not AssetClass.EQUITY:
                self.reserved_cash += after.reserved - was


def _in_order(found: Collection[Ticket]) -> tuple[Ticket, ...]:
    """Orders by their numbers."""
    return tuple(sorted(found, key=_number)) if len(found) > 1 else tuple(found)


def _number(ticket: Ticket) -> int:
    return ticket.number


def _exact(dollars: Decimal) -> Decimal:
    """Dollars to a billionth, rounded up."""
    exponent = dollars.as_tuple().exponent
    return dollars if isinstance(exponent, int) and exponent >= -9 else dollars.quantize(_BILLIONTH, ROUND_CEILING)


def tidy(price: Decimal) -> Decimal:
    """An average to eight places, without the zeros that rounding would leave behind."""
    return price.quantize(_AVERAGE).normalize() + ZERO
