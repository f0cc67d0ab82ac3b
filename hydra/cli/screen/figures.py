"""Figures that are worked out when somebody looks, from a ledger and the latest quotes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from hydra.model.market import Quote, multiplier_of
from hydra.model.money import ZERO
from hydra.model.portfolio import Holding, Ledger, Mode
from hydra.policy import Policy
from hydra.risk import budgets


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetUse:
    """A bot's day: its share of the day's risk, what realised losses and open risk have taken of it, in dollars."""

    bot: str
    budget: Decimal
    used: Decimal
    realized_today: Decimal
    trades_today: int
    trades_most: int
    strikes: int


def budget_uses(policy: Policy, ledger: Ledger) -> tuple[BudgetUse, ...]:
    """The enabled bots' budgets in policy order; all zero before the day's equity is known."""
    start = ledger.day.start_equity if ledger.day is not None else ZERO
    uses = []
    for bot in policy.enabled_bots:
        record = ledger.bot(bot.id)
        dealt = budgets.budget(bot, policy, start)
        use = BudgetUse(
            bot=bot.id,
            budget=dealt,
            used=dealt - budgets.remaining(bot, policy, ledger),
            realized_today=record.realized_today,
            trades_today=record.trades_today,
            trades_most=bot.trades_per_day,
            strikes=record.strikes,
        )
        uses.append(use)
    return tuple(uses)


def open_profit(holding: Holding, quotes: Mapping[str, Quote]) -> Decimal | None:
    """What the holding has gained at the middle of the last quote, before fees; ``None`` without a quote."""
    quote = quotes.get(holding.symbol)
    if quote is None:
        return None
    return (quote.mid - holding.average_price) * holding.quantity * multiplier_of(holding.symbol)


def open_profits(ledger: Ledger, quotes: Mapping[str, Quote]) -> dict[str, Decimal | None]:
    """Open profit by bot, for the bots that hold something; ``None`` when one of its holdings has no quote."""
    sums: dict[str, Decimal | None] = {}
    for holding in ledger.holdings.values():
        profit, so_far = open_profit(holding, quotes), sums.get(holding.bot, ZERO)
        sums[holding.bot] = None if profit is None or so_far is None else so_far + profit
    return sums


def day_profit(ledger: Ledger) -> Decimal | None:
    """Equity now less the day's first, in dollars; ``None`` when either is unknown."""
    if ledger.day is None or ledger.equity is None:
        return None
    return ledger.equity - ledger.day.start_equity


def working_orders(ledger: Ledger) -> int:
    """Orders that are not done."""
    return sum(1 for order in ledger.orders.values() if not order.status.terminal)


def mode_of(ledger: Ledger) -> Mode:
    """The mode a ledger at rest stands for: with a halt latched it reduces while anything is held or under way."""
    if not ledger.halts:
        return Mode.ACTIVE
    return Mode.REDUCING if ledger.holdings or working_orders(ledger) else Mode.HALTED
