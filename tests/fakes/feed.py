"""A feed and a calendar that play what a test has written down."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal

from hydra.adapters.markets.feed import CorporateAction, lapses_at, root_of
from hydra.model.market import AssetClass, Bar, OptionContract, OptionQuote, Quote, asset_class_of

Number = str | int | Decimal


def bar(symbol: str, at: datetime, prices: tuple[Number, Number, Number, Number], *, seconds: int = 60) -> Bar:
    """A bar from (open, high, low, close)."""
    first, high, low, last = (Decimal(str(price)) for price in prices)
    return Bar(symbol=symbol, at=at, seconds=seconds, open=first, high=high, low=low, close=last, volume=Decimal(1000))


def quote(symbol: str, at: datetime, bid: Number, ask: Number) -> Quote:
    """A quote with a size of 100 on both sides."""
    return Quote(
        symbol=symbol,
        at=at,
        bid=Decimal(str(bid)),
        ask=Decimal(str(ask)),
        bid_size=Decimal(100),
        ask_size=Decimal(100),
    )


def option_quote(
    symbol: str, at: datetime, bid: Number | None, ask: Number | None, size: Number = 10, **more: Number
) -> OptionQuote:
    """A contract's quote, ``None`` for a side without one; ``more`` has volume, open interest and greeks."""
    return OptionQuote(
        symbol=symbol,
        at=at,
        bid=None if bid is None else Decimal(str(bid)),
        ask=None if ask is None else Decimal(str(ask)),
        bid_size=None if bid is None else Decimal(str(size)),
        ask_size=None if ask is None else Decimal(str(size)),
        **{name: Decimal(str(number)) for name, number in more.items()},
    )


class ScriptedFeed:
    """A ``Feed`` of what it was given. ``add`` writes more of the script while it is being played.

    An option quote's other fields are shown as they were written; a contract's bars are in its history only.
    """

    def __init__(
        self,
        bars: Iterable[Bar] = (),
        quotes: Iterable[Quote] = (),
        *,
        symbols: Iterable[str] = (),
        name: str = "script",
        options: Iterable[OptionQuote] = (),
        actions: Iterable[CorporateAction] = (),
    ) -> None:
        self._name = name
        self._symbols = tuple(symbols)
        self._bars: list[Bar] = []
        self._trades: list[Bar] = []
        self._quotes: list[Quote] = []
        self._options: list[OptionQuote] = []
        self._actions: list[CorporateAction] = []
        self.add(*bars, *quotes, *options, *actions)

    def add(self, *what: Bar | Quote | OptionQuote | CorporateAction) -> None:
        """Append bars (a contract's too), quotes, option quotes and corporate actions."""
        bars = [one for one in what if isinstance(one, Bar)]
        self._bars += [one for one in bars if asset_class_of(one.symbol) is not AssetClass.OPTION]
        self._trades += [one for one in bars if asset_class_of(one.symbol) is AssetClass.OPTION]
        self._quotes += [one for one in what if isinstance(one, Quote)]
        self._options += [one for one in what if isinstance(one, OptionQuote)]
        self._actions += [one for one in what if isinstance(one, CorporateAction)]
        for shown in (self._bars, self._trades):
            shown.sort(key=lambda one: (one.closes_at, one.symbol))
        self._quotes.sort(key=lambda one: (one.at, one.symbol))
        self._options.sort(key=lambda one: (one.at, one.symbol))
        self._actions.sort(key=lambda one: (one.ex_date, one.symbol, one.kind))

    @property
    def symbols(self) -> tuple[str, ...]:
        seen = [one.symbol for one in self._bars] + [one.symbol for one in self._quotes]
        return tuple(dict.fromkeys((*self._symbols, *seen)))

    @property
    def fingerprint(self) -> str:
        return f"fp-{self._name}"

    def describe(self) -> str:
        return f"the {self._name} feed"

    def next_after(self, at: datetime | None) -> datetime | None:
        instants = [one.closes_at for one in (*self._bars, *self._trades)]
        instants += [one.at for one in self._quotes] + [one.at for one in self._options]
        return min((instant for instant in instants if at is None or instant > at), default=None)

    def bars(self, after: datetime, upto: datetime) -> tuple[Bar, ...]:
        return tuple(one for one in self._bars if after < one.closes_at <= upto)

    def quotes(self, at: datetime) -> Mapping[str, Quote]:
        return {one.symbol: one for one in self._quotes if one.at <= at}

    def history(self, symbol: str, upto: datetime, count: int) -> tuple[Bar, ...]:
        if count <= 0:
            return ()
        every = (*self._bars, *self._trades)
        return tuple(one for one in every if one.symbol == symbol and one.closes_at <= upto)[-count:]

    @property
    def contracts(self) -> tuple[str, ...]:
        return tuple(sorted({one.symbol for one in self._options}))

    @property
    def actions(self) -> tuple[CorporateAction, ...]:
        return tuple(self._actions)

    def option_quote(self, symbol: str, at: datetime) -> OptionQuote | None:
        return next((one for one in reversed(self._options) if one.symbol == symbol and one.at <= at), None)

    def chain(self, underlying: str, at: datetime) -> tuple[OptionQuote, ...]:
        latest = {one.symbol: one for one in self._options if one.at <= at}
        contracts = {symbol: OptionContract.parse(symbol) for symbol in sorted(latest)}
        return tuple(
            latest[symbol]
            for symbol, contract in contracts.items()
            if contract.root == root_of(underlying) and at < lapses_at(contract)
        )
