"""What no entry may break, one check for each rule of the book that states a limit, worked out anew from the exchange's books.

Judged at the moment the order leaves, at decision prices: its limit or the quote it was decided at, and what was paid for what is held.
A check runs when the policy names its rule. One that has nothing to say of an order (``APART``) has not judged it, and is not counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from decimal import Decimal

from hydra.model.market import OptionQuote, Quote
from hydra.model.orders import Order, Side
from hydra.policy import Policy
from hydra.qc.rehearsal import more_limits
from hydra.qc.rehearsal.scene import APART, Scene, Stake, is_pair, loss_of, stake_of
from hydra.qc.rehearsal.tally import Tally
from hydra.qc.rehearsal.truth import ZERO

_DUST = Decimal("0.02")
"""Dollars by which equity, told to the cent, may be off."""

Check = Callable[[Order, Stake, Scene], "str | None"]


def broken(order: Order, scene: Scene, tally: Tally) -> list[str]:
    """Every limit of the policy that this entry breaks."""
    return list(_broken(order, scene, tally))


def _broken(order: Order, scene: Scene, tally: Tally) -> Iterator[str]:
    stake = stake_of(order, order.quantity)
    for name in scene.risk.rules:
        check = CHECKS.get(name)
        if check is not None:
            said = check(order, stake, scene)
            judged = said != APART
            tally.counts["limits checked"] += judged
            tally.claims[claim_of(name)] += judged
            if said:
                side = f"{order.side} {order.quantity} {order.symbol} of {order.bot} ({order.client_id})"
                yield f"{claim_of(name)}: {side}: {said}"


def claim_of(rule: str) -> str:
    """What is promised of a rule."""
    return f"{rule} is never exceeded"


def _over(what: str, have: Decimal, limit: Decimal) -> str | None:
    return f"{what} {have:f} is above {limit:f}" if have > limit + _DUST + abs(limit) * Decimal("1e-9") else None


def _notional(_order: Order, stake: Stake, scene: Scene) -> str | None:
    return _over("notional", stake.notional, scene.risk.order_notional)


def _sum(stakes: list[Stake], symbols: frozenset[str] | None = None) -> Decimal:
    return sum((one.notional for one in stakes if symbols is None or one.symbol in symbols), ZERO)


def _symbol(_order: Order, stake: Stake, scene: Scene) -> str | None:
    total = stake.notional + _sum(scene.stakes(), frozenset({stake.symbol}))
    return _over("in the symbol", total, scene.risk.symbol_exposure * scene.now.equity)


def _gross(_order: Order, stake: Stake, scene: Scene) -> str | None:
    return _over("in all", stake.notional + _sum(scene.stakes()), scene.risk.gross_exposure * scene.now.equity)


def _net(_order: Order, stake: Stake, scene: Scene) -> str | None:
    """Whatever fills of what is under way: the worst of this entry's direction."""
    if not stake.sign:
        return APART
    same = [one for one in scene.stakes() if not one.entering or one.sign == stake.sign]
    total = stake.notional + stake.sign * sum((one.sign * one.notional for one in same), ZERO)
    return _over("net", total, scene.risk.net_exposure * scene.now.equity)


def _group(_order: Order, stake: Stake, scene: Scene) -> str | None:
    groups = {name: members for name, members in scene.risk.groups.items() if stake.symbol in members}
    for name, members in groups.items():
        total = stake.notional + _sum(scene.stakes(), frozenset(members))
        said = _over(f"in the group {name}", total, scene.risk.group_exposure * scene.now.equity)
        if said is not None:
            return said
    return None if groups else APART


def _cash(order: Order, stake: Stake, scene: Scene) -> str | None:
    """Without margin: what is bought, and under way, is paid for out of cash beyond the reserve. What was sold short only adds to the cash."""
    if scene.risk.margin or order.side is Side.SELL:
        return APART
    entering = [one for one in scene.stakes() if one.entering and one.sign > 0]
    need = stake.notional + _sum(entering)
    return _over("to be paid", need, scene.now.cash - scene.risk.cash_reserve * max(ZERO, scene.now.equity))


def _margin(order: Order, stake: Stake, scene: Scene) -> str | None:
    """Nothing is borrowed unless the policy says so, and on pairs and contracts never."""
    borrows = scene.risk.margin and not order.legs and not is_pair(order.symbol)
    if borrows or order.side is Side.SELL:
        return APART
    entering = [one for one in scene.stakes() if one.entering and one.sign > 0]
    return _over("to be paid", stake.notional + _sum(entering), scene.now.cash)


