"""Instruments, and what is known of their prices.

Symbols are canonical: ``SPY`` (equity), ``BTC-USD`` (crypto pair), ``GOOG151231C00750000`` (option, OCC). Adapters
translate to a venue's own spelling. A field that a venue does not deliver is ``None``: unavailable, never zero.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import lru_cache
from typing import Any, TypeAlias

from hydra.model.errors import Invalid
from hydra.model.money import exact
from hydra.model.values import Value, aware_utc, finite, named, not_negative, positive


class AssetClass(StrEnum):
    """What kind of thing is traded; sessions, increments and protection differ by it."""

    EQUITY = "equity"
    CRYPTO = "crypto"
    OPTION = "option"


class Right(StrEnum):
    """Call or put."""

    CALL = "call"
    PUT = "put"


_ONE = Decimal(1)
_HUNDRED = Decimal(100)
_EQUITY = re.compile(r"[A-Z]{1,5}(\.[A-Z]{1,2})?")
_PAIR = re.compile(r"[A-Z0-9]{2,10}-[A-Z]{3,5}")
_OCC = re.compile(r"(?P<root>[A-Z]{1,5}[0-9]?)(?P<date>\d{6})(?P<right>[CP])(?P<strike>\d{8})")


class OptionContract(Value, frozen=True, kw_only=True):
    """The terms in an OCC symbol: root, expiry, right, strike in dollars to a tenth of a cent."""

    root: str
    expiry: date
    right: Right
    strike: Decimal

    def __post_init__(self) -> None:
        named("option.root", self.root)
        positive("option.strike", self.strike)

    @classmethod
    def parse(cls, symbol: str) -> OptionContract:
        """The contract an OCC symbol names. Raises ``Invalid`` for anything else."""
        return _contract_of(symbol)

    @property
    def symbol(self) -> str:
        """The OCC symbol of this contract (without padding)."""
        letter = "C" if self.right is Right.CALL else "P"
        return f"{self.root}{self.expiry:%y%m%d}{letter}{int(self.strike * 1000):08d}"


@lru_cache(maxsize=16384)
def _contract_of(symbol: str) -> OptionContract:
    match = _OCC.fullmatch(symbol)
    if match is None:
        raise Invalid(f"not an OCC option symbol: {symbol!r} (root, yymmdd, C or P, strike in thousandths, 8 digits)")
    stamp = match["date"]
    try:
        expiry = date(2000 + int(stamp[:2]), int(stamp[2:4]), int(stamp[4:]))
    except ValueError as error:
        raise Invalid(f"option symbol {symbol!r} has no such date: {stamp}") from error
    right = Right.CALL if match["right"] == "C" else Right.PUT
    return OptionContract(root=match["root"], expiry=expiry, right=right, strike=Decimal(match["strike"]) / 1000)


@lru_cache(maxsize=16384)
def asset_class_of(symbol: str) -> AssetClass:
    """The asset class a canonical symbol belongs to. Raises ``Invalid`` when it is none of the three spellings."""
    if _EQUITY.fullmatch(symbol):
        return AssetClass.EQUITY
    if _PAIR.fullmatch(symbol):
        return AssetClass.CRYPTO
    if _OCC.fullmatch(symbol):
        return AssetClass.OPTION
    raise Invalid(f"not a symbol: {symbol!r} (expected like SPY, BTC-USD or GOOG151231C00750000)")


class Instrument(Value, frozen=True, kw_only=True):
    """What a venue says about a symbol: increments and minimum sizes, in the symbol's own units.

    ``exits_with_entry``: an entry can carry its stop and target. ``plain_stops``: a stop may become a market order; where it
    may not, protection rests as a stop-limit.
    """

    symbol: str
    asset_class: AssetClass
    price_increment: Decimal
    quantity_increment: Decimal
    minimum_quantity: Decimal
    minimum_notional: Decimal = Decimal(0)
    multiplier: Decimal = Decimal(1)
    exits_with_entry: bool = True
    plain_stops: bool = True

    def __post_init__(self) -> None:
        if asset_class_of(self.symbol) is not self.asset_class:
            raise Invalid(f"{self.symbol} is not of the class {self.asset_class}")
        positive("instrument.price_increment", self.price_increment)
        positive("instrument.quantity_increment", self.quantity_increment)
        positive("instrument.minimum_quantity", self.minimum_quantity)
        not_negative("instrument.minimum_notional", self.minimum_notional)
        positive("instrument.multiplier", self.multiplier)


_DEFAULTS = {  # price increment, quantity increment, minimum quantity, minimum notional, multiplier
    AssetClass.EQUITY: ("0.01", "1", "1", "0", "1"),
    AssetClass.CRYPTO: ("0.01", "0.0001", "0.0001", "1", "1"),
    AssetClass.OPTION: ("0.01", "1", "1", "0", "100"),
}


def usual_instrument(symbol: str) -> Instrument:
    """The increments that are usual for a symbol's class, for a venue that publishes none."""
    asset_class = asset_class_of(symbol)
    price, quantity, minimum, notional, multiplier = map(exact, _DEFAULTS[asset_class])
    return Instrument(
        symbol=symbol,
        asset_class=asset_class,
        price_increment=price,
        quantity_increment=quantity,
        minimum_quantity=minimum,
        minimum_notional=notional,
        multiplier=multiplier,
    )


