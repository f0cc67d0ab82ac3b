"""Recorded options: files of many contracts become compact columns by contract, and answers to what was quoted when.

Three kinds of files: quotes, trades (one bar an interval, with its volume) and open interest. A row names its contract; an
empty or zero bid or ask means that nobody bid or offered, which is an answer and not a gap, so such a row is kept. A value
is built when it is asked for, and the last one of each contract is kept. The oddity: open interest is a field of a quote and
no instant of its own, and it is not cut at a start: what was published before is known then.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from hydra.adapters.calendar import NEW_YORK, new_york
from hydra.adapters.markets import tables
from hydra.adapters.markets.columns import Columns, bad_row, check_prices, disorder, micros, moment, numbers_of, time_of
from hydra.adapters.markets.feed import lapses_at, root_of
from hydra.adapters.markets.series import Series, bars_of, join
from hydra.model.errors import BadConfig, Invalid
from hydra.model.market import Bar, OptionContract, OptionQuote

_NOTHING = Decimal("NaN")
"""Stands for an empty cell, recognised by identity; it never leaves this module."""
_ZERO = Decimal(0)


class OptionFile(NamedTuple):
    """A file's rows by contract. ``dropped`` counts crossed quotes, ``others`` are the roots that were not wanted."""

    path: Path
    kind: str
    seconds: int
    digest: str
    contracts: dict[str, Columns]
    dropped: int
    others: tuple[str, ...]

    def cut(self, start: int | None, end: int | None) -> OptionFile:
        """The rows known by ``end``; of quotes only those that opened at ``start`` or later."""
        first = start if self.kind == tables.CHAINS else None
        return self._replace(contracts={symbol: rows.cut(first, end) for symbol, rows in self.contracts.items()})


def load(path: Path, kind: str, seconds: int, roots: Collection[str] | None) -> OptionFile:
    """Read and check a file. ``roots``: those wanted (``None``: all). Raises ``BadConfig`` naming the file and the row."""
    table = tables.read(path)
    symbols = table.columns["symbol"]
    wanted = {symbol: _contract(path, table, symbol).root for symbol in dict.fromkeys(symbols)}
    others = {root for root in wanted.values() if roots is not None and root not in roots}
    known = _known(path, table, seconds)
    numbers, kept = _NUMBERS[kind](path, table)
    dropped = len(symbols) - len(kept)
    rows: dict[str, list[int]] = {}
    for index in kept:
        rows.setdefault(symbols[index], []).append(index)
    _ordered(path, table, known, seconds)
    contracts = {
        symbol: Columns(
            path,
            seconds,
            array("q", (known[index] for index in places)),
            tuple([column[index] for index in places] for column in numbers),
        )
        for symbol, places in rows.items()
        if wanted[symbol] not in others
    }
    return OptionFile(path, kind, seconds, table.digest, contracts, dropped, tuple(sorted(others)))


def _contract(path: Path, table: tables.Table, symbol: str) -> OptionContract:
    try:
        return OptionContract.parse(symbol)
    except Invalid as error:
        raise bad_row(path, table, table.columns["symbol"].index(symbol), str(error)) from error


def _known(path: Path, table: tables.Table, seconds: int) -> array[int]:
    """When each row is known. A time occurs in many rows, so it is read once."""
    cells = table.columns["timestamp"]
    if not cells:
        raise BadConfig(f"{path}: no rows below the header")
    step = seconds * 1_000_000
    read: dict[str, int] = {}
    for index, cell in enumerate(cells):
        if cell not in read:
            read[cell] = time_of(path, table, index, cell) + step
    return array("q", (read[cell] for cell in cells))


def _ordered(path: Path, table: tables.Table, known: array[int], seconds: int) -> None:
    """Refuse rows of one contract that are not in the order of time, or within each other's interval."""
    step = max(1, seconds * 1_000_000)
    symbols, cells = table.columns["symbol"], table.columns["timestamp"]
    last: dict[str, int] = {}
    for index, symbol in enumerate(symbols):
        before = last.get(symbol)
        if before is not None and known[index] - known[before] < step:
            reason = disorder(cells[before], cells[index], known[index] - known[before], seconds)
            raise bad_row(path, table, index, f"{symbol}: {reason}")
        last[symbol] = index


_Checked = tuple[tuple[list[Decimal], ...], Sequence[int]]
"""Numbers by column, and the rows that can be used."""


def _quotes(path: Path, table: tables.Table) -> _Checked:
    columns = tables.QUOTE_COLUMNS[1:]
    numbers = numbers_of(path, table, columns, empty=_NOTHING)
    if any(cell.startswith("-") for name in columns for cell in set(table.columns[name])):
        _refuse_negative(path, table, numbers)
    sides = zip(numbers[0], numbers[2], strict=True)
    kept = [
        index for index, (bid, ask) in enumerate(sides) if bid is _NOTHING or ask is _NOTHING or bid <= ask or ask == 0
    ]
    return numbers, kept


