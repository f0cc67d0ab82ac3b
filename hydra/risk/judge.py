"""The risk algebra: the admitted size is the lowest ceiling, and whoever fails to answer has said zero.

    admitted = quantise(min(asked, ceiling_1, ..., ceiling_n)), zero below the venue's minimum

The minimum makes the order of rules irrelevant. Rounding to the venue's increment comes once, last, and only downwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from hydra.guard import ask_foreign, shown, told
from hydra.model.money import ZERO, plain, size_down
from hydra.model.orders import Ceiling, Judgement
from hydra.model.snapshot import Failure
from hydra.risk.plugs import Case, Rule


def judge(case: Case, rules: Mapping[str, Rule]) -> Judgement:
    """What the rule book makes of one intent. An empty book admits nothing."""
    ceilings = tuple(_ceiling(name, rule, case) for name, rule in rules.items())
    if not ceilings:
        return Judgement(intent=case.intent, asked=case.asked, admitted=ZERO, reason="the rule book is empty")
    lowest = min(ceilings, key=lambda ceiling: ceiling.quantity)
    admitted, reason = _as_the_venue_trades(case, min(case.asked, lowest.quantity))
    if admitted < case.asked and lowest.quantity < case.asked:
        beside = f"; {reason}" if reason and lowest.quantity > 0 else ""
        reason = f"{lowest.rule}: {lowest.reason}{beside}"
    return Judgement(intent=case.intent, asked=case.asked, admitted=admitted, ceilings=ceilings, reason=reason)


def _ceiling(name: str, rule: Rule, case: Case) -> Ceiling:
    answer = ask_foreign(name, rule, case)
    if type(answer) is Failure:
        return Ceiling(rule=name, quantity=ZERO, reason=f"the rule failed: {answer.kind}: {answer.reason}")
    if type(answer) is not Ceiling or type(answer.reason) is not str or not _is_a_size(answer.quantity):
        return Ceiling(rule=name, quantity=ZERO, reason=f"the rule answered with {shown(answer)}, not with a ceiling")
    reason = told(answer.reason)
    return answer if reason == answer.reason else Ceiling(rule=name, quantity=answer.quantity, reason=reason)


def _is_a_size(quantity: object) -> bool:
    return type(quantity) is Decimal and quantity.is_finite() and quantity >= 0


def _as_the_venue_trades(case: Case, quantity: Decimal) -> tuple[Decimal, str]:
    instrument = case.instrument
    rounded = size_down(quantity, instrument.quantity_increment)
    if rounded < instrument.minimum_quantity:
        return ZERO, f"{plain(rounded)} is below the venue's minimum of {plain(instrument.minimum_quantity)}"
    notional = rounded * case.unit_cost
    if notional < instrument.minimum_notional:
        return ZERO, f"{plain(notional)} dollars is below the venue's minimum of {plain(instrument.minimum_notional)}"
    return rounded, ""