def multiplier_of(symbol: str) -> Decimal:
    """Units of the underlying one unit of ``symbol`` stands for: 100 for an option contract, else 1."""
    return _HUNDRED if asset_class_of(symbol) is AssetClass.OPTION else _ONE


_ZERO = Decimal(0)
Holds: TypeAlias = "Mapping[Callable[[str, Any], None], tuple[str, ...]]"
"""What must hold of each number of a value that is there, by the function that says so by name."""
_QUOTE: Holds = {positive: ("bid", "ask"), not_negative: ("bid_size", "ask_size")}
_BAR: Holds = {positive: ("open", "high", "low", "close"), not_negative: ("volume",)}
_OPTION_QUOTE: Holds = {
    positive: ("bid", "ask"),
    not_negative: ("bid_size", "ask_size", "volume", "open_interest", "implied_volatility"),
    finite: ("delta", "gamma", "theta", "vega"),
}


def refuse(what: str, value: Value, holds: Holds) -> None:
    """Raise ``Invalid`` naming the number that does not hold.

    Prices are made by the million, so each has one look at all its numbers at once; what that look does not find sound (a NaN
    raises in it) is looked at again, number by number, and only then are there names.
    """
    for check, names in holds.items():
        for name in names:
            number = getattr(value, name)
            if number is not None:
                check(f"{what}.{name}", number)
    raise Invalid(f"{what} has a number that does not hold: {value!r}")


class Quote(Value, frozen=True, kw_only=True):
    """Best bid and ask of a symbol as of a time. Sizes are in the symbol's units. A crossed quote cannot be built."""

    symbol: str
    at: datetime
    bid: Decimal
    ask: Decimal
    bid_size: Decimal
    ask_size: Decimal

    def __post_init__(self) -> None:
        at, bid, ask, bid_size, ask_size = self.at, self.bid, self.ask, self.bid_size, self.ask_size
        try:
            if (
                type(at) is datetime
                and at.tzinfo is UTC
                and type(bid) is type(ask) is type(bid_size) is type(ask_size) is Decimal
                and _ZERO < bid <= ask
                and bid_size >= _ZERO
                and ask_size >= _ZERO
                and ask.is_finite()
                and bid_size.is_finite()
                and ask_size.is_finite()
            ):
                return
        except InvalidOperation:
            pass
        self._look_closer()

    def _look_closer(self) -> None:
        aware_utc("quote.at", self.at)
        bid, ask = self.bid, self.ask
        for number in (bid, ask):
            if not (type(number) is Decimal and number.is_finite() and number > _ZERO):
                refuse("quote", self, _QUOTE)
        for number in (self.bid_size, self.ask_size):
            if not (type(number) is Decimal and number.is_finite() and number >= _ZERO):
                refuse("quote", self, _QUOTE)
        if bid > ask:
            raise Invalid(
                f"quote of {self.symbol} at {self.at.isoformat()} is crossed: bid {self.bid} above ask {self.ask}"
            )

    @property
    def mid(self) -> Decimal:
        """Halfway between bid and ask."""
        return (self.bid + self.ask) / 2


