"""Until when exits and kills have nothing to say: each answers for a stretch ahead with the first instant at which it might speak.

Prices of the stretch are floats, so what is near a limit counts as reached: a cycle too many is dear and harmless, one too few would be
another decision. Whatever speaks at a limit is asked about the extremes of the whole stretch first, and instant by instant only where
they come that far: arithmetic with floats never turns an order around, so the extremes decide for all that lies between. A plug that is
not in these tables may speak at any time: where it is in force nothing is passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from hydra import indicators
from hydra.model.portfolio import Holding, Ledger
from hydra.model.snapshot import Sessions
from hydra.policy import BotPolicy, Policy, minute_of
from hydra.risk import exits, kills
from hydra.risk.budgets import budget

if TYPE_CHECKING:
    from hydra.model.rows import Flags, Floats, Ints
    from hydra.risk.plugs import Exit, Kill, RuleBook

_NEAR = 1e-9
_CENTS = 0.02
"""An account's equity is rounded to cents."""


class Line(NamedTuple):
    """A symbol in a stretch, a number for each of its instants: the last close, the extremes of the last bar, when it closed (``None``: at the
    instant itself, always), and what the account's ``units`` are worth.

    ``before`` is the last close ahead of the stretch; ``highest`` and ``lowest`` are those of all its bars.
    """

    close: Floats
    high: Floats
    low: Floats
    known: Ints | None
    worth: Floats
    units: float
    before: float
    highest: float
    lowest: float


class Ahead(NamedTuple):
    """A stretch ahead while something is held: its instants (microseconds since 1970), equity at each, and what is held, by symbol.

    ``now`` (in microseconds) and ``sessions`` are those of the last look; ``half_spread`` is how far from a close a bid or an ask may be.
    No equity is below ``poorest`` or above ``richest``; ``last`` is the last instant, ``closes`` when the first of the sessions ends.
    ``never`` is the answer of what has nothing to say in all of it: the number of its instants.
    """

    at: Ints
    equity: Floats
    lines: Mapping[str, Line]
    half_spread: float
    now: int
    sessions: Sessions
    poorest: float
    richest: float
    last: int
    closes: float
    never: int

    @classmethod
    def over(
        cls, at: Ints, cash: float, lines: Mapping[str, Line], half_spread: float, now: int, sessions: Sessions
    ) -> Ahead:
        """The stretch of at least one instant, with its sums and extremes."""
        equity: Any = cash
        poorest = richest = cash
        for line in lines.values():
            equity = equity + line.worth
            low, high = line.units * line.lowest, line.units * line.highest
            poorest, richest = (poorest + low, richest + high) if low < high else (poorest + high, richest + low)
        ends = [session.closes_at for session in sessions.by_class.values() if session.closes_at is not None]
        closes = min(ends).timestamp() * 1e6 if ends else inf
        return cls(at, equity, lines, half_spread, now, sessions, poorest, richest, int(at[-1]), closes, len(at))

    def first(self, flags: Flags) -> int:
        """The first instant that is marked."""
        place = int(flags.argmax())
        return place if flags[place] else self.never

    def since(self, moment: float) -> int:
        """The first instant at a moment (microseconds since 1970) or after it."""
        return self.never if moment > self.last else int(self.at.searchsorted(moment))


KillSays: TypeAlias = Callable[[Ledger, Policy, Ahead], int]
ExitSays: TypeAlias = Callable[[Holding, Ledger, Policy, BotPolicy, Ahead], int]


# -- kills


def _daily_loss(ledger: Ledger, policy: Policy, ahead: Ahead) -> int:
    if ledger.day is None:
        return 0
    least = float((1 - policy.risk.daily_loss) * ledger.day.start_equity) + _CENTS
    return ahead.never if ahead.poorest > least else ahead.first(ahead.equity <= least)


def _drawdown(ledger: Ledger, policy: Policy, ahead: Ahead) -> int:
    """Measured from the highest on the way. First from the highest of all, which is quick and usually enough."""
    equity, left, peak = ahead.equity, 1 - float(policy.risk.drawdown), float(ledger.peak_equity)
    if ahead.poorest > left * max(peak, ahead.richest) + _CENTS:
        return ahead.never
    _, np = indicators.load()
    return ahead.first(equity <= left * np.maximum.accumulate(np.maximum(equity, peak)) + _CENTS)


