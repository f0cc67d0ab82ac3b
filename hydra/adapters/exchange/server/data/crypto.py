"""Pairs: history, the latest of everything, and snapshots. Every location that is known shows the same market."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.routing import BaseRoute

from hydra.adapters.exchange.server import wire
from hydra.adapters.exchange.server.context import Context
from hydra.adapters.exchange.server.data import latest
from hydra.adapters.exchange.server.data.asked import Asked, asked_route, bad, frame_of, symbols_of
from hydra.adapters.exchange.server.data.pages import Page
from hydra.adapters.exchange.server.data.rows import Row
from hydra.adapters.exchange.server.data.series import bars_page, quotes_page, trades_page
from hydra.adapters.exchange.server.data.tape import Days
from hydra.model.market import AssetClass

LOCATIONS = ("us", "us-1", "us-2", "eu-1", "bs-1")
_PAGING = ("symbols", "start", "end", "limit", "page_token", "sort")

PagesOf = Callable[[Asked, list[str]], Page]
LatestOf = Callable[[Asked, str], Row | None]

_PAGES: dict[str, tuple[PagesOf, tuple[str, ...]]] = {
    "bars": (lambda asked, symbols: bars_page(asked, symbols, frame_of(asked)), ("timeframe",)),
    "trades": (trades_page, ()),
    "quotes": (quotes_page, ()),
}
_LATEST_OF: dict[str, LatestOf] = {
    "bars": latest.latest_bar,
    "trades": latest.latest_trade,
    "quotes": latest.latest_quote,
    "orderbooks": latest.latest_book,
}


def routes(context: Context, days: Days) -> list[BaseRoute]:
    """Everything beneath ``/v1beta3/crypto/{loc}``."""
    base = "/v1beta3/crypto/{loc}"
    found: list[BaseRoute] = []
    for kind, (pages, more) in _PAGES.items():
        found.append(asked_route(context, days, f"{base}/{kind}", _history(kind, pages), (*_PAGING, *more)))
    for kind, find in _LATEST_OF.items():
        found.append(asked_route(context, days, f"{base}/latest/{kind}", _latest(kind, find), ("symbols",)))
    found.append(asked_route(context, days, f"{base}/snapshots", _latest("snapshots", _snapshot), ("symbols",)))
    return found


def _history(kind: str, pages: PagesOf) -> Callable[[Asked], Any]:
    def handle(asked: Asked) -> Any:
        page = pages(asked, _symbols(asked))
        rows = {wire.venue_symbol(symbol): rows for symbol, rows in page.rows.items()}
        return {kind: rows, "next_page_token": page.token}

    return handle


def _latest(kind: str, find: LatestOf) -> Callable[[Asked], Any]:
    def handle(asked: Asked) -> Any:
        found = {wire.venue_symbol(symbol): find(asked, symbol) for symbol in _symbols(asked)}
        return {kind: {symbol: row for symbol, row in found.items() if row is not None}}

    return handle


def _snapshot(asked: Asked, symbol: str) -> Row | None:
    return latest.snapshot(asked, symbol) or None


def _symbols(asked: Asked) -> list[str]:
    if asked.path["loc"] not in LOCATIONS:
        raise bad(f"invalid location: {asked.path['loc'][:20]}")
    return symbols_of(asked, AssetClass.CRYPTO)
