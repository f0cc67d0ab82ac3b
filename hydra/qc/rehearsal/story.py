"""A voyage as a story: what the market did, what went wrong, what was said, and what Hydra made of it, beat by beat.

Beats in which nothing is new are passed over together, with where the prices went.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from hydra.adapters.calendar import NEW_YORK
from hydra.model.events import Event, Halted, OrderSent, Resumed, SegmentOpened
from hydra.model.money import plain
from hydra.model.orders import Order
from hydra.qc.rehearsal.beats import Beat, Ends, How, Leap, Manner
from hydra.qc.rehearsal.shrink import Case, or_crash
from hydra.qc.rehearsal.voyage import Spoil, Voyage

_CENT = Decimal("0.01")
_LINES_MOST = 1_500
_MANNERS = {
    Manner.LOCKED: "bid and ask the same",
    Manner.WIDE: "bid and ask far apart",
    Manner.NO_QUOTE: "no quote",
    Manner.NO_BAR: "no bar",
    Manner.SILENT: "nothing heard",
    Manner.IDLE: "no volume",
    Manner.HALTED: "nothing bid or offered",
    Manner.PAUSED: "halted",
}

_HOWS = {
    How.RAISES: "raises",
    How.AFTER: "is carried out, then raises",
    How.NONSENSE: "answers nothing",
    How.KILLED: "ends the process",
    How.POWER: "ends the process by a loss of power",
}


@dataclass(slots=True)
class _Teller:
    """Where the story is."""

    voyage: Voyage
    read: int = 0
    filled: int = 0
    day: str = ""
    before: str = ""
    passed: int = 0
    lines: list[str] = field(default_factory=list)

    def tell(self, number: int, beat: Beat) -> None:
        """One beat that was played."""
        state = _state(beat, self.voyage.world.symbols)
        news = [*_said(beat), *self._happened()]
        if state == self.before and not news:
            self.passed += 1
            return
        if self.passed:
            self.lines.append(f"      ... {self.passed} more")
        self.passed = 0
        self.lines.append(f"{number:5d}  {self._when()}  {state}  {self._prices()}")
        self.lines += [f"         {line}" for line in news]
        self.before = state

    def _when(self) -> str:
        local = self.voyage.floor.now.astimezone(NEW_YORK)
        day = f"{local:%Y-%m-%d}"
        shown, self.day = (f"{local:%H:%M:%S}" if day == self.day else f"{local:%Y-%m-%d %H:%M:%S}"), day
        return shown

    def _prices(self) -> str:
        prices = self.voyage.market.prices
        return ", ".join(
            f"{symbol} {plain(price.quantize(_CENT) if price > 1 else price)}" for symbol, price in prices.items()
        )

    def _happened(self) -> Iterator[str]:
        voyage = self.voyage
        self.read = min(self.read, voyage.journal.length)
        for event in voyage.journal.written(self.read):
            self.read += 1
            yield from _told(event)
        for done in voyage.floor.executions(self.filled):
            self.filled = done.number
            yield f"filled: {done.side} {plain(done.quantity)} {done.symbol} at {plain(done.price)} ({done.client_id})"
        yield from (f"BROKEN: {problem}" for problem in voyage.problems)


def tell(case: Case, spoil: Spoil | None = None) -> list[str]:
    """A case in lines, played once more to see what happens in it."""
    lines = [_head(case)]
    teller = _Teller(Voyage(case.world, spoil=spoil), lines=lines)
    lines += [f"BROKEN: {problem}" for problem in or_crash(lambda: _played(teller, case))]
    if len(lines) > _LINES_MOST:
        lines = [*lines[: _LINES_MOST // 2], f"... {len(lines) - _LINES_MOST} lines ...", *lines[-_LINES_MOST // 2 :]]
    return lines


def _played(teller: _Teller, case: Case) -> list[str]:
    """Play and tell; the problems that are not told yet."""
    voyage = teller.voyage
    for number, beat in enumerate(case.beats, 1):
        voyage.beat(beat)
        teller.tell(number, beat)
        if voyage.problems:
            return []
    teller.lines.append("then nothing goes wrong any more, and the operator has everything closed")
    return voyage.calm()


def _head(case: Case) -> str:
    world = case.world
    bots = ", ".join(f"{bot.id} ({', '.join(bot.symbols)})" for bot in world.policy.enabled_bots)
    start = world.starts_at.astimezone(NEW_YORK)
    return f"account {world.policy.broker.account}, {start:%A %Y-%m-%d %H:%M} New York, bots {bots}"


def _state(beat: Beat, symbols: Sequence[str]) -> str:
    """What lasts: the regime, how symbols are shown, and the faults of the venue."""
    shown: dict[str, list[str]] = {}
    for symbol, move in zip(symbols, beat.moves, strict=False):
        if move.manner in _MANNERS:
            shown.setdefault(_MANNERS[move.manner], []).append(symbol)
    manners = [f"{'all' if len(of) == len(symbols) else ', '.join(of)}: {what}" for what, of in shown.items()]
    return "; ".join([beat.regime or "market", *manners, *(f"fault {rule.meaning}" for rule in beat.faults)])


def _said(beat: Beat) -> Iterator[str]:
    if beat.leap is not Leap.NOT:
        yield f"the clock goes to {beat.leap.replace('_', ' ')}"
    for trouble in beat.troubles:
        yield f"trouble: call {trouble.nth + 1} of {trouble.port}.{trouble.method} {_HOWS[trouble.how]}"
    if beat.command:
        yield f"the operator says: {beat.command}"
    if beat.ends is not Ends.NOT:
        yield f"then the process ends: {beat.ends}"


def _told(event: Event) -> Iterator[str]:
    data = event.data
    if isinstance(data, OrderSent):
        yield f"sent: {_order(data.order)}"
    elif isinstance(data, Halted):
        yield f"halted: {data.halt.kind}: {data.halt.reason}"
    elif isinstance(data, Resumed):
        yield f"resumed by {data.by}{' by force' if data.forced else ''}"
    elif isinstance(data, SegmentOpened):
        yield f"process: {event.run}, segment {data.segment}"


def _order(order: Order) -> str:
    legs = "".join(f" [{leg.side} {leg.ratio} {leg.symbol}]" for leg in order.legs)
    at = "" if order.limit is None else f" at {plain(order.limit)}"
    stop = "" if order.stop is None else f" stop {plain(order.stop)}"
    why = f": {order.cause or order.thesis}" if order.cause or order.thesis else ""
    what = f"{order.side} {plain(order.quantity)} {order.symbol}{legs}{at}{stop}"
    return f"{order.purpose} of {order.bot}: {what}{why} ({order.client_id})"
