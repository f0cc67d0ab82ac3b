"""Recorded history: files of one-minute (or other) bars and quotes, played in the order in which they became known.

A file's columns say whether it holds bars (in whose shape), quotes, one of the three kinds of option data, or corporate
actions; its columns or its name say the symbol. Files of symbols nobody asked for are not opened; what is not played is
named in ``notes``; anything wrong with a file that is wanted refuses to start. The oddity: a crossed or one-sided quote is something that happened, not a
damaged file, so it is dropped and counted, and the quote before it stays the latest, growing stale.
"""

from __future__ import annotations

import hashlib
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from hydra.adapters.calendar import ExchangeCalendar
from hydra.adapters.markets import actions, bars, chains, folders, tables
from hydra.adapters.markets.bars import Loaded, Reading
from hydra.adapters.markets.columns import Columns, micros, moment
from hydra.adapters.markets.exact import Floats, Ints
from hydra.adapters.markets.feed import CorporateAction, Opening, root_of
from hydra.adapters.markets.series import Series, Vectors, bars_of, join, quotes_of
from hydra.adapters.markets.times import DAY, ints_of, merged
from hydra.model.errors import BadConfig, Invalid
from hydra.model.market import AssetClass, Bar, OptionQuote, Quote, asset_class_of
from hydra.model.money import ZERO
from hydra.model.rows import Rows
from hydra.model.values import aware_utc

_OPEN, _VOLUME = 0, 4  # places among a bar's numbers
_STRETCH_GAP = 8 * 86_400_000_000  # no holidays close an exchange for longer; beyond this it is another recording


_DIGITS_MOST = 9
_DUST = 1e-12
"""What scaling a float adds to it, as a fraction."""


class Stretch(NamedTuple):
    """First and last UTC day of a recording without long gaps."""

    first: date
    last: date

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first}..{self.last}"


