"""What every value is: frozen, slotted, keyword-only, checked on construction, and its own wire format.

A ``Value`` is a msgspec struct. Encoding gives JSON with decimals as strings and times in RFC 3339; decoding checks every
type, refuses unknown fields by name, and runs the same ``__post_init__`` invariants as the constructor, so a value that
exists is a value that holds. Fields at their default are left out of the JSON.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from hydra.model.errors import Invalid

_ZERO_OFFSET = timedelta(0)
_ZERO = Decimal(0)
T = TypeVar("T")


class Value(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """Base of all values. Subclasses must repeat ``frozen=True, kw_only=True`` (msgspec does not inherit kw_only).

    The collector of cycles does not follow values: one that does not change is made of what was there before it, so it is in none.
    One with a ``__dict__`` (for a ``cached_property``) has to say ``gc=True`` beside ``dict=True``.
    """


def finite(name: str, number: Any) -> None:
    """Refuse what is not a finite ``Decimal``, by name."""
    if type(number) is not Decimal:
        raise Invalid(f"{name} must be a Decimal, got {type(number).__name__} {number!r}")
    if not number.is_finite():
        raise Invalid(f"{name} must be finite, got {number}")


def positive(name: str, number: Any) -> None:
    """Refuse what is not a finite ``Decimal`` above zero, by name."""
    if type(number) is Decimal and number.is_finite() and number > _ZERO:
        return
    finite(name, number)
    raise Invalid(f"{name} must be above 0, got {number}")


def not_negative(name: str, number: Any) -> None:
    """Refuse what is not a finite ``Decimal`` of at least zero, by name."""
    if type(number) is Decimal and number.is_finite() and number >= _ZERO:
        return
    finite(name, number)
    raise Invalid(f"{name} must be at least 0, got {number}")


def aware_utc(name: str, at: Any) -> None:
    """Refuse a time that is not an aware UTC ``datetime``, by name."""
    if type(at) is not datetime:
        raise Invalid(f"{name} must be a datetime, got {type(at).__name__} {at!r}")
    if at.tzinfo is not UTC and at.utcoffset() != _ZERO_OFFSET:
        raise Invalid(f"{name} must be aware UTC, got {at.isoformat()} ({at.tzinfo or 'naive'})")


def named(name: str, text: Any) -> None:
    """Refuse an empty or non-string name."""
    if type(text) is not str or not text:
        raise Invalid(f"{name} must be a non-empty string, got {text!r}")


_encoder = msgspec.json.Encoder(decimal_format="string")
_decoders: dict[Any, msgspec.json.Decoder[Any]] = {}


def encode(value: Any) -> bytes:
    """JSON bytes of a value; key order is the order of the fields."""
    return _encoder.encode(value)


def decode(data: bytes | str, kind: type[T]) -> T:
    """The value of type ``kind`` in these JSON bytes.

    Raises ``Invalid`` naming the field and what was expected.
    """
    decoder = _decoders.get(kind)
    if decoder is None:
        decoder = _decoders[kind] = msgspec.json.Decoder(kind)
    try:
        return decoder.decode(data)  # type: ignore[no-any-return]  # the decoder was made for kind
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ArithmeticError) as error:
        raise Invalid(str(error) or type(error).__name__) from error


replace = msgspec.structs.replace
"""A copy of a value with some fields changed; the invariants are checked again."""