def _at_risk(stakes: list[Stake], bot: str | None = None) -> Decimal | None:
    found = [one.risk for one in stakes if bot in (None, one.bot)]
    known = [risk for risk in found if risk is not None]
    return None if len(known) < len(found) else sum(known, ZERO)


def _daily(_order: Order, stake: Stake, scene: Scene) -> str | None:
    day, at_risk = scene.ledger.day, _at_risk([*scene.stakes(), stake])
    if day is None or day.date != scene.now.sessions.day:
        return "the day's first equity is not known"
    if at_risk is None:
        return "something open has no bound to its loss"
    left = scene.risk.daily_loss * day.start_equity - max(ZERO, day.start_equity - scene.now.equity)
    return _over("at risk", at_risk, left)


def _drawdown(_order: Order, stake: Stake, scene: Scene) -> str | None:
    at_risk = _at_risk([*scene.stakes(), stake])
    if at_risk is None:
        return "something open has no bound to its loss"
    left = scene.now.equity - (1 - scene.risk.drawdown) * scene.ledger.peak_equity
    return _over("at risk", at_risk, left)


def _per_trade(_order: Order, stake: Stake, scene: Scene) -> str | None:
    if stake.risk is None:
        return "it has no bound to its loss"
    most = min(scene.risk.risk_per_trade, scene.risk.risk_per_trade_cap)
    return _over("at risk", stake.risk, most * scene.now.equity)


def _budget(order: Order, stake: Stake, scene: Scene) -> str | None:
    bot, day = scene.bot(order), scene.ledger.day
    at_risk = _at_risk([*scene.stakes(), stake], bot.id)
    if day is None or at_risk is None:
        return "the day's first equity, or the bound of a loss, is not known"
    share = dealt(bot.id, scene.world.policy) * scene.risk.daily_loss * day.start_equity
    lost = max(ZERO, -scene.ledger.bot(bot.id).realized_today)
    left = min(share * bot.budget.daily_loss - lost, share * bot.budget.open_risk)
    return _over(f"at risk by {bot.id}", at_risk, left)


def dealt(bot: str, policy: Policy) -> Decimal:
    """The fraction of the day's risk that a bot gets: its part of its bucket, capped; from what is left over the poor are lifted."""
    buckets = [one.bucket for one in policy.enabled_bots]
    fair: dict[str, Decimal] = {
        one.id: getattr(policy.budgets, one.bucket) / buckets.count(one.bucket) for one in policy.enabled_bots
    }
    capped = {name: min(part, policy.budgets.bot_maximum) for name, part in fair.items()}
    lack = {name: max(ZERO, policy.budgets.bot_minimum - part) for name, part in fair.items() if part}
    spare, wanted = 1 - sum(capped.values(), ZERO), sum(lack.values(), ZERO)
    lift = Decimal(1) if wanted <= spare else spare / wanted
    return capped.get(bot, ZERO) + lack.get(bot, ZERO) * lift


def _rate(_order: Order, _stake: Stake, scene: Scene) -> str | None:
    """Orders of every purpose, this one included."""
    since = scene.now.at - timedelta(seconds=60)
    sent = 1 + sum(1 for at in scene.sent_at if at > since)
    most = scene.risk.orders_per_minute
    return f"it is number {sent} within 60 s, at most {most}" if sent > most else None


def _trades_of_bot(order: Order, _stake: Stake, scene: Scene) -> str | None:
    made, most = scene.made(order.bot) + 1, scene.bot(order).trades_per_day
    return f"it is number {made} of {order.bot} today, at most {most}" if made > most else None


def _trades_of_all(_order: Order, _stake: Stake, scene: Scene) -> str | None:
    made, most = scene.made("") + 1, scene.risk.trades_a_day
    return f"it is number {made} of all today, at most {most}" if made > most else None


def _open_of_bot(order: Order, stake: Stake, scene: Scene) -> str | None:
    mine = {one.symbol for one in scene.stakes() if one.bot == order.bot}
    most = scene.bot(order).positions
    if stake.symbol in mine:
        return f"{order.bot} has {stake.symbol} already"
    return f"with it {len(mine) + 1} are open, at most {most}" if len(mine) + 1 > most else None


def _open_of_all(_order: Order, stake: Stake, scene: Scene) -> str | None:
    have = {(one.bot, one.symbol) for one in scene.stakes()} | {(stake.bot, stake.symbol)}
    most = scene.risk.positions
    return f"with it {len(have)} are open, at most {most}" if len(have) > most else None


