"""How a rule answers: dollars that are left, all or nothing, or nothing.

Every answer is clipped to what was asked, so no arithmetic of a rule can raise a size. Divisions round down: what a rule
admits never costs more than the room it found.
"""

from __future__ import annotations

from decimal import ROUND_FLOOR, Context, Decimal

from hydra.model.money import ZERO, plain
from hydra.model.orders import Ceiling
from hydra.risk.plugs import Case

_DOWN = Context(prec=28, rounding=ROUND_FLOOR)
_SHOWN = Context(prec=12)


def within(rule: str, case: Case, room: Decimal, per_unit: Decimal, limit: str) -> Ceiling:
    """At most ``room`` dollars, at ``per_unit`` dollars a unit; ``limit`` says where the room comes from."""
    if per_unit <= 0:
        return nothing(rule, f"{limit}; a unit at {plain(per_unit)} dollars cannot be counted")
    room = max(ZERO, room)
    quantity = min(case.asked, _DOWN.divide(room, per_unit))
    return Ceiling(
        rule=rule, quantity=quantity, reason=f"{limit}; {shown(room)} dollars left at {shown(per_unit)} a unit"
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


def shown(number: Decimal) -> str:
    """A number for a reason: as it is, but no longer than a person reads."""
    return plain(_SHOWN.plus(number))
