"""Recorded history: files of one-minute (or other) bars and quotes, played in the order in which they became known.

A file's name says its symbol and interval, its columns say whether it holds bars or quotes. Files of symbols nobody asked
for are not opened; files that no market plays (options, daily bars) are left out and named in ``notes``; anything wrong
with a file that is wanted refuses to start. The oddity: a crossed or one-sided quote is something that happened, not a
damaged file, so it is dropped and counted, and the quote before it stays the latest, growing stale.
"""

from __future__ import annotations

import hashlib
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

from hydra.adapters.markets import folders, tables
from hydra.adapters.markets.columns import Columns, check_bars, check_quotes, micros, moment
from hydra.model.errors import BadConfig, Invalid
from hydra.model.market import Bar, Quote
from hydra.model.values import aware_utc

T = TypeVar("T")

_STRETCH_GAP = 8 * 86_400_000_000  # no holidays close an exchange for longer; beyond this it is another recording
_CHECKS: dict[str, Callable[[Path, tables.Table, int], Columns]] = {"bars": check_bars, "quotes": check_quotes}


class Stretch(NamedTuple):
    """First and last UTC day of a recording without long gaps."""

    first: date
    last: date

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first}..{self.last}"


class _Loaded(NamedTuple):
    source: folders.Source
    digest: str
    columns: Columns


class _Series(Generic[T]):
    """Rows of one symbol in the order they became known; values are built when first asked for, and kept."""

    def __init__(
        self, symbol: str, parts: Sequence[Columns], build: Callable[[str, int, int, Sequence[Decimal]], T]
    ) -> None:
        self.symbol = symbol
        self.seconds = parts[0].seconds
        self.known: array[int] = array("q")
        for part in parts:
            self.known.extend(part.known)
        width = len(parts[0].numbers)
        self._numbers = tuple([cell for part in parts for cell in part.numbers[place]] for place in range(width))
        self._values: list[T | None] = [None] * len(self.known)
        self._build = build

    def value(self, index: int) -> T:
        found = self._values[index]
        if found is None:
            row = [column[index] for column in self._numbers]
            found = self._values[index] = self._build(self.symbol, self.known[index], self.seconds, row)
        return found


def _bar(symbol: str, known: int, seconds: int, row: Sequence[Decimal]) -> Bar:
    opened, high, low, closed, volume = row
    at = moment(known - seconds * 1_000_000)
    return Bar(symbol=symbol, at=at, seconds=seconds, open=opened, high=high, low=low, close=closed, volume=volume)


def _quote(symbol: str, known: int, _seconds: int, row: Sequence[Decimal]) -> Quote:
    bid, bid_size, ask, ask_size = row
    return Quote(symbol=symbol, at=moment(known), bid=bid, ask=ask, bid_size=bid_size, ask_size=ask_size)


