"""The first rules of the book. Each answers one entry with a ceiling: a quantity and why, never above the ask.

A rule states a limit in dollars or in counts; ``_within`` turns dollars into units. Rules do not round: the venue's
increments come once, last, in ``judge``.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from hydra.model.market import multiplier_of
from hydra.model.money import ONE, ZERO, plain
from hydra.model.orders import Ceiling, Order, Purpose
from hydra.risk import budgets
from hydra.risk.plugs import Case

_CENT = Decimal("0.01")


def _within(rule: str, case: Case, room: Decimal, per_unit: Decimal, limit: str) -> Ceiling:
    """At most ``room`` dollars at ``per_unit`` dollars a unit."""
    room = max(ZERO, room)
    quantity = min(case.asked, room / per_unit)
    return Ceiling(rule=rule, quantity=quantity, reason=f"{limit}; {plain(room.quantize(_CENT))} dollars left")


def _all_or_nothing(rule: str, case: Case, allowed: bool, reason: str) -> Ceiling:
    return Ceiling(rule=rule, quantity=case.asked if allowed else ZERO, reason=reason)


def _working_entries(case: Case) -> list[Order]:
    return [o for o in case.snapshot.ledger.orders.values() if o.purpose is Purpose.ENTRY and not o.status.terminal]


def _entry_notional(order: Order) -> Decimal:
    price = order.limit if order.limit is not None else order.reference
    return order.remaining * (price or ZERO) * multiplier_of(order.symbol)


def _exposure(case: Case, symbol: str | None) -> Decimal:
    """Dollars held and under way, in one symbol or in all, at cost."""
    ledger, reserved = case.snapshot.ledger, case.reserved
    held = sum(
        (
            abs(h.quantity) * h.average_price * multiplier_of(h.symbol)
            for h in ledger.holdings.values()
            if symbol in (None, h.symbol)
        ),
        ZERO,
    )
    under_way = sum((_entry_notional(o) for o in _working_entries(case) if symbol in (None, o.symbol)), ZERO)
    now = reserved.notional if symbol is None else reserved.notional_by_symbol.get(symbol, ZERO)
    return held + under_way + now


def order_notional(case: Case) -> Ceiling:
    """No order is larger than ``risk.order_notional`` dollars."""
    limit = case.policy.risk.order_notional
    return _within("order_notional", case, limit, case.unit_cost, f"an order is at most {plain(limit)} dollars")


def symbol_exposure(case: Case) -> Ceiling:
    """No symbol is more than ``risk.symbol_exposure`` of equity."""
    fraction = case.policy.risk.symbol_exposure
    used = _exposure(case, case.intent.symbol)
    text = f"{case.intent.symbol} is at most {plain(fraction)} of equity {plain(case.equity)}, {plain(used)} in use"
    return _within("symbol_exposure", case, fraction * case.equity - used, case.unit_cost, text)


def total_exposure(case: Case) -> Ceiling:
    """All holdings together are at most ``risk.total_exposure`` of equity."""
    fraction = case.policy.risk.total_exposure
    used = _exposure(case, None)
    text = f"all symbols are at most {plain(fraction)} of equity {plain(case.equity)}, {plain(used)} in use"
    return _within("total_exposure", case, fraction * case.equity - used, case.unit_cost, text)


def buying_power(case: Case) -> Ceiling:
    """An entry fits into the venue's buying power and leaves ``risk.cash_reserve`` of equity in cash."""
    account = case.snapshot.sight.account
    if account is None:
        return Ceiling(rule="buying_power", quantity=ZERO, reason="the account is unknown")
    reserve = case.policy.risk.cash_reserve * case.equity
    under_way = sum((_entry_notional(o) for o in _working_entries(case)), ZERO)
    room = min(account.buying_power, account.cash - reserve - under_way) - case.reserved.cash
    text = f"buying power {plain(account.buying_power)}, cash {plain(account.cash)} less reserve {plain(reserve)}"
    return _within("buying_power", case, room, case.unit_cost, text)


def order_rate(case: Case) -> Ceiling:
    """No more than ``risk.orders_per_minute`` orders in sixty seconds."""
    since = case.snapshot.at - timedelta(seconds=60)
    sent = sum(1 for at in case.snapshot.ledger.sent_at if since < at <= case.snapshot.at) + case.reserved.orders
    limit = case.policy.risk.orders_per_minute
    return _all_or_nothing("order_rate", case, sent < limit, f"{sent} orders in 60 s, at most {limit}")


def daily_loss(case: Case) -> Ceiling:
    """What may still be lost today bounds what may be put at risk."""
    ledger, sessions = case.snapshot.ledger, case.snapshot.sight.sessions
    if ledger.day is None or sessions is None or ledger.day.date != sessions.day:
        return Ceiling(rule="daily_loss", quantity=ZERO, reason="the equity at the start of the day is unknown")
    start, fraction = ledger.day.start_equity, case.policy.risk.daily_loss
    room = fraction * start - (start - case.equity) - budgets.open_risk(ledger) - case.reserved.risk
    text = f"{plain(fraction)} of {plain(start)} may be lost today, equity is {plain(case.equity)}"
    return _within("daily_loss", case, min(room, fraction * start), case.risk_per_unit, text)


def drawdown(case: Case) -> Ceiling:
    """What is left of the drawdown from the peak bounds what may be put at risk."""
    peak, fraction = case.snapshot.ledger.peak_equity, case.policy.risk.drawdown
    room = case.equity - (ONE - fraction) * peak - budgets.open_risk(case.snapshot.ledger) - case.reserved.risk
    text = f"at most {plain(fraction)} below the peak {plain(peak)}, equity is {plain(case.equity)}"
    return _within("drawdown", case, room, case.risk_per_unit, text)


def risk_per_trade(case: Case) -> Ceiling:
    """A trade risks at most ``risk.risk_per_trade`` of equity, and never more than the hard cap."""
    risk = case.policy.risk
    fraction = min(risk.risk_per_trade, risk.risk_per_trade_cap)
    text = f"a trade risks at most {plain(fraction)} of equity {plain(case.equity)}"
    return _within("risk_per_trade", case, fraction * case.equity, case.risk_per_unit, text)


def bot_budget(case: Case) -> Ceiling:
    """A trade fits into what remains of its bot's share of the day's risk."""
    left = budgets.remaining(case.bot, case.policy, case.snapshot.ledger)
    room = left - case.reserved.risk_by_bot.get(case.bot.id, ZERO)
    return _within("bot_budget", case, room, case.risk_per_unit, f"share of the day's risk of {case.bot.id}")


def trades_per_day(case: Case) -> Ceiling:
    """A bot opens at most ``trades_per_day`` trades on an exchange day."""
    made = case.snapshot.ledger.bot(case.bot.id).trades_today + case.reserved.entries_by_bot.get(case.bot.id, 0)
    limit = case.bot.trades_per_day
    return _all_or_nothing("trades_per_day", case, made < limit, f"{made} trades today, at most {limit}")


def concurrent_positions(case: Case) -> Ceiling:
    """A bot holds at most ``positions`` symbols at once, entries under way included, and each symbol once."""
    ledger, bot = case.snapshot.ledger, case.bot.id
    held = {h.symbol for h in ledger.holdings.values() if h.bot == bot}
    held |= {o.symbol for o in _working_entries(case) if o.bot == bot}
    count, limit = len(held) + case.reserved.entries_by_bot.get(bot, 0), case.bot.positions
    allowed = case.intent.symbol not in held and count < limit
    return _all_or_nothing(
        "concurrent_positions", case, allowed, f"{count} positions open or under way, at most {limit}"
    )
