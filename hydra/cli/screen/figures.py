"""Figures that are worked out when somebody looks, from a ledger and the latest quotes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from hydra.model.market import OptionQuote, multiplier_of
from hydra.model.money import ZERO
from hydra.model.portfolio import Holding, Ledger, Mode
from hydra.model.snapshot import Sight
from hydra.model.structures import Structure
from hydra.policy import Policy
from hydra.risk import budgets


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetUse:
    """A bot's day: its share of the day's risk, what realised losses and open risk have taken of it, in dollars.

    ``used`` is ``None`` when nothing bounds what is open.
    """

    bot: str
    budget: Decimal
    used: Decimal | None
    realized_today: Decimal
    trades_today: int
    trades_most: int
    strikes: int


def budget_uses(policy: Policy, ledger: Ledger) -> tuple[BudgetUse, ...]:
    """The enabled bots' budgets in policy order; all zero before the day's equity is known."""
    uses = []
    for bot, dealt in zip(policy.enabled_bots, budgets.allotments(policy, ledger), strict=True):
        record = ledger.bot(bot.id)
        use = BudgetUse(
            bot=bot.id,
            budget=dealt.share,
            used=None if dealt.open_risk is None else dealt.lost + dealt.open_risk,
            realized_today=record.realized_today,
            trades_today=record.trades_today,
            trades_most=bot.trades_per_day,
            strikes=record.strikes,
        )
        uses.append(use)
    return tuple(uses)


def price_now(symbol: str, sight: Sight) -> Decimal | None:
    """The middle of the last quote; ``None`` without one.

    A contract's is in the chain of what it is on. One that nobody bids for is bid for at nothing; one that nobody offers has no
    price.
    """
    quote = sight.quotes.get(symbol)
    if quote is not None:
        return quote.mid
    found = _in_chains(symbol, sight.chains)
    return None if found is None or found.ask is None else ((found.bid or ZERO) + found.ask) / 2


def open_profit(holding: Holding, sight: Sight) -> Decimal | None:
    """What the holding has gained at the middle of the last quote, before fees; ``None`` without a quote."""
    price = price_now(holding.symbol, sight)
    if price is None:
        return None
    return (price - holding.average_price) * holding.quantity * multiplier_of(holding.symbol)


def structure_profit(structure: Structure, sight: Sight) -> Decimal | None:
    """The same of all its legs; ``None`` when one of them has no quote."""
    profits = [open_profit(leg, sight) for leg in structure.legs]
    known = [profit for profit in profits if profit is not None]
    return sum(known, ZERO) if len(known) == len(profits) else None


def open_profits(ledger: Ledger, sight: Sight) -> dict[str, Decimal | None]:
    """Open profit by bot, for the bots that hold something; ``None`` when one of its holdings has no quote."""
    sums: dict[str, Decimal | None] = {}
    for holding in ledger.holdings.values():
        profit, so_far = open_profit(holding, sight), sums.get(holding.bot, ZERO)
        sums[holding.bot] = None if profit is None or so_far is None else so_far + profit
    return sums


def _in_chains(contract: str, chains: Mapping[str, Mapping[str, OptionQuote]]) -> OptionQuote | None:
    return next((chain[contract] for chain in chains.values() if contract in chain), None)


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
