"""What the market does at a beat, written on the tape: quotes, bars and contracts around prices that the beat moves.

Bars are minutes, closed on the minute: with steps of five seconds eleven of twelve show no new one. A step over several minutes writes
each of them, between the prices at its ends. What a symbol did while nothing of it was shown is lost, as it is to who was not there.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from decimal import Decimal
from functools import partial
from itertools import pairwise
from operator import attrgetter

from hydra.adapters.calendar import NEW_YORK, new_york
from hydra.adapters.markets.feed import root_of
from hydra.adapters.markets.profiles import profile
from hydra.model.market import AssetClass, Bar, OptionContract, Quote, asset_class_of, usual_instrument
from hydra.ports import Calendar
from hydra.qc.rehearsal.beats import Beat, Leap, Manner, Move
from hydra.qc.rehearsal.contracts import Shown, quoted
from hydra.qc.rehearsal.tape import Tape, Told
from hydra.qc.rehearsal.world import World

_CENT = Decimal("0.01")
_EXACT = Decimal("0.00000001")
_MINUTE = timedelta(minutes=1)
_HALF, _WIDE_HALF, _NO_HALF = Decimal("0.0001"), Decimal("0.04"), Decimal(0)
"""Half the spread as a fraction of the price, at least an increment: usually, blown out, and locked."""
_NOTHING = Decimal(0)
_LEAST, _MOST = Decimal("0.05"), Decimal(1_000_000)
_BEFORE_CLOSE, _AFTER_CLOSE = timedelta(minutes=12), timedelta(minutes=20)
_MINUTES_MOST = 150
"""Bars of one step at most: the last ones."""
_SMOOTH = 3
"""Steps over more minutes than this wander on the way."""
_YEAR_MINUTES = {AssetClass.EQUITY: 252 * 390, AssetClass.CRYPTO: 365 * 1440}
_BLIND = frozenset({Manner.SILENT, Manner.NO_BAR, Manner.PAUSED})
"""How a symbol is shown when it has no bars."""
_CLOSES_AT = attrgetter("closes_at", "symbol")
_CALMING = 0.97
"""How much of the excitement of a price is left a step later, in the volatility of its contracts."""


def unit_of(symbol: str) -> float:
    """By how many hundredths of a percent a symbol moves in a usual five seconds (one standard deviation)."""
    steps = _YEAR_MINUTES[asset_class_of(symbol)] * 12
    return float(profile(symbol).volatility / steps**0.5 * 10_000)


class _Course:
    """One symbol's price, and the bar that is being made of it."""

    def __init__(self, symbol: str, price: Decimal) -> None:
        self.symbol = symbol
        self.price = price
        self.increment = usual_instrument(symbol).price_increment
        self.kind = asset_class_of(symbol)
        self.volatility = profile(symbol).volatility
        self.excited = 0.0
        self.open = self.high = self.low = price

    def begin(self, price: Decimal) -> None:
        self.open = self.high = self.low = price

    def meet(self, price: Decimal) -> None:
        if price > self.high:
            self.high = price
        elif price < self.low:
            self.low = price

    def bar(self, closes_at: datetime, price: Decimal, manner: Manner) -> Bar:
        """The minute that ends at a price."""
        self.meet(price)
        reach = float((self.high - self.low) / price) * 10_000
        volume = Decimal(0) if manner is Manner.IDLE else Decimal(1000 + closes_at.minute % 7 * 100 + int(40 * reach))
        step = self.increment
        rounded = [each.quantize(step) for each in (self.open, self.high, self.low, price)]
        bar = Bar(
            symbol=self.symbol,
            at=closes_at - _MINUTE,
            seconds=60,
            open=rounded[0],
            high=rounded[1],
            low=rounded[2],
            close=rounded[3],
            volume=volume,
        )
        self.begin(price)
        return bar