class RecordedFeed:
    """A ``Feed`` of files, made by ``open``.

    ``notes`` says what was found but not used and why, which quotes were dropped, and each symbol's stretches.
    ``stretches`` has them by symbol: the gaps between them are gaps of the recording, and the instants jump over them.
    """

    def __init__(
        self,
        loaded: Sequence[Loaded],
        options: chains.OptionTape,
        announced: tuple[CorporateAction, ...],
        notes: Sequence[str],
        fingerprint: str,
        unpriced: Sequence[str] = (),
    ) -> None:
        self._bars = {name: Series(name, parts, bars_of) for name, parts in _by_symbol(loaded, tables.BARS).items()}
        self._quotes = {
            name: Series(name, parts, quotes_of) for name, parts in _by_symbol(loaded, tables.QUOTES).items()
        }
        self._options = options
        self._actions = announced
        self._symbols = tuple(sorted((*self._bars, *unpriced)))
        self._fingerprint = fingerprint
        known = [each.known for each in self._bars.values()]
        known += [each.known for each in self._quotes.values()]
        self._days = {symbol: series for symbol, series in self._bars.items() if _a_day_of_a_share(series)}
        known += [each.opened for each in self._days.values()]
        self._instants = merged([*known, array("q", options.instants())])
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
        some: bool = False,
        calendar: ExchangeCalendar | None = None,
    ) -> RecordedFeed:
        """Read and check files and folders.

        ``symbols``: those wanted (``None``: all there are). ``start`` and ``end`` (aware UTC): only what opened at
        ``start`` or later and was known by ``end``. ``some``: a wanted symbol without bars is played without prices, as long as
        there is one that has them. ``calendar`` tells when exchange days open and close. Raises ``BadConfig`` naming the file, the row and what is accepted.
        """
        window = _window(start, end)
        if not paths:
            raise BadConfig("no market data named; give files or folders of bars and quotes")
        sources, notes = folders.find(paths, symbols)
        read = bars.load(sources, Reading(symbols, calendar or ExchangeCalendar(), datetime.now(UTC)))
        loaded = [each._replace(columns=each.columns.cut(*window)) for each in read.loaded]
        there = sorted({each.symbol for each in loaded if each.kind == tables.BARS and each.columns.known})
        wanted = there if symbols is None else sorted(set(symbols))
        unpriced = [symbol for symbol in wanted if symbol not in there]
        notes = (*notes, *read.notes)
        if not some or len(unpriced) == len(wanted):
            _all_there(wanted, there, paths, notes, cut=window != (None, None))
        rest = sorted({each.symbol for each in loaded}.difference(wanted))
        more = tuple(f"{symbol}: not used: quotes without bars" for symbol in rest)
        more += tuple(f"{symbol}: no bars, so it has no prices and is not traded" for symbol in unpriced)
        played = [each for each in loaded if each.symbol in wanted and each.columns.known]
        roots = None if symbols is None else {root_of(symbol) for symbol in wanted}
        files = [
            chains.load(each.path, each.kind.name, each.label.seconds, roots).cut(*window)
            for each in sources
            if each.kind.name in chains.KINDS
        ]
        options = chains.OptionTape(files, wanted, window[0])
        told = [actions.load(each.path) for each in sources if each.kind.name == tables.ACTIONS]
        announced, unused = actions.gather(told, wanted, calendar)
        bars.check_adjusted([each for each in played if each.kind == tables.BARS], announced)
        extras = [("", file.seconds, file.kind, file.digest) for file in files if options.uses(file)]
        extras += [("", 0, tables.ACTIONS, file.digest) for file in told if not set(announced).isdisjoint(file.actions)]
        told_of = (*notes, *more, *options.notes, *unused)
        return cls(played, options, announced, told_of, _fingerprint(played, extras, window), unpriced)

    @classmethod
    def over(cls, *series: Series[Bar]) -> RecordedFeed:
        """A feed of bars in memory, one series a symbol, as ``frames.series`` makes them. Raises ``BadConfig`` for a symbol twice."""
        if not series:
            raise BadConfig("no series given")
        loaded = [
            Loaded(Path("memory"), each.symbol, tables.BARS, each.digest(), part)
            for each in series
            for part in each.parts
        ]
        symbols = [each.symbol for each in series]
        if len(set(symbols)) < len(symbols):
            raise BadConfig(f"one series a symbol, got {', '.join(sorted(symbols))}")
        nothing = chains.OptionTape((), symbols, None)
        notes = tuple(note for each in series for note in each.notes)
        return cls(loaded, nothing, (), notes, _fingerprint(loaded, (), (None, None)))

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols that have bars, and those that were wanted and have none; sorted."""
        return self._symbols

    @property
    def fingerprint(self) -> str:
        """16 hexadecimal digits over the bytes of the files, the symbols and the cut-offs; not over where they lie."""
        return self._fingerprint

    def describe(self) -> str:
        """Symbols, bars, days and fingerprint in one line."""
        every = [stretch for stretches in self.stretches.values() for stretch in stretches]
        days = Stretch(min(each.first for each in every), max(each.last for each in every))
        counts = ", ".join(f"{name} {len(series.known)} {series.interval}" for name, series in self._bars.items())
        listed = f"; {len(self.contracts)} option contracts" if self.contracts else ""
        return f"recorded: {counts}{listed}; {days}; data {self._fingerprint}"

    def next_after(self, at: datetime | None) -> datetime | None:
        """The next instant at which a bar or a quote becomes known, a contract's included."""
        index = 0 if at is None else bisect_right(self._instants, micros(at))
        return moment(self._instants[index]) if index < len(self._instants) else None

    def instants(self) -> Ints:
        """Every instant at which anything becomes known, in microseconds since 1970."""
        return ints_of(self._instants)

    def rows(self, symbol: str) -> Rows | None:
        """All bars of a symbol as vectors; ``None`` when its prices are not its bars' alone: it has quotes, or daily bars of a share."""
        series = self._bars.get(symbol)
        if series is None or symbol in self._quotes:
            return None
        if series.seconds >= DAY and asset_class_of(symbol) is AssetClass.EQUITY:
            return None
        vectors = series.vectors
        opened, high, low, close, volume = vectors.numbers
        return Rows(vectors.opened, vectors.known, opened, high, low, close, volume, series.numbers)

    def vectors(self, symbol: str) -> Vectors | None:
        """All bars of a symbol as vectors, for a picture; ``None`` for one without bars."""
        series = self._bars.get(symbol)
        return None if series is None else series.vectors

    def decimals(self, symbol: str) -> int:
        """How many digits behind the point the prices of a symbol's bars have, at most nine; 0 for one without bars."""
        series = self._bars.get(symbol)
        if series is None:
            return 0
        opened, _, _, closed, _ = series.vectors.numbers
        return max(digits_of(opened), digits_of(closed))

    def bars(self, after: datetime, upto: datetime) -> tuple[Bar, ...]:
        """Bars with ``after < closes_at <= upto``, by closing time, then symbol."""
        found: list[tuple[int, str, Bar]] = []
        for symbol, series in self._bars.items():
            first, last = series.known_by(after), series.known_by(upto)
            if first < last:
                told = series.values(first, last)
                found += [(series.known[row], symbol, bar) for row, bar in enumerate(told, first)]
        if len(found) > 1:
            found.sort(key=lambda row: row[:2])
        return tuple([bar for _, _, bar in found])

    def quotes(self, at: datetime) -> Mapping[str, Quote]:
        """The latest usable quote of each symbol known at ``at``, with the time at which it became known."""
        if not self._quotes:
            return {}
        places = ((symbol, series, series.known_by(at)) for symbol, series in self._quotes.items())
        return {symbol: series.value(place - 1) for symbol, series, place in places if place > 0}

    def history(self, symbol: str, upto: datetime, count: int) -> tuple[Bar, ...]:
        """The last ``count`` bars of a symbol known at ``upto``; none for a symbol that is not played."""
        series = self._bars.get(symbol)
        return self._options.history(symbol, upto, count) if series is None else series.last(upto, count)

    def count_since(self, symbol: str, after: datetime, upto: datetime) -> int | None:
        """How many bars of a symbol opened after a time and are known at ``upto``; ``None`` for one that has no series of its own."""
        series = self._bars.get(symbol)
        return None if series is None else series.count_since(after, upto)

    @property
    def days(self) -> tuple[str, ...]:
        """The shares of which a day is one bar, sorted. The opening of such a day is an instant, beside its close."""
        return tuple(self._days)

    def openings(self, at: datetime) -> Mapping[str, Opening]:
        """The opening of each of ``days`` whose session had begun at ``at`` and whose bar is not known yet."""
        now = micros(at)
        found = {}
        for symbol, series in self._days.items():
            place = bisect_right(series.known, now)  # the first bar that is not known
            if place < len(series.known) and series.opened[place] <= now:
                before = series.numbers[_VOLUME][place - 1] if place else ZERO
                found[symbol] = Opening(moment(series.opened[place]), series.numbers[_OPEN][place], before)
        return found

    @property
    def contracts(self) -> tuple[str, ...]:
        """The option contracts it has quotes of, sorted."""
        return self._options.symbols

    @property
    def actions(self) -> tuple[CorporateAction, ...]:
        """The corporate actions of its symbols, by ``ex_date``; those beyond ``start`` and ``end`` too."""
        return self._actions

    def option_quote(self, symbol: str, at: datetime) -> OptionQuote | None:
        """The latest quote of a contract known at ``at``.

        ``volume`` is that of the New York day of ``at``, where the data have trades of that day; greeks are unavailable.
        """
        return self._options.quote(symbol, at)

    def chain(self, underlying: str, at: datetime) -> tuple[OptionQuote, ...]:
        """The latest quote of every contract on ``underlying`` that has not expired by ``at``, by symbol."""
        return self._options.chain(underlying, at)

    def _remarks(self, loaded: Sequence[Loaded]) -> Iterable[str]:
        for each in loaded:
            if each.columns.dropped:
                yield f"{each.path}: {each.columns.dropped} rows are crossed or one-sided: no quotes"
        for symbol, stretches in self.stretches.items():
            if symbol not in self._quotes:
                yield f"{symbol}: bars without quotes"
            if symbol in self._days:
                yield f"{symbol}: daily bars: what a bot makes of a day is done at the next opening, at that day's first price"
            noun = "stretch" if len(stretches) == 1 else "stretches"
            yield f"{symbol}: {len(stretches)} {noun}, {', '.join(map(str, stretches))}"


