"""The risk algebra: the admitted size is the lowest ceiling, and whoever fails to answer has said zero.

    admitted = quantise(min(asked, ceiling_1, ..., ceiling_n)), zero below the venue's minimum

The minimum makes the order of rules irrelevant. Rounding to the venue's increment comes once, last, and only downwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from operator import attrgetter

from hydra.guard import ask_all, shown, told
from hydra.model.money import ZERO, plain, size_down
from hydra.model.orders import Ceiling, Intent, Judgement
from hydra.model.snapshot import Failure
from hydra.risk.plugs import Case, Rule

_quantity = attrgetter("quantity")


def judge(case: Case, rules: Mapping[str, Rule], wished: Intent | None = None) -> Judgement:
    """What the rule book makes of one intent. An empty book admits nothing. ``wished`` is the intent as the bot had it, where that is
    another than the case's: the judgement is about it."""
    intent = case.intent if wished is None else wished
    if not rules:
        return Judgement(intent=intent, asked=case.asked, admitted=ZERO, reason="the rule book is empty")
    asked = case.asked
    ceilings = tuple(map(_ceiling, rules, ask_all(rules.items(), case)))
    lowest = min(ceilings, key=_quantity)
    admitted, reason = _as_the_venue_trades(case, min(asked, lowest.quantity))
    if admitted < asked and lowest.quantity < asked:
        beside = f"; {reason}" if reason and lowest.quantity > 0 else ""
        reason = f"{lowest.rule}: {lowest.reason}{beside}"
    return Judgement(intent=intent, asked=asked, admitted=admitted, ceilings=ceilings, reason=reason)


def _ceiling(name: str, answer: object) -> Ceiling:
    """A rule's answer, if it is one: a rule is foreign code, and could have forged it."""
    if type(answer) is Ceiling:
        quantity, reason = answer.quantity, answer.reason
        if type(reason) is str and type(quantity) is Decimal and quantity.is_finite() and quantity >= ZERO:
            fit = told(reason)
            return answer if fit == reason else Ceiling(rule=name, quantity=quantity, reason=fit)
    if type(answer) is Failure:
        return Ceiling(rule=name, quantity=ZERO, reason=f"the rule failed: {answer.kind}: {answer.reason}")
    return Ceiling(rule=name, quantity=ZERO, reason=f"the rule answered with {shown(answer)}, not with a ceiling")


def _as_the_venue_trades(case: Case, quantity: Decimal) -> tuple[Decimal, str]:
    instrument = case.instrument
    rounded = size_down(quantity, instrument.quantity_increment)
    if rounded < instrument.minimum_quantity:
        return ZERO, f"{plain(rounded)} is below the venue's minimum of {plain(instrument.minimum_quantity)}"
    notional = rounded * case.unit_cost
    if notional < instrument.minimum_notional:
        return ZERO, f"{plain(notional)} dollars is below the venue's minimum of {plain(instrument.minimum_notional)}"
    return rounded, ""
