"""The synthetic market by day: when it trades, and where each day leads, before any minute of it exists.

A day's moves are drawn first and chained from the first day on, so the close of any day is known without its minutes,
and a feed restarted anywhere plays what it would have played.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from math import exp, log, sqrt
from typing import NamedTuple, Protocol

import numpy as np

from hydra.adapters.calendar import POST_CLOSES, PRE_OPENS, new_york
from hydra.adapters.markets.columns import micros
from hydra.adapters.markets.feed import CorporateAction
from hydra.adapters.markets.profiles import (
    CHARACTERS,
    COMMON,
    GAP_VARIANCE,
    JUMPS,
    PARTS,
    PULL,
    REGIME_FIRST,
    REGIMES,
    WEEKEND,
    Character,
    chance,
    profile,
)
from hydra.model.market import AssetClass, asset_class_of

_DAY = 86_400_000_000


class TradingDays(Protocol):
    """The exchange's days, as the calendar knows them."""

    def hours(self, day: date) -> tuple[datetime, datetime] | None:
        """Opening and close of an exchange day; ``None`` on any other day."""
        ...


class Span(NamedTuple):
    """A day's trading time in microseconds: the names of its parts, and the marks around them (one more than parts)."""

    day: date
    parts: tuple[str, ...]
    marks: tuple[int, ...]


class Schedule(Protocol):
    """The days that are traded, counted from the first."""

    def span(self, index: int) -> Span:
        """The day with this number."""
        ...

    def index(self, at: int) -> int:
        """The number of the last day that had begun by ``at`` (microseconds); -1 before the first."""
        ...


