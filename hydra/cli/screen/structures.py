"""Structures as people call them: what kind their legs make together, and their name on one line.

The kind follows from the legs alone, read from the lowest strike up (a put before a call on the same one): ``+`` is held, ``-`` is
owed. Legs of unequal size or of several expiries make none of the kinds below and are counted instead.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from hydra.model.market import OptionContract, Right
from hydra.model.money import plain
from hydra.model.orders import Leg, Order
from hydra.model.portfolio import Holding, Ledger
from hydra.model.structures import Structure, structures_of

_KINDS = {
    "+C": "long call",
    "-C": "short call",
    "+P": "long put",
    "-P": "cash-secured put",
    "+P-P": "bull put spread",
    "-P+P": "bear put spread",
    "+C-C": "bull call spread",
    "-C+C": "bear call spread",
    "+P+C": "long strangle",
    "+C+P": "long strangle",
    "-P-C": "short strangle",
    "-C-P": "short strangle",
    "+P-P-C+C": "iron condor",
    "-P+P+C-C": "reverse iron condor",
}
_ON_ONE_STRIKE = {"long strangle": "long straddle", "short strangle": "short straddle"}
_ON_ONE_STRIKE |= {"iron condor": "iron butterfly", "reverse iron condor": "reverse iron butterfly"}
"""What a kind is called when its middle two contracts share a strike."""

Sized = tuple[str, Decimal]
"""A contract, and how many of it: below zero when they are owed."""


def kind_of(legs: Iterable[Sized]) -> str:
    """What these contracts make together: ``iron condor``, or ``3 legs`` when that has no name here."""
    sized = [(OptionContract.parse(symbol), quantity) for symbol, quantity in legs]
    sized.sort(key=lambda each: (each[0].strike, each[0].right is Right.CALL))
    nameless = f"{len(sized)} legs"
    if len({abs(quantity) for _, quantity in sized}) != 1 or len({contract.expiry for contract, _ in sized}) != 1:
        return nameless
    signs = ("+" if quantity > 0 else "-" for _, quantity in sized)
    marks = "".join(f"{sign}{'C' if c.right is Right.CALL else 'P'}" for sign, (c, _) in zip(signs, sized, strict=True))
    kind = _KINDS.get(marks, nameless)
    middle = len(sized) // 2
    if len(sized) > 1 and sized[middle - 1][0].strike == sized[middle][0].strike:
        return _ON_ONE_STRIKE.get(kind, kind)
    return kind


def label_of(legs: Iterable[Sized]) -> str:
    """The kind with its strikes: ``iron condor 740/745/760/765``."""
    sized = tuple(legs)
    strikes = sorted({OptionContract.parse(symbol).strike for symbol, _ in sized})
    return f"{kind_of(sized)} {'/'.join(map(plain, strikes))}"


def name_of(structure: Structure) -> str:
    """What a structure is called: ``GOOG iron condor 740/745/760/765``."""
    return f"{structure.underlying} {label_of((leg.symbol, leg.quantity) for leg in structure.legs)}"


def ordered(order: Order) -> str:
    """What an order with legs opens or closes, without the underlying: ``iron condor 740/745/760/765``."""
    return label_of((leg.symbol, Decimal(_held(leg) * leg.ratio)) for leg in order.legs)


def parts_of(ledger: Ledger) -> tuple[tuple[Holding, ...], tuple[Structure, ...]]:
    """What is held one by one, and what is held as structures."""
    return tuple(held for held in ledger.holdings.values() if not held.structure), structures_of(ledger)


def _held(leg: Leg) -> int:
    """+1 for a contract that is held while the structure is, -1 for one that is owed."""
    return leg.side.sign if leg.opens else -leg.side.sign