def _refuse_negative(path: Path, table: tables.Table, numbers: tuple[list[Decimal], ...]) -> None:
    for index, row in enumerate(zip(*numbers, strict=True)):
        if any(cell is not _NOTHING and cell < 0 for cell in row):
            shown = ("" if cell is _NOTHING else cell for cell in row)
            raise bad_row(path, table, index, "negative: bid {} x {}, ask {} x {}".format(*shown))


def _trades(path: Path, table: tables.Table) -> _Checked:
    numbers = numbers_of(path, table, tables.BAR_COLUMNS[1:])
    check_prices(path, table, numbers)
    return numbers, range(len(numbers[0]))


def _interest(path: Path, table: tables.Table) -> _Checked:
    (numbers,) = numbers_of(path, table, ("open_interest",))
    for index, number in enumerate(numbers):
        if number < 0:
            raise bad_row(path, table, index, f"open_interest {number} is negative")
    return (numbers,), range(len(numbers))


_NUMBERS = {tables.CHAINS: _quotes, tables.TRADES: _trades, tables.INTEREST: _interest}
KINDS = frozenset(_NUMBERS)
"""The kinds of files that are read here."""


class _Contract:
    """One contract's rows. ``first`` is the first trade row that is shown; those before it only count as volume."""

    __slots__ = ("_interest", "_last", "_quotes", "first", "lapses", "root", "symbol", "trades")

    def __init__(self, symbol: str, quotes: Sequence[Columns], interest: Sequence[Columns]) -> None:
        terms = OptionContract.parse(symbol)
        self.symbol = symbol
        self.root = terms.root
        self.lapses = micros(lapses_at(terms))
        self._quotes = Series(symbol, quotes, _sides)
        self._interest = Series(symbol, interest, _figures) if interest else None
        self.trades: Series[Bar] | None = None
        self.first = 0
        self._last: tuple[tuple[int, int, int, int], OptionQuote] | None = None

    @property
    def known(self) -> array[int]:
        """When each of its quotes became known."""
        return self._quotes.known

    def quote(self, at: int, day: int | None) -> OptionQuote | None:
        """The latest quote at ``at``; ``day``: when the day began whose volume counts (``None``: unavailable)."""
        place = bisect_right(self._quotes.known, at)
        if place == 0:
            return None
        first, last = (-1, -1) if day is None else self._traded(day, at)
        interest = 0 if self._interest is None else bisect_right(self._interest.known, at)
        key = (place, first, last, interest)
        if self._last is None or self._last[0] != key:
            self._last = (key, self._build(key))
        return self._last[1]

    def _traded(self, day: int, at: int) -> tuple[int, int]:
        if self.trades is None:
            return 0, 0
        known = self.trades.known
        last = bisect_right(known, at)
        return bisect_left(known, day + self.trades.seconds * 1_000_000, 0, last), last

    def _build(self, key: tuple[int, int, int, int]) -> OptionQuote:
        place, first, last, interest = key
        bid, bid_size, ask, ask_size = self._quotes.value(place - 1)
        volume = None if first < 0 else _ZERO if self.trades is None else sum(self.trades.numbers[4][first:last], _ZERO)
        return OptionQuote(
            symbol=self.symbol,
            at=moment(self._quotes.known[place - 1]),
            bid=bid,
            bid_size=bid_size,
            ask=ask,
            ask_size=ask_size,
            volume=volume,
            open_interest=None if self._interest is None or interest == 0 else self._interest.value(interest - 1),
        )


_Sides = tuple[Decimal | None, Decimal | None, Decimal | None, Decimal | None]


def _sides(
    _symbol: str, _opened: Sequence[int], _known: Sequence[int], rows: Iterable[Sequence[Decimal]]
) -> list[_Sides]:
    return list(map(_two_sides, rows))


def _two_sides(row: Sequence[Decimal]) -> _Sides:
    """Bid, its size, ask, its size. A side without a price has no size either."""
    bid, bid_size, ask, ask_size = (None if cell is _NOTHING else cell for cell in row)
    bids = (bid, bid_size) if bid else (None, None)
    return (*bids, *((ask, ask_size) if ask else (None, None)))


def _figures(
    _symbol: str, _opened: Sequence[int], _known: Sequence[int], rows: Iterable[Sequence[Decimal]]
) -> list[Decimal]:
    return [figure for (figure,) in rows]


