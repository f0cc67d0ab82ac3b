"""The venue as the engine sees it: a broker, a market and a clock. Thin views; nothing is kept here."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from hydra.adapters.exchange.model import Ticket
from hydra.adapters.exchange.terms import OrderClass, Rejection, Request, Role
from hydra.adapters.exchange.venue import SimulatedVenue
from hydra.model.errors import Refused
from hydra.model.market import Bar, Instrument, Quote
from hydra.model.money import to_increment
from hydra.model.orders import Order, TimeInForce, VenueOrder
from hydra.model.portfolio import Account, Position
from hydra.ports import Ack, AckOutcome, FillPage, MarketData, VenueIdentity

_CENT = Decimal("0.01")


class _Views(NamedTuple):
    """Answers that hold until the venue's version changes; a quiet cycle asks for all of them."""

    version: int
    positions: tuple[Position, ...] = ()
    open_orders: tuple[VenueOrder, ...] = ()


class SimBroker:
    """The ``Broker`` port on a venue.

    Exits that still wait for their entry are not shown as open: nothing of theirs works yet. The exits of an entry work until
    they are cancelled, whatever the entry's own time in force.
    """

    def __init__(self, venue: SimulatedVenue) -> None:
        self._venue = venue
        self._views = _Views(-1)
        self._nothing_new: FillPage | None = None

    def identity(self) -> VenueIdentity:
        """The simulated account; its url names the books."""
        venue = self._venue
        return VenueIdentity(name="sim", url=f"sim://{venue.name}", account_id=venue.state().account_id, mode="sim")

    def now(self) -> datetime:
        """The venue's clock."""
        return self._venue.now

    def account(self) -> Account:
        """The account as it stands; equity at the latest prices, to the cent."""
        figures, state = self._venue.figures(), self._venue.state()
        return Account(
            account_id=state.account_id,
            status=state.status,
            equity=to_increment(figures.equity, _CENT),
            cash=figures.cash,
            buying_power=figures.buying_power,
            blocked=state.account_blocked or state.trading_blocked,
        )

    def positions(self) -> tuple[Position, ...]:
        """Everything that is held, by symbol."""
        return self._current().positions

    def open_orders(self) -> tuple[VenueOrder, ...]:
        """Every order that works, the exits of a filled entry included."""
        return self._current().open_orders

    def order(self, client_id: str) -> VenueOrder | None:
        """The order with this client id, or ``None``."""
        ticket = self._venue.ticket_named(client_id)
        return None if ticket is None else ticket.report()

    def fills(self, cursor: str) -> FillPage:
        """Executions after ``cursor``, which is the id of a fill. Raises ``Refused`` for any other."""
        after = _seen(cursor)
        executions = self._venue.executions(after)
        if after and not executions and len(self._venue.executions(after - 1)) != 1:
            raise _unseen(cursor)
        if executions:
            return FillPage(fills=tuple(each.report() for each in executions), cursor=executions[-1].fill_id)
        nothing_new = self._nothing_new
        if nothing_new is None or nothing_new.cursor != cursor:
            nothing_new = self._nothing_new = FillPage(fills=(), cursor=cursor)
        return nothing_new

    def instruments(self, symbols: Sequence[str]) -> tuple[Instrument, ...]:
        """Increments and minimums. Raises ``Refused`` naming a symbol the feed has no prices of."""
        known = self._venue.instruments
        unknown = [symbol for symbol in symbols if symbol not in known]
        if unknown:
            have = ", ".join(self._venue.feed.symbols)
            raise Refused(f"not traded here: {', '.join(unknown)}; this feed has {have}")
        return tuple(known[symbol] for symbol in symbols)

    def submit(self, order: Order) -> Ack:
        """Place an order; a market order may come back filled."""
        return self._ack(self._venue.place(request_of(order)))

    def cancel(self, venue_id: str) -> Ack:
        """Take an order back, with the orders of its group."""
        return self._ack(self._venue.withdraw(venue_id))

    def _ack(self, answer: Ticket | Rejection) -> Ack:
        if isinstance(answer, Ticket):
            return Ack(outcome=AckOutcome.ACCEPTED, order=answer.report())
        about = self._venue.ticket(answer.order) if answer.order else None
        return Ack(outcome=AckOutcome.REJECTED, order=None if about is None else about.report(), reason=answer.reason)

    def _current(self) -> _Views:
        views, version = self._views, self._venue.version
        if views.version != version:
            # Made whole and then put in place: another thread's reading may be older, and then its version is too.
            positions = self._venue.positions()
            working = [ticket for ticket in self._venue.working() if ticket.working or ticket.role is Role.ALONE]
            views = self._views = _Views(
                version=version,
                positions=positions,
                open_orders=tuple(ticket.report() for ticket in working if ticket.symbol),
            )
        return views


