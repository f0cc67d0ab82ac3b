"""The portfolio allocator's arithmetic: the day's risk, dealt to buckets, shared equally by their enabled bots, clamped.

    daily risk       = risk.daily_loss x day-start equity                                (dollars)
    a bot's budget   = clamp(bucket share / bots in the bucket, bot_minimum, bot_maximum) x daily risk
    what remains     = budget - today's realised loss - open risk - risk of entries under way; never below zero

A profit does not raise a budget, and what one bot leaves idle is not given to another within the day.
"""

from __future__ import annotations

from decimal import Decimal

from hydra.model.market import multiplier_of
from hydra.model.money import ZERO
from hydra.model.orders import Order, Purpose
from hydra.model.portfolio import Ledger
from hydra.policy import BotPolicy, Policy


def budget(bot: BotPolicy, policy: Policy, start_equity: Decimal) -> Decimal:
    """A bot's share of the day's risk, in dollars."""
    daily_risk = policy.risk.daily_loss * start_equity
    peers = sum(1 for other in policy.enabled_bots if other.bucket is bot.bucket)
    share: Decimal = getattr(policy.budgets, bot.bucket.value) / max(peers, 1)
    if share == 0:
        return ZERO
    return min(max(share, policy.budgets.bot_minimum), policy.budgets.bot_maximum) * daily_risk


def entry_risk(order: Order) -> Decimal:
    """Dollars that the unfilled part of an entry will risk, from its expected price to its stop."""
    if order.purpose is not Purpose.ENTRY or order.protection is None or order.status.terminal:
        return ZERO
    expected = order.limit if order.limit is not None else order.reference
    if expected is None:
        return ZERO
    return (
        max(ZERO, (expected - order.protection.stop) * order.side.sign) * order.remaining * multiplier_of(order.symbol)
    )


def open_risk(ledger: Ledger, bot: str | None = None) -> Decimal:
    """Dollars at risk to their stops, in holdings and entries under way, of one bot or of all."""
    held = sum((h.open_risk for h in ledger.holdings.values() if bot in (None, h.bot)), ZERO)
    under_way = sum((entry_risk(o) for o in ledger.orders.values() if bot in (None, o.bot)), ZERO)
    return held + under_way


def remaining(bot: BotPolicy, policy: Policy, ledger: Ledger) -> Decimal:
    """What a bot may still risk today, in dollars; zero before the day's equity is known."""
    if ledger.day is None:
        return ZERO
    lost = max(ZERO, -ledger.bot(bot.id).realized_today)
    return max(ZERO, budget(bot, policy, ledger.day.start_equity) - lost - open_risk(ledger, bot.id))
