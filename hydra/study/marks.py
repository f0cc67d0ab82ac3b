"""What is held, at the prices of the last look.

    price           the middle of the last quote; of a contract with one side only, that side; else the close of the last bar
    open profit     (price - average price) x quantity x multiplier, below zero for a loss; a short's quantity is below zero
    gross           sum of |quantity| x price x multiplier

It is how the simulated exchange values an account. A real venue may use its last trade: what its equity then says beyond these prices
is told apart (``hydra.study.books``).
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

from hydra.model.market import OptionQuote, Quote, multiplier_of
from hydra.model.money import ZERO
from hydra.model.portfolio import Holding
from hydra.model.snapshot import Observed

_NOTHING: Mapping[str, Decimal] = {}


class Standing(NamedTuple):
    """What holdings are worth: open profit by bot, dollars in the market, and how many have no price (they count at cost)."""

    open: Mapping[str, Decimal] = _NOTHING
    gross: Decimal = ZERO
    unpriced: int = 0
    gross_of: Mapping[str, Decimal] = _NOTHING


FLAT = Standing()


class Marks:
    """The latest price of everything that was quoted. Quotes are kept as they came; a price is worked out for what is held only."""

    def __init__(self) -> None:
        self._quotes: dict[str, Quote | OptionQuote] = {}
        self._closes: dict[str, Decimal] = {}

    def take(self, seen: Observed) -> None:
        """What a look brought."""
        quotes = self._quotes
        for quote in seen.quotes:
            quotes[quote.symbol] = quote
        for bar in seen.bars:
            self._closes[bar.symbol] = bar.close
        for news in seen.chains:
            for contract in news.quotes:
                quotes[contract.symbol] = contract
            for symbol in news.gone:
                quotes.pop(symbol, None)

    def put(self, prices: Mapping[str, Decimal]) -> None:
        """The closes of symbols that have no quotes of their own: those of bars that were passed over."""
        for symbol, price in prices.items():
            self._closes[symbol] = price
            self._quotes.pop(symbol, None)

    def rename(self, old: str, new: str) -> None:
        """What was quoted under one symbol is known under another, until that is quoted itself."""
        if old in self._quotes:
            self._quotes.setdefault(new, self._quotes[old])
        if old in self._closes:
            self._closes.setdefault(new, self._closes[old])

    def price(self, symbol: str) -> Decimal | None:
        """Dollars a unit; ``None`` when nothing is known."""
        quote = self._quotes.get(symbol)
        if quote is not None:
            bid, ask = quote.bid, quote.ask
            if bid is not None and ask is not None:
                return (bid + ask) / 2
            if bid is not None or ask is not None:
                return ask if bid is None else bid
        return self._closes.get(symbol)

    def standing(self, holdings: Mapping[str, Holding]) -> Standing:
        """What these are worth now."""
        if not holdings:
            return FLAT
        opened: dict[str, Decimal] = {}
        gross_of: dict[str, Decimal] = {}
        unpriced = 0
        for held in holdings.values():
            price = self.price(held.symbol)
            if price is None:
                unpriced += 1
                price = held.average_price
            units = held.quantity * multiplier_of(held.symbol)
            opened[held.bot] = opened.get(held.bot, ZERO) + (price - held.average_price) * units
            gross_of[held.bot] = gross_of.get(held.bot, ZERO) + abs(units) * price
        return Standing(opened, sum(gross_of.values(), ZERO), unpriced, gross_of)

    @property
    def symbols(self) -> frozenset[str]:
        """Everything that has a price."""
        return frozenset(self._quotes) | frozenset(self._closes)
