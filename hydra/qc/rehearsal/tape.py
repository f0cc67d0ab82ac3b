"""A market that is written while it is played: the ``Feed`` of a voyage.

What a contract is quoted at is worked out when somebody asks: most quotes of a chain are looked at by nobody. So the hand that
writes gives, for each underlying, a function that tells the quote of any contract on it as of that instant, and nothing else.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Generic, TypeAlias, TypeVar

from hydra.adapters.markets.feed import CorporateAction, lapses_at
from hydra.model.market import Bar, OptionContract, OptionQuote, Quote

T = TypeVar("T")
Told: TypeAlias = Callable[[str], OptionQuote]
"""The quote of a contract, by its symbol, as of the instant that was written. Pure: asked later, the answer is the same."""


class _Rows(Generic[T]):
    """What became known, and when, oldest first."""

    __slots__ = ("ats", "rows")

    def __init__(self) -> None:
        self.ats: list[datetime] = []
        self.rows: list[T] = []

    def add(self, at: datetime, row: T) -> None:
        self.ats.append(at)
        self.rows.append(row)

    def upto(self, at: datetime) -> int:
        """How many of them are known at a time. Usually it is asked at the end."""
        return len(self.ats) if not self.ats or self.ats[-1] <= at else bisect_right(self.ats, at)


class Tape:
    """A ``Feed`` that only grows: ``write`` adds what becomes known at an instant later than all before."""

    def __init__(self, symbols: Iterable[str], contracts: Iterable[str]) -> None:
        self._symbols = tuple(symbols)
        self._listed = {symbol: OptionContract.parse(symbol) for symbol in sorted(contracts)}
        self._lapses = {symbol: lapses_at(contract) for symbol, contract in self._listed.items()}
        self._roots = {symbol: contract.root for symbol, contract in self._listed.items()}
        self._contracts_on: dict[str, list[str]] = {}
        for symbol, root in self._roots.items():
            self._contracts_on.setdefault(root, []).append(symbol)
        self._instants: list[datetime] = []
        self._bars: list[Bar] = []
        self._bars_of: dict[str, _Rows[Bar]] = {symbol: _Rows() for symbol in self._symbols}
        self._quotes_of: dict[str, _Rows[Quote]] = {symbol: _Rows() for symbol in self._symbols}
        self._chains_of: dict[str, _Rows[Told]] = {root: _Rows() for root in self._roots.values()}
        self._worked_out: dict[str, tuple[int, OptionQuote]] = {}

    def write(self, at: datetime, bars: Iterable[Bar], quotes: Iterable[Quote], chains: Mapping[str, Told]) -> None:
        """What becomes known at ``at``; ``chains`` by underlying."""
        assert not self._instants or at > self._instants[-1], "a tape only grows"
        self._instants.append(at)
        for one in bars:
            self._bars.append(one)
            self._bars_of[one.symbol].add(one.closes_at, one)
        for quote in quotes:
            self._quotes_of[quote.symbol].add(quote.at, quote)
        for root, told in chains.items():
            self._chains_of[root].add(at, told)

    @property
    def symbols(self) -> tuple[str, ...]:
        return self._symbols

    @property
    def fingerprint(self) -> str:
        return "fp-rehearsal"

    def describe(self) -> str:
        return "the rehearsal's market"

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
        known = ((symbol, rows.rows, rows.upto(at)) for symbol, rows in self._quotes_of.items())
        return {symbol: rows[count - 1] for symbol, rows, count in known if count}

    def history(self, symbol: str, upto: datetime, count: int) -> tuple[Bar, ...]:
        rows = self._bars_of.get(symbol)
        if rows is None or count <= 0:
            return ()
        end = rows.upto(upto)
        return tuple(rows.rows[max(0, end - count) : end])

    @property
    def contracts(self) -> tuple[str, ...]:
        return tuple(self._listed)

    @property
    def actions(self) -> tuple[CorporateAction, ...]:
        return ()

    def option_quote(self, symbol: str, at: datetime) -> OptionQuote | None:
        root = self._roots.get(symbol)
        if root is None:
            return None
        known = self._chains_of[root]
        count = known.upto(at)
        if not count:
            return None
        worked_out = self._worked_out.get(symbol)
        if worked_out is None or worked_out[0] != count:
            worked_out = self._worked_out[symbol] = (count, known.rows[count - 1](symbol))
        return worked_out[1]

    def chain(self, underlying: str, at: datetime) -> tuple[OptionQuote, ...]:
        known = self._chains_of.get(underlying)
        count = 0 if known is None else known.upto(at)
        if known is None or not count:
            return ()
        told, worked_out, quotes = known.rows[count - 1], self._worked_out, []
        for symbol in self._contracts_on[underlying]:
            if at < self._lapses[symbol]:
                one = worked_out.get(symbol)
                if one is None or one[0] != count:
                    one = worked_out[symbol] = (count, told(symbol))
                quotes.append(one[1])
        return tuple(quotes)
