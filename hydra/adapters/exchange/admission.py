"""Whether the venue takes an order: one table of checks, each with a reason that carries the numbers.

Pure. The first check that objects decides; an order that none objects to is taken. Orders of several legs have a table of
their own in ``spreads``.
"""

from __future__ import annotations

from collections.abc import Callable

from hydra.adapters.exchange import account_checks, order_checks
from hydra.adapters.exchange.facts import Facts
from hydra.adapters.exchange.model import AccountState
from hydra.adapters.exchange.terms import No, Rejection, Request, refuse


def refusal(request: Request, facts: Facts) -> Rejection | None:
    """Why the order is not taken; ``None`` when nothing but buying power can still stand in its way."""
    for check in _CHECKS:
        no = check(request, facts)
        if no is not None:
            return no
    return None


def blocked(account: AccountState) -> Rejection | None:
    """Why nothing may be ordered at all."""
    suspended = account.configuration.suspend_trade
    if not (account.account_blocked or account.trading_blocked or suspended) and account.status == "ACTIVE":
        return None
    reasons = (
        ("the account is blocked", account.account_blocked),
        ("trading is blocked", account.trading_blocked),
        ("new orders are suspended by the account's configuration (suspend_trade)", suspended),
        (f"the account is {account.status}, not ACTIVE", account.status != "ACTIVE"),
    )
    return Rejection(kind=No.ACCOUNT_BLOCKED, reason="; ".join([reason for reason, holds in reasons if holds]))


def _not_blocked(_request: Request, facts: Facts) -> Rejection | None:
    return blocked(facts.account)


def _tradable(request: Request, facts: Facts) -> Rejection | None:
    return refuse(facts.closed, No.NOT_TRADABLE, symbol=request.symbol) if facts.closed else None


_CHECKS: tuple[Callable[[Request, Facts], Rejection | None], ...] = (
    _not_blocked,
    _tradable,
    order_checks.kinds_fit,
    order_checks.prices_are_those_of_the_type,
    order_checks.class_is_whole,
    order_checks.group_is_plain,
    order_checks.extended_hours_fit,
    order_checks.size_fits,
    order_checks.prices_fit,
    order_checks.price_is_known,
    order_checks.worth_enough,
    order_checks.exits_fit,
    account_checks.intent_is_true,
    account_checks.level_allows,
    account_checks.may_short,
    account_checks.group_has_its_way,
    account_checks.owned,
    account_checks.one_direction,
    account_checks.no_wash_trade,
)
