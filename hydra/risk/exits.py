"""When a holding is closed. Each exit looks at one holding and says why it must go now, or nothing.

The stop and the target rest at the venue; the first two exits stand in for them where the venue has none working, so that
a lost leg is a late exit and not an open end. Times are the exchange's own.
"""

from __future__ import annotations

from datetime import timedelta

from hydra.model.market import asset_class_of
from hydra.model.money import plain
from hydra.model.orders import Purpose
from hydra.model.portfolio import Holding
from hydra.model.snapshot import Snapshot
from hydra.policy import BotPolicy, Policy, minute_of


def _rests(holding: Holding, snapshot: Snapshot, purpose: Purpose) -> bool:
    working = snapshot.ledger.working(bot=holding.bot, symbol=holding.symbol)
    return any(order.purpose is purpose for order in working)


def stop_loss(holding: Holding, snapshot: Snapshot, _policy: Policy, _bot: BotPolicy) -> str | None:
    """The bid is at or below the stop and no stop rests at the venue."""
    quote = snapshot.sight.quotes.get(holding.symbol)
    if quote is None or quote.bid > holding.protection.stop or _rests(holding, snapshot, Purpose.STOP):
        return None
    return f"bid {plain(quote.bid)} is at or below the stop {plain(holding.protection.stop)}"


def take_profit(holding: Holding, snapshot: Snapshot, _policy: Policy, _bot: BotPolicy) -> str | None:
    """The bid is at or above the target and no target rests at the venue."""
    quote, target = snapshot.sight.quotes.get(holding.symbol), holding.protection.target
    if quote is None or target is None or quote.bid < target or _rests(holding, snapshot, Purpose.TARGET):
        return None
    return f"bid {plain(quote.bid)} is at or above the target {plain(target)}"


def time_stop(holding: Holding, snapshot: Snapshot, _policy: Policy, bot: BotPolicy) -> str | None:
    """The holding is older than the bot's ``time_stop_minutes``."""
    if bot.time_stop_minutes is None:
        return None
    age = snapshot.at - holding.opened_at
    if age < timedelta(minutes=bot.time_stop_minutes):
        return None
    return f"held for {age.total_seconds() / 60:.0f} minutes, at most {bot.time_stop_minutes}"


def session_end(holding: Holding, snapshot: Snapshot, _policy: Policy, bot: BotPolicy) -> str | None:
    """The exchange's clock has passed the bot's ``manage_until``, or the day it was opened on is over."""
    sessions = snapshot.sight.sessions
    if sessions is None:
        return None
    if sessions.minute >= minute_of(bot.session.manage_until):
        return f"the bot's day ends at {bot.session.manage_until}"
    session = sessions.by_class.get(asset_class_of(holding.symbol))
    if session is not None and session.opens_at is not None and holding.opened_at < session.opens_at <= snapshot.at:
        return f"held over from an earlier session, opened {holding.opened_at:%Y-%m-%d %H:%M}Z"
    return None


def flatten_before_close(holding: Holding, snapshot: Snapshot, policy: Policy, _bot: BotPolicy) -> str | None:
    """The session closes within ``risk.flatten_before_close_minutes`` (half days included)."""
    sessions = snapshot.sight.sessions
    session = None if sessions is None else sessions.by_class.get(asset_class_of(holding.symbol))
    if session is None or session.closes_at is None or not session.open:
        return None
    left = (session.closes_at - snapshot.at).total_seconds() / 60
    limit = policy.risk.flatten_before_close_minutes
    return f"the session closes in {left:.0f} minutes, flat by {limit}" if left <= limit else None
