"""When a holding is closed, and when its stop moves closer. Each exit looks at one holding, long or short, and says why it must
go now (a reason with numbers), where its stop belongs (``Tighten``), or nothing.

The stop and the target rest at the venue; ``stop_loss`` and ``take_profit`` stand in for them where the venue has none working,
so that a lost leg is a late exit and not an open end. A long holding is judged by the bid, a short one by the ask. A price that
is not known changes nothing: what rests at the venue goes on resting. Times are the exchange's own.

The oddity: a stop that would have to be where the price has already been is no stop any more, so ``break_even`` and ``trailing``
then close the holding instead of moving it.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from functools import lru_cache

from hydra import indicators
from hydra.model.errors import Invalid
from hydra.model.market import asset_class_of, multiplier_of, usual_instrument
from hydra.model.money import ZERO, exact, plain, to_increment
from hydra.model.orders import Order, Purpose
from hydra.model.portfolio import Holding
from hydra.model.snapshot import Snapshot, Tighten
from hydra.policy import BotPolicy, Policy, TrailingPolicy, minute_of
from hydra.risk.budgets import budget, day_profit
from hydra.risk.prices import closing_side, shown

_minute_of = lru_cache(maxsize=64)(minute_of)
"""Asked of every holding in every cycle, always about the same few."""


@lru_cache(maxsize=64)
def _minutes(count: int) -> timedelta:
    return timedelta(minutes=count)


def stop_loss(holding: Holding, snapshot: Snapshot, _policy: Policy, _bot: BotPolicy) -> str | None:
    """The price is at or beyond the stop, and no stop rests at the venue that could still fill.

    A stop-limit whose limit the price has passed rests there as a limit order that nobody takes.
    """
    quote, protection = snapshot.sight.quotes.get(holding.symbol), holding.protection
    if protection is None:
        raise _unprotected(holding)
    stop = protection.stop
    if quote is None or (quote.bid > stop if holding.quantity > 0 else quote.ask < stop):
        return None  # nearly always
    side, price = closing_side(holding, quote)
    resting = _resting(holding, snapshot, Purpose.STOP)
    passed = [
        order.limit for order in resting if order.limit is not None and (price - order.limit) * _sign(holding) < 0
    ]
    if len(passed) < len(resting):
        return None
    beyond = _beyond(holding, losing=True)
    if passed:
        return f"{side} {plain(price)} is {beyond} the limit {plain(passed[0])} of its stop, which will not fill"
    return f"{side} {plain(price)} is at or {beyond} the stop {plain(stop)}"


def take_profit(holding: Holding, snapshot: Snapshot, _policy: Policy, _bot: BotPolicy) -> str | None:
    """The price is at or beyond the target and no target rests at the venue."""
    protection = holding.protection
    if protection is None:
        raise _unprotected(holding)
    target = protection.target
    quote = None if target is None else snapshot.sight.quotes.get(holding.symbol)
    if target is None or quote is None or (quote.bid < target if holding.quantity > 0 else quote.ask > target):
        return None  # nearly always
    if _resting(holding, snapshot, Purpose.TARGET):
        return None
    side, price = closing_side(holding, quote)
    return f"{side} {plain(price)} is at or {_beyond(holding, losing=False)} the target {plain(target)}"


def break_even(holding: Holding, snapshot: Snapshot, _policy: Policy, bot: BotPolicy) -> str | Tighten | None:
    """Once the best price is the bot's ``break_even`` ahead, the stop belongs where nothing is lost: the entry and its fees.

    The way out is taken to cost what the way in has cost. Where the fees reach beyond the best price, it is not that far yet.
    """
    fraction, best, entry = bot.break_even, holding.best, holding.average_price
    if fraction is None or best is None:
        return None
    ahead = (best - entry) * _sign(holding) / entry
    if ahead < fraction:
        return None
    units = holding.entered * multiplier_of(holding.symbol)
    fees = 2 * holding.fees / units if units > 0 else ZERO
    stop = entry + fees * _sign(holding)
    if (best - stop) * _sign(holding) <= 0:
        return None
    why = f"the best price {shown(best)} is {ahead:.4f} ahead of the entry {shown(entry)} (fees {shown(fees)} a unit)"
    return _moved(holding, snapshot, stop, why)


def trailing(holding: Holding, snapshot: Snapshot, _policy: Policy, bot: BotPolicy) -> str | Tighten | None:
    """The stop follows the price at the bot's ``trailing`` distance. What is needed for it and not known changes nothing."""
    follows = bot.trailing
    if follows is None:
        return None
    found = _trail(holding, snapshot, follows)
    return None if found is None else _moved(holding, snapshot, *found)


def time_stop(holding: Holding, snapshot: Snapshot, _policy: Policy, bot: BotPolicy) -> str | None:
    """The holding is older than the bot's ``time_stop_minutes``."""
    if bot.time_stop_minutes is None:
        return None
    age = snapshot.at - holding.opened_at
    if age < _minutes(bot.time_stop_minutes):
        return None
    return f"held for {age.total_seconds() / 60:.0f} minutes, at most {bot.time_stop_minutes}"


