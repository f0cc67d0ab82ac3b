"""What a feed has played of one symbol up to an instant: bars of a span, candles of a timeframe, trades.

Everything is read through a ``View``: the feed, the calendar, and the instant beyond which nothing is known. The interval that
is still open is shown as it stands, made of the bars that have closed.

Daily, weekly and monthly candles of equities count every bar's volume and only the regular session's prices, as the
exchange's own daily bars do; a day without a regular bar has no candle. Minutes and hours count every bar, pre-market and
post-market included. Crypto trades around the clock, so every bar counts in every way.

A feed has no ticks. A trade is told for every bar with volume: at the bar's close, with the bar's volume, at the moment at which
the bar became known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import groupby
from math import ceil
from typing import NamedTuple
from zoneinfo import ZoneInfo

from hydra.adapters.exchange.server.data.frames import (
    ONE_DAY,
    Candle,
    Timeframe,
    candle_of,
    grouped,
    merged,
    midnight_of,
    zone_of,
)
from hydra.adapters.markets.feed import Feed
from hydra.model.market import Bar, asset_class_of
from hydra.model.money import ZERO
from hydra.ports import Calendar

_PIECE = 1024
"""Bars asked of a feed at once."""
_DAY = timedelta(days=1)
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_TRADING = frozenset({"regular", "continuous"})


class View(NamedTuple):
    """A feed as it is known at an instant. ``half_spread``: the usual one, as a fraction, for what has no quote of its own."""

    feed: Feed
    calendar: Calendar
    now: datetime
    half_spread: Decimal = ZERO

    def earlier(self, by: timedelta) -> View:
        """The same feed as it was known some time ago."""
        return self._replace(now=self.now - by)


class Days:
    """Daily candles, kept as long as the feed is the same: those of days that are over, and the present ones as they stand."""

    LIMIT = 20_000

    def __init__(self) -> None:
        self._feed: Feed | None = None
        self._kept: dict[tuple[str, date], tuple[datetime | None, Candle | None]] = {}

    def get(self, feed: Feed, symbol: str, day: date, known: datetime | None) -> tuple[Candle | None] | None:
        """The candle of a day in a tuple, or ``None`` when it is not kept.

        ``known`` is ``None`` for a day that is over, and the close of the symbol's last bar otherwise.
        """
        if feed is not self._feed:
            self._feed, self._kept = feed, {}
        kept = self._kept.get((symbol, day))
        return (kept[1],) if kept is not None and kept[0] == known else None

    def keep(self, feed: Feed, symbol: str, day: date, known: datetime | None, candle: Candle | None) -> None:
        """Keep a candle."""
        if feed is not self._feed:
            return
        if len(self._kept) >= self.LIMIT:
            self._kept = {}
        self._kept[symbol, day] = (known, candle)


class Tape:
    """One symbol as known at an instant. ``adjust`` changes its candles before longer ones are made of them."""

    def __init__(self, view: View, symbol: str, days: Days) -> None:
        self.symbol = symbol
        self.zone: ZoneInfo = zone_of(symbol)
        self._view = view
        self._days = days
        self._class = asset_class_of(symbol)
        last = view.feed.history(symbol, view.now, 1)
        self.last: Bar | None = last[-1] if last else None
        self.adjust: Callable[[Candle], Candle] = _as_it_is

    def bars(self, first: datetime, until: datetime) -> list[Bar]:
        """Bars with ``first <= at < until``, oldest first."""
        if self.last is None or until <= first:
            return []
        width = timedelta(seconds=self.last.seconds)
        upto = min(self._view.now, until + width)
        most = min(_PIECE, ceil((upto - first) / width) + 1) if upto > first else 0
        pieces: list[tuple[Bar, ...]] = []
        while most > 0:
            piece = self._view.feed.history(self.symbol, upto, most)
            pieces.append(piece)
            if len(piece) < most or piece[0].at <= first:
                break
            upto = piece[0].closes_at - timedelta(microseconds=1)
        return [bar for piece in reversed(pieces) for bar in piece if first <= bar.at < until]

    def candles(self, frame: Timeframe, first: datetime, last: datetime, *, down: bool = False) -> Iterator[Candle]:
        """Candles with ``first <= at <= last``; backwards when ``down``."""
        adjust = self.adjust
        found: Iterator[Candle]
        if frame.within_day:
            found = map(adjust, self._within_days(frame, first, last, down=down))
        elif frame == ONE_DAY:
            found = map(adjust, self._daily(first, last, down=down))
        else:
            found = self._longer(frame, first, last, down=down)
        return (each for each in found if first <= each.at <= last)

    def days_down(self, last: datetime) -> Iterator[Candle]:
        """Raw daily candles, from the day of ``last`` backwards."""
        return self._daily(_EARLIEST, last, down=True)

    def days_between(self, first: datetime, last: datetime, *, down: bool) -> Iterator[Candle]:
        """Raw daily candles of the days from that of ``first`` to that of ``last``."""
        return self._daily(first, last, down=down)

    def trades(self, first: datetime, last: datetime, *, down: bool = False) -> Iterator[Bar]:
        """The bars that count as trades, with ``first <= closes_at <= last``; backwards when ``down``."""
        if self.last is None:
            return
        width = timedelta(seconds=self.last.seconds)
        for day in self._dates(first - width, last, down=down):
            bars = self.bars(max(first - width, midnight_of(day, self.zone)), midnight_of(day + _DAY, self.zone))
            for bar in reversed(bars) if down else bars:
                if bar.volume > 0 and first <= bar.closes_at <= last:
                    yield bar

    def last_trade(self) -> Bar | None:
        """The latest bar with volume."""
        if self.last is None or self.last.volume > 0:
            return self.last
        recent = self._view.feed.history(self.symbol, self._view.now, _PIECE)
        return next((bar for bar in reversed(recent) if bar.volume > 0), None)

    def last_candle(self, frame: Timeframe) -> Candle | None:
        """The candle of the interval in which the latest bar opened."""
        if self.last is None:
            return None
        begins = frame.begins(self.last.at, self.zone)
        return next(self.candles(frame, begins, self._view.now, down=True), None)

    def regular(self, bar: Bar) -> bool:
        """True when a bar belongs to the trading session: it opens within it, or the session opens within the bar."""
        return bool(self._in_session([bar]))

    def day(self, day: date) -> Candle | None:
        """The daily candle, or ``None``."""
        if self.last is None:
            return None
        begins, ends = midnight_of(day, self.zone), midnight_of(day + _DAY, self.zone)
        known = None if ends <= self._view.now else self.last.closes_at
        kept = self._days.get(self._view.feed, self.symbol, day, known)
        if kept is not None:
            return kept[0]
        bars = self.bars(begins, ends)
        priced = self._in_session(bars)
        found = None
        if priced:
            volume = sum((bar.volume for bar in bars), ZERO)
            trades = sum(1 for bar in bars if bar.volume > 0)
            found = candle_of(begins, priced)._replace(volume=volume, trades=trades)
        self._days.keep(self._view.feed, self.symbol, day, known, found)
        return found

    def _in_session(self, bars: Sequence[Bar]) -> list[Bar]:
        """The bars of the trading session, of some in order. The calendar is asked once for each stretch of the day."""
        found: list[Bar] = []
        trading, until = False, _EARLIEST
        for bar in bars:
            if bar.at >= until:
                session = self._view.calendar.sessions(bar.at).by_class.get(self._class)
                trading = session is not None and session.open and session.phase in _TRADING
                turns = None if session is None else session.closes_at if trading else session.opens_at
                until = bar.at + _DAY if turns is None else turns
            if trading or bar.closes_at > until:
                found.append(bar)
        return found

    def _daily(self, first: datetime, last: datetime, *, down: bool) -> Iterator[Candle]:
        for day in self._dates(first, last, down=down):
            found = self.day(day)
            if found is not None:
                yield found

    def _within_days(self, frame: Timeframe, first: datetime, last: datetime, *, down: bool) -> Iterator[Candle]:
        begins = frame.begins(first, self.zone)
        for day in self._dates(first, last, down=down):
            bars = self.bars(max(begins, midnight_of(day, self.zone)), midnight_of(day + _DAY, self.zone))
            candles = grouped(frame, self.zone, bars)
            yield from reversed(candles) if down else candles

    def _longer(self, frame: Timeframe, first: datetime, last: datetime, *, down: bool) -> Iterator[Candle]:
        ends = _after(frame, last, self.zone)
        days = map(self.adjust, self._daily(first, ends, down=down))
        for begins, group in groupby(days, key=lambda each: frame.begins(each.at, self.zone)):
            members = list(group)
            yield merged(begins, members[::-1] if down else members)

    def _dates(self, first: datetime, last: datetime, *, down: bool) -> Iterator[date]:
        """The local days between two moments on which the symbol may have bars, passing over long gaps."""
        return self._dates_down(first, last) if down else self._dates_up(first, last)

    def _dates_up(self, first: datetime, last: datetime) -> Iterator[date]:
        if self.last is None:
            return
        width = timedelta(seconds=self.last.seconds)
        end = min(last, self.last.at)
        at: datetime | None = first
        while at is not None and at <= end:
            day = at.astimezone(self.zone).date()
            yield day
            begins = midnight_of(day + _DAY, self.zone)
            coming = self._view.feed.next_after(begins)
            at = None if coming is None else max(begins, coming - width)

    def _dates_down(self, first: datetime, last: datetime) -> Iterator[date]:
        if self.last is None:
            return
        width = timedelta(seconds=self.last.seconds)
        bar: Bar | None = self.last
        if last < self.last.at:
            bar = _single(self._view.feed.history(self.symbol, min(self._view.now, last + width), 1))
        while bar is not None:
            day = bar.at.astimezone(self.zone).date()
            if midnight_of(day + _DAY, self.zone) <= first:
                return
            yield day
            bar = self._before(midnight_of(day, self.zone), width)

    def _before(self, begins: datetime, width: timedelta) -> Bar | None:
        """The last bar that opened before a day did."""
        latest = self._view.feed.history(self.symbol, begins + width - timedelta(microseconds=1), 1)
        return _single(latest)


def _as_it_is(candle: Candle) -> Candle:
    return candle


def _single(bars: tuple[Bar, ...]) -> Bar | None:
    return bars[-1] if bars else None


def _after(frame: Timeframe, at: datetime, zone: ZoneInfo) -> datetime:
    """The last moment of the interval around ``at``."""
    begins = frame.begins(at, zone)
    later = begins + timedelta(days=8 if frame.unit == "Week" else 32 * frame.size)
    return frame.begins(later, zone) - timedelta(microseconds=1)
