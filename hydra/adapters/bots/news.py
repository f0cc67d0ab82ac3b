"""Bars and chains as news: what a worker has not seen yet, encoded once for all who are to be told.

The host's ``NewsDesk`` numbers the versions of every symbol's bars and of every chain. A worker that has the version before
gets the difference, any other the whole; which one is its own ``Seen``. The worker's ``Windows`` put the view together again.
The two are inverse: the view that comes out equals the view that went in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any, Generic, TypeVar

import msgspec

from hydra.adapters.bots.wire import Ask, BarNews, QuoteNews
from hydra.model.errors import Invalid
from hydra.model.market import Bar, OptionQuote
from hydra.model.snapshot import View
from hydra.model.values import encode, replace

T = TypeVar("T")
_NOTHING_NEW = msgspec.Raw(b"{}")


class _Series(Generic[T]):
    """What one symbol has had: the last two versions, and their news once somebody needs them."""

    def __init__(self, difference: Callable[[tuple[T, ...], tuple[T, ...]], Any], whole: Callable[..., Any]) -> None:
        self._difference, self._make_whole = difference, whole
        self.version = 0
        self._value: tuple[T, ...] = ()
        self._before: tuple[T, ...] = ()
        self._news: msgspec.Raw | None = None
        self._whole: msgspec.Raw | None = None

    def now(self, value: tuple[T, ...]) -> None:
        """Take in what it is now."""
        if self.version and (value is self._value or value == self._value):
            return
        self.version += 1
        self._before, self._value = self._value, value
        self._news = self._whole = None

    def since(self, version: int | None) -> msgspec.Raw:
        """What somebody who has ``version`` must be told."""
        if version == self.version:
            return _NOTHING_NEW
        if version is not None and version == self.version - 1:
            if self._news is None:
                self._news = msgspec.Raw(encode(self._difference(self._before, self._value)))
            return self._news
        if self._whole is None:
            self._whole = msgspec.Raw(encode(self._make_whole(self._value)))
        return self._whole


class Seen:
    """Which versions a worker has."""

    __slots__ = ("bars", "chains")

    def __init__(self) -> None:
        self.bars: dict[str, int] = {}
        self.chains: dict[str, int] = {}


class NewsDesk:
    """The host's side."""

    def __init__(self) -> None:
        self._bars: dict[str, _Series[Bar]] = {}
        self._chains: dict[str, _Series[OptionQuote]] = {}

    def tell(self, view: View, seen: Seen) -> tuple[dict[str, msgspec.Raw], dict[str, msgspec.Raw]]:
        """The news of the view's bars and chains for a worker; it counts as told."""
        bars = self._told(view.bars, self._bars, _new_bars_series, seen.bars)
        chains = self._told(view.chains, self._chains, _new_chain_series, seen.chains) if view.chains else {}
        return bars, chains

    @staticmethod
    def _told(
        values: Mapping[str, tuple[T, ...]],
        known: dict[str, _Series[T]],
        make: Callable[[], _Series[T]],
        seen: dict[str, int],
    ) -> dict[str, msgspec.Raw]:
        told: dict[str, msgspec.Raw] = {}
        for symbol, value in values.items():
            series = known.get(symbol)
            if series is None:
                series = known[symbol] = make()
            series.now(value)
            told[symbol] = series.since(seen.get(symbol))
            seen[symbol] = series.version
        return told


class Windows:
    """The worker's side."""

    def __init__(self) -> None:
        self._bars: dict[str, tuple[Bar, ...]] = {}
        self._chains: dict[str, tuple[OptionQuote, ...]] = {}

    def view(self, ask: Ask) -> View:
        """The whole view of a question. Raises ``Invalid`` for news of what was never told whole."""
        for symbol, news in ask.bars.items():
            self._bars[symbol] = news.bars if news.whole else self._known(symbol, self._bars)[news.drop :] + news.bars
        for symbol, quotes in ask.chains.items():
            self._chains[symbol] = self._chain(symbol, quotes)
        return replace(
            ask.view,
            bars={symbol: self._bars[symbol] for symbol in ask.bars},
            chains={symbol: self._chains[symbol] for symbol in ask.chains},
        )

    def _chain(self, symbol: str, news: QuoteNews) -> tuple[OptionQuote, ...]:
        if news.whole:
            return news.quotes
        known = self._known(symbol, self._chains)
        if not news.quotes and not news.gone:
            return known
        chain = {quote.symbol: quote for quote in known}
        chain |= {quote.symbol: quote for quote in news.quotes}
        for contract in news.gone:
            chain.pop(contract, None)
        return tuple(sorted(chain.values(), key=lambda quote: quote.symbol))

    @staticmethod
    def _known(symbol: str, windows: Mapping[str, tuple[T, ...]]) -> tuple[T, ...]:
        if symbol not in windows:
            raise Invalid(f"news of {symbol}, which was never told whole")
        return windows[symbol]


def _new_bars_series() -> _Series[Bar]:
    return _Series(_bars_since, lambda bars: BarNews(whole=True, bars=bars))


def _new_chain_series() -> _Series[OptionQuote]:
    return _Series(_quotes_since, lambda quotes: QuoteNews(whole=True, quotes=quotes))


def _bars_since(before: tuple[Bar, ...], now: tuple[Bar, ...]) -> BarNews:
    """Windows move on at one end: the oldest go, new ones come. Anything else is told whole."""
    if now and now[0] in before:
        drop = before.index(now[0])
        kept = len(before) - drop
        if before[drop:] == now[:kept]:
            return BarNews(drop=drop, bars=now[kept:])
    return BarNews(whole=True, bars=now)


def _quotes_since(before: tuple[OptionQuote, ...], now: tuple[OptionQuote, ...]) -> QuoteNews:
    known = {quote.symbol: quote for quote in before}
    there = {quote.symbol for quote in now}
    if any(a.symbol >= b.symbol for a, b in pairwise(now)):
        return QuoteNews(whole=True, quotes=now)  # the worker keeps a chain by symbol, in order, each once
    changed = tuple(quote for quote in now if known.get(quote.symbol) != quote)
    return QuoteNews(quotes=changed, gone=tuple(symbol for symbol in known if symbol not in there))
