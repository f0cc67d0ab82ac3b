"""An invented market without end: seeded, the same in every process, and restartable anywhere.

Nothing is stored but the plans of the days passed; the intervals of a day are invented when asked for and a few days of
each symbol are kept. What a day holds depends on the seed, the symbol, the day and the first day only, never on what was
asked before, and threads may share a feed. Equities trade on the exchange's days from 04:00 to 20:00 New York, pairs
around the clock; with ``sessions="always"``, for practice, equities do too.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Literal

from hydra.adapters.markets.columns import micros, moment
from hydra.adapters.markets.days import Continuous, Course, DayPlan, ExchangeDays, Regimes, Schedule, TradingDays
from hydra.adapters.markets.minutes import Grain, Intervals, invent
from hydra.adapters.markets.profiles import MODEL
from hydra.model.errors import BadConfig, Invalid
from hydra.model.market import AssetClass, Bar, Quote, asset_class_of, usual_instrument

SessionRule = Literal["exchange", "always"]
BAR_SECONDS = (5, 10, 15, 20, 30, 60, 120, 180, 300, 600, 900, 1800)
"""The intervals a session's half hours can be cut into."""
DAYS_KEPT = 8


class _Day:
    """One symbol's day; values are built from the intervals when first asked for."""

    def __init__(self, symbol: str, plan: DayPlan, rows: Intervals, seconds: int) -> None:
        self.begins = plan.span.marks[0]
        self.count = len(rows.traded)
        self._symbol = symbol
        self._seconds = seconds
        self._rows = rows
        usual = usual_instrument(symbol)
        self._price = usual.price_increment
        self._quantity = usual.quantity_increment
        self._bars: list[Bar | None] = [None] * self.count
        self._quotes: list[Quote | None] = [None] * self.count

    def bar(self, place: int) -> Bar | None:
        """The bar of an interval; ``None`` when nothing traded in it."""
        found = self._bars[place]
        if found is None and self._rows.traded[place]:
            rows, price = self._rows, self._price
            found = self._bars[place] = Bar(
                symbol=self._symbol,
                at=moment(self.begins + place * self._seconds * 1_000_000),
                seconds=self._seconds,
                open=rows.opens[place] * price,
                high=rows.highs[place] * price,
                low=rows.lows[place] * price,
                close=rows.closes[place] * price,
                volume=rows.volumes[place] * self._quantity,
            )
        return found

    def quote(self, place: int) -> Quote:
        """The quote that closes an interval."""
        found = self._quotes[place]
        if found is None:
            rows = self._rows
            found = self._quotes[place] = Quote(
                symbol=self._symbol,
                at=moment(self.begins + (place + 1) * self._seconds * 1_000_000),
                bid=rows.bids[place] * self._price,
                ask=rows.asks[place] * self._price,
                bid_size=rows.bid_sizes[place] * self._quantity,
                ask_size=rows.ask_sizes[place] * self._quantity,
            )
        return found


class _Tape:
    """One symbol's days, the last few of them kept."""

    def __init__(self, seed: int, symbol: str, schedule: Schedule, regimes: Regimes, seconds: int) -> None:
        self.schedule = schedule
        self.course = Course(seed, symbol, schedule, regimes)
        self._seed = seed
        self._symbol = symbol
        usual = usual_instrument(symbol)
        self._grain = Grain(seconds, float(usual.price_increment), float(usual.quantity_increment))
        self._kept: dict[int, _Day] = {}

    def day(self, index: int) -> _Day:
        found = self._kept.get(index)
        if found is None:
            plan = self.course.plan(index)
            rows = invent(self._seed, self._symbol, plan, self._grain)
            found = self._kept[index] = _Day(self._symbol, plan, rows, self._grain.seconds)
            while len(self._kept) > DAYS_KEPT:
                self._kept.pop(next(iter(self._kept)), None)
        return found


