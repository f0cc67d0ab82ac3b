"""The routes of assets: shares and pairs, and what can be done with them. Contracts have routes of their own.

Where a share is listed is known of the few in a table. An asset has to name an exchange, so the others name NYSE, whose
hours all of them keep here; a position may leave it empty, and does. The name of an asset is its
symbol, since no source of names is read. An asset that can no longer be traded (renamed away) stays, inactive.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from starlette.responses import Response
from starlette.routing import BaseRoute

from hydra.adapters.exchange.server import wire
from hydra.adapters.exchange.server.context import Ask, Context, endpoint
from hydra.adapters.exchange.server.errors import bad_parameter, not_found
from hydra.model.market import AssetClass, OptionContract, asset_class_of

_LISTED = {
    # primary listing: symbols
    "ARCA": "DIA GLD IWM SPY XLF XLK",
    "NASDAQ": "AAPL AMD AMZN GOOG GOOGL INTC META MSFT NFLX NVDA QQQ TLT TSLA",
    "NYSE": "BAC DIS GE IBM JNJ JPM KO XOM",
}
LISTED: dict[str, str] = {symbol: place for place, symbols in _LISTED.items() for symbol in symbols.split()}
UNLISTED = "NYSE"
EXCHANGE_NAMES = ("AMEX", "ARCA", "BATS", "NYSE", "NASDAQ", "NYSEARCA", "OTC", "CRYPTO")
STATUSES = ("active", "inactive")
CLASS_NAMES = (*wire.ASSET_CLASSES.values(), "crypto_perp", "treasury", "corporate", "global_equity", "us_index", "ipo")
ATTRIBUTES = (
    "ptp_no_exception",
    "ptp_with_exception",
    "ipo",
    "has_options",
    "options_late_close",
    "fractional_eh_enabled",
    "overnight_tradable",
    "overnight_halted",
)


def routes(context: Context) -> list[BaseRoute]:
    """The routes of this module."""
    return [
        endpoint(context, "GET", "/v2/assets", listed),
        endpoint(context, "GET", "/v2/assets/{symbol:path}", one),
    ]


def listed(context: Context, ask: Ask) -> Response:
    """Assets by class (shares unless said otherwise), status, exchange and attributes; by symbol."""
    query = ask.query
    wanted_class = query.chosen("asset_class", CLASS_NAMES, "us_equity")
    status = query.chosen("status", STATUSES, "")
    exchange = query.chosen("exchange", EXCHANGE_NAMES, "")
    attributes = query.listed("attributes")
    for each in attributes:
        if each not in ATTRIBUTES:
            raise bad_parameter(f"attributes must be of {', '.join(ATTRIBUTES)}, got {each[:40]!r}")
    symbols = {*context.exchange.instruments, *context.exchange.feed.symbols}
    kind = {name: each for each, name in wire.ASSET_CLASSES.items()}.get(wanted_class)
    bodies = (asset_json(context, symbol) for symbol in sorted(symbols) if asset_class_of(symbol) is kind)
    return wire.reply(
        [
            body
            for body in bodies
            if (not status or body["status"] == status)
            and (not exchange or body["exchange"] == exchange)
            and (not attributes or any(each in body["attributes"] for each in attributes))
        ]
    )


def one(context: Context, ask: Ask) -> Response:
    """One asset by symbol or id."""
    text = ask.path["symbol"]
    symbol = context.symbols.find(text)
    if symbol is None or asset_class_of(symbol) is AssetClass.OPTION:
        raise not_found(f"asset not found for {text[:40]}")
    return wire.reply(asset_json(context, symbol))


def asset_json(context: Context, symbol: str) -> dict[str, Any]:
    """An asset as Alpaca shows it."""
    kind, settings = asset_class_of(symbol), context.exchange.settings
    instrument = context.exchange.instruments.get(symbol)
    is_share, is_coin = kind is AssetClass.EQUITY, kind is AssetClass.CRYPTO
    body: dict[str, Any] = {
        "id": wire.asset_id(symbol),
        "class": wire.ASSET_CLASSES[kind],
        "exchange": exchange_of(symbol) or UNLISTED,
        "symbol": wire.venue_symbol(symbol),
        "name": wire.venue_symbol(symbol),
        "status": "inactive" if instrument is None else "active",
        "tradable": instrument is not None,
        "marginable": is_share and settings.multiplier > 1,
        "shortable": is_share and settings.shorting,
        "easy_to_borrow": is_share and settings.shorting,
        "fractionable": is_coin or (is_share and settings.fractional),
        "attributes": ["has_options"] if symbol in underlyings(context.exchange.feed.contracts) else [],
    }
    if is_share and settings.shorting:
        body["borrow_status"] = "easy_to_borrow"
    if is_coin and instrument is not None:
        body["min_order_size"] = wire.number(instrument.minimum_quantity)
        body["min_trade_increment"] = wire.number(instrument.quantity_increment)
        body["price_increment"] = wire.number(instrument.price_increment)
    return body


def exchange_of(symbol: str) -> str:
    """Where something is listed; empty when that is not known, and for contracts."""
    return "CRYPTO" if asset_class_of(symbol) is AssetClass.CRYPTO else LISTED.get(symbol, "")


@lru_cache(maxsize=8)
def underlyings(contracts: tuple[str, ...]) -> frozenset[str]:
    """The shares that have contracts."""
    return frozenset(underlying(OptionContract.parse(symbol)) for symbol in contracts)


def underlying(contract: OptionContract) -> str:
    """The share a contract delivers: its root, without the digit that marks an adjusted one."""
    return contract.root.rstrip("0123456789")
