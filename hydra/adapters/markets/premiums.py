"""What the synthetic market's options cost: Black and Scholes around the underlying's quote, and what is traded of them.

Everything about a contract at the end of an interval follows from the underlying's quote there, the day's volatility and
the contract's name, so a chain is worked out when it is asked for and nothing is stored. No interest, no dividends, and
exercise at expiry only, in the price. The implied volatility is the symbol's times the day's regime, a little higher for
strikes below the price. Options are quoted in regular hours; the last quote of a day stays until the next.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from decimal import Decimal
from math import ceil, erf, exp, floor, log, pi, sin, sqrt
from typing import NamedTuple

from hydra.adapters.calendar import NEW_YORK
from hydra.adapters.markets.columns import micros, moment
from hydra.adapters.markets.days import DayPlan, Schedule, Span
from hydra.adapters.markets.ladders import Ladder, Strike
from hydra.adapters.markets.profiles import MODEL, REGIMES, profile
from hydra.model.market import Bar, OptionQuote, Quote

SMILE = (-0.06, 0.02)
"""What a strike one standard deviation above the price adds to the implied volatility, linear and squared; flat beyond 3."""
SPREAD = (0.01, 0.01)
"""Half a spread: dollars at least, and the share of the price; half the underlying's times delta comes on top."""
_YEAR = 365 * 86_400 * 1e6
_ROOT = sqrt(2)
_TICK = Decimal("0.01")
_BUSY = 1000
"""Shares of the underlying traded for one contract at the money and near its expiry."""
_INTEREST = (100, 15)
"""Shares traded a day for one contract that is open in the end, and the days in which two thirds of them are opened."""
_KEPT = 8
_VOLATILITY = {regime.name: regime.volatility for regime in REGIMES}


class Greeks(NamedTuple):
    """A price in dollars and its sensitivities: to a dollar, to a dollar again, to a day, to a point of volatility."""

    price: float
    delta: float
    gamma: float
    theta: float
    vega: float


def worth(spot: float, strike: float, call: bool, years: float, volatility: float) -> Greeks:
    """Black and Scholes without interest and dividends (The Pricing of Options and Corporate Liabilities, 1973)."""
    deviation = volatility * sqrt(years)
    price, delta, d1 = premium(spot, strike, call, deviation)
    density = exp(-d1 * d1 / 2) / sqrt(2 * pi)
    return Greeks(
        price=price,
        delta=delta,
        gamma=density / (spot * deviation),
        theta=-spot * density * volatility / (2 * sqrt(years)) / 365,
        vega=spot * density * sqrt(years) / 100,
    )


def premium(spot: float, strike: float, call: bool, deviation: float) -> tuple[float, float, float]:
    """(price, delta, d1) at so many standard deviations of the price until expiry: what a quote needs, and no more."""
    d1 = log(spot / strike) / deviation + deviation / 2
    delta = (1 + erf(d1 / _ROOT)) / 2
    price = spot * delta - strike * ((1 + erf((d1 - deviation) / _ROOT)) / 2)
    if not call:
        price, delta = price - spot + strike, delta - 1
    return max(price, 0.0), delta, d1


class _Hours(NamedTuple):
    """A point in a day's regular hours: the number of the day, and how many intervals have passed, of how many."""

    day: int
    done: int
    whole: int


class Stage(NamedTuple):
    """What the board needs of an underlying: its days, their plans, and its quote at the end of an interval of a day."""

    symbol: str
    seed: int
    schedule: Schedule
    step: int
    plan: Callable[[int], DayPlan]
    quote: Callable[[int, int], Quote]