def _never(_ledger: Ledger, _policy: Policy, ahead: Ahead) -> int:
    """What looks at reads, at the ledger's state and at orders: none of them changes in a stretch."""
    return ahead.never


def _stale_data(_ledger: Ledger, policy: Policy, ahead: Ahead) -> int:
    most, found = 60_000_000 * policy.risk.stale_minutes, ahead.never
    for line in ahead.lines.values():
        if line.known is not None:
            found = min(found, ahead.first(ahead.at - line.known >= most))
    return found


def _anomaly(_ledger: Ledger, policy: Policy, ahead: Ahead) -> int:
    """A price that jumps. With no spread, a quote that stands for a bar is locked, and that is watched cycle by cycle."""
    if ahead.half_spread <= 0:
        return 0
    most, found = float(policy.risk.jump) * (1 - _NEAR), ahead.never
    for line in ahead.lines.values():
        lowest = min(line.lowest, line.before)
        if max(line.highest, line.before) - lowest < most * lowest:
            continue
        if abs(line.close[0] - line.before) >= most * line.before:
            return 0
        moves = abs(line.close[1:] - line.close[:-1]) >= most * line.close[:-1]
        found = min(found, ahead.first(moves) + 1 if moves.any() else ahead.never)
    return found


KILLS: Mapping[Kill, KillSays] = {
    kills.daily_loss: _daily_loss,
    kills.drawdown: _drawdown,
    kills.failure_window: _never,
    kills.residual: _never,
    kills.unprotected: _never,
    kills.stale_data: _stale_data,
    kills.anomaly: _anomaly,
}


# -- exits


def _reaches(holding: Holding, price: Decimal, ahead: Ahead, *, losing: bool) -> int:
    """The first instant whose bar may have come as far as a price: on the losing side of the holding, or on the winning one."""
    line, wide, limit = ahead.lines[holding.symbol], ahead.half_spread + _NEAR, float(price)
    if (holding.quantity > 0) is losing:
        factor = 1 - wide
        return ahead.never if line.lowest * factor > limit else ahead.first(line.low * factor <= limit)
    factor = 1 + wide
    return ahead.never if line.highest * factor < limit else ahead.first(line.high * factor >= limit)


def _stop_loss(holding: Holding, _ledger: Ledger, _policy: Policy, _bot: BotPolicy, ahead: Ahead) -> int:
    return 0 if holding.protection is None else _reaches(holding, holding.protection.stop, ahead, losing=True)


def _take_profit(holding: Holding, _ledger: Ledger, _policy: Policy, _bot: BotPolicy, ahead: Ahead) -> int:
    target = None if holding.protection is None else holding.protection.target
    return ahead.never if target is None else _reaches(holding, target, ahead, losing=False)


def _break_even(holding: Holding, _ledger: Ledger, _policy: Policy, bot: BotPolicy, ahead: Ahead) -> int:
    """Where the best price comes far enough. Once it has, the stop is moved, or would be at every look."""
    if bot.break_even is None:
        return ahead.never
    entry, sign = holding.average_price, 1 if holding.quantity > 0 else -1
    far = entry * (1 + sign * bot.break_even)
    if holding.best is not None and (holding.best - far) * sign >= 0:
        return 0
    return _reaches(holding, far, ahead, losing=False)


def _trailing(holding: Holding, _ledger: Ledger, _policy: Policy, bot: BotPolicy, ahead: Ahead) -> int:
    """A stop that follows a share of the best price moves with a new best, and closes where the price meets it though it was too near to be
    moved. One that follows the range may do so at any bar.
    """
    if bot.trailing is None:
        return ahead.never
    if bot.trailing.by != "percent" or holding.best is None:
        return 0
    sign = 1 if holding.quantity > 0 else -1
    follows = holding.best * (1 - bot.trailing.distance * sign)
    return min(_reaches(holding, holding.best, ahead, losing=False), _reaches(holding, follows, ahead, losing=True))


def _time_stop(holding: Holding, _ledger: Ledger, _policy: Policy, bot: BotPolicy, ahead: Ahead) -> int:
    if bot.time_stop_minutes is None:
        return ahead.never
    return ahead.since(holding.opened_at.timestamp() * 1e6 + 60e6 * bot.time_stop_minutes - 1)


