"""A feed with another future: as it was up to a moment, and then something else, or nothing.

What decides by what was known at its time decides the same in front of any future. So whoever decides otherwise has looked ahead.

    bent      from the moment on each price p becomes q * q / p, with q the last price before it: what rose falls, by as much
    cut off   from the moment on nothing becomes known, and the feed is over

What contracts cost is not bent in this way but doubled: they have no price of their own that it could turn around.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from hydra.adapters.markets.feed import CorporateAction, Feed, Opening, as_counted, as_opens, lapses_at
from hydra.model.market import Bar, OptionContract, OptionQuote, Quote
from hydra.model.values import replace

_TWO = Decimal(2)


class Future(StrEnum):
    """What becomes of a history from a moment on."""

    BENT = "bent"
    CUT = "cut off"


class OtherFuture:
    """A ``Feed`` over another one: its own past up to ``moment``, and the other ``future``."""

    def __init__(self, feed: Feed, moment: datetime, future: Future) -> None:
        self._feed = feed
        self._moment = moment
        self._future = future
        self._pivots: dict[str, Decimal | None] = {}

    @property
    def symbols(self) -> tuple[str, ...]:
        return self._feed.symbols

    @property
    def fingerprint(self) -> str:
        return f"{self._feed.fingerprint}-{self._future.name.lower()}-{self._moment:%Y%m%dT%H%M%S}"

    def describe(self) -> str:
        return f"{self._feed.describe()}; {self._future} after {self._moment:%Y-%m-%d %H:%M:%S}Z"

    def next_after(self, at: datetime | None) -> datetime | None:
        coming = self._feed.next_after(at)
        if coming is not None and self._future is Future.CUT and coming > self._moment:
            return None
        return coming

    def bars(self, after: datetime, upto: datetime) -> tuple[Bar, ...]:
        return self._told(self._feed.bars(after, upto))

    def history(self, symbol: str, upto: datetime, count: int) -> tuple[Bar, ...]:
        if self._future is Future.CUT:
            upto = min(upto, self._moment)
        return self._told(self._feed.history(symbol, upto, count))

    def count_since(self, symbol: str, after: datetime, upto: datetime) -> int | None:
        counted = as_counted(self._feed)
        if self._future is Future.CUT:
            upto = min(upto, self._moment)
        return None if counted is None else counted.count_since(symbol, after, upto)

    def quotes(self, at: datetime) -> Mapping[str, Quote]:
        if self._future is Future.CUT:
            at = min(at, self._moment)
        return {symbol: self._quote(quote) for symbol, quote in self._feed.quotes(at).items()}

    @property
    def days(self) -> tuple[str, ...]:
        opens = as_opens(self._feed)
        return () if opens is None else opens.days

    def openings(self, at: datetime) -> Mapping[str, Opening]:
        opens = as_opens(self._feed)
        if self._future is Future.CUT:
            at = min(at, self._moment)
        return {} if opens is None else {name: self._opening(name, one) for name, one in opens.openings(at).items()}

    @property
    def contracts(self) -> tuple[str, ...]:
        return self._feed.contracts

    @property
    def actions(self) -> tuple[CorporateAction, ...]:
        return self._feed.actions

    def option_quote(self, symbol: str, at: datetime) -> OptionQuote | None:
        if self._future is Future.CUT:
            at = min(at, self._moment)
        quote = self._feed.option_quote(symbol, at)
        return None if quote is None else self._contract(quote)

    def chain(self, underlying: str, at: datetime) -> tuple[OptionQuote, ...]:
        if self._future is Future.BENT:
            return tuple(map(self._contract, self._feed.chain(underlying, at)))
        last = self._feed.chain(underlying, min(at, self._moment))
        return tuple(quote for quote in last if at < lapses_at(OptionContract.parse(quote.symbol)))

    # -- inside

    def _told(self, bars: tuple[Bar, ...]) -> tuple[Bar, ...]:
        if not bars or max(bar.closes_at for bar in bars) <= self._moment:
            return bars
        known = bars if self._future is Future.BENT else [bar for bar in bars if bar.closes_at <= self._moment]
        return tuple(bar if bar.closes_at <= self._moment else self._bar(bar) for bar in known)

    def _bar(self, bar: Bar) -> Bar:
        pivot = self._pivot(bar.symbol)
        if pivot is None:
            return bar
        high, low = _turned(bar.low, pivot), _turned(bar.high, pivot)
        return replace(bar, open=_turned(bar.open, pivot), high=high, low=low, close=_turned(bar.close, pivot))

    def _quote(self, quote: Quote) -> Quote:
        pivot = None if quote.at <= self._moment else self._pivot(quote.symbol)
        if pivot is None:
            return quote
        return replace(quote, bid=_turned(quote.ask, pivot), ask=_turned(quote.bid, pivot))

    def _opening(self, symbol: str, opening: Opening) -> Opening:
        pivot = None if opening.at <= self._moment else self._pivot(symbol)
        return opening if pivot is None else opening._replace(price=_turned(opening.price, pivot))

    def _contract(self, quote: OptionQuote) -> OptionQuote:
        if quote.at <= self._moment:
            return quote
        sides = {side: price * _TWO for side in ("bid", "ask") if (price := getattr(quote, side)) is not None}
        return replace(quote, **sides)

    def _pivot(self, symbol: str) -> Decimal | None:
        """The last price by the moment; without one there is nothing to turn around."""
        if symbol not in self._pivots:
            bars = self._feed.history(symbol, self._moment, 1)
            quote = self._feed.quotes(self._moment).get(symbol)
            self._pivots[symbol] = bars[-1].close if bars else None if quote is None else quote.mid
        return self._pivots[symbol]


def _turned(price: Decimal, pivot: Decimal) -> Decimal:
    """At the same number of places, and never nothing."""
    exponent = price.as_tuple().exponent
    step = Decimal(1).scaleb(min(int(exponent), 0) if isinstance(exponent, int) else 0)
    return max(step, (pivot * pivot / price).quantize(step))
