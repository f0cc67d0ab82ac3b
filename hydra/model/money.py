"""Money and sizes are ``Decimal``, and are rounded in one place: here, to a venue's increment.

Sizes are always rounded towards zero: rounding may only shrink risk. Prices are rounded to the nearest increment unless
the caller names the side that must not be crossed.
"""

from __future__ import annotations

from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_UP, Decimal
from typing import Literal

from hydra.model.errors import Invalid

ZERO = Decimal(0)
ONE = Decimal(1)

Rounding = Literal["nearest", "down", "up"]
_MODES = {"nearest": ROUND_HALF_EVEN, "down": ROUND_DOWN, "up": ROUND_UP}


def to_increment(number: Decimal, increment: Decimal, rounding: Rounding = "nearest") -> Decimal:
    """``number`` as a whole multiple of ``increment`` (which must be above zero)."""
    if increment <= 0:
        raise Invalid(f"increment must be above 0, got {increment}")
    steps = (number / increment).to_integral_value(rounding=_MODES[rounding])
    return (steps * increment).quantize(increment) if increment < 1 else steps * increment


def size_down(quantity: Decimal, increment: Decimal) -> Decimal:
    """A size rounded towards zero to the venue's increment: never more than was asked."""
    return to_increment(quantity, increment, "down")


def exact(number: float | int | str) -> Decimal:
    """The decimal a person would write for this number (``0.1`` is one tenth, not its binary neighbour)."""
    result = Decimal(str(number))
    if not result.is_finite():
        raise Invalid(f"a number must be finite, got {number!r}")
    return result


def plain(number: Decimal) -> str:
    """``number`` without exponent or trailing zeros, for people and for reasons."""
    text = str(number)  # several times as fast as formatting, and alike as long as it has no exponent
    if "E" in text:
        text = f"{number:f}"
    if text[-1] != "0":
        return text
    return text.rstrip("0").rstrip(".") if "." in text else text
