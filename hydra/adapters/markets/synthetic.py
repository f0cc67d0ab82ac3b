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
from itertools import islice
from typing import Literal

from hydra.adapters.markets.columns import micros, moment
from hydra.adapters.markets.days import Continuous, Course, DayPlan, ExchangeDays, Regimes, Schedule, TradingDays
from hydra.adapters.markets.feed import ActionKind, CorporateAction, root_of
from hydra.adapters.markets.ladders import Listing, ladders
from hydra.adapters.markets.minutes import Grain, Intervals, invent
from hydra.adapters.markets.premiums import Board, Stage
from hydra.adapters.markets.profiles import MODEL
from hydra.model.errors import BadConfig, Invalid
from hydra.model.market import AssetClass, Bar, OptionQuote, Quote, asset_class_of, usual_instrument
from hydra.model.values import encode

SessionRule = Literal["exchange", "always"]
BAR_SECONDS = (5, 10, 15, 20, 30, 60, 120, 180, 300, 600, 900, 1800)
"""The intervals a session's half hours can be cut into."""
DAYS_KEPT = 8
ROOT_MAX = 5


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

    def __init__(self, seed: int, symbol: str, schedule: Schedule, course: Course, seconds: int) -> None:
        self.schedule = schedule
        self.course = course
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
    left out when ``sessions`` is ``always``. ``options`` says which equities have contracts, and for how long; ``actions`` are
    splits and dividends for the prices to follow. Raises ``BadConfig`` for a symbol that is no equity or pair, an interval
    that does not divide half an hour, a missing calendar, and options or actions that cannot be played.
    """

    def __init__(  # noqa: PLR0913  # what makes a market, by name; all but three have defaults
        self,
        seed: int,
        symbols: Sequence[str],
        start: date,
        calendar: TradingDays | None = None,
        *,
        bar_seconds: int = 60,
        sessions: SessionRule = "exchange",
        options: Listing | None = None,
        actions: Sequence[CorporateAction] = (),
    ) -> None:
        if bar_seconds not in BAR_SECONDS:
            raise BadConfig(f"bar_seconds must be one of {', '.join(map(str, BAR_SECONDS))}, got {bar_seconds}")
        if not symbols:
            raise BadConfig("a synthetic market needs at least one symbol")
        self._lock = threading.RLock()
        self._symbols = tuple(sorted(set(symbols)))
        self._seed = seed
        self._step = bar_seconds * 1_000_000
        self._said = f"seed {seed}, from {start}, {bar_seconds} s, sessions {sessions}"
        groups = {symbol: _group(symbol) for symbol in self._symbols}
        schedules = {group: _schedule(group, start, calendar, sessions) for group in sorted(set(groups.values()))}
        regimes = {group: Regimes(seed, group) for group in schedules}
        self._schedules = tuple(schedules.values())
        self._listing = options
        self._since = start if options is None or options.since is None else options.since
        self._actions = tuple(sorted(actions, key=lambda each: (each.ex_date, each.symbol, each.kind)))
        if options is not None:
            _check_options(options, groups, start, sessions)
        _check_actions(self._actions, groups, start, () if options is None else options.underlyings, calendar)
        self._tapes = {}
        for symbol, group in groups.items():
            own = [action for action in self._actions if action.symbol == symbol]
            course = Course(seed, symbol, schedules[group], regimes[group], own)
            self._tapes[symbol] = _Tape(seed, symbol, schedules[group], course, bar_seconds)
        self._found: dict[str, Board] = {}
        self._contracts: tuple[str, ...] | None = None

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
        if self._listing is not None:
            told += f"|options {','.join(sorted(self._listing.underlyings))} {self._since} {self._listing.days}"
        if self._actions:
            told += f"|actions {encode(self._actions).decode()}"
        return hashlib.sha256(told.encode()).hexdigest()[:16]

    def describe(self) -> str:
        """Symbols and settings in one line."""
        more = "" if self._listing is None else f"; options on {', '.join(sorted(self._listing.underlyings))}"
        return f"synthetic: {', '.join(self._symbols)}; {self._said}{more}"

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
        if count <= 0:
            return ()
        if tape is None:
            with self._lock:
                board = self._board_of(symbol)
                trades = () if board is None else tuple(islice(board.history(symbol, micros(upto)), count))
            return trades[::-1]
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

    @property
    def contracts(self) -> tuple[str, ...]:
        """Every contract there will be, sorted; ``Listing`` bounds them."""
        with self._lock:
            if self._contracts is None:
                every = (symbol for name in self._underlyings() for symbol in self._board(name).symbols)
                self._contracts = tuple(sorted(every))
            return self._contracts

    @property
    def actions(self) -> tuple[CorporateAction, ...]:
        """The corporate actions it was given, by ``ex_date``."""
        return self._actions

    def option_quote(self, symbol: str, at: datetime) -> OptionQuote | None:
        """The latest quote of a contract known at ``at``, with volume, open interest, greeks and implied volatility."""
        with self._lock:
            board = self._board_of(symbol)
            return None if board is None else board.quote(symbol, micros(at))

    def chain(self, underlying: str, at: datetime) -> tuple[OptionQuote, ...]:
        """The latest quote of every contract on ``underlying`` that has not expired by ``at``, by symbol."""
        if underlying not in self._underlyings():
            return ()
        with self._lock:
            return self._board(underlying).chain(micros(at))

    def _underlyings(self) -> tuple[str, ...]:
        return () if self._listing is None else self._listing.underlyings

    def _board_of(self, contract: str) -> Board | None:
        """The board a contract would be listed on."""
        names = [name for name in self._underlyings() if contract.startswith(root_of(name))]
        return next((self._board(name) for name in names if self._board(name).lists(contract)), None)

    def _board(self, symbol: str) -> Board:
        """The contracts on an equity, worked out when first asked for."""
        found = self._found.get(symbol)
        if found is None and self._listing is not None:
            tape = self._tapes[symbol]
            stage = Stage(
                symbol=symbol,
                seed=self._seed,
                schedule=tape.schedule,
                step=self._step,
                plan=tape.course.plan,
                quote=lambda day, place: tape.day(day).quote(place),
            )
            rungs = ladders(symbol, tape.course, tape.schedule, self._since, self._listing.days)
            found = self._found[symbol] = Board(stage, rungs)
        if found is None:
            raise KeyError(symbol)
        return found

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


def _check_options(options: Listing, groups: Mapping[str, AssetClass], start: date, sessions: SessionRule) -> None:
    if sessions == "always":
        raise BadConfig("options are invented on exchange days only, not with sessions = always")
    if options.since is not None and options.since < start:
        raise BadConfig(f"options since {options.since}, but the market begins on {start}")
    for symbol in options.underlyings:
        if (
            groups.get(symbol) is not AssetClass.EQUITY
            or not root_of(symbol).isalpha()
            or len(root_of(symbol)) > ROOT_MAX
        ):
            raise BadConfig(
                f"options on {symbol}: not an equity that is played, with a root of at most {ROOT_MAX} letters"
            )


def _check_actions(
    actions: Sequence[CorporateAction],
    groups: Mapping[str, AssetClass],
    start: date,
    optioned: Sequence[str],
    calendar: TradingDays | None,
) -> None:
    """Refuse what the prices cannot follow."""
    seen: set[tuple[str, str, date]] = set()
    for action in actions:
        what = f"{action.kind} of {action.symbol} on {action.ex_date}"
        key = (action.kind, action.symbol, action.ex_date)
        if groups.get(action.symbol) is not AssetClass.EQUITY:
            raise BadConfig(f"{what}: not an equity that is played")
        if action.kind is ActionKind.NAME_CHANGE:
            raise BadConfig(f"{what}: an invented market plays splits and dividends only")
        if action.symbol in optioned and action.cash == 0:
            raise BadConfig(f"{what}: there are options on it, and their terms would have to change")
        if action.ex_date <= start or (calendar is not None and calendar.hours(action.ex_date) is None):
            raise BadConfig(f"{what}: must be an exchange day after {start}, the first day")
        if key in seen:
            raise BadConfig(f"{what}: a second time")
        seen.add(key)


def _schedule(group: AssetClass, start: date, calendar: TradingDays | None, sessions: SessionRule) -> Schedule:
    if group is AssetClass.CRYPTO or sessions == "always":
        return Continuous(start)
    if calendar is None:
        raise BadConfig("a synthetic market of equities needs the exchange's calendar, or sessions = always")
    return ExchangeDays(start, calendar)