def request_of(order: Order) -> Request:
    """An engine's order as the venue is asked for it."""
    protection = order.protection
    both = protection is not None and protection.target is not None
    return Request(
        client_id=order.client_id,
        symbol=order.symbol,
        side=order.side,
        order_type=order.order_type,
        time_in_force=order.time_in_force,
        quantity=order.quantity,
        limit=order.limit,
        stop=order.stop,
        order_class=OrderClass.SIMPLE if protection is None else OrderClass.BRACKET if both else OrderClass.OTO,
        take_profit=None if protection is None else protection.target,
        stop_loss=None if protection is None else protection.stop,
        exits_force=None if protection is None else TimeInForce.GTC,
    )


def _seen(cursor: str) -> int:
    """How many fills a cursor has seen."""
    if not cursor:
        return 0
    if not cursor.isdecimal() or int(cursor) == 0:
        raise _unseen(cursor)
    return int(cursor)


def _unseen(cursor: str) -> Refused:
    return Refused(f"fills cursor {cursor!r} was not given out here; expected a fill's id, or nothing")


class SimMarket:
    """The ``Market`` port on a venue: the feed, up to the venue's clock and no further."""

    def __init__(self, venue: SimulatedVenue) -> None:
        self._venue = venue

    def describe(self) -> str:
        """The feed in one line."""
        return self._venue.feed.describe()

    def history(self, symbols: Sequence[str], count: int) -> tuple[Bar, ...]:
        """The last ``count`` closed bars of each symbol, oldest first within a symbol."""
        feed, now = self._venue.feed, self._venue.now
        return tuple(bar for symbol in symbols for bar in feed.history(symbol, now, count))

    def poll(self, symbols: Sequence[str], after: Mapping[str, datetime]) -> MarketData:
        """Latest quotes, and bars that opened after ``after``; a symbol not in it gets its latest bar only."""
        quotes = self._venue.quotes()
        shown = (quotes.get(symbol) or self._indicative(symbol) for symbol in symbols)
        return MarketData(
            quotes=tuple(quote for quote in shown if quote is not None),
            bars=tuple(bar for symbol in symbols for bar in self._later(symbol, after.get(symbol))),
        )

    def _indicative(self, symbol: str) -> Quote | None:
        """For a feed that has bars and no quotes: the last close, half the usual spread to either side.

        It only shows where the market is. The venue does not trade on it: without a quote, orders fill at the next bar.
        """
        bars = self._venue.feed.history(symbol, self._venue.now, 1)
        if not bars:
            return None
        bar, half = bars[0], self._venue.settings.half_spread
        return Quote(
            symbol=symbol,
            at=bar.closes_at,
            bid=bar.close * (1 - half),
            ask=bar.close * (1 + half),
            bid_size=bar.volume,
            ask_size=bar.volume,
        )

    def _later(self, symbol: str, after: datetime | None) -> tuple[Bar, ...]:
        """The bars of one symbol after a time. Looks back from now in doubling steps: usually there is one, or none."""
        feed, now = self._venue.feed, self._venue.now
        count = 1
        bars = feed.history(symbol, now, count)
        if after is None:
            return bars
        while len(bars) == count and bars[0].at > after:
            count *= 2
            bars = feed.history(symbol, now, count)
        return tuple(bar for bar in bars if bar.at > after)


class SimClock:
    """The ``Clock`` port on a venue: waiting moves the market on.

    ``speed``: how many simulated seconds pass in a real one; ``None`` for as fast as possible. ``days``: how many exchange
    days this run plays, counted from the day of its first step; 0 for no limit. ``until``: called with each next instant,
    ends the run before it when true. Setting ``stop`` ends a sleep and the run. ``sleep`` gets real seconds; by default it
    is one that ``stop`` wakes.
    """

    def __init__(
        self,
        venue: SimulatedVenue,
        *,
        speed: float | None = None,
        days: int = 0,
        until: Callable[[datetime], bool] | None = None,
        stop: threading.Event | None = None,
        sleep: Callable[[float], object] | None = None,
    ) -> None:
        if speed is not None and speed <= 0:
            raise ValueError(f"speed must be above 0, or None for no pacing, got {speed}")
        self._venue = venue
        self._speed = speed
        self._days = days
        self._until = until
        self._stop = stop
        self._sleep = sleep or (time.sleep if stop is None else stop.wait)
        self._day: date | None = None
        self._days_begun = 0

    def now(self) -> datetime:
        """The venue's clock."""
        return self._venue.now

    def wait(self, seconds: float) -> bool:  # noqa: ARG002  # the market's steps set the pace
        """Step to the feed's next instant. False, without a step, at the feed's end, at a limit, or when stopped."""
        coming = self._venue.next_instant()
        if coming is None or self._stopped() or (self._until is not None and self._until(coming)):
            return False
        if self._days and not self._within_days(coming):
            return False
        if self._speed is not None:
            self._sleep(min(threading.TIMEOUT_MAX, (coming - self._venue.now).total_seconds() / self._speed))
            if self._stopped():
                return False
        return self._venue.advance()

    def _stopped(self) -> bool:
        return self._stop is not None and self._stop.is_set()

    def _within_days(self, coming: datetime) -> bool:
        """Whether the next instant belongs to a day this run still plays; counts the days as they begin."""
        day = self._venue.calendar.sessions(coming).day
        if day == self._day:
            return True
        if self._days_begun == self._days:
            return False
        self._day = day
        self._days_begun += 1
        return True
