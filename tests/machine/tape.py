"""A market that is written while it is played: the ``Feed`` of a voyage, and the calendar that goes with it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TypeVar

from hydra.adapters.markets.feed import CorporateAction, lapses_at
from hydra.model.market import AssetClass, Bar, OptionContract, OptionQuote, Quote
from hydra.model.snapshot import Sessions
from hydra.model.values import replace
from tests.fakes.feed import PlainCalendar

Row = TypeVar("Row", Quote, OptionQuote)


class Days(PlainCalendar):
    """Shares and contracts trade 14:30 to 21:00 UTC every day, pairs around the clock."""

    def sessions(self, at: datetime) -> Sessions:
        plain = super().sessions(at)
        return replace(plain, by_class={**plain.by_class, AssetClass.OPTION: plain.by_class[AssetClass.EQUITY]})


class Tape:
    """A ``Feed`` that only grows: ``write`` adds what becomes known at an instant later than all before."""

    def __init__(self, symbols: Iterable[str], contracts: Iterable[str]) -> None:
        self._symbols = tuple(symbols)
        self._listed = {symbol: OptionContract.parse(symbol) for symbol in sorted(contracts)}
        self._lapses = {symbol: lapses_at(contract) for symbol, contract in self._listed.items()}
        self._instants: list[datetime] = []
        self._bars: list[Bar] = []
        self._bars_of: dict[str, list[Bar]] = {symbol: [] for symbol in self._symbols}
        self._quotes_of: dict[str, list[Quote]] = {symbol: [] for symbol in self._symbols}
        self._options_of: dict[str, list[OptionQuote]] = {symbol: [] for symbol in self._listed}

    def write(self, at: datetime, bars: Iterable[Bar], quotes: Iterable[Quote], options: Iterable[OptionQuote]) -> None:
        """What becomes known at ``at``."""
        assert not self._instants or at > self._instants[-1], "a tape only grows"
        self._instants.append(at)
        for one in bars:
            self._bars.append(one)
            self._bars_of[one.symbol].append(one)
        for quote in quotes:
            self._quotes_of[quote.symbol].append(quote)
        for option in options:
            self._options_of[option.symbol].append(option)

    @property
    def symbols(self) -> tuple[str, ...]:
        return self._symbols

    @property
    def fingerprint(self) -> str:
        return "fp-machine"

    def describe(self) -> str:
        return "the machine's market"

    def next_after(self, at: datetime | None) -> datetime | None:
        place = 0 if at is None else bisect_right(self._instants, at)
        return self._instants[place] if place < len(self._instants) else None

    def bars(self, after: datetime, upto: datetime) -> tuple[Bar, ...]:
        found: list[Bar] = []
        for one in reversed(self._bars):
            if one.closes_at <= after:
                break
            if one.closes_at <= upto:
                found.append(one)
        return tuple(sorted(found, key=lambda one: (one.closes_at, one.symbol)))

    def quotes(self, at: datetime) -> Mapping[str, Quote]:
        latest = {symbol: _latest(rows, at) for symbol, rows in self._quotes_of.items()}
        return {symbol: quote for symbol, quote in latest.items() if quote is not None}

    def history(self, symbol: str, upto: datetime, count: int) -> tuple[Bar, ...]:
        rows = self._bars_of.get(symbol, [])
        end = len(rows)
        while end and rows[end - 1].closes_at > upto:
            end -= 1
        return tuple(rows[max(0, end - count) : end]) if count > 0 else ()

    @property
    def contracts(self) -> tuple[str, ...]:
        return tuple(self._listed)

    @property
    def actions(self) -> tuple[CorporateAction, ...]:
        return ()

    def option_quote(self, symbol: str, at: datetime) -> OptionQuote | None:
        return _latest(self._options_of.get(symbol, []), at)

    def chain(self, underlying: str, at: datetime) -> tuple[OptionQuote, ...]:
        found = (
            _latest(self._options_of[symbol], at)
            for symbol, contract in self._listed.items()
            if contract.root == underlying and at < self._lapses[symbol]
        )
        return tuple(quote for quote in found if quote is not None)


def _latest(rows: list[Row], at: datetime) -> Row | None:
    for row in reversed(rows):
        if row.at <= at:
            return row
    return None
