"""Option contracts: latest quotes, snapshots, chains, and what bars and trades the feed has (often none).

A contract's latest trade and its bars exist only if the feed plays bars of it; quotes, implied volatility and greeks come from its
option quotes, and each is left out where the feed does not have it. Both feed names show the same market.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from starlette.routing import BaseRoute

from hydra.adapters.exchange.server.context import Context
from hydra.adapters.exchange.server.data import latest
from hydra.adapters.exchange.server.data.asked import (
    Asked,
    asked_route,
    frame_of,
    limit_of,
    symbol_of,
    symbols_of,
    token_of,
)
from hydra.adapters.exchange.server.data.pages import sliced
from hydra.adapters.exchange.server.data.rows import Row, greeks_row, option_quote_row
from hydra.adapters.exchange.server.data.series import bars_page, trades_page
from hydra.adapters.exchange.server.data.tape import Days
from hydra.model.market import AssetClass, OptionContract, OptionQuote

_OPTION = AssetClass.OPTION
_FEEDS = ("opra", "indicative")
_PAGING = ("symbols", "start", "end", "limit", "page_token", "sort")
_SNAPSHOT = ("feed", "limit", "updated_since", "page_token")
_FILTERS = (
    "type",
    "strike_price_gte",
    "strike_price_lte",
    "expiration_date",
    "expiration_date_gte",
    "expiration_date_lte",
    "root_symbol",
)
SYMBOLS_MAX = 100


def routes(context: Context, days: Days) -> list[BaseRoute]:
    """Everything beneath ``/v1beta1/options`` but the meta routes."""
    base = "/v1beta1/options"
    return [
        asked_route(context, days, f"{base}/bars", _bars, (*_PAGING, "timeframe")),
        asked_route(context, days, f"{base}/trades", _trades, _PAGING),
        asked_route(context, days, f"{base}/quotes/latest", _quotes, ("symbols", "feed")),
        asked_route(context, days, f"{base}/trades/latest", _last_trades, ("symbols", "feed")),
        asked_route(context, days, f"{base}/snapshots", _snapshots, ("symbols", *_SNAPSHOT)),
        asked_route(context, days, f"{base}/snapshots/{{underlying_symbol}}", _chain, (*_SNAPSHOT, *_FILTERS)),
    ]


def _bars(asked: Asked) -> Any:
    page = bars_page(asked, symbols_of(asked, _OPTION, SYMBOLS_MAX), frame_of(asked))
    return {"bars": page.rows, "next_page_token": page.token}


def _trades(asked: Asked) -> Any:
    page = trades_page(asked, symbols_of(asked, _OPTION, SYMBOLS_MAX))
    return {"trades": page.rows, "next_page_token": page.token}


def _quotes(asked: Asked) -> Any:
    _feed(asked)
    found = {each: _quote_row(asked, each) for each in symbols_of(asked, _OPTION, SYMBOLS_MAX)}
    return {"quotes": {symbol: row for symbol, row in found.items() if row is not None}}


def _last_trades(asked: Asked) -> Any:
    _feed(asked)
    found = {each: latest.latest_trade(asked, each) for each in symbols_of(asked, _OPTION, SYMBOLS_MAX)}
    return {"trades": {symbol: row for symbol, row in found.items() if row is not None}}


def _snapshots(asked: Asked) -> Any:
    _feed(asked)
    since = asked.query.moment("updated_since")
    now = asked.view.now
    quotes = {each: asked.view.feed.option_quote(each, now) for each in symbols_of(asked, _OPTION, SYMBOLS_MAX)}
    known = {symbol: quote for symbol, quote in quotes.items() if quote is not None}
    return _page(asked, known, since)


def _chain(asked: Asked) -> Any:
    _feed(asked)
    since = asked.query.moment("updated_since")
    underlying = symbol_of(asked.path["underlying_symbol"], AssetClass.EQUITY)
    wanted = _filter(asked)
    chain = asked.view.feed.chain(underlying, asked.view.now)
    return _page(asked, {each.symbol: each for each in chain if wanted(OptionContract.parse(each.symbol))}, since)


def _page(asked: Asked, quotes: dict[str, OptionQuote], since: datetime | None) -> Any:
    limit, token = limit_of(asked, 100, 1000), token_of(asked)
    updated = [symbol for symbol, quote in quotes.items() if since is None or quote.at >= since]
    symbols, following = sliced(updated, limit, token)
    rows = {symbol: _snapshot(asked, quotes[symbol]) for symbol in symbols}
    return {"snapshots": {symbol: row for symbol, row in rows.items() if row}, "next_page_token": following}


def _snapshot(asked: Asked, quote: OptionQuote) -> Row:
    found: Row = latest.traded(asked, quote.symbol)
    found["latestQuote"] = option_quote_row(quote)
    found["greeks"] = greeks_row(quote)
    volatility = quote.implied_volatility
    found["impliedVolatility"] = None if volatility is None else float(volatility)
    return {name: value for name, value in found.items() if value is not None}


def _quote_row(asked: Asked, symbol: str) -> Row | None:
    quote = asked.view.feed.option_quote(symbol, asked.view.now)
    return None if quote is None else option_quote_row(quote)


def _filter(asked: Asked) -> Callable[[OptionContract], bool]:
    """What the chain's filters let through."""
    query = asked.query
    right = query.chosen("type", ("call", "put"), "")
    least, most = query.number("strike_price_gte"), query.number("strike_price_lte")
    on = query.date("expiration_date")
    since, until = query.date("expiration_date_gte"), query.date("expiration_date_lte")
    root = query.text("root_symbol")

    def wanted(contract: OptionContract) -> bool:
        return (
            (not right or contract.right == right)
            and (least is None or contract.strike >= least)
            and (most is None or contract.strike <= most)
            and (on is None or contract.expiry == on)
            and (since is None or contract.expiry >= since)
            and (until is None or contract.expiry <= until)
            and (not root or contract.root == root)
        )

    return wanted


def _feed(asked: Asked) -> None:
    asked.query.chosen("feed", _FEEDS, "opra")
