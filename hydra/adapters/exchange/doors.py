"""The venue as the engine sees it: a broker, a market and a clock. Thin views; nothing is kept here."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime

from hydra.adapters.exchange.venue import SimulatedVenue
from hydra.model.market import Bar, Instrument, Quote
from hydra.model.orders import Order, VenueOrder
from hydra.model.portfolio import Account, Position
from hydra.ports import Ack, FillPage, MarketData, VenueIdentity


class SimBroker:
    """The ``Broker`` port on a venue."""

    def __init__(self, venue: SimulatedVenue) -> None:
        self._venue = venue

    def identity(self) -> VenueIdentity:
        """The simulated account; its url names the books."""
        return self._venue.identity()

    def now(self) -> datetime:
        """The venue's clock."""
        return self._venue.now

    def account(self) -> Account:
        """The account as it stands."""
        return self._venue.account()

    def positions(self) -> tuple[Position, ...]:
        """Everything that is held, by symbol."""
        return self._venue.positions()

    def open_orders(self) -> tuple[VenueOrder, ...]:
        """Every order that is not done, bracket legs included."""
        return self._venue.open_orders()

    def order(self, client_id: str) -> VenueOrder | None:
        """The order with this client id, or ``None``."""
        return self._venue.order(client_id)

    def fills(self, cursor: str) -> FillPage:
        """Executions after ``cursor``, which is the id of a fill. Raises ``Refused`` for any other."""
        return self._venue.fills(cursor)

    def instruments(self, symbols: Sequence[str]) -> tuple[Instrument, ...]:
        """Increments and minimums. Raises ``Refused`` naming a symbol the feed has no prices of."""
        return self._venue.instruments(symbols)

    def submit(self, order: Order) -> Ack:
        """Place an order; a market order may come back filled."""
        return self._venue.submit(order)

    def cancel(self, venue_id: str) -> Ack:
        """Take an order back, at once."""
        return self._venue.cancel(venue_id)


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
