"""What the market does at a beat, written on the tape: quotes, bars and chains around prices that the beat moves."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from hydra.model.market import Bar, OptionContract, OptionQuote, Quote, Right, asset_class_of
from hydra.ports import Calendar
from tests.machine.beats import Beat, Leap, Manner, Move
from tests.machine.tape import Tape
from tests.machine.worlds import PRICES, World

_CENT = Decimal("0.01")
_MINUTE = timedelta(minutes=1)
_OPENS, _CLOSES = timedelta(hours=14, minutes=30), timedelta(hours=21)
_LEAST, _MOST = Decimal("0.05"), Decimal(1_000_000)


class Market:
    """Prices, and the hand that writes them."""

    def __init__(self, world: World, calendar: Calendar, start: datetime) -> None:
        self.world = world
        self.calendar = calendar
        self.tape = Tape(world.symbols, world.contracts)
        self.now = start
        self.prices = {symbol: Decimal(PRICES[symbol]) for symbol in world.symbols}
        self._barred = dict.fromkeys(world.symbols, start)
        self._since = dict(self.prices)
        self._beats = 0
        self._listed = {symbol: OptionContract.parse(symbol) for symbol in world.contracts}
        self._write(start, {symbol: Move() for symbol in world.symbols})

    def step(self, beat: Beat) -> datetime:
        """Move the prices and write what becomes known; the time it is then."""
        at = _after(self.now, beat)
        self._beats += 1
        moves = dict(zip(self.world.symbols, (*beat.moves, *[Move()] * len(self.world.symbols)), strict=False))
        for symbol, move in moves.items():
            changed = self.prices[symbol] * (1 + Decimal(move.points) / 10_000)
            self.prices[symbol] = min(_MOST, max(_LEAST, changed)).quantize(_CENT)
        self._write(at, moves)
        self.now = at
        return at

    def _write(self, at: datetime, moves: dict[str, Move]) -> None:
        sessions = self.calendar.sessions(at)
        quotes, bars, options = [], [], []
        for symbol, move in moves.items():
            if not sessions.by_class[asset_class_of(symbol)].open or move.manner is Manner.SILENT:
                continue
            if move.manner is not Manner.NO_QUOTE:
                quotes.append(self._quote(symbol, at, move.manner))
                options += [self._option(one, at) for one in self._listed.values() if one.root == symbol]
            if move.manner is not Manner.NO_BAR:
                bars += self._bar(symbol, at, move.manner)
        self.tape.write(at, bars, quotes, options)

    def _quote(self, symbol: str, at: datetime, manner: Manner) -> Quote:
        price = self.prices[symbol]
        half = max(_CENT, price * Decimal("0.0001"))
        if manner is Manner.WIDE:
            half = price * Decimal("0.04")
        if manner is Manner.LOCKED:
            half = Decimal(0)
        sizes = self.world.sizes
        size = Decimal(0 if manner is Manner.HALTED else sizes[self._beats % len(sizes)])
        bid = max(_CENT, (price - half).quantize(_CENT))
        ask = max(bid, (price + half).quantize(_CENT))
        return Quote(symbol=symbol, at=at, bid=bid, ask=ask, bid_size=size, ask_size=size)

    def _bar(self, symbol: str, at: datetime, manner: Manner) -> list[Bar]:
        """The last whole minute, unless it was written before."""
        closed = at.replace(second=0, microsecond=0)
        if closed <= self._barred[symbol]:
            return []
        self._barred[symbol] = closed
        first, last = self._since[symbol], self.prices[symbol]
        self._since[symbol] = last
        return [
            Bar(
                symbol=symbol,
                at=closed - _MINUTE,
                seconds=60,
                open=first,
                high=max(first, last),
                low=min(first, last),
                close=last,
                volume=Decimal(0) if manner is Manner.IDLE else Decimal(1000 + self._beats % 7 * 100),
            )
        ]

    def _option(self, contract: OptionContract, at: datetime) -> OptionQuote:
        """A price that follows the underlying: what it is worth now, and something for the days it has left."""
        price = self.prices[contract.root]
        ahead = price - contract.strike if contract.right is Right.CALL else contract.strike - price
        days = max(0, (contract.expiry - at.date()).days)
        time = max(Decimal(0), price * Decimal(str(0.012 * (days + 0.3) ** 0.5)) - abs(ahead) / 4)
        middle = max(Decimal(0), ahead) + time
        half = max(_CENT, middle * Decimal("0.02"))
        bid, ask = (middle - half).quantize(_CENT), (middle + half).quantize(_CENT) + _CENT
        steep = Decimal("0.5") + ahead / (price * Decimal("0.2"))
        delta = min(Decimal("0.98"), max(Decimal("0.02"), steep)).quantize(_CENT)
        size = Decimal(self.world.sizes[0])
        return OptionQuote(
            symbol=contract.symbol,
            at=at,
            bid=bid if bid > 0 else None,
            ask=ask,
            bid_size=size if bid > 0 else None,
            ask_size=size,
            volume=Decimal(100),
            open_interest=Decimal(1000),
            delta=delta if contract.right is Right.CALL else -delta,
            implied_volatility=Decimal("0.2"),
        )


def _after(now: datetime, beat: Beat) -> datetime:
    """When a beat that begins at ``now`` has its cycle."""
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    opens, closes = day + _OPENS, day + _CLOSES
    if beat.leap is Leap.BEFORE_CLOSE and now < closes - timedelta(minutes=12):
        return closes - timedelta(minutes=12)
    if beat.leap is Leap.AFTER_CLOSE and now < closes:
        return closes + timedelta(minutes=20)
    if beat.leap is Leap.NEXT_OPEN or (beat.leap is not Leap.NOT and now >= closes):
        return (opens if now < opens else opens + timedelta(days=1)) + timedelta(minutes=1)
    return now + timedelta(seconds=beat.seconds)
