"""The three series that are asked for in pages: bars, trades and quotes, as rows with their times.

A feed has no list of its quotes, so their history is a walk: forwards over its instants, backwards from each quote to the one known
just before it. A page examines a bounded number of them and may therefore end early; its token goes on from there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from hydra.adapters.exchange.server.data.adjust import adjuster, steps_for
from hydra.adapters.exchange.server.data.asked import Asked, Window, limit_of, token_of, window_of
from hydra.adapters.exchange.server.data.frames import Timeframe
from hydra.adapters.exchange.server.data.pages import Page, paged
from hydra.adapters.exchange.server.data.rows import Row, bar_row, quote_row, trade_row
from hydra.adapters.exchange.server.data.tape import Tape, View
from hydra.model.market import AssetClass, Bar, Quote, asset_class_of

EXAMINED_MAX = 5000
"""Instants a page of quotes may examine."""
_MOMENT = timedelta(microseconds=1)


def bars_page(asked: Asked, symbols: Sequence[str], frame: Timeframe, words: Sequence[str] = ()) -> Page:
    """Bars of a timeframe, adjusted as ``words`` ask."""

    def series(symbol: str, since: datetime | None) -> Iterator[tuple[datetime, Row]]:
        window = _rest(window_of(asked, symbol), since)
        tape = asked.tape(symbol)
        if words:
            tape.adjust = adjuster(steps_for(tape, words, asked.view.feed.actions, asked.view.now))
        kind = asset_class_of(symbol)
        for candle in tape.candles(frame, window.first, window.last, down=window.down):
            yield candle.at, bar_row(kind, candle)

    return paged(symbols, series, limit_of(asked), token_of(asked))


def trades_page(asked: Asked, symbols: Sequence[str]) -> Page:
    """Trades."""

    def series(symbol: str, since: datetime | None) -> Iterator[tuple[datetime, Row]]:
        window = _rest(window_of(asked, symbol), since)
        tape = asked.tape(symbol)
        for bar in tape.trades(window.first, window.last, down=window.down):
            yield bar.closes_at, told_as_trade(tape, bar)

    return paged(symbols, series, limit_of(asked), token_of(asked))


def quotes_page(asked: Asked, symbols: Sequence[str]) -> Page:
    """Quotes of equities or pairs."""
    left = EXAMINED_MAX

    def series(symbol: str, since: datetime | None) -> Iterator[tuple[datetime, Row | None]]:
        nonlocal left
        window = _rest(window_of(asked, symbol), since)
        kind = asset_class_of(symbol)
        walk = _backwards if window.down else _forwards
        for at, quote in walk(asked.view, symbol, window):
            if quote is not None:
                yield quote.at, quote_row(kind, quote)
            left -= 1
            if left <= 0:
                yield at, None

    return paged(symbols, series, limit_of(asked), token_of(asked))


def told_as_trade(tape: Tape, bar: Bar) -> Row:
    """The trade a bar of a tape is told as."""
    kind = asset_class_of(tape.symbol)
    return trade_row(kind, bar, regular=kind is not AssetClass.EQUITY or tape.regular(bar))


def _rest(window: Window, since: datetime | None) -> Window:
    if since is None:
        return window
    return (
        window._replace(last=min(since, window.last))
        if window.down
        else window._replace(first=max(since, window.first))
    )


def _forwards(view: View, symbol: str, window: Window) -> Iterator[tuple[datetime, Quote | None]]:
    """Every instant of a window, with the quote that became known at it, if one did."""
    before = view.feed.quotes(window.first - _MOMENT).get(symbol)
    seen = None if before is None else before.at
    at = view.feed.next_after(window.first - _MOMENT)
    while at is not None and at <= window.last:
        quote = view.feed.quotes(at).get(symbol)
        new = quote is not None and (seen is None or quote.at > seen) and window.first <= quote.at
        yield at, quote if new else None
        seen = seen if quote is None else quote.at
        at = view.feed.next_after(at)


def _backwards(view: View, symbol: str, window: Window) -> Iterator[tuple[datetime, Quote | None]]:
    """Every quote of a window, latest first."""
    quote = view.feed.quotes(window.last).get(symbol)
    while quote is not None and quote.at >= window.first:
        yield quote.at, quote
        quote = view.feed.quotes(quote.at - _MOMENT).get(symbol)
