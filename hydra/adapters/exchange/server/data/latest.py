"""The latest of everything: bar, trade, quote, and the snapshot that has them all. What is not known is left out.

Of a feed that has bars and no quotes, the latest quote only says where the market is, as through the venue's other door; it is
in no history and on no stream.
"""

from __future__ import annotations

from itertools import islice

from hydra.adapters.exchange.server.data.asked import Asked
from hydra.adapters.exchange.server.data.frames import ONE_MINUTE
from hydra.adapters.exchange.server.data.rows import Row, bar_row, book_row, quote_row
from hydra.adapters.exchange.server.data.series import told_as_trade
from hydra.adapters.exchange.shown import shown_quote
from hydra.model.market import Quote, asset_class_of


def latest_bar(asked: Asked, symbol: str) -> Row | None:
    """The minute in which the latest bar opened."""
    candle = asked.tape(symbol).last_candle(ONE_MINUTE)
    return None if candle is None else bar_row(asset_class_of(symbol), candle)


def latest_trade(asked: Asked, symbol: str) -> Row | None:
    """The latest trade."""
    tape = asked.tape(symbol)
    bar = tape.last_trade()
    return None if bar is None else told_as_trade(tape, bar)


def latest_quote(asked: Asked, symbol: str) -> Row | None:
    """The latest quote of an equity or a pair."""
    quote = _shown(asked, symbol)
    return None if quote is None else quote_row(asset_class_of(symbol), quote)


def latest_book(asked: Asked, symbol: str) -> Row | None:
    """The latest order book of a pair."""
    quote = _shown(asked, symbol)
    return None if quote is None else book_row(quote)


def snapshot(asked: Asked, symbol: str) -> Row:
    """Latest trade, quote and minute, the daily bar as it stands, and the one before it, of an equity or a pair."""
    quote = latest_quote(asked, symbol)
    return {**traded(asked, symbol), **({} if quote is None else {"latestQuote": quote})}


def traded(asked: Asked, symbol: str) -> Row:
    """A snapshot without its quote: what the bars of a symbol tell, nothing when there are none."""
    if asked.tape(symbol).last is None:
        return {}
    kind = asset_class_of(symbol)
    days = [bar_row(kind, each) for each in islice(asked.tape(symbol).days_down(asked.view.now), 2)]
    found = {
        "latestTrade": latest_trade(asked, symbol),
        "minuteBar": latest_bar(asked, symbol),
        "dailyBar": days[0] if days else None,
        "prevDailyBar": days[1] if len(days) > 1 else None,
    }
    return {name: row for name, row in found.items() if row is not None}


def _shown(asked: Asked, symbol: str) -> Quote | None:
    view = asked.view
    return shown_quote(view.feed, view.feed.quotes(view.now), symbol, view.now, view.half_spread)
