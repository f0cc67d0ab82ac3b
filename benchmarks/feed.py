"""A market held in memory: every bar and quote is made beforehand, so that playing it costs next to nothing.

Seeded random walks, one a symbol, through the regular sessions of the exchange. The venue that plays it moves by
``step_seconds``; a bar closes every minute. With ``fresh_quotes`` every step has its own quote, without it a quote stands
for as long as its bar.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import count, islice

import numpy as np

from hydra.adapters.calendar import ExchangeCalendar
from hydra.adapters.markets.feed import CorporateAction
from hydra.model.market import Bar, OptionQuote, Quote

_BAR_SECONDS = 60
_CENT = Decimal("0.01")
_SIZE = Decimal(500)


class MemoryFeed:
    """The ``Feed`` the cycle is measured on."""

    def __init__(
        self,
        symbols: Sequence[str],
        calendar: ExchangeCalendar,
        *,
        steps: int,
        step_seconds: int = _BAR_SECONDS,
        fresh_quotes: bool = True,
        start: date = date(2025, 1, 6),
    ) -> None:
        self._symbols = tuple(symbols)
        self._instants = list(islice(_instants(calendar, start, step_seconds), steps))
        self._made = f"memory: {len(symbols)} symbols, {steps} steps of {step_seconds} s, fresh quotes {fresh_quotes}"
        chance = np.random.default_rng(7)
        self._bars = {symbol: _bars(symbol, self._instants, chance) for symbol in symbols}
        self._closes = {symbol: [bar.closes_at for bar in bars] for symbol, bars in self._bars.items()}
        self._quotes = [self._quotes_at(at, fresh=fresh_quotes) for at in self._instants]

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols."""
        return self._symbols

    @property
    def fingerprint(self) -> str:
        """The settings; a benchmark never goes on with another feed's books."""
        return self._made

    def describe(self) -> str:
        """One line."""
        return self._made

    def next_after(self, at: datetime | None) -> datetime | None:
        """The next step."""
        place = 0 if at is None else bisect_right(self._instants, at)
        return self._instants[place] if place < len(self._instants) else None

    def bars(self, after: datetime, upto: datetime) -> tuple[Bar, ...]:
        """Bars that closed in between."""
        found = [
            bar
            for symbol, bars in self._bars.items()
            for bar in bars[bisect_right(self._closes[symbol], after) : bisect_right(self._closes[symbol], upto)]
        ]
        return tuple(sorted(found, key=lambda bar: (bar.closes_at, bar.symbol)))

    def quotes(self, at: datetime) -> Mapping[str, Quote]:
        """The latest quotes."""
        place = bisect_right(self._instants, at)
        return self._quotes[place - 1] if place else {}

    def history(self, symbol: str, upto: datetime, count: int) -> tuple[Bar, ...]:
        """The last closed bars."""
        end = bisect_right(self._closes[symbol], upto)
        return tuple(self._bars[symbol][max(0, end - count) : end])

    @property
    def contracts(self) -> tuple[str, ...]:
        """None."""
        return ()

    @property
    def actions(self) -> tuple[CorporateAction, ...]:
        """None."""
        return ()

    def option_quote(self, _symbol: str, _at: datetime) -> OptionQuote | None:
        """None."""
        return None

    def chain(self, _underlying: str, _at: datetime) -> tuple[OptionQuote, ...]:
        """None."""
        return ()

    def _quotes_at(self, at: datetime, *, fresh: bool) -> dict[str, Quote]:
        return {symbol: self._quote(symbol, at, fresh=fresh) for symbol in self._symbols if self.history(symbol, at, 1)}

    def _quote(self, symbol: str, at: datetime, *, fresh: bool) -> Quote:
        (bar,) = self.history(symbol, at, 1)
        said_at = at if fresh else bar.closes_at
        drift = _CENT * (int(at.timestamp()) // 5 % 3) if fresh else Decimal(0)
        middle = bar.close + drift
        return Quote(symbol=symbol, at=said_at, bid=middle - _CENT, ask=middle + _CENT, bid_size=_SIZE, ask_size=_SIZE)


def _instants(calendar: ExchangeCalendar, start: date, step_seconds: int) -> Iterator[datetime]:
    """Every step of the regular sessions from ``start`` on, beginning one bar after each opening."""
    for day in (start + timedelta(days=n) for n in count()):
        hours = calendar.hours(day)
        if hours is None:
            continue
        first, step = hours[0] + timedelta(seconds=_BAR_SECONDS), timedelta(seconds=step_seconds)
        steps = int((hours[1] - first) / step) + 1
        yield from (first + step * n for n in range(steps))


def _bars(symbol: str, instants: Sequence[datetime], chance: np.random.Generator) -> list[Bar]:
    """A bar for every whole minute among the instants; the walk's steps are about 5 basis points."""
    closings = [at for at in instants if at.second == 0]
    closes = 100 * np.exp(np.cumsum(chance.normal(0, 0.0005, len(closings))))
    wicks = chance.uniform(0.01, 0.06, (len(closings), 2))
    volumes = chance.integers(100, 10_000, len(closings))
    bars, before = [], Decimal(100)
    for at, close, (up, down), volume in zip(closings, closes, wicks, volumes, strict=True):
        now = Decimal(f"{close:.2f}")
        bars.append(
            Bar(
                symbol=symbol,
                at=at - timedelta(seconds=_BAR_SECONDS),
                seconds=_BAR_SECONDS,
                open=before,
                high=max(before, now) + Decimal(f"{up:.2f}"),
                low=min(before, now) - Decimal(f"{down:.2f}"),
                close=now,
                volume=Decimal(int(volume)),
            )
        )
        before = now
    return bars
