"""A line of the market as it is played: what became known at each instant, for those symbols and channels somebody hears.

Within an instant the order is trades, quotes, books, bars, daily bars, and within each the order of the alphabet. A minute's bar is
told once its minute is over; a feed with longer bars is told bar by bar. A day's bar is told, as it stands, with every bar.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from hydra.adapters.exchange.server.data.frames import ONE_MINUTE, Candle, candle_of
from hydra.adapters.exchange.server.data.rows import Row, bar_row, book_row, option_quote_row, quote_row
from hydra.adapters.exchange.server.data.series import told_as_trade
from hydra.adapters.exchange.server.data.tape import Days, Tape, View
from hydra.adapters.exchange.server.streams.subscriptions import EVERY
from hydra.model.market import AssetClass, Bar, OptionQuote, Quote, asset_class_of

_MINUTE = timedelta(minutes=1)
_MOMENT = timedelta(microseconds=1)

LETTERS = {"trades": "t", "quotes": "q", "orderbooks": "o", "bars": "b", "dailyBars": "d"}
"""The channels that are told, in the order of an instant, with the letter of their messages."""

Wanted = Callable[[str], set[str]]
"""The canonical symbols somebody hears on a channel, perhaps ``*``."""


class News(NamedTuple):
    """A row, and who hears it."""

    channel: str
    symbol: str
    row: Row


class Line:
    """What happens in one asset class, told from ``seen`` on."""

    def __init__(self, kind: AssetClass, delay: timedelta, seen: datetime) -> None:
        self.kind = kind
        self.delay = delay
        self.seen = seen
        self._days = Days()

    def instants(self, view: View) -> Iterator[datetime]:
        """The instants that have not been told, up to the view's. Each must be told before the next is asked for."""
        upto = view.now - self.delay
        while True:
            at = view.feed.next_after(self.seen)
            if at is None or at > upto:
                break
            yield at
        self.seen = max(self.seen, upto)

    def tell(self, view: View, at: datetime, wanted: Wanted) -> list[News]:
        """What became known from ``seen`` to an instant; moves ``seen`` there."""
        since, self.seen = self.seen, at
        moment = _Moment(view._replace(now=at), self.kind, since, self._days)
        return [
            News(channel, symbol, row)
            for channel in LETTERS
            for symbol in moment.symbols(wanted(channel))
            for row in moment.rows(channel, symbol)
        ]


class _Moment:
    """One step of a line: from the instant before to this one."""

    def __init__(self, view: View, kind: AssetClass, since: datetime, days: Days) -> None:
        self._view = view
        self._kind = kind
        self._since = since
        self._days = days
        self._bars: dict[str, list[Bar]] = {}
        if kind is not AssetClass.OPTION:
            for bar in view.feed.bars(since, view.now):
                self._bars.setdefault(bar.symbol, []).append(bar)
        self._quotes = {} if kind is AssetClass.OPTION else view.feed.quotes(view.now)

    def symbols(self, wanted: set[str]) -> Sequence[str]:
        """The wanted symbols in order."""
        if EVERY not in wanted:
            return sorted(wanted)
        if self._kind is AssetClass.OPTION:
            return self._view.feed.contracts
        return sorted(symbol for symbol in self._view.feed.symbols if asset_class_of(symbol) is self._kind)

    def rows(self, channel: str, symbol: str) -> list[Row]:
        """The rows of a channel and symbol."""
        if channel == "trades":
            tape = self._tape(symbol)
            return [told_as_trade(tape, bar) for bar in self._closed(symbol) if bar.volume > 0]
        if channel in ("quotes", "orderbooks"):
            row = self._quote(channel, symbol)
            return [] if row is None else [row]
        candles = self._candles(symbol)
        if channel == "dailyBars" and candles:
            tape = self._tape(symbol)
            found = tape.day(candles[-1].at.astimezone(tape.zone).date())
            candles = [] if found is None else [found]
        return [bar_row(self._kind, candle) for candle in candles]

    def _quote(self, channel: str, symbol: str) -> Row | None:
        quote: Quote | OptionQuote | None
        if self._kind is AssetClass.OPTION:
            quote = self._view.feed.option_quote(symbol, self._view.now)
        else:
            quote = self._quotes.get(symbol)
        if quote is None or not self._since < quote.at <= self._view.now:
            return None
        if isinstance(quote, OptionQuote):
            return option_quote_row(quote)
        return {**book_row(quote), "r": True} if channel == "orderbooks" else quote_row(self._kind, quote)

    def _closed(self, symbol: str) -> Sequence[Bar]:
        """The bars of a symbol that closed in this step."""
        if self._kind is not AssetClass.OPTION:
            return self._bars.get(symbol, ())
        return [bar for bar in self._view.feed.history(symbol, self._view.now, 1) if bar.closes_at > self._since]

    def _candles(self, symbol: str) -> list[Candle]:
        """The minutes that ended in this step; of a feed with longer bars, the bars that closed."""
        tape = self._tape(symbol)
        if tape.last is None:
            return []
        closed = self._closed(symbol)
        if tape.last.seconds >= _MINUTE.total_seconds():
            begins = {ONE_MINUTE.begins(bar.at, tape.zone) for bar in closed}
        else:
            moments = [self._since - _MOMENT, *(bar.at for bar in closed)]
            begins = {ONE_MINUTE.begins(each, tape.zone) for each in moments}
            begins = {each for each in begins if self._since < each + _MINUTE <= self._view.now}
        found = (tape.bars(each, each + _MINUTE) for each in sorted(begins))
        return [candle_of(each, bars) for each, bars in zip(sorted(begins), found, strict=True) if bars]

    def _tape(self, symbol: str) -> Tape:
        return Tape(self._view, symbol, self._days)