class SyntheticFeed:
    """A ``Feed`` invented from a seed.

    ``start`` is the first day (New York's for equities, UTC's for pairs). ``calendar`` has the exchange's days and may be
    left out when ``sessions`` is ``always``. Raises ``BadConfig`` for a symbol that is no equity or pair, an interval
    that does not divide half an hour, or a missing calendar.
    """

    def __init__(
        self,
        seed: int,
        symbols: Sequence[str],
        start: date,
        calendar: TradingDays | None = None,
        *,
        bar_seconds: int = 60,
        sessions: SessionRule = "exchange",
    ) -> None:
        if bar_seconds not in BAR_SECONDS:
            raise BadConfig(f"bar_seconds must be one of {', '.join(map(str, BAR_SECONDS))}, got {bar_seconds}")
        if not symbols:
            raise BadConfig("a synthetic market needs at least one symbol")
        self._lock = threading.RLock()
        self._symbols = tuple(sorted(set(symbols)))
        self._step = bar_seconds * 1_000_000
        self._said = f"seed {seed}, from {start}, {bar_seconds} s, sessions {sessions}"
        groups = {symbol: _group(symbol) for symbol in self._symbols}
        schedules = {group: _schedule(group, start, calendar, sessions) for group in sorted(set(groups.values()))}
        regimes = {group: Regimes(seed, group) for group in schedules}
        self._schedules = tuple(schedules.values())
        self._tapes = {
            symbol: _Tape(seed, symbol, schedules[group], regimes[group], bar_seconds)
            for symbol, group in groups.items()
        }

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols, sorted."""
        return self._symbols

    @property
    def fingerprint(self) -> str:
        """16 hexadecimal digits over the model, its settings, the symbols, and numpy's version (its streams may change)."""
        import numpy as np

        version = ".".join(np.__version__.split(".")[:2])
        told = f"{MODEL}|numpy {version}|{self._said}|{','.join(self._symbols)}"
        return hashlib.sha256(told.encode()).hexdigest()[:16]

    def describe(self) -> str:
        """Symbols and settings in one line."""
        return f"synthetic: {', '.join(self._symbols)}; {self._said}"

    def plan(self, symbol: str, at: datetime) -> DayPlan | None:
        """What was planned for the trading day begun last at ``at``: for the curious and for tests."""
        tape = self._tapes[symbol]
        with self._lock:
            index = tape.schedule.index(micros(at))
            return tape.course.plan(index) if index >= 0 else None

    def next_after(self, at: datetime | None) -> datetime | None:
        """The end of the next interval in which any symbol trades. Never ``None``: the market has no end."""
        known = None if at is None else micros(at)
        with self._lock:
            return moment(min(self._next(schedule, known) for schedule in self._schedules))

    def bars(self, after: datetime, upto: datetime) -> tuple[Bar, ...]:
        """Bars with ``after < closes_at <= upto``, by closing time, then symbol."""
        low, high = micros(after), micros(upto)
        found: list[tuple[int, str, Bar]] = []
        for symbol, tape in self._tapes.items():
            for day in self._days(tape, low, high):
                for place in range(*self._places(day, low, high)):
                    bar = day.bar(place)
                    if bar is not None:
                        found.append((day.begins + place * self._step, symbol, bar))
        found.sort(key=lambda row: row[:2])
        return tuple(bar for _, _, bar in found)

    def quotes(self, at: datetime) -> Mapping[str, Quote]:
        """The quote that closed each symbol's last interval, with its time; a closed market's grows old."""
        known = micros(at)
        found = {}
        for symbol, tape in self._tapes.items():
            day = next(self._days(tape, known - self._step, known - self._step), None)
            if day is not None:
                found[symbol] = day.quote(min(day.count, (known - day.begins) // self._step) - 1)
        return found

    def history(self, symbol: str, upto: datetime, count: int) -> tuple[Bar, ...]:
        """The last ``count`` bars known at ``upto``, back to the first day; none for a symbol that is not played."""
        tape = self._tapes.get(symbol)
        if tape is None or count <= 0:
            return ()
        high = micros(upto)
        found: list[Bar] = []
        for day in self._days(tape, high, None):
            for place in range(self._places(day, day.begins, high)[1] - 1, -1, -1):
                bar = day.bar(place)
                if bar is not None:
                    found.append(bar)
                    if len(found) == count:
                        return tuple(reversed(found))
        return tuple(reversed(found))

    def _days(self, tape: _Tape, first: int, last: int | None) -> Iterator[_Day]:
        """The days of a tape from that of ``first`` to that of ``last``; backwards to the very first when ``None``."""
        with self._lock:
            begin = tape.schedule.index(first)
            end = begin if last is None else tape.schedule.index(last)
        for index in range(begin, -1, -1) if last is None else range(max(0, begin), end + 1):
            with self._lock:
                day = tape.day(index)
            yield day

    def _places(self, day: _Day, low: int, high: int) -> tuple[int, int]:
        """The intervals of a day that close after ``low`` and by ``high``: first, and one past the last."""
        return max(0, (low - day.begins) // self._step), min(day.count, (high - day.begins) // self._step)

    def _next(self, schedule: Schedule, at: int | None) -> int:
        index = -1 if at is None else schedule.index(at)
        if at is not None and index >= 0:
            marks = schedule.span(index).marks
            coming = marks[0] + ((at - marks[0]) // self._step + 1) * self._step
            if coming <= marks[-1]:
                return coming
        return schedule.span(index + 1).marks[0] + self._step


def _group(symbol: str) -> AssetClass:
    try:
        group = asset_class_of(symbol)
    except Invalid as error:
        raise BadConfig(str(error)) from error
    if group is AssetClass.OPTION:
        raise BadConfig(f"a synthetic market invents equities and crypto pairs, not options: {symbol}")
    return group


def _schedule(group: AssetClass, start: date, calendar: TradingDays | None, sessions: SessionRule) -> Schedule:
    if group is AssetClass.CRYPTO or sessions == "always":
        return Continuous(start)
    if calendar is None:
        raise BadConfig("a synthetic market of equities needs the exchange's calendar, or sessions = always")
    return ExchangeDays(start, calendar)