class Board:
    """The contracts on one equity, and their quotes and trades. Threads may share one."""

    def __init__(self, stage: Stage, ladders: tuple[Ladder, ...]) -> None:
        self._stage = stage
        self._ladders = ladders
        self._placed = {strike.symbol: (ladder, strike) for ladder in ladders for strike in ladder.strikes}
        self._profile = profile(stage.symbol)
        self._chains: dict[tuple[int, int], tuple[OptionQuote, ...]] = {}
        self.symbols = tuple(sorted(self._placed))

    def lists(self, symbol: str) -> bool:
        """Is there such a contract, at some time?"""
        return symbol in self._placed

    def quote(self, symbol: str, at: int) -> OptionQuote | None:
        """The latest quote of a contract at ``at`` (microseconds); ``None`` for one that was never quoted by then."""
        placed = self._placed.get(symbol)
        hours = self._hours(at)
        if placed is None or hours is None or hours.day < placed[0].first:
            return None
        return self._quote(*placed, self._within(placed[0], hours), at)

    def chain(self, at: int) -> tuple[OptionQuote, ...]:
        """The latest quote of every contract that is listed and has not expired, by symbol."""
        hours = self._hours(at)
        if hours is None:
            return ()
        live = [ladder for ladder in self._ladders if ladder.first <= hours.day and at < ladder.lapses]
        key = (at, hours.day)
        found = self._chains.get(key)
        if found is None:
            rows = [
                self._quote(ladder, strike, self._within(ladder, hours), at)
                for ladder in live
                for strike in ladder.strikes
            ]
            found = self._chains[key] = tuple(sorted(rows, key=lambda row: row.symbol))
            while len(self._chains) > _KEPT:
                self._chains.pop(next(iter(self._chains)), None)
        return found

    def history(self, symbol: str, at: int) -> Iterator[Bar]:
        """A contract's trade bars known at ``at``, the latest first."""
        placed = self._placed.get(symbol)
        hours = self._hours(at)
        if placed is None or hours is None:
            return
        ladder, strike = placed
        hours = self._within(ladder, hours)
        for day in range(hours.day, ladder.first - 1, -1):
            count = self._count(self._stage.schedule.span(day))
            for done in range(hours.done if day == hours.day else count, 0, -1):
                bar = self._bar(ladder, strike, _Hours(day, done, count))
                if bar is not None:
                    yield bar

    def _hours(self, at: int) -> _Hours | None:
        """The last interval of regular hours that had ended by ``at``."""
        schedule = self._stage.schedule
        day = schedule.index(at)
        if day >= 0 and at < schedule.span(day).marks[1] + self._stage.step:
            day -= 1
        if day < 0:
            return None
        span = schedule.span(day)
        count = self._count(span)
        return _Hours(day, min(count, (at - span.marks[1]) // self._stage.step), count)

    def _count(self, span: Span) -> int:
        return (span.marks[2] - span.marks[1]) // self._stage.step

    def _within(self, ladder: Ladder, hours: _Hours) -> _Hours:
        """The same, or the end of the ladder's last day."""
        if hours.day <= ladder.last:
            return hours
        count = self._count(self._stage.schedule.span(ladder.last))
        return _Hours(ladder.last, count, count)

    def _quote(self, ladder: Ladder, strike: Strike, hours: _Hours, at: int) -> OptionQuote:
        known, spot, spread = self._spot(hours)
        plan = self._stage.plan(hours.day)
        volatility, greeks = self._worth(ladder, strike, hours, known, spot)
        half = max(SPREAD[0], SPREAD[1] * greeks.price + abs(greeks.delta) * spread / 2) * plan.spread
        bid = floor((greeks.price - half) * 100 + 1e-6)
        ask = max(1, bid + 1, ceil((greeks.price + half) * 100 - 1e-6))
        sizes = self._chance("sizes", strike.symbol, hours)
        return OptionQuote(
            symbol=strike.symbol,
            at=moment(known),
            bid=bid * _TICK if bid >= 1 else None,
            ask=ask * _TICK,
            bid_size=Decimal(1 + floor(exp(5 * sizes[0]))) if bid >= 1 else None,
            ask_size=Decimal(1 + floor(exp(5 * sizes[1]))),
            volume=Decimal(self._volume(ladder, strike, self._today(at))),
            open_interest=Decimal(self._open(ladder, strike, at)),
            delta=_decimal(greeks.delta),
            gamma=_decimal(greeks.gamma),
            theta=_decimal(greeks.theta),
            vega=_decimal(greeks.vega),
            implied_volatility=_decimal(volatility),
        )

    def _spot(self, hours: _Hours) -> tuple[int, float, float]:
        """When an interval ended, and the underlying's mid and spread then; 0 intervals: the one before the opening."""
        marks = self._stage.schedule.span(hours.day).marks
        quote = self._stage.quote(hours.day, (marks[1] - marks[0]) // self._stage.step + hours.done - 1)
        return micros(quote.at), float(quote.mid), float(quote.ask - quote.bid)

    def _worth(self, ladder: Ladder, strike: Strike, hours: _Hours, known: int, spot: float) -> tuple[float, Greeks]:
        """The implied volatility, and what follows from it. A minute is left at expiry."""
        years = max(ladder.closes - known, 60_000_000) / _YEAR
        level = self._profile.volatility * _VOLATILITY[self._stage.plan(hours.day).regime]
        away = max(-3.0, min(3.0, log(strike.dollars / spot) / (level * sqrt(years))))
        volatility = level * (1 + SMILE[0] * away + SMILE[1] * away * away)
        return volatility, worth(spot, strike.dollars, strike.call, years, volatility)

    def _bar(self, ladder: Ladder, strike: Strike, hours: _Hours) -> Bar | None:
        """The trades of an interval: from the fair price at its beginning to that at its end; ``None`` without any."""
        before = hours._replace(done=hours.done - 1)
        volume = self._volume(ladder, strike, hours) - self._volume(ladder, strike, before)
        if volume == 0:
            return None
        ends = []
        for each in (before, hours):
            known, spot, _ = self._spot(each)
            ends.append(max(1, round(self._worth(ladder, strike, each, known, spot)[1].price * 100)) * _TICK)
        at = moment(self._stage.schedule.span(hours.day).marks[1] + (hours.done - 1) * self._stage.step)
        return Bar(
            symbol=strike.symbol,
            at=at,
            seconds=self._stage.step // 1_000_000,
            open=ends[0],
            high=max(ends),
            low=min(ends),
            close=ends[1],
            volume=Decimal(volume),
        )

    def _today(self, at: int) -> _Hours:
        """How much of the regular hours of the day of ``at`` has passed; nothing on a day without any."""
        schedule = self._stage.schedule
        day = schedule.index(at)
        span = schedule.span(day)
        count = self._count(span)
        if moment(at).astimezone(NEW_YORK).date() != span.day:
            return _Hours(day, 0, count)
        return _Hours(day, min(count, max(0, (at - span.marks[1]) // self._stage.step)), count)

    def _volume(self, ladder: Ladder, strike: Strike, hours: _Hours) -> int:
        """Contracts traded in a day so far: more at its ends, at the money and near expiry."""
        if hours.done == 0 or not ladder.first <= hours.day <= ladder.last:
            return 0
        plan = self._stage.plan(hours.day)
        left = (ladder.closes - plan.span.marks[1]) / 86_400e6
        away = log(strike.dollars / exp(plan.opens)) / max(ladder.width, 1e-3)
        luck, start = self._chance("volume", strike.symbol, hours._replace(done=0))
        most = self._profile.volume * plan.volume / _BUSY * exp(-away * away - left / 20 + 1.5 * (luck - 0.5))
        part = hours.done / hours.whole
        return floor(most * (part + 0.5 * sin(2 * pi * part) / (2 * pi)) + start)

    def _open(self, ladder: Ladder, strike: Strike, at: int) -> int:
        """Contracts open, as published before the day of ``at`` begins."""
        shares, days = _INTEREST
        age = max(0, min(ladder.last, self._stage.schedule.index(at)) - ladder.first)
        away = log(strike.dollars / ladder.middle) / ladder.width
        luck, _ = self._chance("open", strike.symbol, _Hours(0, 0, 0))
        return floor(self._profile.volume / shares * exp(-away * away / 2 + 2 * (luck - 1)) * (1 - exp(-age / days)))

    def _chance(self, what: str, symbol: str, hours: _Hours) -> tuple[float, float]:
        """Two numbers from 0 to below 1 that belong to this and nothing else."""
        told = f"{MODEL}|{what}|{self._stage.seed}|{symbol}|{hours.day}|{hours.done}"
        drawn = hashlib.blake2b(told.encode(), digest_size=8).digest()
        return int.from_bytes(drawn[:4]) / 2**32, int.from_bytes(drawn[4:]) / 2**32


def _decimal(number: float) -> Decimal:
    """To four places."""
    return Decimal(round(number * 10_000)).scaleb(-4)
