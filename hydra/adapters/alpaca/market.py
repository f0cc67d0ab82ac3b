"""The ``Market`` port at Alpaca: quotes, closed bars and option chains of its market data API.

A poll costs one request a class for quotes, and one a class for bars when a bar may have closed since the last one that is
known; in between it costs none for bars. Whatever cannot be had or understood raises ``Unreachable`` for the whole poll: half an answer
would look as if the other half had no prices.

A quote of which either side is missing or 0 is no quote. A crossed one is nonsense and raises, in a chain it is left out (see
``rows.chain_of``). The quotes of contracts are those of ``option_feed``; where that is ``indicative`` they are Alpaca's own
estimate and not what anybody bids.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from hydra.adapters.alpaca.access import Clients, ask
from hydra.adapters.alpaca.bars import DELAYS, BarReader, Desk, asked_for, by_class, chunks, desks_for
from hydra.adapters.alpaca.options import ChainReader
from hydra.adapters.alpaca.rows import object_of, quote_of, rows_in
from hydra.adapters.alpaca.terms import venue_symbol
from hydra.model.market import AssetClass, Bar, OptionQuote, Quote
from hydra.ports import MarketData


class AlpacaMarket:
    """Prices from Alpaca. ``now`` is the clock that is followed, aware UTC; it is read once a question.

    Raises ``BadConfig`` for bars that Alpaca does not have. Every question raises ``Unreachable`` when it has no answer.
    """

    def __init__(
        self, clients: Clients, *, stock_feed: str, option_feed: str, bar_seconds: int, now: Callable[[], datetime]
    ) -> None:
        delays = {AssetClass.EQUITY: DELAYS[stock_feed]} if stock_feed in DELAYS else {}
        self._bars = BarReader(desks_for(clients, stock_feed), bar_seconds, delays)
        self._chains = ChainReader(clients, option_feed)
        self._quotes = _quote_desks(clients, stock_feed, option_feed)
        self._now = now
        self._name = f"Alpaca market data: shares from {stock_feed}, options {option_feed}, bars of {bar_seconds} s"

    def describe(self) -> str:
        """Which feeds, in one line."""
        return self._name

    def history(self, symbols: Sequence[str], count: int) -> tuple[Bar, ...]:
        """The last ``count`` closed bars of each symbol, oldest first within a symbol; shares adjusted for splits."""
        if count <= 0:
            return ()
        found = self._bars.last(symbols, count, self._now())
        return tuple(bar for symbol in symbols for bar in found[symbol])

    def poll(self, symbols: Sequence[str], after: Mapping[str, datetime]) -> MarketData:
        """Latest quotes, and bars that opened after ``after``; a symbol not in it gets its latest bar only."""
        now = self._now()
        known = {symbol: after[symbol] for symbol in symbols if symbol in after}
        bars = self._bars.later(known, now)
        bars |= self._bars.last([symbol for symbol in symbols if symbol not in known], 1, now)
        quotes = self._latest(symbols)
        return MarketData(
            quotes=tuple(quotes[symbol] for symbol in symbols if symbol in quotes),
            bars=tuple(bar for symbol in symbols for bar in bars[symbol]),
        )

    def chain(self, underlying: str) -> tuple[OptionQuote, ...]:
        """Every contract on an equity, by symbol. What is not delivered is ``None``; a crossed contract is left out."""
        return self._chains.chain(underlying, self._now())

    def _latest(self, symbols: Iterable[str]) -> dict[str, Quote]:
        found: dict[str, Quote] = {}
        for kind, group in by_class(symbols):
            desk = self._quotes[kind]
            for some in chunks(group, desk.together):
                for symbol, row in _rows(desk, some).items():
                    quote = quote_of(symbol, row)
                    if quote is not None:
                        found[symbol] = quote
        return found


def _quote_desks(clients: Clients, stock_feed: str, option_feed: str) -> Mapping[AssetClass, Desk]:
    shares, contracts = {"feed": stock_feed}, {"feed": option_feed}
    return {
        AssetClass.EQUITY: Desk("shares", clients.stocks.get, "/stocks/quotes/latest", shares, 200),
        AssetClass.CRYPTO: Desk("pairs", clients.crypto.get, "/crypto/us/latest/quotes", {}, 100),
        AssetClass.OPTION: Desk("contracts", clients.options.get, "/options/quotes/latest", contracts, 100),
    }


def _rows(desk: Desk, symbols: Sequence[str]) -> dict[str, Any]:
    what = f"quotes of {desk.noun}"
    names = {venue_symbol(symbol): symbol for symbol in symbols}
    answer = ask(what, lambda: desk.get(desk.path, {"symbols": ",".join(names), **desk.query}))
    return asked_for(what, rows_in(what, object_of(what, answer), "quotes"), names)
