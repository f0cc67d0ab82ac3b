"""Losses: what may be put at risk.

    risk of an entry    what a unit loses from its price to its stop, or, of a structure, at the worst price at expiry
    open risk           the same, of everything held, under way and admitted in this cycle

As long as stops hold, equity cannot fall below a limit that open risk was counted against. Open risk is counted from the
price paid, and equity is what things are worth now, so a holding that has lost counts twice until it is closed: on the safe
side. When something that is open has no bound to its loss, nothing is put beside it.
"""

from __future__ import annotations

from hydra.model.market import AssetClass, asset_class_of
from hydra.model.money import ONE, ZERO
from hydra.model.orders import Ceiling, Side
from hydra.model.structures import most_lost_of
from hydra.risk import budgets
from hydra.risk.plugs import Case
from hydra.risk.rules.answers import everything, nothing, shown, within

_UNBOUNDED = "something that is open has no bound to its loss"


def daily_loss(case: Case) -> Ceiling:
    """What may still be lost today (``risk.daily_loss`` of the day's first equity) bounds what may be put at risk."""
    ledger, sessions, at_risk = case.snapshot.ledger, case.snapshot.sight.sessions, case.standing.risk
    if ledger.day is None or sessions is None or ledger.day.date != sessions.day:
        return nothing("daily_loss", "the equity at the start of the day is unknown")
    if at_risk is None:
        return nothing("daily_loss", _UNBOUNDED)
    start, fraction = ledger.day.start_equity, case.policy.risk.daily_loss
    room = fraction * start - (start - case.equity) - at_risk
    text = f"{shown(fraction)} of {shown(start)} may be lost today, equity is {shown(case.equity)}, {shown(at_risk)} at risk"
    return within("daily_loss", case, min(room, fraction * start), case.risk_per_unit, text)


def drawdown(case: Case) -> Ceiling:
    """What is left down to ``risk.drawdown`` below the highest equity bounds what may be put at risk."""
    peak, at_risk, fraction = case.snapshot.ledger.peak_equity, case.standing.risk, case.policy.risk.drawdown
    if peak <= 0:
        return nothing("drawdown", "the highest equity is unknown")
    if at_risk is None:
        return nothing("drawdown", _UNBOUNDED)
    room = case.equity - (ONE - fraction) * peak - at_risk
    text = (
        f"at most {shown(fraction)} below the peak {shown(peak)}, equity {shown(case.equity)}, {shown(at_risk)} at risk"
    )
    return within("drawdown", case, room, case.risk_per_unit, text)


def risk_per_trade(case: Case) -> Ceiling:
    """A trade risks at most ``risk.risk_per_trade`` of equity, and never more than the hard cap."""
    risk = case.policy.risk
    fraction = min(risk.risk_per_trade, risk.risk_per_trade_cap)
    text = f"a trade risks at most {shown(fraction)} of equity {shown(case.equity)}"
    return within("risk_per_trade", case, fraction * case.equity, case.risk_per_unit, text)


def bot_budget(case: Case) -> Ceiling:
    """A trade fits into what remains of its bot's share of the day's risk."""
    bot, ledger = case.bot, case.snapshot.ledger
    at_risk = case.standing.risk_by_bot.get(bot.id, ZERO)
    if at_risk is None:
        return nothing("bot_budget", _UNBOUNDED)
    room = budgets.room(bot, case.policy, ledger, at_risk)
    text = f"the share of {bot.id} in the day's risk, {shown(at_risk)} of it at risk"
    return within("bot_budget", case, room, case.risk_per_unit, text)


def option_loss(case: Case) -> Ceiling:
    """What is bought or sold in contracts can lose at most ``risk.option_loss`` of equity, and always has a bound.

    Worked out from the legs and the limit; the case's own figure counts when it is higher.
    """
    intent, fraction = case.intent, case.policy.risk.option_loss
    if intent.legs:
        lost = None if intent.limit is None else most_lost_of(intent.legs, intent.limit * intent.side.sign)
    elif asset_class_of(intent.symbol) is not AssetClass.OPTION:
        return everything("option_loss", case, f"{intent.symbol} is no contract")
    else:
        lost = case.unit_cost if intent.side is Side.BUY else None
    if lost is None:
        return nothing("option_loss", f"nothing bounds what {intent.symbol} can lose here")
    per_unit = max(lost, case.risk_per_unit)
    text = f"contracts lose at most {shown(fraction)} of equity {shown(case.equity)}"
    return within("option_loss", case, fraction * case.equity, per_unit, text)