def session_end(holding: Holding, snapshot: Snapshot, _policy: Policy, bot: BotPolicy) -> str | None:
    """The exchange's clock has passed the bot's ``manage_until``, or the day it was opened on is over.

    A bot that trades around the clock has no such end.
    """
    sessions = snapshot.sight.sessions
    if sessions is None or bot.session is None:
        return None
    if sessions.minute >= _minute_of(bot.session.manage_until):
        return f"the bot's day ends at {bot.session.manage_until}"
    session = sessions.by_class.get(asset_class_of(holding.symbol))
    if session is not None and session.opens_at is not None and holding.opened_at < session.opens_at <= snapshot.at:
        return f"held over from an earlier session, opened {holding.opened_at:%Y-%m-%d %H:%M}Z"
    return None


def flatten_before_close(holding: Holding, snapshot: Snapshot, policy: Policy, _bot: BotPolicy) -> str | None:
    """The session closes within ``risk.flatten_before_close_minutes`` (half days included); one without a close never does."""
    sessions = snapshot.sight.sessions
    session = None if sessions is None else sessions.by_class.get(asset_class_of(holding.symbol))
    if session is None or session.closes_at is None or not session.open:
        return None
    left, limit = session.closes_at - snapshot.at, policy.risk.flatten_before_close_minutes
    if left > _minutes(limit):
        return None
    return f"the session closes in {left.total_seconds() / 60:.0f} minutes, flat by {limit}"


def bot_daily_loss(holding: Holding, snapshot: Snapshot, policy: Policy, bot: BotPolicy) -> str | None:
    """The bot has lost what it may lose in a day: realised today, and open in everything it holds, structures included.

    Nothing when something it holds has no price, or before the day's first equity is known: a sum with a hole in it says nothing.
    Nothing of a bot that was dealt nothing, as one that is not enabled.
    """
    day = snapshot.ledger.day
    profit = None if day is None else day_profit(holding.bot, snapshot, policy.options)
    if day is None or profit is None or profit >= ZERO:
        return None
    most = budget(bot, policy, day.start_equity) * bot.budget.daily_loss
    if most <= ZERO or -profit < most:
        return None
    return f"{bot.id} has lost {shown(-profit)} dollars today, realised and open, at most {shown(most)}"


def _trail(holding: Holding, snapshot: Snapshot, follows: TrailingPolicy) -> tuple[Decimal, str] | None:
    """Where a trailing stop belongs, and why; ``None`` when a price or the average true range is not known."""
    best, bars = holding.best, snapshot.sight.bars.get(holding.symbol, ())
    if follows.by == "percent":
        if best is None:
            return None
        return best * (
            1 - follows.distance * _sign(holding)
        ), f"{plain(follows.distance)} behind the best {shown(best)}"
    known = indicators.atr(bars, follows.bars)
    base = bars[-1].close if follows.by == "atr" and bars else best
    if known is None or base is None:
        return None
    atr = exact(known)
    what = "last close" if follows.by == "atr" else "best"
    why = f"{plain(follows.distance)} average true ranges of {shown(atr)} behind the {what} {shown(base)}"
    return base - follows.distance * atr * _sign(holding), why


def _moved(holding: Holding, snapshot: Snapshot, stop: Decimal, why: str) -> str | Tighten | None:
    """The wish to have the stop there, rounded away from the price; why it closes now, if the price is there already.

    ``None`` when that is no closer than the stop it has, or no price is known to compare it with.
    """
    quote = snapshot.sight.quotes.get(holding.symbol)
    instrument = snapshot.sight.instruments.get(holding.symbol) or usual_instrument(holding.symbol)
    stop = to_increment(stop, instrument.price_increment, "down" if holding.quantity > 0 else "up")
    if holding.protection is None:
        raise _unprotected(holding)
    if quote is None or stop <= 0 or (stop - holding.protection.stop) * _sign(holding) <= 0:
        return None
    side, price = closing_side(holding, quote)
    if (price - stop) * _sign(holding) > 0:
        return Tighten(stop=stop, reason=why)
    return (
        f"{side} {plain(price)} is at or {_beyond(holding, losing=True)} {plain(stop)}, where its stop belongs: {why}"
    )


def _sign(holding: Holding) -> int:
    return 1 if holding.quantity > 0 else -1


def _beyond(holding: Holding, *, losing: bool) -> str:
    return "below" if losing is (holding.quantity > 0) else "above"


def _unprotected(holding: Holding) -> Invalid:
    """Only a structure's leg has none, and no exit is asked about one: asking is a fault, and an exit that fails halts."""
    return Invalid(f"{holding.key} has no protection: a leg is judged with its structure")


def _resting(holding: Holding, snapshot: Snapshot, purpose: Purpose) -> list[Order]:
    working = snapshot.ledger.working(bot=holding.bot, symbol=holding.symbol)
    return [order for order in working if order.purpose is purpose]