def _short(order: Order, _stake: Stake, scene: Scene) -> str | None:
    if order.side is Side.BUY or order.legs:
        return APART
    allowed = scene.risk.short and scene.bot(order).shorts
    return None if allowed else "shorts are not allowed"


def _option_loss(order: Order, _stake: Stake, scene: Scene) -> str | None:
    if not order.legs:
        return APART
    each = loss_of(order)
    if each is None:
        return "nothing bounds what it can lose"
    return _over("at most lost", each * order.quantity, scene.risk.option_loss * scene.now.equity)


def _cool_down(order: Order, _stake: Stake, scene: Scene) -> str | None:
    at = scene.stopped.get((order.bot, order.symbol))
    if at is None or at.date() != scene.now.at.date():
        return APART
    quiet = timedelta(minutes=scene.risk.cool_down_minutes)
    passed = scene.now.at - at
    return f"stopped out {passed.total_seconds():.0f} s ago, quiet for {quiet}" if passed < quiet else None


def _duplicate(order: Order, _stake: Stake, scene: Scene) -> str | None:
    at = scene.entered_at.get((order.bot, f"{order.symbol} {order.side}"))
    if at is None or at.date() != scene.now.at.date():
        return APART
    passed, most = (scene.now.at - at).total_seconds(), scene.risk.duplicate_seconds
    return f"the same was sent {passed:.0f} s ago, at least {most} s apart" if passed < most else None


def _opposite(order: Order, stake: Stake, scene: Scene) -> str | None:
    others = [one for one in scene.stakes() if one.symbol == stake.symbol]
    if order.legs or not others:
        return APART
    against = [one for one in others if one.sign * stake.sign < 0]
    return f"{against[0].bot} points the other way" if against else None


def _spread(order: Order, _stake: Stake, scene: Scene) -> str | None:
    """Of what is traded: the symbol itself, or each contract as it was last told."""
    chain = scene.chains.get(order.symbol, {})
    shown: list[tuple[str, Quote | OptionQuote | None]] = [(leg.symbol, chain.get(leg.symbol)) for leg in order.legs]
    limit = scene.risk.option_spread if order.legs else scene.risk.spread
    for symbol, quote in shown or [(order.symbol, scene.now.quotes.get(order.symbol))]:
        if quote is None or quote.bid is None or quote.ask is None:
            return f"{symbol} has no quote on both sides"
        wide = 2 * (quote.ask - quote.bid) / (quote.ask + quote.bid)
        if wide > limit:
            return f"the spread of {symbol} is {wide:f}, at most {limit}"
    return None


def _collar(order: Order, _stake: Stake, scene: Scene) -> str | None:
    quote = scene.now.quotes.get(order.symbol)
    if quote is None or order.limit is None or order.legs:
        return APART
    worse = (order.limit - quote.ask) if order.side is Side.BUY else (quote.bid - order.limit)
    return _over("beyond the quote by", worse, scene.risk.price_collar * quote.mid)


def _blackout(order: Order, _stake: Stake, scene: Scene) -> str | None:
    for one in scene.risk.blackouts:
        if one.day == scene.now.sessions.day and (not one.symbols or order.symbol in one.symbols):
            return f"{one.day} is a day without entries"
    return None if scene.risk.blackouts else APART


def _tradable(order: Order, _stake: Stake, scene: Scene) -> str | None:
    quote = scene.now.quotes.get(order.symbol)
    return (
        None if quote is not None and quote.bid_size and quote.ask_size else "nothing is offered, or nothing asked for"
    )


CHECKS: Mapping[str, Check] = {
    "order_notional": _notional,
    "symbol_exposure": _symbol,
    "gross_exposure": _gross,
    "net_exposure": _net,
    "group_exposure": _group,
    "buying_power": _cash,
    "margin_permission": _margin,
    "daily_loss": _daily,
    "drawdown": _drawdown,
    "risk_per_trade": _per_trade,
    "bot_budget": _budget,
    "order_rate": _rate,
    "trades_per_day": _trades_of_bot,
    "trades_a_day": _trades_of_all,
    "concurrent_positions": _open_of_bot,
    "open_positions": _open_of_all,
    "short_permission": _short,
    "option_loss": _option_loss,
    "cool_down": _cool_down,
    "duplicate": _duplicate,
    "opposite": _opposite,
    "spread": _spread,
    "price_collar": _collar,
    "blackout": _blackout,
    "tradable": _tradable,
    **more_limits.CHECKS,
}
