"""When a structure is closed. Each exit looks at one structure and says why it must go now, or nothing.

Two exits judge by price, and only by what is certain (``hydra.risk.option_values``): ``profit_share`` by the least that closing
earns, ``loss_multiple`` by the least that it loses. Where a price is missing they say nothing. That traps no position: the most
that can be lost was known at the entry, the exits by time (``time_stop``, ``session_end``, ``flatten_before_close``,
``before_expiry``) need no price, and a market that stays silent is the business of the kill ``stale_data``.

What is the same for a structure as for any holding is asked of ``hydra.risk.exits``, about the leg that was
opened first. Times are the exchange's own.
"""

from __future__ import annotations

from decimal import Decimal

from hydra.model.money import ZERO, plain
from hydra.model.snapshot import Snapshot
from hydra.model.structures import Structure, weekdays_left
from hydra.policy import BotPolicy, Policy
from hydra.risk import exits, option_values

_CENT = Decimal("0.01")


def profit_share(structure: Structure, snapshot: Snapshot, policy: Policy, bot: BotPolicy) -> str | None:
    """Closing now certainly earns ``profit_share`` of the credit, or of the debit."""
    wanted = None if bot.option is None else bot.option.profit_share
    earned = option_values.certain_profit(structure, snapshot, policy.options)
    if wanted is None or earned is None or structure.paid == 0 or earned < wanted * abs(structure.paid):
        return None
    return f"closing earns {_dollars(earned)} of {_paid(structure)}, taken at {plain(wanted)} of it"


def loss_multiple(structure: Structure, snapshot: Snapshot, policy: Policy, bot: BotPolicy) -> str | None:
    """Closing now certainly loses ``loss_multiple`` times the credit, or the debit."""
    most = None if bot.option is None else bot.option.loss_multiple
    lost = option_values.certain_loss(structure, snapshot, policy.options)
    if most is None or lost is None or structure.paid == 0 or lost < most * abs(structure.paid):
        return None
    return f"closing loses {_dollars(lost)} against {_paid(structure)}, at most {plain(most)} times that"


def time_stop(structure: Structure, snapshot: Snapshot, policy: Policy, bot: BotPolicy) -> str | None:
    """The structure is older than the bot's ``time_stop_minutes``."""
    return exits.time_stop(structure.opened, snapshot, policy, bot)


def session_end(structure: Structure, snapshot: Snapshot, policy: Policy, bot: BotPolicy) -> str | None:
    """The exchange's clock has passed ``manage_until``, or the day it was opened on is over; not when held ``overnight``."""
    return None if _overnight(bot) else exits.session_end(structure.opened, snapshot, policy, bot)


def flatten_before_close(structure: Structure, snapshot: Snapshot, policy: Policy, bot: BotPolicy) -> str | None:
    """The session closes within ``risk.flatten_before_close_minutes`` (half days included); not when held ``overnight``."""
    return None if _overnight(bot) else exits.flatten_before_close(structure.opened, snapshot, policy, bot)


def bot_daily_loss(structure: Structure, snapshot: Snapshot, policy: Policy, bot: BotPolicy) -> str | None:
    """The bot has lost what it may lose in a day: realised today, and open in everything it holds."""
    return exits.bot_daily_loss(structure.opened, snapshot, policy, bot)


def before_expiry(structure: Structure, snapshot: Snapshot, _policy: Policy, bot: BotPolicy) -> str | None:
    """At most ``close_days_before`` weekdays are left to the first expiry; not when held ``into_expiry``.

    Weekdays, so that what expires on a Monday is closed on the Friday before. A holiday in between counts as one, and closes it a
    day later than meant: on the day of expiry itself at the latest, for that one always counts.
    """
    sessions, option = snapshot.sight.sessions, bot.option
    if sessions is None or option is None or option.into_expiry:
        return None
    left = weekdays_left(sessions.day, structure.expiry)
    if left > option.close_days_before:
        return None
    return f"{left} weekdays to the expiry on {structure.expiry}, closed at {option.close_days_before}"


def _overnight(bot: BotPolicy) -> bool:
    return bot.option is not None and bot.option.overnight


def _paid(structure: Structure) -> str:
    return f"a {'debit' if structure.paid > ZERO else 'credit'} of {_dollars(abs(structure.paid))}"


def _dollars(amount: Decimal) -> str:
    return f"{amount.quantize(_CENT):f} dollars"