def _session_end(_holding: Holding, _ledger: Ledger, _policy: Policy, bot: BotPolicy, ahead: Ahead) -> int:
    """The bot's time of day. A stretch ends with the exchange's day and with each change of its session."""
    if bot.session is None:
        return ahead.never
    left = minute_of(bot.session.manage_until) - ahead.sessions.minute
    return 0 if left <= 0 else ahead.since(ahead.now + 60_000_000 * (left - 1))


def _before_close(_holding: Holding, _ledger: Ledger, policy: Policy, _bot: BotPolicy, ahead: Ahead) -> int:
    return ahead.since(ahead.closes - 60e6 * (policy.risk.flatten_before_close_minutes + 1))


def _bot_daily_loss(holding: Holding, ledger: Ledger, policy: Policy, bot: BotPolicy, ahead: Ahead) -> int:
    """A bot's whole day: the same for everything it holds, so it is worked out for the first of it."""
    if holding is not next(held for held in ledger.holdings.values() if held.bot == holding.bot):
        return ahead.never
    if ledger.day is None:
        return 0
    most = budget(bot, policy, ledger.day.start_equity) * bot.budget.daily_loss
    if most <= 0:
        return ahead.never
    mine = [held for held in ledger.holdings.values() if held.bot == holding.bot]
    start = float(most + ledger.bot(holding.bot).realized_today)
    least = start
    for held in mine:
        line = ahead.lines[held.symbol]
        least = least + _gain(held, line.lowest if held.quantity > 0 else line.highest, ahead) - float(held.fees)
    if least > _CENTS:
        return ahead.never
    left = ahead.equity * 0 + start
    for held in mine:
        left = left + _gain(held, ahead.lines[held.symbol].close, ahead) - float(held.fees)
    return ahead.first(left <= _CENTS)


def _gain(held: Holding, price: Any, ahead: Ahead) -> Any:
    """What closing a holding brings beyond its cost when the last close is ``price``: a number or a column of them."""
    sign, wide = (1, 1 - ahead.half_spread) if held.quantity > 0 else (-1, 1 + ahead.half_spread)
    return float(held.quantity) * (price * (wide - sign * _NEAR) - float(held.average_price))


EXITS: Mapping[Exit, ExitSays] = {
    exits.stop_loss: _stop_loss,
    exits.take_profit: _take_profit,
    exits.break_even: _break_even,
    exits.trailing: _trailing,
    exits.time_stop: _time_stop,
    exits.session_end: _session_end,
    exits.flatten_before_close: _before_close,
    exits.bot_daily_loss: _bot_daily_loss,
}
_NEEDS: Mapping[ExitSays | None, str] = {
    _break_even: "break_even",
    _trailing: "trailing",
    _time_stop: "time_stop_minutes",
    _session_end: "session",
}
"""Exits that have nothing to say of a bot without this setting."""


class Speakers:
    """Who of a rule book may have something to say, found out once: the kills, and of each bot the exits that it has settings for."""

    def __init__(self, book: RuleBook) -> None:
        self._policy = book.policy
        self._bots = book.bots
        asked = [(f"kill {name}", KILLS.get(kill)) for name, kill in book.kills.items()]
        self._kills = [(who, says) for who, says in asked if says is not _never]
        exits = [(f"exit {name} of", EXITS.get(one)) for name, one in book.exits.items()]
        self._exits = {
            bot.id: [(who, says) for who, says in exits if says not in _NEEDS or getattr(bot, _NEEDS[says]) is not None]
            for bot in book.bots.values()
        }

    def first(self, ledger: Ledger, ahead: Ahead) -> tuple[int, str]:
        """The first instant at which an exit or a kill may speak, and which it is: of several, the first by its words.

        Nobody else is asked once somebody may speak at the first instant of all.
        """
        found, policy, never = (ahead.never, ""), self._policy, ahead.never
        for who, kill in self._kills:
            at = 0 if kill is None else kill(ledger, policy, ahead)
            if at < never:
                found = min(found, (at, who))
        for holding in ledger.holdings.values():
            if found[0] == 0:
                break
            bot = self._bots[holding.bot]
            for who, says in self._exits[holding.bot]:
                at = 0 if says is None else says(holding, ledger, policy, bot, ahead)
                if at < never:
                    found = min(found, (at, f"{who} {holding.key}"))
        return found
