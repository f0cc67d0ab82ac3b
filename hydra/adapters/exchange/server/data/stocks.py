"""Equities: history, the latest of everything, snapshots, and auctions; for several symbols or for one.

Every feed name that is served (``sip``, ``iex``) has the same prices; ``delayed_sip`` is what was known 15 minutes ago. The others
are answered with 403, since no such data are played. Prices are in dollars and ``asof`` changes nothing: a symbol means the
prices the feed has under it. The auctions of a day are its first regular bar's opening and its last one's close.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from starlette.routing import BaseRoute

from hydra.adapters.calendar import NEW_YORK
from hydra.adapters.exchange.server.context import Context
from hydra.adapters.exchange.server.data import latest
from hydra.adapters.exchange.server.data.adjust import WORDS
from hydra.adapters.exchange.server.data.asked import (
    DELAY,
    Asked,
    absent,
    asked_route,
    bad,
    frame_of,
    limit_of,
    symbol_of,
    symbols_of,
    token_of,
    window_of,
)
from hydra.adapters.exchange.server.data.frames import midnight_of
from hydra.adapters.exchange.server.data.pages import Page, paged
from hydra.adapters.exchange.server.data.rows import CLOSING, OPENING, STOCK_EXCHANGE, Row
from hydra.adapters.exchange.server.data.series import bars_page, quotes_page, trades_page
from hydra.adapters.exchange.server.data.tape import Days
from hydra.adapters.exchange.server.errors import ApiError
from hydra.model.market import AssetClass

_EQUITY = AssetClass.EQUITY
_PLAYED = frozenset({"sip", "iex", "delayed_sip"})
_HISTORICAL = ("iex", "otc", "sip", "boats")
_LATEST = ("delayed_sip", "iex", "otc", "sip", "boats", "overnight")
_PAGING = ("start", "end", "limit", "asof", "feed", "currency", "page_token", "sort")
_NOW = ("feed", "currency")
_DAY = timedelta(days=1)

PagesOf = Callable[[Asked, Sequence[str]], Page]
LatestOf = Callable[[Asked, str], Row | None]

_LATEST_OF: dict[str, tuple[str, LatestOf]] = {
    "bars": ("bar", latest.latest_bar),
    "trades": ("trade", latest.latest_trade),
    "quotes": ("quote", latest.latest_quote),
}


def routes(context: Context, days: Days) -> list[BaseRoute]:
    """Everything beneath ``/v2/stocks`` but the meta routes. The fixed paths come before those with a symbol."""
    found: list[BaseRoute] = []
    for kind, (pages, more) in _PAGES.items():
        names = (*_PAGING, *more)
        found.append(asked_route(context, days, f"/v2/stocks/{kind}", _many(kind, pages), ("symbols", *names)))
    for kind, (one, find) in _LATEST_OF.items():
        found.append(asked_route(context, days, f"/v2/stocks/{kind}/latest", _latest(kind, find), ("symbols", *_NOW)))
        found.append(asked_route(context, days, f"/v2/stocks/{{symbol}}/{kind}/latest", _latest_one(one, find), _NOW))
    found.append(asked_route(context, days, "/v2/stocks/snapshots", _snapshots, ("symbols", *_NOW)))
    found.append(asked_route(context, days, "/v2/stocks/{symbol}/snapshot", _snapshot, _NOW))
    for kind, (pages, more) in _PAGES.items():
        found.append(asked_route(context, days, f"/v2/stocks/{{symbol}}/{kind}", _one(kind, pages), (*_PAGING, *more)))
    return found


def auctions_page(asked: Asked, symbols: Sequence[str]) -> Page:
    """Auctions by day. The closing auction is told when the day's session is over."""

    def series(symbol: str, since: datetime | None) -> Any:
        window = window_of(asked, symbol)
        first = midnight_of(window.first.astimezone(NEW_YORK).date(), NEW_YORK)
        tape = asked.tape(symbol)
        for candle in tape.days_between(first, window.last, down=window.down):
            if since is None or (candle.at <= since if window.down else candle.at >= since):
                yield candle.at, _auctions_of(asked, symbol, candle.at)

    return paged(symbols, series, limit_of(asked), token_of(asked))


