"""Cash: what an entry may bind, and whether it may be borrowed.

    set aside   what is under way, the pay-out that held credit structures may come to, and what a short has brought in and
                may lose (``Standing.cash``): it lies in the account and is not ours to spend
    own cash    the account's cash, less what is set aside

What the venue calls buying power knows all that was open when it was read, so only what this cycle has admitted since is
taken off it. Without ``risk.margin`` only own cash is spent, and never on margin for what no venue lends on: pairs and
contracts.
"""

from __future__ import annotations

from decimal import Decimal

from hydra.model.market import AssetClass, asset_class_of
from hydra.model.money import ZERO
from hydra.model.orders import Ceiling
from hydra.model.portfolio import Account
from hydra.risk.plugs import Case
from hydra.risk.rules.answers import everything, nothing, shown, within

_UNKNOWN = "the account is unknown"
_UNBOUNDED = "something that is open has no bound to its loss: what it needs in cash is unknown"


def buying_power(case: Case) -> Ceiling:
    """An entry fits into the venue's buying power and into own cash, and leaves ``risk.cash_reserve`` of equity unspent."""
    account = account_of(case)
    if account is None or case.standing.risk is None:
        return nothing("buying_power", _UNKNOWN if account is None else _UNBOUNDED)
    reserve = case.policy.risk.cash_reserve * max(ZERO, case.equity)
    power = account.buying_power - case.standing.new_cash
    text = f"buying power {shown(power)}"
    if may_borrow(case):
        room = power - reserve
    else:
        own = _own_cash(case, account)
        room = min(power, own - reserve)
        text += f", own cash {shown(own)} of {shown(account.cash)}"
    return within("buying_power", case, room, case.unit_cost, f"{text}, less a reserve of {shown(reserve)}")


def margin_permission(case: Case) -> Ceiling:
    """Nothing is bought with borrowed money, unless ``risk.margin`` says so and a venue lends on it."""
    if may_borrow(case):
        return everything("margin_permission", case, "risk.margin allows to borrow")
    account = account_of(case)
    if account is None or case.standing.risk is None:
        return nothing("margin_permission", _UNKNOWN if account is None else _UNBOUNDED)
    room = _own_cash(case, account)
    text = f"nothing is borrowed: cash {shown(account.cash)}, {shown(case.standing.cash)} of it set aside"
    return within("margin_permission", case, room, case.unit_cost, text)


def account_of(case: Case) -> Account | None:
    """The account, if it was read in this cycle or is known to be unchanged."""
    sight = case.snapshot.sight
    return None if "account" in sight.missing else sight.account


def may_borrow(case: Case) -> bool:
    """Whether the entry may be paid for on margin: shares only, and only when the policy says so."""
    shares = not case.intent.legs and asset_class_of(case.intent.symbol) is AssetClass.EQUITY
    return case.policy.risk.margin and shares


def _own_cash(case: Case, account: Account) -> Decimal:
    return account.cash - case.standing.cash