def digits_of(numbers: Floats) -> int:
    """The fewest digits behind the point, up to nine, with which these numbers can all be written; nine where none suffice."""
    for digits in range(_DIGITS_MOST):
        scaled = numbers * 10.0**digits
        if np.all(np.abs(scaled - np.rint(scaled)) <= _DUST * np.maximum(1.0, scaled)):
            return digits
    return _DIGITS_MOST


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


def _a_day_of_a_share(series: Series[Bar]) -> bool:
    return series.seconds >= DAY and asset_class_of(series.symbol) is AssetClass.EQUITY


def _by_symbol(loaded: Sequence[Loaded], kind: str) -> dict[str, list[Columns]]:
    found: dict[str, list[Columns]] = {}
    for each in loaded:
        if each.kind == kind:
            found.setdefault(each.symbol, []).append(each.columns)
    return join(found, kind)


def _stretches(series: Series[Bar]) -> tuple[Stretch, ...]:
    opened = series.opened
    breaks = (np.flatnonzero(np.diff(ints_of(opened)) > _STRETCH_GAP) + 1).tolist()
    edges = pairwise((0, *breaks, len(opened)))
    return tuple(Stretch(moment(opened[first]).date(), moment(opened[last - 1]).date()) for first, last in edges)


_Part = tuple[str, int, str, str]


def _fingerprint(loaded: Sequence[Loaded], extras: Sequence[_Part], window: tuple[int | None, int | None]) -> str:
    parts = [(each.symbol, each.columns.seconds, each.kind, each.digest) for each in loaded]
    return hashlib.sha256(repr((sorted([*parts, *extras]), window)).encode()).hexdigest()[:16]
