"""Passing over cycles in which nothing can happen: the same run in a fraction of the time, and one event for all of them.

Everybody who could act is asked until when he will not: the bots (where they tell their turns beforehand), the exits and kills
(``hydra.risk.quiet``), the venue, the exchange's day. The earliest of them ends the stretch, and there the engine cycles as always. So
there is one engine, and no second way for an order or a rule: what is passed over is that which a cycle would have come to nothing in.
Whoever cannot tell may act at any time, and then nothing is passed over.

What a cycle leaves even so is in the event: the number of cycles, the time, the equity, its peak, and the best price of each holding.
What is not in it are the words of cycles that decide nothing: which gates were shut, and why a bot was not asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from hydra import indicators
from hydra.engine.protection import protected_quantity
from hydra.model.events import Mark, Passed
from hydra.model.market import AssetClass, asset_class_of
from hydra.model.money import to_increment
from hydra.model.orders import Order, OrderType, Purpose
from hydra.model.portfolio import Holding, Ledger, Mode, holding_key
from hydra.model.rows import Rows, Turns
from hydra.model.snapshot import Plan, Sight
from hydra.policy import BotPolicy
from hydra.ports import Foresight
from hydra.risk.plugs import RuleBook
from hydra.risk.quiet import EXITS, KILLS, Ahead, Line, speaks

if TYPE_CHECKING:
    from hydra.model.rows import Flags, Floats, Ints

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CENT = Decimal("0.01")
_COUNTED = ("broker_reachable", "ledger_agrees")
"""Gates whose answers do more than bar entries: exits wait for the one, and cycles in which the other is shut are counted."""
_MINUTE = 60_000_000
_DAY_MINUTES = 1440
_DAY = _DAY_MINUTES * _MINUTE
_CLOCKS_CHANGE = 180
"""Clocks are changed before this minute of the day, by an hour."""


class Due(NamedTuple):
    """When somebody may act (microseconds since 1970), and who."""

    at: int
    who: str


class _Turn(NamedTuple):
    """The bars of a symbol at which a bot may speak: when they close, and which they are."""

    known: Ints
    flags: Flags
    marked: Ints

    def due(self, now: int) -> int | None:
        """When the bot may speak next, as far as this is known: at a marked bar, and for as long as it is the last one."""
        last = int(self.known.searchsorted(now, "right")) - 1
        if last >= 0 and self.flags[last]:
            return now + 1
        place = int(self.marked.searchsorted(now, "right"))
        return int(self.marked[place]) if place < len(self.marked) else None


class Quiet:
    """Says what may be passed over after a cycle. ``turns`` are those of every enabled bot and each of its symbols.

    ``last`` is the last instant that is played (microseconds since 1970); it is never passed over. Raises ``KeyError`` for a bot without its turns.
    """

    def __init__(
        self,
        book: RuleBook,
        world: Foresight,
        turns: Mapping[tuple[str, str], Turns],
        last: int | None,
        half_spread: Decimal,
    ) -> None:
        self._book = book
        self._world = world
        self._instants = world.instants()
        self._end = len(self._instants) if last is None else int(self._instants.searchsorted(last, "right"))
        self._half_spread = float(half_spread)
        self._rows: dict[str, Rows] = {}
        self._turns: dict[tuple[str, str], dict[int, _Turn]] = {}
        for bot in book.policy.enabled_bots:
            for symbol in bot.symbols:
                self._turns[bot.id, symbol] = self._turns_of(bot, symbol, turns[bot.id, symbol])

    def pass_over(self, ledger: Ledger, sight: Sight, plan: Plan) -> Passed | None:
        """Move the clock over what nothing can happen in; ``None`` where something may happen at the next instant."""
        if not _settled(ledger, sight, plan, self._book):
            return None
        assert sight.at is not None
        now = micros(sight.at)
        due = self._due(ledger, sight, now)
        instants = self._instants
        first = int(instants.searchsorted(now, "right"))
        end = min(self._end - 1, int(instants.searchsorted(due.at)))
        if end <= first:
            return None
        touched = self._world.untouched_until(int(instants[end - 1]))
        if touched <= instants[end - 1]:
            due, end = Due(touched, "the venue"), int(instants.searchsorted(touched))
        if end <= first:
            return None
        if not ledger.holdings:
            return self._passed(ledger, first, end, due.who)
        return self._held(ledger, sight, first, end, due.who)

    # -- who acts next

    def _due(self, ledger: Ledger, sight: Sight, now: int) -> Due:
        found = Due(self._day_ends(sight, now), "the exchange's day")
        ordered = {
            (order.bot, order.symbol)
            for order in ledger.orders.values()
            if order.purpose is Purpose.ENTRY and not order.status.terminal
        }
        for key, turns in self._turns.items():
            held = ledger.holdings.get(holding_key(*key))
            if held is None and key in ordered:
                continue
            way = 0 if held is None else -1 if held.quantity > 0 else 1
            at = turns[way].due(now)
            if at is not None and at < found.at:
                found = Due(at, f"bot {key[0]}")
        for order in ledger.orders.values():
            at = self._taken_back(order)
            if at is not None and at < found.at:
                found = Due(at, f"the age of {order.client_id}")
        return found

    def _day_ends(self, sight: Sight, now: int) -> int:
        """Soon before the exchange's day ends, and right after a day of UTC has, by which pairs are counted."""
        assert sight.sessions is not None
        minute = sight.sessions.minute
        slack = 61 if minute < _CLOCKS_CHANGE else 1
        left = max(0, _DAY_MINUTES - minute - slack)
        return min(now + _MINUTE * left, now - now % _DAY + _DAY + 1)

    def _taken_back(self, order: Order) -> int | None:
        """When an entry at a limit has waited long enough."""
        bot = self._book.bots.get(order.bot)
        if order.status.terminal or order.purpose is not Purpose.ENTRY or order.order_type is not OrderType.LIMIT:
            return None
        return (
            None if bot is None or order.sent_at is None else micros(order.sent_at) + 1_000_000 * bot.entry.seconds - 1
        )

    def _turns_of(self, bot: BotPolicy, symbol: str, turns: Turns) -> dict[int, _Turn]:
        """By what the bot does next: 0 enter, -1 leave a long, +1 leave a short."""
        known = self._rows_of(symbol).known
        enters = turns.up | turns.down if bot.shorts else turns.up
        ways = {0: enters, -1: turns.down, 1: turns.up}
        return {way: _Turn(known, flags, known[flags]) for way, flags in ways.items()}

    def _rows_of(self, symbol: str) -> Rows:
        found = self._rows.get(symbol)
        if found is None:
            rows = self._world.rows(symbol)
            assert rows is not None, f"{symbol} is not a market of bars alone"
            found = self._rows[symbol] = rows
        return found

    # -- what it comes to

    def _held(self, ledger: Ledger, sight: Sight, first: int, end: int, who: str) -> Passed | None:
        """The same while something is held: exits and kills are asked about the prices on the way."""
        _, np = indicators.load()
        assert sight.at is not None
        assert sight.sessions is not None
        at, now = self._instants[first:end], micros(sight.at)
        cash, held = self._world.standing()
        lines: dict[str, Line] = {}
        places: dict[str, Ints] = {}
        equity = np.full(len(at), float(cash))
        for symbol, units in held.items():
            rows = self._rows_of(symbol)
            place = places[symbol] = rows.known.searchsorted(at, "right") - 1
            before = int(rows.known.searchsorted(now, "right")) - 1
            close = rows.close[place]
            lines[symbol] = Line(close, rows.high[place], rows.low[place], rows.known[place], float(rows.close[before]))
            equity += float(units) * close
        ahead = Ahead(at, equity, lines, self._half_spread, now, sight.sessions)
        count, why = speaks(ledger, self._book, ahead)
        if count == 0:
            return None
        if count < len(at):
            who, end = why, first + count

        prices = {symbol: self._rows[symbol].exact[3] for symbol in held}

        def mark(place: int) -> Mark:
            found = {symbol: prices[symbol][int(places[symbol][place])] for symbol in held}
            worth = sum([units * found[symbol] for symbol, units in held.items()], cash)
            return Mark(at=moment(int(at[place])), equity=to_increment(worth, _CENT), prices=found)

        shares = _shares(ledger, lines, equity[:count])
        note = _of_note(equity[:count], float(ledger.peak_equity))
        if len(self._book.policy.enabled_bots) > 1:
            note.update(*(_rises(share.profit) | _of_note(share.profit) for share in shares.values()))
        return self._passed(
            ledger,
            first,
            end,
            who,
            marks=tuple([mark(place) for place in sorted(note)]),
            best={
                k: found for k, one in ledger.holdings.items() if (found := self._best(one, now, int(at[count - 1])))
            },
            average=float(equity[:count].mean()),
            exposed={bot: share.gross for bot, share in shares.items()},
        )

    def _best(self, holding: Holding, now: int, upto: int) -> Decimal | None:
        """The best price in the bars on the way that opened after the holding was."""
        rows = self._rows_of(holding.symbol)
        first = max(
            int(rows.known.searchsorted(now, "right")), int(rows.opened.searchsorted(micros(holding.opened_at)))
        )
        end = int(rows.known.searchsorted(upto, "right"))
        if end <= first:
            return None
        if holding.quantity > 0:
            return rows.exact[1][first + int(rows.high[first:end].argmax())]
        return rows.exact[2][first + int(rows.low[first:end].argmin())]

    def _passed(
        self,
        ledger: Ledger,
        first: int,
        end: int,
        who: str,
        marks: tuple[Mark, ...] = (),
        **more: Any,
    ) -> Passed:
        since, at = moment(int(self._instants[first])), moment(int(self._instants[end - 1]))
        self._world.pass_to(at)
        return Passed(
            cycle=ledger.cycle + end - first,
            count=end - first,
            since=since,
            at=at,
            equity=marks[-1].equity if marks else ledger.equity,
            peak=max([mark.equity for mark in marks]) if marks else ledger.equity,
            marks=marks,
            woken=who,
            **more,
        )


