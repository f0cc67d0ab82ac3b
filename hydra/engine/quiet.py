"""Passing over cycles in which nothing can happen: the same run in a fraction of the time, and one event for all of them.

Everybody who could act is asked until when he will not: the bots (where they tell their turns beforehand), the exits and kills
(``hydra.risk.quiet``), the venue, the exchange's day. The earliest of them ends the stretch, and there the engine cycles as always. So
there is one engine, and no second way for an order or a rule: what is passed over is that which a cycle would have come to nothing in.
Whoever cannot tell may act at any time, and then nothing is passed over. Whoever is cheap to ask is asked first, and one who may act
at the next instant ends the asking.

What a cycle leaves even so is in the event: the number of cycles, the time, the equity, its peak, and the best price of each holding.
What is not in it are the words of cycles that decide nothing: which gates were shut, and why a bot was not asked.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from hydra.engine.courses import Course, NextTurn
from hydra.engine.notes import mean, of_note, rises, shares
from hydra.engine.protection import protected_quantity
from hydra.guard import ask_foreign
from hydra.model.events import Mark, Passed
from hydra.model.market import AssetClass, asset_class_of
from hydra.model.money import to_increment
from hydra.model.orders import Order, OrderType, Purpose
from hydra.model.portfolio import Holding, Ledger, Mode, holding_key
from hydra.model.rows import Tells, Turns, UntilSaid
from hydra.model.snapshot import Plan, Sight
from hydra.policy import BotPolicy
from hydra.ports import Foresight
from hydra.risk.plugs import RuleBook
from hydra.risk.quiet import EXITS, KILLS, Ahead, Line, Speakers

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


class _Asked(NamedTuple):
    """A bot and a symbol, the key under which the bot would hold it, and its turns by what it does next: 0 enter, -1 leave a long, +1 leave a short."""

    bot: str
    symbol: str
    key: str
    turns: Mapping[int, NextTurn]


class Quiet:
    """Says what may be passed over after a cycle. ``turns`` is what every enabled bot tells of each of its symbols.

    ``last`` is the last instant that is played (microseconds since 1970); it is never passed over. Raises ``KeyError`` for a bot without its turns.
    """

    def __init__(
        self,
        book: RuleBook,
        world: Foresight,
        turns: Mapping[tuple[str, str], Tells],
        last: int | None,
        half_spread: Decimal,
    ) -> None:
        self._book = book
        self._world = world
        self._instants = world.instants()
        self._moments = self._instants.data  # the same numbers, for one at a time
        self._end = len(self._moments) if last is None else bisect_right(self._moments, last)
        self._half_spread = float(half_spread)
        self._speakers = Speakers(book)
        self._courses: dict[str, Course] = {}
        self._asked: list[_Asked] = []
        self._until_said: list[tuple[str, UntilSaid]] = []
        for bot in book.policy.enabled_bots:
            for symbol in bot.symbols:
                told = turns[bot.id, symbol]
                if isinstance(told, UntilSaid):
                    self._until_said.append((bot.id, told))
                else:
                    ways = self._turns_of(bot, symbol, told)
                    self._asked.append(_Asked(bot.id, symbol, holding_key(bot.id, symbol), ways))

    def pass_over(self, ledger: Ledger, sight: Sight, plan: Plan) -> Passed | None:
        """Move the clock over what nothing can happen in; ``None`` where something may happen at the next instant."""
        if not _settled(ledger, sight, plan):
            return None
        assert sight.at is not None
        now, moments = micros(sight.at), self._moments
        first = bisect_right(moments, now)
        if first >= self._end - 1:
            return None
        due = self._due(ledger, sight, now, moments[first])
        end = min(self._end - 1, bisect_left(moments, due.at, first))
        if end <= first or not all(_looked_after(holding, ledger, self._book) for holding in ledger.holdings.values()):
            return None
        touched = self._world.untouched_until(moments[end - 1])
        if touched <= moments[end - 1]:
            due, end = Due(touched, "the venue"), bisect_left(moments, touched)
        if end <= first:
            return None
        if not ledger.holdings:
            return self._passed(ledger, first, end, due.who)
        return self._held(ledger, sight, first, end, due.who)

    # -- who acts next

    def _due(self, ledger: Ledger, sight: Sight, now: int, soon: int) -> Due:
        """Who acts first. Whoever may do so by ``soon`` is enough of an answer, though another may do so before him."""
        for bot, told in self._until_said:
            if ask_foreign(bot, told.said, ledger.bot(bot).memory) is not True:
                return Due(now + 1, f"bot {bot}")
        first, who = self._day_ends(sight, now), "the exchange's day"
        entries = [
            order for order in ledger.orders.values() if order.purpose is Purpose.ENTRY and not order.status.terminal
        ]
        ordered = {(order.bot, order.symbol) for order in entries} if entries else ()
        holdings = ledger.holdings
        for bot, symbol, key, turns in self._asked:
            held = holdings.get(key)
            if held is not None:
                at = turns[-1 if held.quantity > 0 else 1].due(now)
            elif (bot, symbol) in ordered:
                continue
            else:
                at = turns[0].due(now)
            if at < first:
                first, who = at, f"bot {bot}"
                if at <= soon:
                    break
        for order in entries:
            back = self._taken_back(order)
            if back is not None and back < first:
                first, who = back, f"the age of {order.client_id}"
        return Due(first, who)

    def _day_ends(self, sight: Sight, now: int) -> int:
        """Soon before the exchange's day ends, and right after a day of UTC has, by which pairs are counted."""
        assert sight.sessions is not None
        minute = sight.sessions.minute
        slack = 61 if minute < _CLOCKS_CHANGE else 1
        left = max(0, _DAY_MINUTES - minute - slack)
        return min(now + _MINUTE * left, now - now % _DAY + _DAY + 1)

    def _taken_back(self, order: Order) -> int | None:
        """When an entry has waited long enough, if it is at a limit."""
        bot = self._book.bots.get(order.bot)
        if bot is None or order.sent_at is None or order.order_type is not OrderType.LIMIT:
            return None
        return micros(order.sent_at) + 1_000_000 * bot.entry.seconds - 1

    def _turns_of(self, bot: BotPolicy, symbol: str, turns: Turns) -> dict[int, NextTurn]:
        """By what the bot does next: 0 enter, -1 leave a long, +1 leave a short."""
        known = self._course_of(symbol).rows.known
        enters = turns.up | turns.down if bot.shorts else turns.up
        ways = {0: enters, -1: turns.down, 1: turns.up}
        return {way: NextTurn(known, flags) for way, flags in ways.items()}

    def _course_of(self, symbol: str) -> Course:
        found = self._courses.get(symbol)
        if found is None:
            rows = self._world.rows(symbol)
            assert rows is not None, f"{symbol} is not a market of bars alone"
            found = self._courses[symbol] = Course(rows, self._instants)
        return found

    # -- what it comes to

    def _held(self, ledger: Ledger, sight: Sight, first: int, end: int, who: str) -> Passed | None:
        """The same while something is held: exits and kills are asked about the prices on the way."""
        assert sight.at is not None
        assert sight.sessions is not None
        at = self._instants[first:end]
        cash, held = self._world.standing()
        lines = {symbol: self._line(symbol, float(units), first, end) for symbol, units in held.items()}
        ahead = Ahead.over(at, float(cash), lines, self._half_spread, micros(sight.at), sight.sessions)
        count, why = self._speakers.first(ledger, ahead)
        if count == 0:
            return None
        equity = ahead.equity
        if count < len(at):
            who, end, equity = why, first + count, equity[:count]

        each = shares(ledger.holdings.values(), lines, equity)
        note = of_note(equity, float(ledger.peak_equity))
        if len(self._book.policy.enabled_bots) > 1:
            note.update(*(rises(share.profit) | of_note(share.profit) for share in each.values()))
        return self._passed(
            ledger,
            first,
            end,
            who,
            marks=tuple([self._mark(first + place, cash, held) for place in sorted(note)]),
            best={k: found for k, one in ledger.holdings.items() if (found := self._best(one, first, end))},
            average=mean(equity),
            exposed={bot: share.gross for bot, share in each.items()},
        )

    def _line(self, symbol: str, units: float, first: int, end: int) -> Line:
        course = self._course_of(symbol)
        rows, part = course.rows, course.at_each(first, end)
        close, high, low = rows.close[part], rows.high[part], rows.low[part]
        known = None if isinstance(part, slice) else rows.known[part]
        before = float(rows.close[course.before(first) - 1])
        # Stretches are short as a rule: the extremes of a list are found before numpy has looked at its arguments.
        return Line(close, high, low, known, units * close, units, before, max(high.tolist()), min(low.tolist()))

    def _mark(self, place: int, cash: Decimal, held: Mapping[str, Decimal]) -> Mark:
        """The account at an instant, in exact numbers."""
        prices: dict[str, Decimal] = {}
        worth = cash
        for symbol, units in held.items():
            course = self._courses[symbol]
            price = prices[symbol] = course.rows.exact[3][course.before(place + 1) - 1]
            worth += units * price
        return Mark(at=moment(self._moments[place]), equity=to_increment(worth, _CENT), prices=prices)

    def _best(self, holding: Holding, first: int, end: int) -> Decimal | None:
        """The best price in the bars on the way that opened after the holding was."""
        course, opened_at = self._courses[holding.symbol], micros(holding.opened_at)
        rows, begin, stop = course.rows, course.before(first), course.before(end)
        while begin < stop and rows.opened[begin] < opened_at:
            begin += 1
        if stop <= begin:
            return None
        if holding.quantity > 0:
            highs: list[float] = rows.high[begin:stop].tolist()
            return rows.exact[1][begin + highs.index(max(highs))]
        lows: list[float] = rows.low[begin:stop].tolist()
        return rows.exact[2][begin + lows.index(min(lows))]

    def _passed(
        self,
        ledger: Ledger,
        first: int,
        end: int,
        who: str,
        marks: tuple[Mark, ...] = (),
        **more: Any,
    ) -> Passed:
        since, at = moment(self._moments[first]), moment(self._moments[end - 1])
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