class Bar(Value, frozen=True, kw_only=True):
    """One interval of trading. ``at`` is its opening time; it is known only once it has closed."""

    symbol: str
    at: datetime
    seconds: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal

    def __post_init__(self) -> None:
        at, low, high, volume = self.at, self.low, self.high, self.volume
        try:
            if (
                type(at) is datetime
                and at.tzinfo is UTC
                and self.seconds > 0
                and type(low) is type(high) is type(volume) is type(self.open) is type(self.close) is Decimal
                and _ZERO < low <= self.open <= high
                and low <= self.close <= high
                and volume >= _ZERO
                and high.is_finite()
                and volume.is_finite()
            ):
                return
        except InvalidOperation:
            pass
        self._look_closer()

    def _look_closer(self) -> None:
        aware_utc("bar.at", self.at)
        if self.seconds <= 0:
            raise Invalid(f"bar.seconds must be above 0, got {self.seconds}")
        low, high, volume = self.low, self.high, self.volume
        for number in (low, high, self.open, self.close):
            if not (type(number) is Decimal and number.is_finite() and number > _ZERO):
                refuse("bar", self, _BAR)
        if not (type(volume) is Decimal and volume.is_finite() and volume >= _ZERO):
            refuse("bar", self, _BAR)
        if not (low <= self.open <= high and low <= self.close <= high):
            raise Invalid(
                f"bar of {self.symbol} at {self.at.isoformat()} contradicts itself: "
                f"open {self.open} high {self.high} low {self.low} close {self.close}"
            )

    @property
    def closes_at(self) -> datetime:
        """The first moment at which this bar is known."""
        return self.at + timedelta(seconds=self.seconds)


class OptionQuote(Value, frozen=True, kw_only=True):
    """A contract's quote. Any field may be unavailable (``None``); a rule that needs it then refuses."""

    symbol: str
    at: datetime
    bid: Decimal | None = None
    ask: Decimal | None = None
    bid_size: Decimal | None = None
    ask_size: Decimal | None = None
    volume: Decimal | None = None
    open_interest: Decimal | None = None
    delta: Decimal | None = None
    gamma: Decimal | None = None
    theta: Decimal | None = None
    vega: Decimal | None = None
    implied_volatility: Decimal | None = None

    def __post_init__(self) -> None:
        _contract_of(self.symbol)
        aware_utc("option_quote.at", self.at)
        bid, ask = self.bid, self.ask
        for number in (bid, ask):
            if number is not None and not (type(number) is Decimal and number.is_finite() and number > _ZERO):
                refuse("option_quote", self, _OPTION_QUOTE)
        for number in (self.bid_size, self.ask_size, self.volume, self.open_interest, self.implied_volatility):
            if number is not None and not (type(number) is Decimal and number.is_finite() and number >= _ZERO):
                refuse("option_quote", self, _OPTION_QUOTE)
        for number in (self.delta, self.gamma, self.theta, self.vega):
            if number is not None and not (type(number) is Decimal and number.is_finite()):
                refuse("option_quote", self, _OPTION_QUOTE)
        if bid is not None and ask is not None and bid > ask:
            raise Invalid(f"quote of {self.symbol} is crossed: bid {bid} above ask {ask}")