def cannot(book: RuleBook, turns: Mapping[tuple[str, str], Turns | None]) -> str | None:
    """Why nothing of a run may be passed over, whatever happens in it; ``None`` when something may."""
    for bot in book.policy.enabled_bots:
        if bot.option is not None:
            return f"{bot.id} trades contracts"
        for symbol in bot.symbols:
            if asset_class_of(symbol) is AssetClass.OPTION or turns.get((bot.id, symbol)) is None:
                return f"{bot.id} cannot tell beforehand when it may speak"
    for name, kill in book.kills.items():
        if kill not in KILLS:
            return f"the kill {name} cannot tell beforehand when it may speak"
    for name, one in book.exits.items():
        if one not in EXITS:
            return f"the exit {name} cannot tell beforehand when it may speak"
    return None


def _settled(ledger: Ledger, sight: Sight, plan: Plan, book: RuleBook) -> bool:
    """Whether a cycle left nothing that the next one goes on with: then only prices and time can bring something."""
    if plan.mode is not Mode.ACTIVE or plan.halts or plan.cancels or plan.stops:
        return False
    if any(answer.gate in _COUNTED for answer in plan.answers):
        return False
    if (
        ledger.halts
        or ledger.flatten
        or ledger.residual_cycles
        or sight.missing
        or sight.commands
        or sight.sessions is None
    ):
        return False
    if ledger.equity is None or ledger.cash is None or sight.account is None or sight.account.cash > ledger.cash:
        return False
    if any(send.order.purpose is not Purpose.ENTRY for send in plan.sends):
        return False
    if any(order.status.unresolved or order.venue_filled != order.filled for order in ledger.orders.values()):
        return False
    return all(_looked_after(holding, ledger, book) for holding in ledger.holdings.values())


