"""A residual in plain words: what differs, with numbers, what may have caused it, what to do, and what accepting would do.

There is a line for every difference that ``hydra.risk.reconcile`` finds, and for nothing else. ``acceptable`` says whether `hydra doctor --accept-foreign` is an answer:
it is for what is not Hydra's, and for holdings that the venue no longer has, which it writes off.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

from hydra.model.market import AssetClass, asset_class_of
from hydra.model.money import ZERO, plain
from hydra.model.portfolio import Ledger
from hydra.model.snapshot import Sight
from hydra.model.values import Value, replace
from hydra.qc.check import CheckResult, Status
from hydra.risk.reconcile import Difference, Subject, differences

ACCEPT = "`hydra doctor --accept-foreign`"
_OUR_IDS = "hy-"
_GATE = "ledger_agrees"


class Explanation(Value, frozen=True, kw_only=True):
    """One difference. ``name`` is short and unique in a list, ``acceptable`` whether accepting it is an answer."""

    name: str
    what: str
    cause: str
    remedy: str
    acceptable: bool

    @property
    def reason(self) -> str:
        """What and why, in one line."""
        return f"{self.what}. May be: {self.cause}"


def explain(ledger: Ledger, sight: Sight, cash_tolerance: Decimal) -> tuple[Explanation, ...]:
    """A line for every residual; empty when there is none."""
    return tuple(_WORDS[one.subject](one, ledger, sight) for one in differences(ledger, sight, cash_tolerance))


def explained(results: tuple[CheckResult, ...], explanations: tuple[Explanation, ...]) -> tuple[CheckResult, ...]:
    """A list of answers in which the one of the gate is followed by a line for each difference."""
    if not explanations:
        return results
    lines = tuple(
        CheckResult(name=one.name, status=Status.FAIL, reason=one.reason, ms=0.0, remedy=one.remedy)
        for one in explanations
    )
    told: list[CheckResult] = []
    for result in results:
        if result.name != _GATE:
            told.append(result)
            continue
        count = len(explanations)
        text = f"ledger and venue differ in {count} thing{'' if count == 1 else 's'}, explained below"
        told += [replace(result, status=Status.FAIL, reason=text, remedy=""), *lines]
    return tuple(told)


def _unknown(found: Difference, ledger: Ledger, _sight: Sight) -> Explanation:
    if ledger.cash is None and "ledger" in found.text:
        cause, remedy = "Hydra has not looked at this account yet", "`hydra qc`: it takes the account as it finds it"
    else:
        cause, remedy = "the venue did not answer", "check the network and the venue's status, then `hydra doctor`"
    return Explanation(name="unknown", what=found.text, cause=cause, remedy=remedy, acceptable=False)


def _position(found: Difference, ledger: Ledger, _sight: Sight) -> Explanation:
    symbol, there = found.name, found.theirs
    held = {one.bot: one.quantity for one in ledger.holdings.values() if one.symbol == symbol}
    foreign, total = ledger.foreign.get(symbol, ZERO), sum(held.values(), ZERO)
    difference = there - found.ours
    parts = [f"{bot} {plain(quantity)}" for bot, quantity in held.items()]
    if foreign or not parts:
        parts.append(f"not Hydra's {plain(foreign)}")
    direction = "more" if difference > 0 else "less"
    what = (
        f"{symbol}: the venue holds {plain(there)}, known are {plain(found.ours)} ({', '.join(parts)}): "
        f"{plain(abs(difference))} {direction}"
    )
    return Explanation(
        name=f"position {symbol}",
        what=what,
        cause=_why_position(symbol, difference, ours=bool(held)),
        remedy=_mend_position(total, there, difference),
        acceptable=True,
    )


def _why_position(symbol: str, difference: Decimal, *, ours: bool) -> str:
    causes = [f"somebody {'bought' if difference > 0 else 'sold'} in this account beside Hydra"]
    if ours:
        causes.append("an execution that the venue has not told of yet")
    match asset_class_of(symbol):
        case AssetClass.OPTION:
            causes.append("expiry, exercise or assignment")
        case AssetClass.CRYPTO:
            causes.append("a fee taken in coin" if difference < 0 else "coin sent to the account")
        case AssetClass.EQUITY:
            causes.append("a split, a transfer, or an option that was exercised or assigned")
    return ", ".join(causes)


def _mend_position(total: Decimal, there: Decimal, difference: Decimal) -> str:
    """What accepting means here: what is beyond the bots' own becomes foreign, what they miss is written off."""
    missing = abs(total) - min(abs(total), max(ZERO, there if total > 0 else -there))
    undo = f"{'sell' if difference > 0 else 'buy back'} {plain(abs(difference))} at the venue"
    if missing:
        return (
            f"wait for the execution, or {undo}; {ACCEPT} would write {plain(missing)} of the bots' holdings off "
            f"(their profit or loss stays unknown)"
        )
    return f"{undo}, or {ACCEPT}: {plain(there - total)} then count as not Hydra's, and are never touched"


def _strange_order(found: Difference, _ledger: Ledger, sight: Sight) -> Explanation:
    order = next(order for order in sight.open_orders or () if order.client_id == found.name)
    at = f" at {plain(order.limit or order.stop or ZERO)}" if order.limit or order.stop else ""
    text = f"{order.side} {plain(order.quantity)} {order.symbol}{at}, {order.status}"
    if order.client_id.startswith(_OUR_IDS):
        cause = "a Hydra with another state folder trades this account, or this one has lost its journal"
    else:
        cause = "somebody placed it by hand or with another program"
    return Explanation(
        name=f"order {order.client_id or order.venue_id}",
        what=f"{order.client_id or order.venue_id}: open at the venue ({text}) and not Hydra's",
        cause=cause,
        remedy=f"cancel it at the venue, or {ACCEPT}: it is then left alone; what it fills becomes a difference again",
        acceptable=True,
    )


def _lost_order(found: Difference, ledger: Ledger, _sight: Sight) -> Explanation:
    order = ledger.orders[found.name]
    text = f"{order.purpose} of {order.bot}, {order.side} {plain(order.remaining)} {order.symbol}"
    return Explanation(
        name=f"order {order.client_id}",
        what=f"{order.client_id}: {order.status} here ({text}) and not open at the venue",
        cause="it was filled or cancelled a moment ago, or the venue's list of open orders is behind",
        remedy="nothing: Hydra asks for it by its id at every look; accepting changes nothing about it",
        acceptable=False,
    )


def _cash(found: Difference, _ledger: Ledger, _sight: Sight) -> Explanation:
    return Explanation(
        name="cash",
        what=found.text,
        cause="a deposit or withdrawal, a fee, a dividend or interest that the venue has not told of yet, or trades "
        "beside Hydra",
        remedy=f"find it in the account's activities; if it is not Hydra's, {ACCEPT} takes the cash as it is now",
        acceptable=True,
    )


_WORDS: Mapping[Subject, Callable[[Difference, Ledger, Sight], Explanation]] = {
    Subject.UNKNOWN: _unknown,
    Subject.POSITION: _position,
    Subject.FOREIGN_ORDER: _strange_order,
    Subject.ORDER_GONE: _lost_order,
    Subject.CASH: _cash,
}
