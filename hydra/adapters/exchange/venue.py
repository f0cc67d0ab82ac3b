"""The simulated venue: a clock, prices, and one account, on its own books.

It is a venue and nothing else. It knows no journal, no policy and no bots; it survives the engine and is asked after a
crash. What a request or an advance changes is committed to the books before it is answered, so an order whose answer was
lost is found here by its client id, once. Without books the venue lives in memory, for tests and measurements.

An advance moves the clock to the feed's next instant, works through the bars that closed on the way, oldest first, and
then expires day orders. The oddity: when a change breaks off half-way (the disk is full), the books are right and the
memory is not, so the next question reads the books again first.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal

from hydra.adapters.exchange.desk import Desk
from hydra.adapters.exchange.model import Books, FeedClock, Standing, Ticket, VenueSettings
from hydra.adapters.exchange.opening import new_account, other_cash, resume
from hydra.adapters.exchange.pit import Pit
from hydra.adapters.exchange.prices import Prices
from hydra.adapters.markets.feed import Feed
from hydra.model.errors import Corrupt, Refused
from hydra.model.market import Instrument, Quote, usual_instrument
from hydra.model.money import to_increment
from hydra.model.orders import Order, OrderStatus, VenueOrder
from hydra.model.portfolio import Account, Position
from hydra.model.values import replace
from hydra.ports import Ack, AckOutcome, Calendar, FillPage, VenueIdentity

_CENT = Decimal("0.01")


class _Views:
    """Answers that hold until something changes; a quiet cycle asks for all of them."""

    def __init__(self) -> None:
        self.version = -1
        self.positions: tuple[Position, ...] = ()
        self.open_orders: tuple[VenueOrder, ...] = ()
        self.account: tuple[int, datetime | None, Account] | None = None
        self.nothing_new: FillPage | None = None


class SimulatedVenue:
    """One account at the simulated exchange. Threads may share it.

    ``note`` says what an operator should know of the opening; empty when there is nothing. Raises ``BadConfig`` when the
    books cannot go on with this feed, ``Corrupt`` when they cannot be read.
    """

    def __init__(self, feed: Feed, calendar: Calendar, settings: VenueSettings, books: Books | None = None) -> None:
        self.feed = feed
        self.calendar = calendar
        self.settings = settings
        self._books = books
        self._lock = threading.RLock()
        self._instruments: Mapping[str, Instrument] = {symbol: usual_instrument(symbol) for symbol in feed.symbols}
        known = None if books is None else books.load()
        standing = new_account(settings) if known is None else known
        clock, note = resume(standing, feed)
        self.note = "; ".join(filter(None, (note, other_cash(standing, settings))))
        if books is not None and known is None:
            books.open(standing)
        self._place(standing, clock)
        if standing.current != clock.fingerprint or standing.clocks[clock.fingerprint] != clock:
            self._settle()

    @property
    def now(self) -> datetime:
        """The venue's clock. It never goes back while the venue is open."""
        with self._lock:
            self._current_desk()
            return self._prices.now

    def identity(self) -> VenueIdentity:
        """Which account this is."""
        where = "memory" if self._books is None else self._books.name
        return VenueIdentity(name="sim", url=f"sim://{where}", account_id=self._account_id, mode="sim")

    def account(self) -> Account:
        """Cash, buying power, and equity at the latest prices, to the cent."""
        with self._lock:
            desk = self._current_desk()
            version, at = desk.version, self._prices.now if desk.positions else None
            kept = self._views.account
            if kept is not None and kept[0] == version and kept[1] == at:
                return kept[2]
            account = self._make_account(desk)
            self._views.account = (version, at, account)
            return account

    def positions(self) -> tuple[Position, ...]:
        """Everything held, by symbol."""
        with self._lock:
            return self._current_views().positions

    def open_orders(self) -> tuple[VenueOrder, ...]:
        """Every order that is not done, in the order in which they were accepted."""
        with self._lock:
            return self._current_views().open_orders

    def order(self, client_id: str) -> VenueOrder | None:
        """The order with this client id, done or not."""
        with self._lock:
            ticket = self._current_desk().orders.get(client_id)
            return None if ticket is None else ticket.report()

    def fills(self, cursor: str) -> FillPage:
        """The executions after the one with the id ``cursor``. Raises ``Refused`` for a cursor that was not given out."""
        with self._lock:
            fills = self._current_desk().fills
            newest = fills[-1].fill_id if fills else ""
            if cursor == newest:
                kept = self._views.nothing_new
                if kept is None or kept.cursor != newest:
                    kept = self._views.nothing_new = FillPage(fills=(), cursor=newest)
                return kept
            return FillPage(fills=tuple(fills[_seen(cursor, len(fills)) :]), cursor=newest)

    def instruments(self, symbols: Sequence[str]) -> tuple[Instrument, ...]:
        """Increments and minimums. Raises ``Refused`` naming the symbols that are not traded here."""
        unknown = [symbol for symbol in symbols if symbol not in self._instruments]
        if unknown:
            raise Refused(f"not traded here: {', '.join(unknown)}; this feed has {', '.join(self._instruments)}")
        return tuple(self._instruments[symbol] for symbol in symbols)

    def quotes(self) -> Mapping[str, Quote]:
        """The latest quote of each symbol that has one."""
        with self._lock:
            self._current_desk()
            return self._prices.quotes()

    def next_instant(self) -> datetime | None:
        """What the clock will move to; ``None`` at the end of the feed."""
        with self._lock:
            self._current_desk()
            return self._prices.next_instant()

    def submit(self, order: Order) -> Ack:
        """Take an order, or refuse it with a reason; a refused order leaves nothing behind."""
        with self._changing() as desk:
            known = desk.orders.get(order.client_id)
            if known is not None:
                return _rejected(f"client_id {order.client_id} is already used by order {known.venue_id}", known)
            reason = self._pit.refusal(order)
            if reason:
                return _rejected(reason)
            self._pit.accept(order)
            self._settle()
            return Ack(outcome=AckOutcome.ACCEPTED, order=desk.orders[order.client_id].report())

    def cancel(self, venue_id: str) -> Ack:
        """Take an open order back at once; of a bracket, this leg alone."""
        with self._changing() as desk:
            ticket = desk.by_venue_id(venue_id)
            if ticket is None:
                return _rejected(f"there is no order {venue_id}")
            if ticket.status.terminal:
                return _rejected(f"order {venue_id} is already {ticket.status}", ticket)
            ticket = desk.end(ticket, OrderStatus.CANCELED, self._prices.now, "canceled on request")
            self._settle()
            return Ack(outcome=AckOutcome.ACCEPTED, order=ticket.report())

    def advance(self) -> bool:
        """Move the clock to the feed's next instant and let the market meet the open orders; False at the end."""
        with self._changing() as desk:
            upto = self._prices.next_instant()
            if upto is None:
                return False
            bars = self.feed.bars(self._prices.now, upto) if desk.open else ()
            self._prices.move(upto)
            for bar in bars:
                self._pit.play(bar)
            if desk.open:
                self._pit.expire()
            self._settle()
            return True

    def close(self) -> None:
        """Let go of the books."""
        with self._lock:
            if self._books is not None:
                self._books.close()

    def _place(self, standing: Standing, clock: FeedClock) -> None:
        self._account_id = standing.account_id
        self._clock = clock
        self._desk = Desk(standing, self._instruments)
        self._prices = Prices(self.feed, clock.at)
        self._pit = Pit(self._desk, self._prices, self.calendar, self.settings)
        self._views = _Views()
        self._broken_off = False

    @contextmanager
    def _changing(self) -> Iterator[Desk]:
        """Hold the venue for a change, and remember whether it came to its end."""
        with self._lock:
            desk = self._current_desk()
            self._broken_off = True
            yield desk
            self._broken_off = False

    def _current_desk(self) -> Desk:
        """The account's state; read again from the books after a change that broke off."""
        if self._broken_off and self._books is not None:
            standing = self._books.load()
            clock = None if standing is None else standing.clocks.get(self._clock.fingerprint)
            if standing is None or clock is None:
                raise Corrupt(f"the exchange's books {self._books.name} no longer hold this account")
            self._place(standing, clock)
        return self._desk

    def _current_views(self) -> _Views:
        desk = self._current_desk()
        if self._views.version != desk.version:
            self._views.positions = tuple(desk.positions[symbol] for symbol in sorted(desk.positions))
            self._views.open_orders = tuple(ticket.report() for ticket in desk.open.values())
            self._views.version = desk.version
        return self._views

    def _make_account(self, desk: Desk) -> Account:
        equity = desk.cash
        for position in desk.positions.values():
            price = self._prices.last(position.symbol)
            worth = position.average_price if price is None else price
            equity += worth * position.quantity * self._instruments[position.symbol].multiplier
        return Account(
            account_id=self._account_id,
            status="ACTIVE",
            equity=to_increment(equity, _CENT),
            cash=desk.cash,
            buying_power=desk.buying_power,
        )

    def _settle(self) -> None:
        """Write what changed, before anybody is told."""
        if self._books is None:
            self._desk.forget()
            return
        self._clock = replace(self._clock, at=self._prices.now)
        self._books.commit(self._desk.take_change(self._clock))


def _seen(cursor: str, count: int) -> int:
    """How many fills a cursor has seen."""
    if not cursor:
        return 0
    if not cursor.isdecimal() or int(cursor) > count:
        raise Refused(f"fills cursor {cursor!r} was not given out here; expected a fill's id, or nothing")
    return int(cursor)


def _rejected(reason: str, ticket: Ticket | None = None) -> Ack:
    return Ack(outcome=AckOutcome.REJECTED, order=None if ticket is None else ticket.report(), reason=reason)
