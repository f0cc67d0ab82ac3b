"""The stage of these tests: one venue, a script, and a hand on the clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from hydra.adapters.exchange.books import SqliteBooks
from hydra.adapters.exchange.doors import SimBroker, SimMarket
from hydra.adapters.exchange.model import VenueSettings
from hydra.adapters.exchange.standing import Books
from hydra.adapters.exchange.venue import SimulatedVenue
from hydra.adapters.memory.calendar import PlainCalendar
from hydra.model.orders import Fill
from tests.contracts.stage import Hand
from tests.fakes.feed import Number, ScriptedFeed, bar, quote

OPEN = datetime(2024, 3, 4, 14, 30, tzinfo=UTC)
"""A Monday's opening."""
MINUTE = timedelta(minutes=1)
SETTINGS = VenueSettings(starting_cash=Decimal(10_000))


class Scene(Hand):
    """SPY at 100.00 (99.99 to 100.01) one minute after the opening, in an account of 10,000."""

    def __init__(self, settings: VenueSettings = SETTINGS, books: Books | None = None, symbol: str = "SPY") -> None:
        self.symbol = symbol
        first = OPEN + MINUTE
        self.feed = ScriptedFeed(
            [bar(symbol, OPEN, (100, 100, 100, 100))],
            [quote(symbol, first, "99.99", "100.01")],
            symbols=["SPY", "BTC-USD"],
        )
        self.settings = settings
        self.calendar = PlainCalendar()
        self.floor = self.venue = SimulatedVenue(self.feed, self.calendar, settings, books)
        self.venue.advance()
        self.broker = SimBroker(self.venue)
        self.market = SimMarket(self.venue)

    def play(self, first: Number, high: Number, low: Number, last: Number) -> None:
        """Let the next minute of the symbol happen."""
        self.feed.add(bar(self.symbol, self.venue.now, (first, high, low, last)))
        assert self.venue.advance()

    def fills(self) -> list[tuple[str, Decimal]]:
        """What has filled: client ids and prices."""
        return [(fill.client_id, fill.price) for fill in self.all_fills()]

    def all_fills(self) -> tuple[Fill, ...]:
        """Every execution."""
        return self.broker.fills("").fills


def open_books(path: Path) -> SqliteBooks:
    """The books in a folder."""
    return SqliteBooks(path / "exchange.db")