class RecordedFeed:
    """A ``Feed`` of files, made by ``open``.

    ``notes`` says what was found but not used and why, which quotes were dropped, and each symbol's stretches.
    ``stretches`` has them by symbol: the gaps between them are gaps of the recording, and the instants jump over them.
    """

    def __init__(self, loaded: Sequence[_Loaded], notes: Sequence[str], fingerprint: str) -> None:
        self._bars = {symbol: _Series(symbol, parts, _bar) for symbol, parts in _join(loaded, "bars").items()}
        self._quotes = {symbol: _Series(symbol, parts, _quote) for symbol, parts in _join(loaded, "quotes").items()}
        self._symbols = tuple(self._bars)
        self._fingerprint = fingerprint
        known = {at for series in self._bars.values() for at in series.known}
        known.update(at for quotes in self._quotes.values() for at in quotes.known)
        self._instants = array("q", sorted(known))
        self.stretches: Mapping[str, tuple[Stretch, ...]] = {
            symbol: _stretches(series) for symbol, series in self._bars.items()
        }
        self.notes: tuple[str, ...] = (*notes, *self._remarks(loaded))

    @classmethod
    def open(
        cls,
        paths: Sequence[Path],
        *,
        symbols: Sequence[str] | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> RecordedFeed:
        """Read and check files and folders.

        ``symbols``: those wanted (``None``: all there are). ``start`` and ``end`` (aware UTC): only what opened at
        ``start`` or later and was known by ``end``. Raises ``BadConfig`` naming the file, the row and what is accepted.
        """
        window = _window(start, end)
        if not paths:
            raise BadConfig("no market data named; give files or folders of bars and quotes")
        sources, notes = folders.find(paths, symbols)
        uncut = [_load(source) for source in sources]
        loaded = [each._replace(columns=each.columns.cut(*window)) for each in uncut]
        there = sorted({each.source.label.symbol for each in loaded if _holds(each, "bars")})
        wanted = there if symbols is None else sorted(set(symbols))
        _all_there(wanted, there, paths, notes, cut=window != (None, None))
        rest = sorted({each.source.label.symbol for each in loaded}.difference(wanted))
        more = tuple(f"{symbol}: not used: quotes without bars" for symbol in rest)
        played = [each for each in loaded if each.source.label.symbol in wanted and each.columns.known]
        return cls(played, (*notes, *more), _fingerprint(played, window))

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols that have bars, sorted."""
        return self._symbols

    @property
    def fingerprint(self) -> str:
        """16 hexadecimal digits over the bytes of the files, the symbols and the cut-offs; not over where they lie."""
        return self._fingerprint

    def describe(self) -> str:
        """Symbols, bars, days and fingerprint in one line."""
        every = [stretch for stretches in self.stretches.values() for stretch in stretches]
        days = Stretch(min(each.first for each in every), max(each.last for each in every))
        counts = ", ".join(
            f"{name} {len(series.known)} bars of {series.seconds} s" for name, series in self._bars.items()
        )
        return f"recorded: {counts}; {days}; data {self._fingerprint}"

    def next_after(self, at: datetime | None) -> datetime | None:
        """The next instant at which a bar or a quote becomes known."""
        index = 0 if at is None else bisect_right(self._instants, micros(at))
        return moment(self._instants[index]) if index < len(self._instants) else None

    def bars(self, after: datetime, upto: datetime) -> tuple[Bar, ...]:
        """Bars with ``after < closes_at <= upto``, by closing time, then symbol."""
        low, high = micros(after), micros(upto)
        found: list[tuple[int, str, Bar]] = []
        for symbol, series in self._bars.items():
            known = series.known
            first = bisect_right(known, low)
            found.extend(
                (known[index], symbol, series.value(index)) for index in range(first, bisect_right(known, high, first))
            )
        found.sort(key=lambda row: row[:2])
        return tuple(bar for _, _, bar in found)

    def quotes(self, at: datetime) -> Mapping[str, Quote]:
        """The latest usable quote of each symbol known at ``at``, with the time at which it became known."""
        moment_known = micros(at)
        places = ((symbol, series, bisect_right(series.known, moment_known)) for symbol, series in self._quotes.items())
        return {symbol: series.value(place - 1) for symbol, series, place in places if place > 0}

    def history(self, symbol: str, upto: datetime, count: int) -> tuple[Bar, ...]:
        """The last ``count`` bars of a symbol known at ``upto``; none for a symbol that is not played."""
        series = self._bars.get(symbol)
        if series is None or count <= 0:
            return ()
        end = bisect_right(series.known, micros(upto))
        return tuple(series.value(index) for index in range(max(0, end - count), end))

    def _remarks(self, loaded: Sequence[_Loaded]) -> Iterable[str]:
        for each in loaded:
            if each.columns.dropped:
                yield f"{each.source.path}: {each.columns.dropped} rows are crossed or one-sided: no quotes"
        for symbol, stretches in self.stretches.items():
            if symbol not in self._quotes:
                yield f"{symbol}: bars without quotes"
            noun = "stretch" if len(stretches) == 1 else "stretches"
            yield f"{symbol}: {len(stretches)} {noun}, {', '.join(map(str, stretches))}"


def _window(start: datetime | None, end: datetime | None) -> tuple[int | None, int | None]:
    for name, at in (("start", start), ("end", end)):
        if at is not None:
            try:
                aware_utc(name, at)
            except Invalid as error:
                raise BadConfig(str(error)) from error
    if start is not None and end is not None and start >= end:
        raise BadConfig(f"start {start.isoformat()} must lie before end {end.isoformat()}")
    return (None if start is None else micros(start), None if end is None else micros(end))


def _load(source: folders.Source) -> _Loaded:
    table = tables.read(source.path)
    return _Loaded(source, table.digest, _CHECKS[source.kind](source.path, table, source.label.seconds))


def _holds(each: _Loaded, kind: str) -> bool:
    return each.source.kind == kind and len(each.columns.known) > 0


def _all_there(
    wanted: Sequence[str], there: Sequence[str], paths: Sequence[Path], notes: Sequence[str], *, cut: bool
) -> None:
    missing = [symbol for symbol in wanted if symbol not in there]
    if wanted and not missing:
        return
    places = ", ".join(map(str, paths))
    span = " between start and end" if cut else ""
    what = f"no bars of {', '.join(missing)}" if missing else "no bars"
    have = f"; there are bars of {', '.join(there)}" if there else ""
    raise BadConfig("; ".join((f"{what}{span} in {places}{have}", *notes)))


def _join(loaded: Sequence[_Loaded], kind: str) -> dict[str, list[Columns]]:
    """The files of each symbol in the order of time, none reaching into the next."""
    joined: dict[str, list[Columns]] = {}
    ordered = sorted(loaded, key=lambda each: (each.source.label.symbol, each.columns.known[0]))
    for each in ordered:
        if each.source.kind == kind:
            joined.setdefault(each.source.label.symbol, []).append(each.columns)
    for symbol, parts in joined.items():
        for before, after in pairwise(parts):
            if before.seconds != after.seconds:
                raise BadConfig(
                    f"{after.path}: {symbol} {kind} of {after.seconds} s, but of {before.seconds} s in {before.path}; "
                    "one interval a symbol"
                )
            if after.known[0] - before.known[-1] < after.seconds * 1_000_000:
                raise BadConfig(
                    f"{after.path}: {symbol} {kind} overlap with {before.path}: known from {moment(after.known[0])}, "
                    f"the other up to {moment(before.known[-1])}"
                )
    return joined


def _stretches(series: _Series[Bar]) -> tuple[Stretch, ...]:
    opened = [known - series.seconds * 1_000_000 for known in series.known]
    breaks = [index for index, (before, after) in enumerate(pairwise(opened), 1) if after - before > _STRETCH_GAP]
    edges = pairwise((0, *breaks, len(opened)))
    return tuple(Stretch(moment(opened[first]).date(), moment(opened[last - 1]).date()) for first, last in edges)


def _fingerprint(loaded: Sequence[_Loaded], window: tuple[int | None, int | None]) -> str:
    parts = sorted(
        (each.source.label.symbol, each.source.label.seconds, each.source.kind, each.digest) for each in loaded
    )
    return hashlib.sha256(repr((parts, window)).encode()).hexdigest()[:16]
