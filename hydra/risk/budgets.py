"""The portfolio allocator: the day's risk, dealt to buckets, shared equally by their enabled bots, clamped.

    daily risk   = risk.daily_loss x day-start equity                               dollars
    fair share   = the bucket's fraction / enabled bots in the bucket               fraction of the daily risk
    share        = fair share, at most bot_maximum, at least bot_minimum            fraction of the daily risk
    remaining    = min(share x budget.daily_loss - lost today, share x budget.open_risk) - open risk, never below zero

The day is the exchange's, and its first equity is in the ledger (``Day``): profit and loss during the day move no share.

All shares together are never more than the daily risk. ``bot_minimum`` lifts bots above their fair share as far as the others
leave something: when all the lifts together would take more than that, each is made smaller in proportion, down to nothing when
the buckets add up to 1 and are all in use. No other bot gets less for it, and no lifted one less than its fair share.

A profit does not raise a budget, and what one bot leaves idle, a bucket without bots included, is given to nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from hydra.model.market import Quote, multiplier_of
from hydra.model.money import ONE, ZERO
from hydra.model.portfolio import Holding, Ledger
from hydra.model.same import kept
from hydra.model.snapshot import Snapshot
from hydra.model.values import Value
from hydra.policy import BotPolicy, Bucket, BudgetPolicy, OptionsPolicy, Policy
from hydra.risk.option_values import leg_worth
from hydra.risk.standing import Standing, standing_of


class Allotment(Value, frozen=True, kw_only=True):
    """A bot's day in dollars, and what is left of it.

    ``share`` is its part of the day's risk, ``lost_most`` what it may lose before its day is over, ``open_most`` what it may
    have at risk at one time, ``lost`` what it has lost today (zero when it is ahead), ``open_risk`` what it has at risk now
    (``None``: nothing bounds it), ``remaining`` what a further entry may risk.
    """

    bot: str
    share: Decimal
    lost_most: Decimal
    open_most: Decimal
    lost: Decimal
    open_risk: Decimal | None
    remaining: Decimal
    trades_left: int
    positions_left: int


def allotment(bot: BotPolicy, policy: Policy, ledger: Ledger, standing: Standing | None = None) -> Allotment:
    """What a bot was dealt today and what is left of it; all zero before the day's equity is known.

    ``standing`` is everything open as the caller has it already (with what this cycle has admitted); without one it is summed
    from the ledger, which costs a walk over it. The rest costs the same however many bots there are.
    """
    open_now = standing_of(ledger) if standing is None else standing
    record = ledger.bot(bot.id)
    share = budget(bot, policy, ZERO if ledger.day is None else ledger.day.start_equity)
    open_risk = open_now.risk_by_bot.get(bot.id, ZERO)
    return Allotment(
        bot=bot.id,
        share=share,
        lost_most=share * bot.budget.daily_loss,
        open_most=share * bot.budget.open_risk,
        lost=max(ZERO, -record.realized_today),
        open_risk=open_risk,
        remaining=room(bot, policy, ledger, open_risk),
        trades_left=max(0, bot.trades_per_day - record.trades_today - open_now.sent_by_bot.get(bot.id, 0)),
        positions_left=max(0, bot.positions - len(open_now.symbols_by_bot.get(bot.id, ()))),
    )


def allotments(policy: Policy, ledger: Ledger) -> tuple[Allotment, ...]:
    """Every enabled bot's, in policy order, from one walk over the ledger."""
    standing = standing_of(ledger)
    return tuple(allotment(bot, policy, ledger, standing) for bot in policy.enabled_bots)


def room(bot: BotPolicy, policy: Policy, ledger: Ledger, open_risk: Decimal | None) -> Decimal:
    """Dollars a bot may still put at risk today beside ``open_risk``; zero when either the day or the risk is unknown."""
    if ledger.day is None or open_risk is None:
        return ZERO
    share = budget(bot, policy, ledger.day.start_equity)
    lost = max(ZERO, -ledger.bot(bot.id).realized_today)
    most = min(share * bot.budget.daily_loss - lost, share * bot.budget.open_risk)
    return max(ZERO, most - open_risk)


def budget(bot: BotPolicy, policy: Policy, start_equity: Decimal) -> Decimal:
    """A bot's share of the day's risk, in dollars; nothing for one that is not enabled."""
    if not bot.enabled:
        return ZERO
    return _fractions(policy)[bot.bucket] * policy.risk.daily_loss * start_equity


def fraction_of(bucket: Bucket, budgets: BudgetPolicy, peers: Mapping[Bucket, int]) -> Decimal:
    """The fraction of the daily risk that each bot of a bucket gets; ``peers`` are the enabled bots by bucket."""
    parts: dict[Bucket, Decimal] = {b: getattr(budgets, b.value) for b, n in peers.items() if n}
    fair = {b: part / peers[b] for b, part in parts.items() if part}
    if bucket not in fair:
        return ZERO
    if fair[bucket] >= budgets.bot_minimum:
        return min(fair[bucket], budgets.bot_maximum)
    spare = ONE - sum((peers[b] * min(fair[b], budgets.bot_maximum) for b in fair), ZERO)
    lack = sum((peers[b] * max(ZERO, budgets.bot_minimum - fair[b]) for b in fair), ZERO)
    return fair[bucket] + (budgets.bot_minimum - fair[bucket]) * min(ONE, spare / lack)


def day_profit(bot: str, snapshot: Snapshot, options: OptionsPolicy) -> Decimal | None:
    """Dollars a bot is ahead today (below zero: behind), if everything it holds were closed at the quoted prices now.

    What was realised today, after fees, and what its holdings would bring at the side they close on (long at the bid, short at
    the ask; contracts as in ``hydra.risk.option_values``), less what they cost. ``None`` when a price that it needs is not known.
    A holding from an earlier day counts with all it has gained since its entry: what it was worth last night is not kept.
    """
    profits = _day_profits(snapshot, options)
    return profits[bot] if bot in profits else snapshot.ledger.bot(bot).realized_today


@kept
def _day_profits(snapshot: Snapshot, options: OptionsPolicy) -> Mapping[str, Decimal | None]:
    """``day_profit`` of every bot that holds something: asked about each holding in turn, and summed in one walk over all of them."""
    ledger, quotes, profits = snapshot.ledger, snapshot.sight.quotes, dict[str, Decimal | None]()
    for holding in ledger.holdings.values():
        bot = holding.bot
        profit = profits[bot] if bot in profits else ledger.bot(bot).realized_today
        if profit is None:
            continue  # one price is not known: the sum is not
        each = multiplier_of(holding.symbol)
        worth = leg_worth(holding, snapshot, options) if holding.structure else _worth(holding, quotes, each)
        profits[bot] = None if worth is None else profit + (worth - holding.quantity * holding.average_price * each)
    return profits


def _worth(holding: Holding, quotes: Mapping[str, Quote], each: Decimal) -> Decimal | None:
    """Dollars that closing a holding brings now, with ``each`` as its multiplier; below zero for a short one."""
    quote = quotes.get(holding.symbol)
    if quote is None:
        return None
    return holding.quantity * (quote.bid if holding.quantity > 0 else quote.ask) * each


@kept
def _fractions(policy: Policy) -> Mapping[Bucket, Decimal]:
    """The fraction of a bot of each bucket: a policy does not change, and every exit asks."""
    return {bucket: fraction_of(bucket, policy.budgets, policy.peers) for bucket in Bucket}