def cannot(book: RuleBook, turns: Mapping[tuple[str, str], Tells | None]) -> str | None:
    """Why nothing of a run may be passed over, whatever happens in it; ``None`` when something may."""
    for bot in book.policy.enabled_bots:
        for symbol in bot.symbols:
            if asset_class_of(symbol) is AssetClass.OPTION or turns.get((bot.id, symbol)) is None:
                trades = "" if bot.option is None else f" trades contracts on {symbol}, and"
                return f"{bot.id}{trades} cannot tell beforehand when it may speak"
    for name, kill in book.kills.items():
        if kill not in KILLS:
            return f"the kill {name} cannot tell beforehand when it may speak"
    for name, one in book.exits.items():
        if one not in EXITS:
            return f"the exit {name} cannot tell beforehand when it may speak"
    return None


def _settled(ledger: Ledger, sight: Sight, plan: Plan) -> bool:
    """Whether a cycle left nothing that the next one goes on with: then only prices and time can bring something."""
    if plan.mode is not Mode.ACTIVE or plan.halts or plan.cancels or plan.stops:
        return False
    for answer in plan.answers:
        if answer.gate in _COUNTED:
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
    for order in ledger.orders.values():
        if order.status.unresolved or order.venue_filled != order.filled:
            return False
    return all(send.order.purpose is Purpose.ENTRY for send in plan.sends)


def _looked_after(holding: Holding, ledger: Ledger, book: RuleBook) -> bool:
    """Whether a holding rests under its stop, and nothing is under way for it."""
    if holding.structure or holding.protection is None or holding.bot not in book.bots:
        return False
    if holding.leaving or holding.exit_refused or holding.unprotected_since is not None:
        return False
    if protected_quantity(ledger, holding.bot, holding.symbol) < abs(holding.quantity):
        return False
    for order in ledger.working(bot=holding.bot, symbol=holding.symbol):
        if order.purpose not in (Purpose.STOP, Purpose.TARGET):
            return False
    return True


def micros(at: datetime) -> int:
    """Microseconds since 1970."""
    return int(at.timestamp() * 1e6 + 0.5)


def moment(stamp: int) -> datetime:
    """The time of a number of microseconds since 1970."""
    return _EPOCH + timedelta(0, stamp // 1_000_000, stamp % 1_000_000)