def _looked_after(holding: Holding, ledger: Ledger, book: RuleBook) -> bool:
    """Whether a holding rests under its stop, and nothing is under way for it."""
    if holding.structure or holding.protection is None or holding.bot not in book.bots:
        return False
    if holding.leaving or holding.exit_refused or holding.unprotected_since is not None:
        return False
    if protected_quantity(ledger, holding.bot, holding.symbol) < abs(holding.quantity):
        return False
    working = ledger.working(bot=holding.bot, symbol=holding.symbol)
    return all(order.purpose in (Purpose.STOP, Purpose.TARGET) for order in working)


class _Share(NamedTuple):
    """What a bot has of a stretch: its open profit at each instant, up to a constant, and its average part in the market."""

    profit: Floats
    gross: float


def _shares(ledger: Ledger, lines: Mapping[str, Line], equity: Floats) -> dict[str, _Share]:
    found: dict[str, tuple[Floats, Floats]] = {}
    for holding in ledger.holdings.values():
        worth = float(holding.quantity) * lines[holding.symbol].close[: len(equity)]
        profit, gross = found.get(holding.bot, (0.0, 0.0))
        found[holding.bot] = (profit + worth, gross + abs(worth))
    return {bot: _Share(profit, float((gross / equity).mean())) for bot, (profit, gross) in found.items()}


def _of_note(curve: Floats, peak: float | None = None) -> set[int]:
    """The instants of a stretch that its curve can be judged by, in cents: the last, the lowest, where it is as high as ever (``peak``: so far)
    for the first and for the last time, and of the deepest fall, in dollars and as a fraction, the bottom, the top before and the way back.
    """
    _, np = indicators.load()
    cents = np.rint(curve * 100)
    highest = np.maximum.accumulate(cents if peak is None else np.maximum(cents, round(peak * 100)))
    found = {len(cents) - 1, int(cents.argmin())}
    at_top = np.flatnonzero(cents >= highest[-1])
    found.update(at_top[[0, -1]].tolist() if len(at_top) else ())
    if peak is not None:
        found.add(int((cents >= round(peak * 100)).argmax()))
    for falls in (highest - cents, (highest - cents) / np.maximum(highest, 1)):
        bottom = int(falls.argmax())
        before = np.flatnonzero(cents[:bottom] >= highest[bottom])
        found.update((bottom, bottom + int((cents[bottom:] >= highest[bottom]).argmax()), *before[-1:].tolist()))
    return found


def _rises(curve: Floats) -> set[int]:
    """Where a curve is higher than ever before in the stretch: at one of them it is first as high as it was ahead of it."""
    _, np = indicators.load()
    highest = np.maximum.accumulate(curve)
    return {0, *(np.flatnonzero(highest[1:] > highest[:-1]) + 1).tolist()}


def micros(at: datetime) -> int:
    """Microseconds since 1970."""
    return int(at.timestamp() * 1e6 + 0.5)


def moment(stamp: int) -> datetime:
    """The time of a number of microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=stamp)