class Market:
    """Prices, and the hand that writes them."""

    def __init__(self, world: World, calendar: Calendar, start: datetime) -> None:
        self.world = world
        self.calendar = calendar
        self.tape = Tape(world.symbols, world.contracts)
        self.now = start
        self._courses = {symbol: _Course(symbol, world.prices[symbol]) for symbol in world.symbols}
        self._beats = 0
        listed = {OptionContract.parse(contract).root for contract in world.contracts}
        self._roots = {symbol: root_of(symbol) for symbol in world.symbols if root_of(symbol) in listed}
        self._sizes = [Decimal(size) for size in world.sizes]
        past = [bar for course in self._courses.values() for bar in self._past(course)]
        self._write(start, dict.fromkeys(world.symbols, Move()), start, past)

    @property
    def prices(self) -> dict[str, Decimal]:
        """The true price of each symbol, whatever is shown."""
        return {symbol: course.price for symbol, course in self._courses.items()}

    def step(self, beat: Beat) -> datetime:
        """Move the prices and write what becomes known; the time it is then."""
        at = after(self.calendar, self.now, beat)
        self._beats += 1
        symbols = self.world.symbols
        moves = dict(zip(symbols, (*beat.moves, *[Move()] * len(symbols)), strict=False))
        self._write(at, moves, self.now, [])
        self.now = at
        return at

    # -- inside

    def _write(self, at: datetime, moves: dict[str, Move], before: datetime, bars: list[Bar]) -> None:
        sessions = self.calendar.sessions(at)
        first = before.replace(second=0, microsecond=0) + _MINUTE
        quotes: list[Quote] = []
        chains: dict[str, Told] = {}
        for symbol, move in moves.items():
            course = self._courses[symbol]
            was = course.price
            if move.points:
                course.price = min(_MOST, max(_LEAST, was * (10_000 + move.points) / 10_000)).quantize(_EXACT)
            course.excited = max(course.excited * _CALMING, abs(move.points) / 100)
            if not sessions.by_class[course.kind].open:
                continue
            if at > self.now:
                opens = sessions.by_class[course.kind].opens_at
                if opens is not None and before < opens:  # over night the price leaps, it does not walk
                    course.begin(course.price)
                    bars += self._bars(course, course.price, opens, at, move.manner)
                elif first > at:
                    course.meet(course.price)
                else:
                    bars += self._bars(course, was, before, at, move.manner)
            if move.manner in (Manner.SILENT, Manner.NO_QUOTE):
                continue
            quote = self._quote(course, at, move.manner)
            quotes.append(quote)
            root = self._roots.get(symbol)
            if root is not None:
                chains[root] = partial(quoted, self._shown(course, at, wide=move.manner is Manner.WIDE))
        bars.sort(key=_CLOSES_AT)
        self.tape.write(at, bars, quotes, chains)

    def _quote(self, course: _Course, at: datetime, manner: Manner) -> Quote:
        price, step = course.price, course.increment
        half = (
            _NO_HALF
            if manner is Manner.LOCKED
            else price * _WIDE_HALF
            if manner is Manner.WIDE
            else max(step, price * _HALF)
        )
        size = _NOTHING if manner in (Manner.HALTED, Manner.PAUSED) else self._sizes[self._beats % len(self._sizes)]
        bid = max(step, (price - half).quantize(step))
        ask = max(bid, (price + half).quantize(step))
        return Quote(symbol=course.symbol, at=at, bid=bid, ask=ask, bid_size=size, ask_size=size)

    def _bars(  # both ends of a step
        self, course: _Course, was: Decimal, before: datetime, at: datetime, manner: Manner
    ) -> Iterator[Bar]:
        """The minutes that ended in this step, and what it leaves for the one that is not over."""
        first = before.replace(second=0, microsecond=0) + _MINUTE
        if first > at:
            course.meet(course.price)
            return
        ends = list(_minutes(first, at))
        chance = random.Random(f"way {self.world.seed} {course.symbol} {self._beats}") if len(ends) > _SMOOTH else None
        if len(ends) > _MINUTES_MOST:
            ends = ends[-_MINUTES_MOST:]
            course.begin(was)
        for end in ends:
            part = Decimal((end - before) / (at - before))
            price = (was + (course.price - was) * part).quantize(_EXACT)
            if chance is not None and end < at:
                wander = chance.gauss(0, 2 * unit_of(course.symbol)) / 10_000
                price = max(_LEAST, price * Decimal(1 + wander)).quantize(_EXACT)
            if manner in _BLIND:
                course.begin(price)
            else:
                yield course.bar(end, price, manner)
        course.meet(course.price)

    def _past(self, course: _Course) -> Iterator[Bar]:
        """Minutes before the beginning, which lead to its price."""
        count = self.world.warm
        if not count:
            return
        chance = random.Random(f"past {self.world.seed} {course.symbol}")
        width = unit_of(course.symbol) * 12**0.5 / 10_000
        path = [course.price]
        for _ in range(count):
            path.append(max(_LEAST, path[-1] * Decimal(1 - chance.gauss(0, width))).quantize(_EXACT))
        path.reverse()
        begins = self.now.replace(second=0, microsecond=0) - count * _MINUTE
        for number, (first, last) in enumerate(pairwise(path), 1):
            course.begin(first)
            course.meet(max(first, last) * Decimal(1 + abs(chance.gauss(0, width / 2))))
            course.meet(min(first, last) * Decimal(1 - abs(chance.gauss(0, width / 2))))
            yield course.bar(begins + number * _MINUTE, last, Manner.USUAL)

    def _shown(self, course: _Course, at: datetime, *, wide: bool) -> Shown:
        """What its contracts are priced by."""
        volatility = course.volatility * (1 + min(3.0, course.excited))
        return Shown(at=at, spot=float(course.price), volatility=volatility, wide=wide, size=self._sizes[0])


def _minutes(first: datetime, at: datetime) -> Iterator[datetime]:
    """The full minutes from ``first`` on, up to ``at``."""
    while first <= at:
        yield first
        first += _MINUTE


def after(calendar: Calendar, now: datetime, beat: Beat) -> datetime:
    """When a beat that begins at ``now`` has its cycle, by the calendar of shares; where that never closes, a day ends at midnight."""
    if beat.leap is Leap.NOT:
        return now + timedelta(seconds=beat.seconds)
    shares = calendar.sessions(now).by_class[AssetClass.EQUITY]
    opens, closes = shares.opens_at, shares.closes_at
    if opens is None or closes is None:
        midnight = new_york(now.astimezone(NEW_YORK).date() + timedelta(days=1), time(0))
        early = {Leap.BEFORE_CLOSE: midnight - _BEFORE_CLOSE, Leap.AFTER_CLOSE: midnight + _AFTER_CLOSE}
        return max(now + timedelta(seconds=beat.seconds), early.get(beat.leap, midnight + _MINUTE))
    if shares.open:
        if beat.leap is Leap.BEFORE_CLOSE:
            return max(now + timedelta(seconds=beat.seconds), closes - _BEFORE_CLOSE)
        if beat.leap is Leap.AFTER_CLOSE:
            return closes + _AFTER_CLOSE
        coming = calendar.sessions(closes).by_class[AssetClass.EQUITY].opens_at
        assert coming is not None
        return coming + _MINUTE
    if beat.leap is Leap.AFTER_CLOSE and shares.phase != "pre":
        return now + timedelta(seconds=beat.seconds)  # it is after the close
    return opens + _MINUTE
