"""A simulated venue over recorded bars, as one that may be passed over: the ``Foresight`` port.

The venue says until when nothing of it can be touched. Prices are compared as floats, so what is near counts as touched; what is not
as simple as a resting order of a share or a pair (a trailing stop, an auction, a contract, a request under way) may happen at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING

from hydra.adapters.exchange.model import Ticket
from hydra.adapters.exchange.venue import SimulatedVenue
from hydra.adapters.markets.recorded import RecordedFeed
from hydra.model.market import AssetClass, asset_class_of
from hydra.model.orders import OrderType, Side, TimeInForce

if TYPE_CHECKING:
    from hydra.model.rows import Ints

_NEAR = 1e-9
_AUCTIONS = (TimeInForce.OPG, TimeInForce.CLS)
_CHUNK = 256
_CHUNK_MOST = 65_536


class KnownMarket:
    """See the module."""

    def __init__(self, venue: SimulatedVenue, feed: RecordedFeed) -> None:
        self._venue = venue
        self._feed = feed
        self._instants = feed.instants()
        self.rows = cache(feed.rows)

    def instants(self) -> Ints:
        """Every moment at which something becomes known, in microseconds since 1970."""
        return self._instants

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
        for ticket in venue.working():
            found = min(found, self._touched(ticket, now, found))
        return found

    def _touched(self, ticket: Ticket, now: int, last: int) -> int:
        """The first moment after ``now`` and before ``last`` at which an order may be touched; else ``last``."""
        if ticket.pending is not None:
            return now + 1
        if ticket.expires_at is not None:
            last = min(last, micros(ticket.expires_at))
        if not ticket.working:
            return last
        if not ticket.symbol or asset_class_of(ticket.symbol) is AssetClass.OPTION or ticket.time_in_force in _AUCTIONS:
            return now + 1
        rows = self.rows(ticket.symbol)
        if rows is None:
            return now + 1
        first, end = int(rows.known.searchsorted(now, "right")), int(rows.known.searchsorted(last))
        if first >= end:
            return last
        price = _price(ticket)
        if price is None:
            return int(rows.known[first])
        # Usually the next touch is far, or soon: so it is looked for in pieces that grow.
        size = _CHUNK
        falls = _waits_for_a_fall(ticket)
        bound = float(price) * (1 + _NEAR) if falls else float(price) * (1 - _NEAR)
        column = rows.low if falls else rows.high
        while first < end:
            piece = column[first : min(end, first + size)]
            touched = piece <= bound if falls else piece >= bound
            place = int(touched.argmax())
            if touched[place]:
                return int(rows.known[first + place])
            first, size = first + size, min(4 * size, _CHUNK_MOST)
        return last


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
