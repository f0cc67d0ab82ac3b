"""Exposure: how many dollars an order, a symbol, a group, a direction and everything together may have.

Exposure is counted at cost: shares and pairs at price times quantity, a structure of contracts at the most it can lose,
under its underlying. What is under way counts in full, whether it fills or not, so a limit holds whatever fills first.
"""

from __future__ import annotations

from decimal import Decimal

from hydra.model.money import ONE, ZERO
from hydra.model.orders import Ceiling, Side
from hydra.risk.plugs import Case
from hydra.risk.rules.answers import everything, nothing, shown, within
from hydra.risk.standing import underlying_of

_UNBOUNDED = "something that is open has no bound to its loss"


def order_notional(case: Case) -> Ceiling:
    """No order is larger than ``risk.order_notional`` dollars."""
    limit = case.policy.risk.order_notional
    return within("order_notional", case, limit, case.unit_cost, f"an order is at most {shown(limit)} dollars")


def symbol_exposure(case: Case) -> Ceiling:
    """No symbol, contracts on it included, is more than ``risk.symbol_exposure`` of equity."""
    fraction, symbol = case.policy.risk.symbol_exposure, underlying_of(case.intent.symbol)
    used = case.standing.notional_by_symbol.get(symbol, ZERO)
    text = f"{symbol} is at most {shown(fraction)} of equity {shown(case.equity)}, {shown(used)} in use"
    return within("symbol_exposure", case, fraction * case.equity - used, case.unit_cost, text)


def gross_exposure(case: Case) -> Ceiling:
    """Longs, shorts and structures together are at most ``risk.gross_exposure`` of equity; above all of it only on margin."""
    risk, used = case.policy.risk, case.standing.gross
    if case.standing.risk is None:
        return nothing("gross_exposure", _UNBOUNDED)
    fraction = risk.gross_exposure if risk.margin else min(risk.gross_exposure, ONE)
    text = f"all symbols are at most {shown(fraction)} of equity {shown(case.equity)}, {shown(used)} in use"
    return within("gross_exposure", case, fraction * case.equity - used, case.unit_cost, text)


def net_exposure(case: Case) -> Ceiling:
    """Longs less shorts are at most ``risk.net_exposure`` of equity, either way.

    An order under way on the other side is no relief before it has filled. Structures have no direction: they can lose on
    both sides, and ``gross_exposure`` counts them.
    """
    if case.intent.legs:
        return everything("net_exposure", case, "a structure has no direction")
    fraction, standing = case.policy.risk.net_exposure, case.standing
    if case.intent.side is Side.BUY:
        way, used = "long", standing.net + standing.selling
    else:
        way, used = "short", standing.buying - standing.net
    text = f"at most {shown(fraction)} of equity {shown(case.equity)} net {way}, {shown(used)} in use"
    return within("net_exposure", case, fraction * case.equity - used, case.unit_cost, text)


def group_exposure(case: Case) -> Ceiling:
    """Symbols that move together (``risk.groups``) are at most ``risk.group_exposure`` of equity, long and short added up."""
    symbol, fraction = underlying_of(case.intent.symbol), case.policy.risk.group_exposure
    by_symbol = case.standing.notional_by_symbol
    used = {
        name: sum((by_symbol.get(member, ZERO) for member in set(map(underlying_of, members))), ZERO)
        for name, members in case.policy.risk.groups.items()
        if symbol in map(underlying_of, members)
    }
    if not used:
        return everything("group_exposure", case, f"{symbol} is in no group")
    fullest: tuple[str, Decimal] = max(used.items(), key=lambda one: one[1])
    text = f"the group {fullest[0]} is at most {shown(fraction)} of equity {shown(case.equity)}, {shown(fullest[1])} in use"
    return within("group_exposure", case, fraction * case.equity - fullest[1], case.unit_cost, text)
