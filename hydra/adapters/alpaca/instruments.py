"""What Alpaca says about a symbol: whether it is traded, and in which steps.

Shares and pairs are assets, contracts have a list of their own. A share's asset names no increments; those of its class count.
A pair's asset names all three. Only pairs against the dollar are taken, since an account is kept in dollars, and only contracts
on a hundred shares, since an adjusted one delivers something else.
"""

from __future__ import annotations

from decimal import Decimal
from urllib.parse import quote

from hydra.adapters.account_rules import tradable
from hydra.adapters.alpaca.access import Clients, Denied, ask
from hydra.adapters.alpaca.order_list import as_row
from hydra.adapters.alpaca.terms import (
    CLASSES_READ,
    Row,
    canonical,
    flag,
    number,
    number_or_none,
    reading,
    text_of,
    venue_symbol,
    word,
)
from hydra.model.errors import Invalid, Refused, Unreachable
from hydra.model.market import AssetClass, Instrument, asset_class_of, usual_instrument
from hydra.model.values import replace

DOLLARS = "-USD"
_NO_SUCH = frozenset({404, 422})
_SHARES = Decimal(100)


class Instruments:
    """Instruments of the venue behind ``clients``, each asked for once in a process."""

    def __init__(self, clients: Clients) -> None:
        self._client = clients.trading
        self._known: dict[str, Instrument] = {}

    def known(self, symbol: str) -> Instrument | None:
        """What was asked before; asks nothing."""
        return self._known.get(symbol)

    def of(self, symbol: str) -> Instrument:
        """The instrument. Raises ``Refused`` naming a symbol that is not traded there, and why."""
        if symbol not in self._known:
            self._known[symbol] = self._asked(symbol)
        return self._known[symbol]

    def _asked(self, symbol: str) -> Instrument:
        try:
            kind = asset_class_of(symbol)
        except Invalid as error:
            raise Refused(str(error)) from None
        if kind is AssetClass.CRYPTO and not symbol.endswith(DOLLARS):
            raise Refused(f"{symbol}: only pairs against the dollar are traded, such as BTC-USD")
        what = f"instrument {symbol}"
        path = "/options/contracts/" if kind is AssetClass.OPTION else "/assets/"
        path += quote(venue_symbol(symbol), safe="")
        try:
            row = as_row(what, ask(what, lambda: self._client.get(path)))
        except Denied as error:
            if error.status in _NO_SUCH and error.definite:
                raise Refused(f"Alpaca does not know {symbol}: {error.message}") from None
            raise
        with reading(what):
            return tradable(_contract(symbol, row) if kind is AssetClass.OPTION else _asset(symbol, kind, row))


def _asset(symbol: str, kind: AssetClass, row: Row) -> Instrument:
    if word(CLASSES_READ, row, "class") is not kind or canonical(text_of(row, "symbol"), row["class"]) != symbol:
        raise Unreachable(f"instrument {symbol}: answered with {row.get('symbol')!r} of the class {row.get('class')!r}")
    _is_traded(symbol, row)
    usual = usual_instrument(symbol)
    if kind is AssetClass.EQUITY:
        return usual
    return replace(
        usual,
        price_increment=number(row, "price_increment"),
        quantity_increment=number(row, "min_trade_increment"),
        minimum_quantity=number(row, "min_order_size"),
    )


def _contract(symbol: str, row: Row) -> Instrument:
    if canonical(text_of(row, "symbol"), "us_option") != symbol:
        raise Unreachable(f"instrument {symbol}: answered with {row.get('symbol')!r}")
    _is_traded(symbol, row)
    shares = number_or_none(row, "multiplier") or number(row, "size")
    if shares != _SHARES:
        raise Refused(f"{symbol} is on {shares} shares; only contracts on {_SHARES} are traded")
    return usual_instrument(symbol)


def _is_traded(symbol: str, row: Row) -> None:
    if text_of(row, "status") != "active" or not flag(row, "tradable"):
        raise Refused(f"{symbol} is not traded at Alpaca: status {row.get('status')}, tradable {row.get('tradable')}")