class OptionTape:
    """All contracts of a recording. ``underlyings`` are the symbols that have bars; contracts on others are not played."""

    def __init__(self, files: Sequence[OptionFile], underlyings: Iterable[str], start: int | None) -> None:
        self._roots = {root_of(symbol): symbol for symbol in underlyings}
        quotes, trades, interest = (_joined(files, kind) for kind in (tables.CHAINS, tables.TRADES, tables.INTEREST))
        self._contracts = {
            symbol: contract
            for symbol, rows in quotes.items()
            if (contract := _Contract(symbol, rows, interest.get(symbol, ()))).root in self._roots
        }
        self._days: dict[str, set[date]] = {}
        for symbol, rows in trades.items():
            self._add_trades(symbol, rows, start)
        self._chains: dict[str, list[_Contract]] = {}
        for contract in self._contracts.values():
            self._chains.setdefault(contract.root, []).append(contract)
        self.symbols = tuple(self._contracts)
        self.notes = (*_remarks(files), *self._unused(quotes, {**trades, **interest}))

    def instants(self) -> Iterator[int]:
        """When a quote or a trade becomes known, in no order and more than once."""
        for contract in self._contracts.values():
            yield from contract.known
            if contract.trades is not None:
                yield from contract.trades.known[contract.first :]

    def uses(self, file: OptionFile) -> bool:
        """Is anything of this file played?"""
        return any(rows.known and symbol in self._contracts for symbol, rows in file.contracts.items())

    def quote(self, symbol: str, at: datetime) -> OptionQuote | None:
        """The latest quote of a contract."""
        contract = self._contracts.get(symbol)
        return None if contract is None else contract.quote(micros(at), self._day(contract.root, at))

    def chain(self, underlying: str, at: datetime) -> tuple[OptionQuote, ...]:
        """The latest quotes of all contracts on ``underlying`` that have not expired."""
        known, root = micros(at), root_of(underlying)
        day = self._day(root, at)
        rows = (each.quote(known, day) for each in self._chains.get(root, ()) if known < each.lapses)
        return tuple(row for row in rows if row is not None)

    def history(self, symbol: str, upto: datetime, count: int) -> tuple[Bar, ...]:
        """The last trade bars of a contract."""
        contract = self._contracts.get(symbol)
        if contract is None or contract.trades is None:
            return ()
        return contract.trades.last(upto, count, contract.first)

    def _add_trades(self, symbol: str, rows: Sequence[Columns], start: int | None) -> None:
        series = Series(symbol, rows, bars_of)
        root = OptionContract.parse(symbol).root
        opened = (known - series.seconds * 1_000_000 for known in series.known)
        self._days.setdefault(root, set()).update(moment(at).astimezone(NEW_YORK).date() for at in opened)
        contract = self._contracts.get(symbol)
        if contract is not None:
            contract.trades = series
            contract.first = 0 if start is None else bisect_left(series.known, start + series.seconds * 1_000_000)

    def _day(self, root: str, at: datetime) -> int | None:
        """When the New York day of ``at`` began, if the data have trades of that day in these contracts."""
        day = at.astimezone(NEW_YORK).date()
        return micros(new_york(day, time())) if day in self._days.get(root, ()) else None

    def _unused(self, quotes: Mapping[str, object], more: Mapping[str, object]) -> Iterator[str]:
        alone: dict[str, list[str]] = {}
        for symbol in sorted({*quotes, *more}):
            root = OptionContract.parse(symbol).root
            if root not in self._roots:
                alone.setdefault(root, []).append(symbol)
        for root, symbols in alone.items():
            yield f"{root}: not used: {_some(symbols)}: no bars of the underlying"
        idle = sorted(
            symbol for symbol in more if symbol not in quotes and OptionContract.parse(symbol).root not in alone
        )
        if idle:
            yield f"not used: trades or open interest of {_some(idle)}: no quotes"


def _joined(files: Sequence[OptionFile], kind: str) -> dict[str, list[Columns]]:
    found: dict[str, list[Columns]] = {}
    for symbol, rows in chain.from_iterable(file.contracts.items() for file in files if file.kind == kind):
        found.setdefault(symbol, []).append(rows)
    return join(found, kind)


def _remarks(files: Sequence[OptionFile]) -> Iterator[str]:
    for file in files:
        if file.dropped:
            yield f"{file.path}: {file.dropped} rows are crossed: no quotes"
        if file.others:
            yield f"{file.path}: not read, contracts on others: {', '.join(file.others)}"


def _some(symbols: Sequence[str]) -> str:
    shown = ", ".join(symbols[:3])
    noun = "contract" if len(symbols) == 1 else "contracts"
    return f"{len(symbols)} {noun} ({shown}{', …' if len(symbols) > 3 else ''})"
