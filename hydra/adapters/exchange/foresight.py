"""A simulated venue over recorded bars, as one that may be passed over: the ``Foresight`` port.

The venue says until when nothing of it can be touched. Prices are compared as floats, so what is near counts as touched; what is not
as simple as a resting order of a share or a pair (a trailing stop, an auction, a contract, a request under way) may happen at once.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING

from hydra.adapters.exchange.model import Ticket
from hydra.adapters.exchange.venue import SimulatedVenue
from hydra.adapters.markets.feed import root_of
from hydra.adapters.markets.recorded import RecordedFeed
from hydra.model.market import AssetClass, OptionContract, asset_class_of
from hydra.model.orders import OrderType, Side, TimeInForce
from hydra.model.rows import Rows

if TYPE_CHECKING:
    from hydra.model.rows import Ints

_NEAR = 1e-9
_AUCTIONS = (TimeInForce.OPG, TimeInForce.CLS)
_CHUNK = 64
_CHUNK_MOST = 16_384
_SPARE = 16
"""So many watches more than twice the open orders are kept before those of done orders are let go."""


class KnownMarket:
    """See the module."""

    def __init__(self, venue: SimulatedVenue, feed: RecordedFeed) -> None:
        self._venue = venue
        self._feed = feed
        self._instants = feed.instants()
        self._moments = self._instants.data  # the same numbers, for one at a time
        self._watches: dict[str, _Watch] = {}
        self.rows = cache(feed.rows)

    def instants(self) -> Ints:
        """Every moment at which something becomes known, in microseconds since 1970."""
        return self._instants

    def contracts_on(self, underlying: str) -> bool:
        """Whether the recording has contracts on a share."""
        root = root_of(underlying)
        return any(OptionContract.parse(symbol).root == root for symbol in self._feed.contracts)

    def standing(self) -> tuple[Decimal, Mapping[str, Decimal]]:
        """Cash, and what is held by symbol."""
        positions = self._venue.positions()
        return self._venue.cash, {position.symbol: position.quantity for position in positions}

    def pass_to(self, at: datetime) -> None:
        """Move the clock to ``at``, up to which nothing happens."""
        self._venue.pass_to(at)

    def untouched_until(self, last: int) -> int:
        """The first moment after now at which an order may be touched, or something happens by the calendar."""
        venue, now = self._venue, micros(self._venue.now)
        if venue.ration is not None:
            return now + 1
        mark = venue.next_mark()
        found = last + 1 if mark is None else min(last + 1, micros(mark))
        working = venue.working()
        if len(self._watches) > 2 * len(working) + _SPARE:
            self._watches = {name: watch for name, watch in self._watches.items() if watch.ticket in working}
        place = bisect_right(self._moments, now)
        soon = self._moments[place] if place < len(self._moments) else now
        for ticket in working:
            found = min(found, self._touched(ticket, now, found))
            if found <= soon:  # nobody could be earlier: nothing is known before the next instant
                break
        return found

    def _touched(self, ticket: Ticket, now: int, last: int) -> int:
        """The first moment after ``now`` and before ``last`` at which an order may be touched; else ``last``."""
        if ticket.pending is not None:
            return now + 1
        if ticket.expires_at is not None:
            last = min(last, micros(ticket.expires_at))
        if not ticket.working:
            return last
        watch = self._watches.get(ticket.client_id)
        if watch is not None and watch.ticket is ticket:  # an order that has changed is another value
            return watch.touched(now, last)
        if not ticket.symbol or asset_class_of(ticket.symbol) is AssetClass.OPTION or ticket.time_in_force in _AUCTIONS:
            return now + 1
        rows = self.rows(ticket.symbol)
        if rows is None:
            return now + 1
        price = _price(ticket)
        if price is None:
            known = rows.known.data
            place = bisect_right(known, now)
            return min(last, known[place]) if place < len(known) else last
        watch = self._watches[ticket.client_id] = _Watch(ticket, rows, float(price))
        return watch.touched(now, last)


class _Watch:
    """An order that rests at a price, and the next bar that may touch it: looked for as far as anybody asked, and kept until it is over."""

    __slots__ = ("_at", "_bound", "_column", "_falls", "_known", "_seen", "_since", "_size", "ticket")

    def __init__(self, ticket: Ticket, rows: Rows, price: float) -> None:
        self.ticket = ticket
        self._known = rows.known.data
        falls = self._falls = _waits_for_a_fall(ticket)
        self._column = (rows.low if falls else rows.high).data
        self._bound = price * (1 + _NEAR) if falls else price * (1 - _NEAR)
        # No bar that closes after `_since` and has a number below `_seen` touches the order; the one that closes at `_at` does.
        self._since = self._at = -1
        self._seen, self._size = 0, _CHUNK

    def touched(self, now: int, last: int) -> int:
        """The first moment after ``now`` and before ``last`` at which the order may be touched; else ``last``."""
        known = self._known
        if not 0 <= self._since <= now or 0 <= self._at <= now:
            self._since, self._seen, self._at, self._size = now, bisect_right(known, now), -1, _CHUNK
        while self._at < 0 and self._seen < len(known) and known[self._seen] < last:
            self._look_on()
        return min(last, self._at) if self._at >= 0 else last

    def _look_on(self) -> None:
        """Usually the next touch is far, or soon: so it is looked for in pieces that grow."""
        piece, bound = self._column[self._seen : self._seen + self._size].tolist(), self._bound
        if (min(piece) <= bound) if self._falls else (max(piece) >= bound):
            touched = [(price <= bound) if self._falls else (price >= bound) for price in piece]
            self._at = self._known[self._seen + touched.index(True)]
        self._seen, self._size = self._seen + len(piece), min(4 * self._size, _CHUNK_MOST)


def _price(ticket: Ticket) -> Decimal | None:
    """The price at which an order that rests begins to matter; ``None`` when any bar may fill it."""
    if ticket.order_type is OrderType.LIMIT:
        return ticket.limit
    if ticket.order_type in (OrderType.STOP, OrderType.STOP_LIMIT):
        return ticket.limit if ticket.triggered else ticket.stop
    return None


def _waits_for_a_fall(ticket: Ticket) -> bool:
    """A buy at a limit and a stop that sells wait for lower prices."""
    waits = ticket.order_type is OrderType.LIMIT or ticket.triggered
    return (ticket.side is Side.BUY) is waits


def micros(at: datetime) -> int:
    """Microseconds since 1970."""
    return int(at.timestamp() * 1e6 + 0.5)


def foresight(venue: SimulatedVenue, feed: object, symbols: tuple[str, ...]) -> tuple[KnownMarket | None, str]:
    """The market as one that may be passed over, or why it may not."""
    if not isinstance(feed, RecordedFeed):
        return None, "its prices do not lie there as a whole"
    without = [symbol for symbol in symbols if feed.rows(symbol) is None]
    if without:
        return None, f"{', '.join(without)}: prices are more than bars"
    return KnownMarket(venue, feed), ""
