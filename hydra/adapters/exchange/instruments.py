"""What can be traded, and in which steps: one instrument for each symbol and contract of the feed.

Under the flat fee schedule the steps are those that are usual for a class. Under the other the venue trades as its model does:
shares in parts of a billionth if the account may, coins in parts of a billionth, so that what a fee in coin leaves can be sold.
A pair whose recorded prices are written finer than to the cent is priced as finely as they are, as coins below a dollar have to be.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

from hydra.adapters.exchange.model import FeeSchedule, VenueSettings
from hydra.adapters.markets.feed import Feed
from hydra.model.market import AssetClass, Instrument, usual_instrument
from hydra.model.values import replace

_PART = Decimal("1e-9")


def instruments_of(feed: Feed, settings: VenueSettings) -> Mapping[str, Instrument]:
    """Every instrument of a feed, by symbol."""
    decimals: Callable[[str], int] = getattr(feed, "decimals", _no_decimals)
    return {symbol: _instrument(symbol, settings, decimals) for symbol in (*feed.symbols, *feed.contracts)}


def _no_decimals(_symbol: str) -> int:
    return 0


def _instrument(symbol: str, settings: VenueSettings, decimals: Callable[[str], int]) -> Instrument:
    usual = usual_instrument(symbol)
    if usual.asset_class is AssetClass.CRYPTO:
        usual = replace(usual, price_increment=min(usual.price_increment, Decimal(1).scaleb(-decimals(symbol))))
    if usual.asset_class is AssetClass.EQUITY and settings.fractional:
        return replace(usual, quantity_increment=_PART, minimum_quantity=_PART)
    if usual.asset_class is AssetClass.CRYPTO and settings.fees is FeeSchedule.ALPACA:
        return replace(usual, quantity_increment=_PART, minimum_quantity=_PART)
    return usual
