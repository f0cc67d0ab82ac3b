"""How bars, trades, quotes and books are written, for REST and for the streams alike.

Prices are JSON numbers and ``t`` stays a ``datetime`` until it is encoded. What a feed does not tell and the protocol
requires is filled in the same way for everything: equities print on exchange ``V`` and tape ``C``, options on exchange
``C``; a trade's number is the microsecond of its time; the taker of a crypto trade is the buyer when the bar closed at or
above its opening. A side of an option's quote that is not there is 0 with size 0, which is the protocol's way to say so.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from math import sqrt
from statistics import NormalDist
from typing import Any, TypeAlias

from hydra.adapters.calendar import new_york
from hydra.adapters.exchange.server.data.frames import Candle
from hydra.model.market import AssetClass, Bar, OptionContract, OptionQuote, Quote, Right

Row: TypeAlias = dict[str, Any]

STOCK_EXCHANGE, STOCK_TAPE = "V", "C"
OPTION_EXCHANGE = "C"
REGULAR_SALE, FORM_T, REGULAR_QUOTE = "@", "T", "R"
OPENING, CLOSING = "O", "6"
OPTION_TRADE, OPTION_QUOTE = "I", "A"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_YEAR = timedelta(days=365)
_NORMAL = NormalDist()
_HUNDRED = 100


def bar_row(asset_class: AssetClass, candle: Candle) -> Row:
    """A bar. Only crypto has volumes in parts; others are cut to whole units."""
    return {
        "t": candle.at,
        "o": float(candle.open),
        "h": float(candle.high),
        "l": float(candle.low),
        "c": float(candle.close),
        "v": _size(asset_class, candle.volume),
        "n": candle.trades,
        "vw": float(round(candle.vwap, 6)),
    }


def trade_row(asset_class: AssetClass, bar: Bar, *, regular: bool = True) -> Row:
    """The trade a bar is told as. ``regular``: it happened in the regular session."""
    told: Row = {"t": bar.closes_at, "p": float(bar.close), "s": _size(asset_class, bar.volume)}
    if asset_class is AssetClass.OPTION:
        return {**told, "x": OPTION_EXCHANGE, "c": OPTION_TRADE}
    told["i"] = (bar.closes_at - _EPOCH) // _MICROSECOND
    if asset_class is AssetClass.CRYPTO:
        return {**told, "tks": "B" if bar.close >= bar.open else "S"}
    conditions = [REGULAR_SALE] if regular else [REGULAR_SALE, FORM_T]
    return {**told, "x": STOCK_EXCHANGE, "c": conditions, "z": STOCK_TAPE}


def quote_row(asset_class: AssetClass, quote: Quote) -> Row:
    """A quote of an equity or a pair."""
    told: Row = {
        "t": quote.at,
        "bp": float(quote.bid),
        "bs": _size(asset_class, quote.bid_size),
        "ap": float(quote.ask),
        "as": _size(asset_class, quote.ask_size),
    }
    if asset_class is AssetClass.CRYPTO:
        return told
    return {**told, "bx": STOCK_EXCHANGE, "ax": STOCK_EXCHANGE, "c": [REGULAR_QUOTE], "z": STOCK_TAPE}


def book_row(quote: Quote) -> Row:
    """The order book: one level, since a feed knows no more."""
    return {
        "t": quote.at,
        "b": [{"p": float(quote.bid), "s": float(quote.bid_size)}],
        "a": [{"p": float(quote.ask), "s": float(quote.ask_size)}],
    }


def option_quote_row(quote: OptionQuote) -> Row:
    """A quote of a contract, which may have neither side."""
    return {
        "t": quote.at,
        "bx": OPTION_EXCHANGE,
        "bp": float(quote.bid or 0),
        "bs": int(quote.bid_size or 0) if quote.bid is not None else 0,
        "ax": OPTION_EXCHANGE,
        "ap": float(quote.ask or 0),
        "as": int(quote.ask_size or 0) if quote.ask is not None else 0,
        "c": OPTION_QUOTE,
    }


def greeks_row(quote: OptionQuote) -> Row | None:
    """The greeks; ``None`` unless all of them are known.

    A feed has no rho. It follows from the others by Black and Scholes' formula without interest: strike * years to expiry *
    N(d2) / 100 for a call and -N(-d2) for a put, with d2 = d1 - sigma * sqrt(years) and d1 from delta.
    """
    given = (quote.delta, quote.gamma, quote.theta, quote.vega)
    if quote.implied_volatility is None or any(each is None for each in given):
        return None
    delta, gamma, theta, vega = (float(each) for each in given if each is not None)
    rho = _rho(quote, delta, float(quote.implied_volatility))
    return {"delta": delta, "gamma": gamma, "theta": theta, "vega": vega, "rho": rho}


def _rho(quote: OptionQuote, delta: float, volatility: float) -> float:
    contract = OptionContract.parse(quote.symbol)
    call = contract.right is Right.CALL
    years = max(0.0, (new_york(contract.expiry, time(16)) - quote.at) / _YEAR)
    chance = min(1.0, max(0.0, delta if call else delta + 1))
    if 0 < chance < 1:
        chance = _NORMAL.cdf(_NORMAL.inv_cdf(chance) - volatility * sqrt(years))
    whole = float(contract.strike) * years / _HUNDRED
    return round(whole * chance if call else -whole * (1 - chance), 6)


def _size(asset_class: AssetClass, size: Decimal) -> int | float:
    return float(size) if asset_class is AssetClass.CRYPTO else int(size)
