"""What the venue knows of prices at its present time: the feed, cut off at the clock."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from hydra.adapters.markets.feed import Feed, Opens, as_opens
from hydra.model.market import AssetClass, OptionQuote, Quote, asset_class_of
from hydra.model.money import ONE, ZERO
from hydra.model.orders import Side


class Far(NamedTuple):
    """The side of a quote that an order would trade on: price, size (``None``: not said) and time."""

    price: Decimal
    size: Decimal | None
    at: datetime


class Prices:
    """A feed and a clock. What one instant shows is asked for once, and only when wanted."""

    def __init__(self, feed: Feed, at: datetime, half_spread: Decimal = ZERO) -> None:
        self.feed = feed
        self._opens = as_opens(feed)
        self._half_spread = half_spread
        self.move(at)

    def move(self, at: datetime) -> None:
        """Set the clock."""
        self.now = at
        self._quotes: Mapping[str, Quote] | None = None
        self._option_quotes: dict[str, OptionQuote | None] = {}
        self._lasts: dict[str, Decimal | None] = {}
        self._next: tuple[datetime | None] | None = None

    def quotes(self) -> Mapping[str, Quote]:
        """The latest quote of each share and pair that has one; of a day's bar that has opened, its opening and half the spread."""
        if self._quotes is None:
            self._quotes = self.feed.quotes(self.now)
            if self._opens is not None:
                self._quotes = {**self._openings(self._opens), **self._quotes}
        return self._quotes

    def _openings(self, feed: Opens) -> Mapping[str, Quote]:
        low, high = ONE - self._half_spread, ONE + self._half_spread
        return {
            symbol: Quote(
                symbol=symbol,
                at=opening.at,
                bid=opening.price * low,
                ask=opening.price * high,
                bid_size=opening.size,
                ask_size=opening.size,
            )
            for symbol, opening in feed.openings(self.now).items()
        }

    def option_quote(self, symbol: str) -> OptionQuote | None:
        """The latest quote of a contract."""
        if symbol not in self._option_quotes:
            self._option_quotes[symbol] = self.feed.option_quote(symbol, self.now)
        return self._option_quotes[symbol]

    def next_instant(self) -> datetime | None:
        """The feed's next instant; ``None`` at its end."""
        if self._next is None:
            self._next = (self.feed.next_after(self.now),)
        return self._next[0]

    def far(self, symbol: str, side: Side) -> Far | None:
        """What a buy would pay, or a sell would get, by the latest quote, however old; ``None`` when that side has none."""
        buys = side is Side.BUY
        if asset_class_of(symbol) is AssetClass.OPTION:
            quoted = self.option_quote(symbol)
            price = None if quoted is None else quoted.ask if buys else quoted.bid
            if quoted is None or price is None:
                return None
            return Far(price, quoted.ask_size if buys else quoted.bid_size, quoted.at)
        quotes = self.quotes() if self._quotes is None else self._quotes
        quote = quotes.get(symbol) if quotes else None
        if quote is None:
            return None
        return Far(quote.ask, quote.ask_size, quote.at) if buys else Far(quote.bid, quote.bid_size, quote.at)

    def last(self, symbol: str) -> Decimal | None:
        """The middle of the latest quote (or the one side it has), else the last close, else unknown."""
        if symbol not in self._lasts:
            self._lasts[symbol] = self._last(symbol)
        return self._lasts[symbol]

    def _last(self, symbol: str) -> Decimal | None:
        if asset_class_of(symbol) is AssetClass.OPTION:
            quoted = self.option_quote(symbol)
            sides = [] if quoted is None else [side for side in (quoted.bid, quoted.ask) if side is not None]
            if sides:
                return sum(sides[1:], sides[0]) / len(sides)
        else:
            quotes = self.quotes() if self._quotes is None else self._quotes
            if symbol in quotes:
                return quotes[symbol].mid
        return self.close(symbol)

    def close(self, symbol: str) -> Decimal | None:
        """The close of the last bar, else unknown."""
        bars = self.feed.history(symbol, self.now, 1)
        return bars[-1].close if bars else None

    def half_spread(self, symbol: str, at: datetime) -> Decimal | None:
        """Half the spread of the latest quote known at ``at``, as a fraction of its middle; ``None`` without one."""
        quote = self.feed.quotes(at).get(symbol)
        return None if quote is None else (quote.ask - quote.bid) / (quote.ask + quote.bid)
