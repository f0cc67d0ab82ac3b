"""What the venue knows of prices at its present time: the feed, cut off at the clock."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from hydra.adapters.markets.feed import Feed
from hydra.model.market import Quote


class Prices:
    """A feed and a clock. What one instant shows is asked for once, and only when wanted."""

    def __init__(self, feed: Feed, at: datetime) -> None:
        self.feed = feed
        self.move(at)

    def move(self, at: datetime) -> None:
        """Set the clock."""
        self.now = at
        self._quotes: Mapping[str, Quote] | None = None
        self._next: tuple[datetime | None] | None = None

    def quotes(self) -> Mapping[str, Quote]:
        """The latest quote of each symbol that has one."""
        if self._quotes is None:
            self._quotes = self.feed.quotes(self.now)
        return self._quotes

    def next_instant(self) -> datetime | None:
        """The feed's next instant; ``None`` at its end."""
        if self._next is None:
            self._next = (self.feed.next_after(self.now),)
        return self._next[0]

    def last(self, symbol: str) -> Decimal | None:
        """The middle of the latest quote, else the last close, else unknown."""
        quote = self.quotes().get(symbol)
        if quote is not None:
            return quote.mid
        bars = self.feed.history(symbol, self.now, 1)
        return bars[-1].close if bars else None

    def half_spread(self, symbol: str, at: datetime) -> Decimal | None:
        """Half the spread of the latest quote known at ``at``, as a fraction of its middle; ``None`` without one."""
        quote = self.feed.quotes(at).get(symbol)
        return None if quote is None else (quote.ask - quote.bid) / (quote.ask + quote.bid)
