"""How a rule answers: dollars that are left, all or nothing, or nothing.

Every answer is clipped to what was asked, so no arithmetic of a rule can raise a size. Divisions round down: what a rule
admits never costs more than the room it found.
"""

from __future__ import annotations

from decimal import ROUND_FLOOR, Context, Decimal
from functools import lru_cache

from hydra.model.money import ZERO, plain
from hydra.model.orders import Ceiling
from hydra.risk.plugs import Case

_divide_down = Context(prec=28, rounding=ROUND_FLOOR).divide
_rounded = Context(prec=12).plus


def within(rule: str, case: Case, room: Decimal, per_unit: Decimal, limit: str) -> Ceiling:
    """At most ``room`` dollars, at ``per_unit`` dollars a unit; ``limit`` says where the room comes from."""
    if per_unit <= 0:
        return nothing(rule, f"{limit}; a unit at {plain(per_unit)} dollars cannot be counted")
    if not room > ZERO:
        room = ZERO
    asked, quantity = case.asked, _divide_down(room, per_unit)
    return Ceiling(
        rule=rule,
        quantity=min(asked, quantity),
        reason=f"{limit}; {shown(room)} dollars left at {shown(per_unit)} a unit",
    )


def all_or_nothing(rule: str, case: Case, allowed: bool, reason: str) -> Ceiling:
    """The whole ask, or none of it."""
    return Ceiling(rule=rule, quantity=case.asked if allowed else ZERO, reason=reason)


def everything(rule: str, case: Case, reason: str) -> Ceiling:
    """The whole ask: the rule has nothing to say here."""
    return Ceiling(rule=rule, quantity=case.asked, reason=reason)


def nothing(rule: str, reason: str) -> Ceiling:
    """None of it."""
    return Ceiling(rule=rule, quantity=ZERO, reason=reason)


@lru_cache(maxsize=4096)
def shown(number: Decimal) -> str:
    """A number for a reason: as it is, but no longer than a person reads.

    The limits, the equity and the price stand in the reasons of many rules. Equal numbers have equal texts, however they are written.
    """
    return plain(_rounded(number))