class Continuous:
    """Every day from midnight to midnight UTC."""

    def __init__(self, start: date) -> None:
        self._start = start
        self._begins = micros(datetime.combine(start, time(), UTC))

    def span(self, index: int) -> Span:
        """The day with this number."""
        begins = self._begins + index * _DAY
        return Span(self._start + timedelta(days=index), ("continuous",), (begins, begins + _DAY))

    def index(self, at: int) -> int:
        """The number of the day at ``at``."""
        return max(-1, (at - self._begins) // _DAY)


class ExchangeDays:
    """Exchange days: pre-market, regular hours (an early close included) and post-market."""

    def __init__(self, start: date, calendar: TradingDays) -> None:
        self._calendar = calendar
        self._next = start
        self._spans: list[Span] = []
        self._begins: list[int] = []

    def span(self, index: int) -> Span:
        """The day with this number."""
        while index >= len(self._spans):
            self._add()
        return self._spans[index]

    def index(self, at: int) -> int:
        """The number of the last exchange day that had begun by ``at``."""
        while not self._begins or self._begins[-1] <= at:
            self._add()
        return bisect_right(self._begins, at) - 1

    def _add(self) -> None:
        """Find the next exchange day; the calendar refuses when there are no more years."""
        day = self._next
        while (hours := self._calendar.hours(day)) is None:
            day += timedelta(days=1)
        self._next = day + timedelta(days=1)
        times = (new_york(day, PRE_OPENS), *hours, new_york(day, POST_CLOSES))
        marks = tuple(map(micros, times))
        self._spans.append(Span(day, ("pre", "regular", "post"), marks))
        self._begins.append(marks[0])


class Leg(NamedTuple):
    """A part of a day as planned: its log move, the standard deviation of the noise around it, and a jump in it.

    ``memory`` is how much of a deviation is left a minute later. ``jump_at`` is a fraction of the part.
    """

    part: str
    begins: int
    ends: int
    move: float
    noise: float
    memory: float = 1.0
    jump: float = 0.0
    jump_at: float = 0.0


class DayPlan(NamedTuple):
    """Where a day goes. ``opens`` and ``closes`` are log prices at its first and last mark; factors are the regime's."""

    span: Span
    regime: str
    character: str
    opens: float
    closes: float
    legs: tuple[Leg, ...]
    volume: float
    spread: float


class Regimes:
    """The regime of each day of a class: a Markov chain from the first day on."""

    def __init__(self, seed: int, group: AssetClass) -> None:
        self._key = (seed, group)
        self._chain: list[int] = []

    def at(self, schedule: Schedule, index: int) -> int:
        """The regime's place in ``REGIMES`` on the day with this number."""
        while len(self._chain) <= index:
            day = schedule.span(len(self._chain)).day
            before = self._chain[-1] if self._chain else REGIME_FIRST
            drawn = chance("regime", *self._key, day).random()
            steps = np.cumsum(REGIMES[before].next)
            self._chain.append(min(int(np.searchsorted(steps, drawn, side="right")), len(REGIMES) - 1))
        return self._chain[index]


class Course:
    """One symbol's days in a row. A split or a dividend moves the price, and the volume against it, from its day on."""

    def __init__(
        self,
        seed: int,
        symbol: str,
        schedule: Schedule,
        regimes: Regimes,
        actions: Sequence[CorporateAction] = (),
    ) -> None:
        self._actions = actions
        self._shifted = 0.0
        self._seed = seed
        self._symbol = symbol
        self._group = asset_class_of(symbol)
        self._profile = profile(symbol)
        self._schedule = schedule
        self._regimes = regimes
        self._plans: list[DayPlan] = []

    def plan(self, index: int) -> DayPlan:
        """The plan of the day with this number."""
        while index >= len(self._plans):
            self._plans.append(self._draw(len(self._plans)))
        return self._plans[index]

    def _draw(self, index: int) -> DayPlan:
        span = self._schedule.span(index)
        regime = REGIMES[self._regimes.at(self._schedule, index)]
        before = self._plans[-1].closes if self._plans else log(self._profile.price)
        shift = self._shift(span.day, before)
        self._shifted += shift
        before += shift
        base = log(self._profile.price) + self._shifted
        own = chance("day", self._seed, self._symbol, span.day)
        market = chance("day", self._seed, self._group, span.day).standard_normal(8)
        common = COMMON[self._group]
        draws = common * market + sqrt(1 - common * common) * own.standard_normal(8)
        always = span.parts == ("continuous",)
        calm, quiet = WEEKEND if always and span.day.weekday() >= 5 else (1.0, 1.0)
        deviation = self._profile.volatility / sqrt(365 if always else 252) * regime.volatility * calm
        gap = 0.0 if always else deviation * sqrt(GAP_VARIANCE / 2) * float(own.standard_t(4)) * 0.8
        opens = before + gap + PULL * (base - before)
        character = _pick(own.random())
        jump = self._jump(own, deviation)
        legs = tuple(
            _leg(name, marks, deviation, float(draw), (character, jump))
            for name, marks, draw in zip(span.parts, zip(span.marks, span.marks[1:], strict=False), draws, strict=False)
        )
        return DayPlan(
            span=span,
            regime=regime.name,
            character=character.name,
            opens=opens,
            closes=opens + sum(leg.move for leg in legs),
            legs=legs,
            volume=regime.volume * quiet * float(np.exp(0.25 * draws[7] - self._shifted)),
            spread=regime.spread,
        )

    def _shift(self, day: date, before: float) -> float:
        """What the corporate actions of a day do to the price, as a logarithm; a dividend takes at most half of it."""
        total = 0.0
        for action in self._actions:
            if action.ex_date == day:
                paid = min(0.5, float(action.cash) / exp(before + total))
                total += log(1 - paid) + log(action.old_rate / action.new_rate)
        return total

    def _jump(self, own: np.random.Generator, deviation: float) -> tuple[float, float]:
        happens, where, side = own.random(3)
        size = deviation * 0.4 * (1 + 0.5 * abs(float(own.standard_normal())))
        return (size if side < 0.5 else -size, where) if happens < JUMPS[self._group] else (0.0, 0.0)


def _pick(drawn: float) -> Character:
    steps = np.cumsum([each.probability for each in CHARACTERS])
    return CHARACTERS[min(int(np.searchsorted(steps, drawn, side="right")), len(CHARACTERS) - 1)]


def _leg(
    name: str, marks: tuple[int, int], deviation: float, draw: float, main: tuple[Character, tuple[float, float]]
) -> Leg:
    """A part's plan; only the main part of a day has its character and its jump."""
    scale = deviation * sqrt(PARTS[name].variance)
    if name in {"pre", "post"}:
        return Leg(name, *marks, move=scale * draw, noise=scale)
    character, (jump, jump_at) = main
    drift = character.drift if draw >= 0 else -character.drift
    move = scale * (drift + character.spread_of_drift * draw) + jump
    return Leg(name, *marks, move, scale * character.noise, character.memory, jump, jump_at)