def _auctions_of(asked: Asked, symbol: str, midnight: datetime) -> Row:
    tape = asked.tape(symbol)
    bars = [
        bar
        for bar in tape.bars(midnight, midnight_of(midnight.astimezone(NEW_YORK).date() + _DAY, NEW_YORK))
        if tape.regular(bar)
    ]
    opening, closing = bars[0], bars[-1]
    told: Row = {"d": midnight.astimezone(NEW_YORK).date().isoformat(), "o": [], "c": []}
    told["o"].append({"t": opening.at, "x": STOCK_EXCHANGE, "p": float(opening.open), "c": OPENING})
    session = asked.view.calendar.sessions(asked.view.now).by_class.get(_EQUITY)
    over = session is None or not session.open or midnight + _DAY <= asked.view.now
    if over:
        told["c"].append({"t": closing.closes_at, "x": STOCK_EXCHANGE, "p": float(closing.close), "c": CLOSING})
    return told


_PAGES: dict[str, tuple[PagesOf, tuple[str, ...]]] = {
    "bars": (
        lambda asked, symbols: bars_page(asked, symbols, frame_of(asked), _words(asked)),
        ("timeframe", "adjustment"),
    ),
    "trades": (trades_page, ()),
    "quotes": (quotes_page, ()),
    "auctions": (auctions_page, ()),
}


def _many(kind: str, pages: PagesOf) -> Callable[[Asked], Any]:
    def handle(asked: Asked) -> Any:
        _check(asked, _HISTORICAL)
        page = pages(asked, symbols_of(asked, _EQUITY))
        return {kind: page.rows, "next_page_token": page.token, **_currency(asked)}

    return handle


def _one(kind: str, pages: PagesOf) -> Callable[[Asked], Any]:
    def handle(asked: Asked) -> Any:
        _check(asked, _HISTORICAL)
        symbol = symbol_of(asked.path["symbol"], _EQUITY)
        page = pages(asked, [symbol])
        return {kind: page.rows.get(symbol, []), "symbol": symbol, "next_page_token": page.token, **_currency(asked)}

    return handle


def _latest(kind: str, find: LatestOf) -> Callable[[Asked], Any]:
    def handle(asked: Asked) -> Any:
        seen = _as_of_feed(asked)
        found = {symbol: find(seen, symbol) for symbol in symbols_of(asked, _EQUITY)}
        return {kind: {symbol: row for symbol, row in found.items() if row is not None}, **_currency(asked)}

    return handle


def _latest_one(kind: str, find: LatestOf) -> Callable[[Asked], Any]:
    def handle(asked: Asked) -> Any:
        symbol = symbol_of(asked.path["symbol"], _EQUITY)
        row = find(_as_of_feed(asked), symbol)
        if row is None:
            raise absent(f"no {kind} found for {symbol}")
        return {"symbol": symbol, kind: row, **_currency(asked)}

    return handle


def _snapshots(asked: Asked) -> Any:
    seen = _as_of_feed(asked)
    found = {symbol: latest.snapshot(seen, symbol) for symbol in symbols_of(asked, _EQUITY)}
    return {symbol: rows for symbol, rows in found.items() if rows}


def _snapshot(asked: Asked) -> Any:
    symbol = symbol_of(asked.path["symbol"], _EQUITY)
    rows = latest.snapshot(_as_of_feed(asked), symbol)
    if not rows:
        raise absent(f"no snapshot found for {symbol}")
    return {"symbol": symbol, **_currency(asked), **rows}


def _as_of_feed(asked: Asked) -> Asked:
    """The request as the feed it names sees it."""
    late = _check(asked, _LATEST) == "delayed_sip"
    return asked._replace(view=asked.view.earlier(DELAY)) if late else asked


def _check(asked: Asked, feeds: Sequence[str]) -> str:
    """The feed, which must be one that is played; the other parameters that change nothing are checked too."""
    feed = asked.query.chosen("feed", feeds, "sip")
    if feed not in _PLAYED:
        raise ApiError(403, None, f"subscription does not permit querying recent {feed.upper()} data")
    currency = asked.query.text("currency", "USD")
    if currency != "USD":
        raise bad(f"invalid currency: {currency[:10]}, only USD is served")
    if asked.query.text("asof") not in ("", "-"):
        asked.query.date("asof")
    return feed


def _currency(asked: Asked) -> Row:
    return {"currency": "USD"} if "currency" in asked.query else {}


def _words(asked: Asked) -> tuple[str, ...]:
    words = asked.query.listed("adjustment")
    for word in words:
        if word not in WORDS:
            raise bad(f"invalid adjustment: {word[:40]}")
    if "raw" in words and len(words) > 1:
        raise bad("invalid adjustment: raw goes with no other")
    return words
