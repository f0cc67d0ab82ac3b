"""Dollars that came or went beside trading, so that what was traded and what the account holds agree to the cent.

    standing  = cash + cost of what is held - what the bots have realised after fees

Trading does not change it: a purchase turns cash into cost, a sale turns cost into cash and profit, and a fee leaves both sides. So
whatever does change it is something else, and is told by its kind:

    transfer    paid in or out by the owner                     no return
    accepted    what an operator took as the baseline           no return
    dividend, interest, option (an expiry's or an exercise's cash), split (cash for fractions), other
    fee         fees that no bot's sale was waiting for
    stranger    executions of orders that are not Hydra's, or that no holding stands for
    unexplained the rest: it is zero, or the journal does not tell everything
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from hydra.model.activities import Activity, ActivityKind
from hydra.model.market import multiplier_of
from hydra.model.money import ZERO
from hydra.model.portfolio import Ledger

TRANSFER, ACCEPTED, FEE, SPLIT, STRANGER = "transfer", "accepted", "fee", "split", "stranger"
NO_RETURN = frozenset({TRANSFER, ACCEPTED})
"""Money of the owner: it changes the equity, and nobody earned it."""
_K = ActivityKind
_FEES = frozenset({_K.FEE, _K.COIN_FEE})
_AS_TOLD = {
    _K.TRANSFER: TRANSFER,
    _K.DIVIDEND: "dividend",
    _K.INTEREST: "interest",
    _K.OPTION: "option",
    _K.OTHER: "other",
    _K.RENAME: "other",
}
DUST = Decimal("0.000001")
"""Average prices are rounded to 28 digits: what that leaves of nothing."""


def standing(ledger: Ledger) -> Decimal:
    """Cash and cost, less what the bots have realised after fees, in dollars."""
    return (ledger.cash or ZERO) + cost(ledger) - realized(ledger)


def cost(ledger: Ledger) -> Decimal:
    """Dollars that what the bots hold was bought for; below zero for what is owed."""
    held = ledger.holdings.values()
    return sum((one.quantity * one.average_price * multiplier_of(one.symbol) for one in held), ZERO)


def realized(ledger: Ledger) -> Decimal:
    """Dollars that all bots have realised, after fees."""
    return sum((record.realized for record in ledger.bots.values()), ZERO)


def explain(before: Ledger, after: Ledger, activities: tuple[Activity, ...]) -> Mapping[str, Decimal]:
    """What fills and activities between two ledgers changed beside trading, by kind."""
    changed = standing(after) - standing(before)
    told: dict[str, Decimal] = {}
    for activity in activities:
        kind = _AS_TOLD.get(activity.kind)
        if kind is not None and activity.amount:
            told[kind] = told.get(kind, ZERO) + activity.amount
    rest = changed - sum(told.values(), ZERO)
    if abs(rest) < DUST:
        return told
    strange = _strangers(after)
    if strange:
        told[STRANGER] = strange
        rest -= strange
    if abs(rest) < DUST:
        return told
    kinds = {activity.kind for activity in activities}
    kind = FEE if kinds & _FEES else SPLIT if _K.SPLIT in kinds else STRANGER
    told[kind] = told.get(kind, ZERO) + rest
    return told


def _strangers(ledger: Ledger) -> Decimal:
    """Cash of the executions that no order of ours stands for."""
    return sum(
        (
            -fill.side.sign * fill.quantity * fill.price * multiplier_of(fill.symbol) - fill.fee
            for fill in ledger.fills
            if fill.client_id not in ledger.orders
        ),
        ZERO,
    )
