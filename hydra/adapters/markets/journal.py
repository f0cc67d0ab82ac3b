"""A journal's own prices as a feed: what its looks saw becomes known when it was looked at, and nothing else ever does.

Between two looks the market may have done anything; the journal does not say, so this feed has nothing then. A window of bars with
which a segment begins is history. Everything is held in memory: some hundred bytes for each quote and bar.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import datetime

from hydra.adapters.markets.feed import CorporateAction, lapses_at, root_of
from hydra.model.market import AssetClass, Bar, OptionContract, OptionQuote, Quote, asset_class_of
from hydra.model.snapshot import Observed
from hydra.model.values import encode


class JournalFeed:
    """The ``Feed`` of the looks that were ``taken``, in their order."""

    def __init__(self) -> None:
        self._instants: list[datetime] = []
        self._bars: dict[str, list[Bar]] = {}
        self._closes: dict[str, list[datetime]] = {}
        self._quotes: dict[str, list[Quote]] = {}
        self._known: dict[str, list[datetime]] = {}
        self._options: dict[str, list[OptionQuote | None]] = {}
        self._listed: dict[str, list[datetime]] = {}
        self._symbols: dict[str, None] = {}
        self._digest = hashlib.sha256()

    def list_also(self, symbols: Sequence[str]) -> None:
        """Symbols that the venue trades, whether or not there is a price of them."""
        self._symbols.update(dict.fromkeys(symbols))

    def take(self, seen: Observed) -> None:
        """Add a look. Times go forward; a look at a time that has passed adds nothing."""
        if self._instants and seen.at <= self._instants[-1]:
            return
        self._instants.append(seen.at)
        for bar in seen.bars:
            closes = self._closes.setdefault(bar.symbol, [])
            if not closes or bar.closes_at > closes[-1]:
                closes.append(bar.closes_at)
                self._bars.setdefault(bar.symbol, []).append(bar)
                self._digest.update(encode(bar))
        for quote in seen.quotes:
            self._known.setdefault(quote.symbol, []).append(seen.at)
            self._quotes.setdefault(quote.symbol, []).append(quote)
            self._digest.update(encode(quote))
        for chain in seen.chains:
            for option in chain.quotes:
                self._list(option.symbol, seen.at, option)
            for symbol in chain.gone:
                self._list(symbol, seen.at, None)

    def _list(self, symbol: str, at: datetime, quote: OptionQuote | None) -> None:
        self._listed.setdefault(symbol, []).append(at)
        self._options.setdefault(symbol, []).append(quote)
        self._digest.update(symbol.encode() if quote is None else encode(quote))

    @property
    def symbols(self) -> tuple[str, ...]:
        """The equities and pairs that were quoted, had a bar, or are listed all the same."""
        every = dict.fromkeys((*self._bars, *self._quotes, *self._symbols))
        return tuple(sorted(symbol for symbol in every if asset_class_of(symbol) is not AssetClass.OPTION))

    @property
    def instants(self) -> tuple[datetime, ...]:
        """When it was looked."""
        return tuple(self._instants)

    @property
    def fingerprint(self) -> str:
        """Of every bar and quote."""
        return self._digest.hexdigest()[:16]

    def describe(self) -> str:
        """How many looks, from when to when."""
        if not self._instants:
            return "a journal without a look"
        first, last = self._instants[0], self._instants[-1]
        return f"a journal's {len(self._instants):,} looks, {first:%Y-%m-%d %H:%M}Z to {last:%Y-%m-%d %H:%M}Z"

    def next_after(self, at: datetime | None) -> datetime | None:
        """The next look."""
        place = 0 if at is None else bisect_right(self._instants, at)
        return self._instants[place] if place < len(self._instants) else None

    def bars(self, after: datetime, upto: datetime) -> tuple[Bar, ...]:
        """Bars that closed in between."""
        found = [
            bar
            for symbol, closes in self._closes.items()
            for bar in self._bars[symbol][bisect_right(closes, after) : bisect_right(closes, upto)]
            if asset_class_of(symbol) is not AssetClass.OPTION
        ]
        return tuple(sorted(found, key=lambda bar: (bar.closes_at, bar.symbol)))

    def quotes(self, at: datetime) -> Mapping[str, Quote]:
        """The latest quote of each symbol that had been seen."""
        places = {symbol: bisect_right(known, at) for symbol, known in self._known.items()}
        return {symbol: self._quotes[symbol][place - 1] for symbol, place in places.items() if place}

    def history(self, symbol: str, upto: datetime, count: int) -> tuple[Bar, ...]:
        """The last closed bars."""
        if count <= 0 or symbol not in self._closes:
            return ()
        end = bisect_right(self._closes[symbol], upto)
        return tuple(self._bars[symbol][max(0, end - count) : end])

    @property
    def contracts(self) -> tuple[str, ...]:
        """Every contract that was ever seen."""
        return tuple(sorted(self._options))

    @property
    def actions(self) -> tuple[CorporateAction, ...]:
        """None: what a journal tells of them are activities of the account."""
        return ()

    def option_quote(self, symbol: str, at: datetime) -> OptionQuote | None:
        """The latest quote of a contract; ``None`` while it was not in its chain."""
        place = bisect_right(self._listed.get(symbol, []), at)
        return self._options[symbol][place - 1] if place else None

    def chain(self, underlying: str, at: datetime) -> tuple[OptionQuote, ...]:
        """The chain as it was last read."""
        root = root_of(underlying)
        found = []
        for symbol in self.contracts:
            contract = OptionContract.parse(symbol)
            quote = self.option_quote(symbol, at) if contract.root == root and at < lapses_at(contract) else None
            found += [] if quote is None else [quote]
        return tuple(found)
