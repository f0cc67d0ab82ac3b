"""The simulated venue: a clock, prices, and one account, on its own books.

It is a venue and nothing else. It knows no journal, no policy and no bots; it survives the engine and is asked after a
crash. What a request or an advance changes is committed to the books before it is answered, so an order whose answer was
lost is found here by its client id, once. Without books the venue lives in memory, for tests and measurements.

An advance moves the clock from moment to moment: the feed's instants, the marks of the exchange's day, and the times at which
pending requests are carried out. At each, the bars that closed on the way are worked through, oldest first, then the quotes,
then what the calendar asks for. The oddity: when a change breaks off half-way (the disk is full), the books are right and the
memory is not, so the next question reads the books again first.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from hydra.adapters.exchange import hours
from hydra.adapters.exchange.changes import Changes
from hydra.adapters.exchange.desk import Desk
from hydra.adapters.exchange.instruments import instruments_of
from hydra.adapters.exchange.interface import Figures, Held, Listener, Ration
from hydra.adapters.exchange.model import AccountState, Activity, Configuration, Execution, Ticket, VenueSettings
from hydra.adapters.exchange.opening import new_account, other_cash, resume
from hydra.adapters.exchange.pit import Pit
from hydra.adapters.exchange.prices import Prices
from hydra.adapters.exchange.settlement import Settlement
from hydra.adapters.exchange.spreads import Spreads, is_spread
from hydra.adapters.exchange.standing import Books, FeedClock, Standing
from hydra.adapters.exchange.terms import Amendment, No, Rejection, Request, refuse
from hydra.adapters.markets.feed import Feed
from hydra.model.errors import Corrupt
from hydra.model.market import AssetClass, Instrument, Quote
from hydra.model.portfolio import Position
from hydra.model.values import replace
from hydra.ports import Calendar


class SimulatedVenue:
    """One account at the simulated exchange: the ``Exchange`` that doors are made of. Threads may share it.

    ``note`` says what an operator should know of the opening; empty when there is nothing. Raises ``BadConfig`` when the
    books cannot go on with this feed, ``Corrupt`` when they cannot be read. ``start`` is where a clock that is new for the feed
    begins, by default just before its first instant. ``ration`` may be set to a function that is asked before each execution
    how much of a quantity may fill now.
    """

    def __init__(
        self,
        feed: Feed,
        calendar: Calendar,
        settings: VenueSettings,
        books: Books | None = None,
        *,
        start: datetime | None = None,
    ) -> None:
        self.feed = feed
        self.calendar = calendar
        self.settings = settings
        self._books = books
        self._lock = threading.RLock()
        self._listeners: list[Listener] = []
        self.ration: Ration | None = None
        self._change = _Change(self)
        self._inside = False
        self._written: FeedClock | None = None
        self._mark: tuple[datetime | None] | None = None
        self._instruments = instruments_of(feed, settings)
        self._has_contracts = any(each.asset_class is AssetClass.OPTION for each in self._instruments.values())
        known = None if books is None else books.load()
        standing = new_account(settings) if known is None else known
        clock, note = resume(standing, feed, start)
        if standing.account.opened_at is None:
            standing = replace(standing, account=replace(standing.account, opened_at=clock.at))
        self.note = "; ".join(filter(None, (note, other_cash(standing, settings))))
        if books is not None and known is None:
            books.open(standing)
        self._place(standing, clock)
        if standing.current != clock.fingerprint or standing.clocks[clock.fingerprint] != clock:
            self._settle()

    @property
    def now(self) -> datetime:
        """The venue's clock. It never goes back while the venue is open."""
        if not self._broken_off:  # nor is anything being changed: it is asked for very often
            return self._prices.now
        with self._lock:
            self._current_desk()
            return self._prices.now

    @property
    def name(self) -> str:
        """Where its books are."""
        return "memory" if self._books is None else self._books.name

    @property
    def instruments(self) -> Mapping[str, Instrument]:
        """Everything that can be traded, by symbol."""
        return self._instruments

    @property
    def version(self) -> int:
        """Grows with every change of the account."""
        if not self._broken_off:  # as with ``now``
            return self._desk.version
        with self._lock:
            return self._current_desk().version

    def state(self) -> AccountState:
        """The account beside its positions and orders."""
        with self._lock:
            return self._current_desk().account

    def figures(self) -> Figures:
        """The account's money at the latest prices."""
        with self._lock:
            self._current_desk()
            return self._pit.money.figures()

    def positions(self) -> tuple[Position, ...]:
        """What is held and at which average price, by symbol."""
        with self._lock:
            positions = self._current_desk().positions
            return tuple(positions[symbol] for symbol in sorted(positions))

    @property
    def cash(self) -> Decimal:
        """Dollars in the account."""
        with self._lock:
            return self._current_desk().cash

    def held(self) -> tuple[Held, ...]:
        """Everything held, by symbol."""
        with self._lock:
            desk = self._current_desk()
            closing = desk.account.closing_prices
            return tuple(
                Held(
                    symbol=symbol,
                    quantity=position.quantity,
                    available=self._pit.money.backing.available(symbol),
                    average_price=position.average_price,
                    price=self._price(symbol, position.average_price),
                    closing_price=closing.get(symbol),
                    today=self._pit.money.opened_today(symbol),
                )
                for symbol, position in sorted(desk.positions.items())
            )

    def last_price(self, symbol: str) -> Decimal | None:
        """The middle of the latest quote, else the last close, else unknown."""
        with self._lock:
            self._current_desk()
            return self._prices.last(symbol)

    def ticket(self, venue_id: str) -> Ticket | None:
        """The order with this venue id, done or not."""
        with self._lock:
            return self._current_desk().by_venue_id(venue_id)

    def ticket_named(self, client_id: str) -> Ticket | None:
        """The order with this client id, done or not."""
        with self._lock:
            return self._current_desk().orders.get(client_id)

    @property
    def taken(self) -> int:
        """How many orders there ever were, legs too."""
        with self._lock:
            return len(self._current_desk().orders)

    def tickets(self) -> Sequence[Ticket]:
        """Every order there ever was, oldest first."""
        with self._lock:
            return tuple(self._current_desk().orders.values())

    def working(self) -> Sequence[Ticket]:
        """Every order that is not done, oldest first."""
        with self._lock:
            return tuple(self._current_desk().open.values())

    def legs(self, client_id: str) -> tuple[Ticket, ...]:
        """The orders that belong to this one."""
        with self._lock:
            return self._current_desk().legs(client_id)

    def executions(self, after: int = 0) -> Sequence[Execution]:
        """Executions with a number above ``after``."""
        with self._lock:
            return self._current_desk().executions[max(0, after) :]

    def activities(self, after: int = 0) -> Sequence[Activity]:
        """Activities with a number above ``after``."""
        with self._lock:
            return self._current_desk().activities[max(0, after) :]

    def quotes(self) -> Mapping[str, Quote]:
        """The latest quote of each share and pair that has one."""
        with self._lock:
            self._current_desk()
            return self._prices.quotes()

    def next_instant(self) -> datetime | None:
        """The feed's next instant; ``None`` at its end."""
        with self._lock:
            self._current_desk()
            return self._prices.next_instant()

    def next_mark(self) -> datetime | None:
        """The next moment at which something happens by the calendar: the equities' session changes its phase."""
        with self._lock:
            self._current_desk()
            return self._next_mark()

    def place(self, request: Request) -> Ticket | Rejection:
        """Take an order, or refuse it with a reason; a refused order leaves nothing behind."""
        with self._changing():
            taker: Pit | Spreads = self._spreads if is_spread(request) else self._pit
            return taker.take(request)

    def withdraw(self, venue_id: str) -> Ticket | Rejection:
        """Take an open order back, with the orders of its group."""
        with self._changing():
            return self._changes.withdraw(venue_id)

    def amend(self, venue_id: str, amendment: Amendment) -> Ticket | Rejection:
        """Replace an open order by a changed one."""
        with self._changing():
            return self._changes.amend(venue_id, amendment)

    def configure(self, configuration: Configuration) -> Configuration:
        """Set what the owner of the account may set."""
        with self._changing() as desk:
            desk.account = replace(desk.account, configuration=configuration)
            return configuration

    def exercise(self, symbol: str) -> Rejection | None:
        """Exercise every long contract of a symbol now."""
        with self._changing() as desk:
            return self._settlement.exercise(symbol) if self._knows(desk, symbol) else _unknown(symbol)

    def decline(self, symbol: str) -> Rejection | None:
        """Have a contract lapse at expiry even if it is worth something."""
        with self._changing() as desk:
            return self._settlement.decline(symbol) if self._knows(desk, symbol) else _unknown(symbol)

    def set_standing(self, status: str, *, blocked: bool = False) -> None:
        """Turn the account's status and its block on trading."""
        with self._changing() as desk:
            if (desk.account.status, desk.account.trading_blocked) != (status, blocked):
                desk.account = replace(desk.account, status=status, trading_blocked=blocked)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Have ``listener`` called with every change of an order, until the answer is called."""
        with self._lock:
            self._listeners.append(listener)
            self._desk.heard = True

        def leave() -> None:
            with self._lock:
                if listener in self._listeners:
                    self._listeners.remove(listener)
                self._desk.heard = bool(self._listeners)

        return leave

    def advance(self) -> bool:
        """Move the clock to the feed's next instant and let the market meet the open orders; False at the end."""
        with self._changing():
            upto = self._prices.next_instant()
            if upto is None:
                return False
            self._go(upto)
            return True

    def advance_to(self, at: datetime) -> None:
        """Move the clock to ``at``, through every moment on the way. A time that has passed changes nothing."""
        with self._changing():
            while at > self._prices.now:
                instant = self._prices.next_instant()
                self._go(at if instant is None else min(at, instant))

    def pass_to(self, at: datetime) -> None:
        """Move the clock to ``at`` as if no order were there: for whoever knows that none is touched on the way."""
        with self._changing():
            self._prices.move(max(at, self._prices.now))

    def close(self) -> None:
        """Let go of the books."""
        with self._lock:
            if self._books is not None:
                self._books.close()

    def _go(self, upto: datetime) -> None:
        """Move through the marks and the pending requests on the way to an instant that lies next."""
        while self._prices.now < upto:
            now, at, mark = self._prices.now, upto, self._next_mark()
            due = self._changes.next_due() if self._desk.pending else None
            for moment in (mark, due):
                if moment is not None and now < moment < at:
                    at = moment
            self._step(at, marked=mark == at)

    def _step(self, at: datetime, *, marked: bool) -> None:
        desk = self._desk
        waiting = desk.working_symbols() if desk.open else ()
        bars = self.feed.bars(self._prices.now, at) if waiting else ()
        self._prices.move(at)
        for bar in bars:
            if bar.symbol in waiting:  # what a bar brings to life is of its own symbol
                self._pit.play(bar)
        if desk.open:
            if desk.pending:
                self._changes.carry_out()
            if self._has_contracts:
                self._pit.play_quotes()
                self._spreads.play_quotes()
        if marked:
            self._settlement.mark()
        if desk.open:
            self._pit.expire()

    def _next_mark(self) -> datetime | None:
        if self._mark is None or (self._mark[0] is not None and self._mark[0] <= self._prices.now):
            self._mark = (hours.next_mark(self.calendar, self._prices.now),)
        return self._mark[0]

    def _knows(self, desk: Desk, symbol: str) -> bool:
        """Whether there is such a symbol: an instrument, or what a corporate action has made of one that was held."""
        return symbol in self._instruments or symbol in desk.positions

    def _rationed(self, ticket: Ticket, quantity: Decimal) -> Decimal:
        return quantity if self.ration is None else min(quantity, self.ration(ticket, quantity))

    def _price(self, symbol: str, otherwise: Decimal) -> Decimal:
        price = self._prices.last(symbol)
        return otherwise if price is None else price

    def _place(self, standing: Standing, clock: FeedClock, version: int = 0) -> None:
        self._clock = clock
        desk = Desk(standing, self._instruments)
        desk.version, desk.heard = version, bool(self._listeners)
        self._desk = desk  # whole: whoever asks without the lock sees either this one or the one before
        self._prices = Prices(self.feed, clock.at, self.settings.half_spread)
        self._pit = Pit(self._desk, self._prices, self.calendar, self.settings, self._rationed)
        self._spreads = Spreads(self._desk, self._prices, self._pit, self.settings)
        self._changes = Changes(self._desk, self._prices, self._pit, self._spreads, self.settings)
        self._settlement = Settlement(self._desk, self._prices, self._pit, self.calendar, self.settings)
        self._mark = None
        self._broken_off = False

    def _changing(self) -> _Change:
        """Hold the venue for a change, write it, and tell of it; remember whether it came to its end."""
        return self._change

    def _current_desk(self) -> Desk:
        """The account's state; read again from the books after a change that broke off."""
        if self._broken_off and not self._inside and self._books is not None:
            standing = self._books.load()
            clock = None if standing is None else standing.clocks.get(self._clock.fingerprint)
            if standing is None or clock is None:
                raise Corrupt(f"the exchange's books {self._books.name} no longer hold this account")
            self._place(standing, clock, self._desk.version + 1)
        return self._desk

    def _settle(self) -> None:
        """Write what changed, before anybody is told, and then tell."""
        if self._books is None:
            self._desk.forget()
        else:
            clock = replace(self._clock, at=self._prices.now)
            if self._desk.touched or clock != self._written:
                self._clock = clock
                self._books.commit(self._desk.take_change(clock))
                self._written = clock
        if self._desk.news:
            news = self._desk.take_news()
            for listener in tuple(self._listeners):
                listener(news)


class _Change:
    """A change of a venue, from taking its lock to telling of it. One serves them all: what is under way is the venue's to know."""

    def __init__(self, venue: SimulatedVenue) -> None:
        self._venue = venue

    def __enter__(self) -> Desk:
        venue, begun = self._venue, False
        venue._lock.acquire()
        try:
            desk = venue._current_desk()
            venue._broken_off = venue._inside = begun = True
        finally:
            if not begun:
                venue._lock.release()
        return desk

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        venue = self._venue
        try:
            if kind is None:
                venue._settle()
                venue._broken_off = False
        finally:
            venue._inside = False
            venue._lock.release()


def _unknown(symbol: str) -> Rejection:
    return refuse(f"{symbol} is not traded here", No.UNKNOWN_SYMBOL, symbol=symbol)
