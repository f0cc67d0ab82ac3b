"""Which quote a market shows of a symbol, through either of the venue's doors: what the feed has, or where the market is.

A share or a pair without a quote shows its last close with half the usual spread to either side. That only says where the
market is: the venue does not trade on it, and without a quote its orders fill at the next bar. A contract shows its own quote
when it has both sides, and nothing otherwise: the last close of a contract says little of what it is worth now.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal

from hydra.adapters.markets.feed import Feed
from hydra.model.market import AssetClass, Bar, OptionQuote, Quote, asset_class_of
from hydra.model.money import ONE, ZERO


def around(bar: Bar, half_spread: Decimal) -> Quote:
    """The close of a bar, half the usual spread to either side."""
    return Quote(
        symbol=bar.symbol,
        at=bar.closes_at,
        bid=bar.close * (ONE - half_spread),
        ask=bar.close * (ONE + half_spread),
        bid_size=bar.volume,
        ask_size=bar.volume,
    )


def shown_quote(
    feed: Feed,
    quotes: Mapping[str, Quote],
    symbol: str,
    at: datetime,
    half_spread: Decimal,
    indicative: Callable[[Bar, Decimal], Quote] = around,
) -> Quote | None:
    """The quote of a symbol at a time; ``quotes`` are the feed's own of shares and pairs then. ``None``: it has none.

    ``indicative`` makes the quote that only says where the market is of the last bar and the spread; for whoever keeps it.
    """
    if asset_class_of(symbol) is AssetClass.OPTION:
        return contract_quote(feed.option_quote(symbol, at))
    quote = quotes.get(symbol)
    if quote is None:
        bars = feed.history(symbol, at, 1)
        quote = indicative(bars[-1], half_spread) if bars else None
    return quote


def contract_quote(quoted: OptionQuote | None) -> Quote | None:
    """A contract's quote as a quote, when it has both sides. A size that is not known is 0: nobody says that he would trade."""
    if quoted is None or quoted.bid is None or quoted.ask is None:
        return None
    return Quote(
        symbol=quoted.symbol,
        at=quoted.at,
        bid=quoted.bid,
        ask=quoted.ask,
        bid_size=ZERO if quoted.bid_size is None else quoted.bid_size,
        ask_size=ZERO if quoted.ask_size is None else quoted.ask_size,
    )
