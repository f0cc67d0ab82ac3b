"""Strict reading of what clients send: query strings and JSON bodies.

Every reader either returns a value of its type or raises ``ApiError`` with the parameter's name. Absent, empty and null
mean the same: not given. What no route knows is ignored, as Alpaca does; what is given twice is refused, since nobody can
say which one was meant. Numbers may be JSON numbers or strings; they are ``Decimal``, finite, and of a sane size.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from typing import Any, NoReturn, TypeVar
from urllib.parse import parse_qsl

import msgspec

from hydra.adapters.exchange.server import wire
from hydra.adapters.exchange.server.errors import bad_parameter, bad_request

E = TypeVar("E", bound=StrEnum)

FIELDS_MAX = 64
TEXT_MAX = 256
LIST_MAX = 1000
"""Most elements of a comma-separated list."""
DIGITS_MAX = 15
"""Most digits before the point; and behind it, with ``PLACES_MAX``."""
PLACES_MAX = 12

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)", re.ASCII)
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|z|[+-]\d\d:?\d\d)?", re.ASCII)
_TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})
_FALSE = frozenset({"0", "f", "F", "FALSE", "false", "False"})
_YEARS = (1900, 2200)


def _shown(value: Any) -> str:
    """What was given, short enough for a message."""
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= 40 else text[:37] + "..."


def _refuse(name: str, expected: str, value: Any) -> NoReturn:
    raise bad_parameter(f"{name} must be {expected}, got {_shown(value)!r}")


def parse_number(name: str, value: Any) -> Decimal:
    """A finite decimal in a string or a JSON number."""
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        _refuse(name, "a number", value)
    text = str(value).strip()
    if len(text) > 64 or not _NUMBER.fullmatch(text):
        _refuse(name, "a number", value)
    number = Decimal(text)
    exponent = number.as_tuple().exponent
    if number and (number.adjusted() >= DIGITS_MAX or not isinstance(exponent, int) or exponent < -PLACES_MAX):
        trimmed = number.normalize().as_tuple().exponent
        if number.adjusted() >= DIGITS_MAX or not isinstance(trimmed, int) or trimmed < -PLACES_MAX:
            _refuse(name, f"a number of at most {DIGITS_MAX} digits with {PLACES_MAX} decimals", value)
    return Decimal(wire.number(number))


def parse_date(name: str, text: str) -> date:
    """``YYYY-MM-DD``."""
    match = _DATE.fullmatch(text)
    if match is None or not _YEARS[0] <= int(match[1]) <= _YEARS[1]:
        _refuse(name, "a date like 2006-01-02", text)
    try:
        return date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        _refuse(name, "a date like 2006-01-02", text)


def parse_moment(name: str, text: str) -> datetime:
    """RFC 3339, in UTC where no offset is given; a date alone is its midnight UTC. Digits beyond microseconds are cut."""
    if _DATE.fullmatch(text):
        return datetime.combine(parse_date(name, text), datetime.min.time(), UTC)
    match = _MOMENT.fullmatch(text)
    if match is None:
        _refuse(name, "a time like 2006-01-02T15:04:05Z", text)
    day = parse_date(name, match[1])
    fraction = (match[5] or "").ljust(6, "0")[:6]
    try:
        local = datetime(
            day.year,
            day.month,
            day.day,
            int(match[2]),
            int(match[3]),
            int(match[4] or 0),
            int(fraction),
            _zone(match[6]),
        )
        return local.astimezone(UTC)
    except (ValueError, OverflowError):
        _refuse(name, "a time like 2006-01-02T15:04:05Z", text)


def _zone(text: str | None) -> timezone:
    if text is None or text in ("Z", "z"):
        return UTC
    sign = -1 if text[0] == "-" else 1
    hours, minutes = int(text[1:3]), int(text[-2:])
    if hours > 23 or minutes > 59:
        raise ValueError(text)
    return timezone(sign * timedelta(hours=hours, minutes=minutes))


def _chosen(name: str, text: str, kind: type[E]) -> E:
    try:
        return kind(text)
    except ValueError:
        _refuse(name, "one of " + ", ".join(each.value for each in kind if each.value), text)


class Query:
    """The parameters of a query string."""

    def __init__(self, text: str) -> None:
        self._given: dict[str, list[str]] = {}
        try:
            pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=FIELDS_MAX, errors="strict")
        except (ValueError, UnicodeDecodeError) as error:
            raise bad_request("the query string cannot be read") from error
        for name, value in pairs:
            self._given.setdefault(name, []).append(value)

    def __contains__(self, name: str) -> bool:
        return any(self._given.get(name, ()))

    @property
    def names(self) -> tuple[str, ...]:
        """Every parameter that was given, in order."""
        return tuple(self._given)

    def text(self, name: str, default: str = "", *, longest: int = TEXT_MAX) -> str:
        """The value of a parameter."""
        values = self._given.get(name, [])
        if len(values) > 1:
            raise bad_parameter(f"{name} is given {len(values)} times")
        value = values[0] if values else ""
        if len(value) > longest:
            raise bad_parameter(f"{name} must have at most {longest} characters, got {len(value)}")
        if "\x00" in value:
            raise bad_parameter(f"{name} must be printable text")
        return value or default

    def needed(self, name: str) -> str:
        """The value of a parameter that must be there."""
        value = self.text(name)
        if not value:
            raise bad_parameter(f"{name} is required")
        return value

    def listed(self, name: str) -> tuple[str, ...]:
        """The elements of a comma-separated list, which may also be given in several parts."""
        values = [each.strip() for part in self._given.get(name, ()) for each in part.split(",")]
        found = tuple(each for each in values if each)
        if len(found) > LIST_MAX:
            raise bad_parameter(f"{name} must have at most {LIST_MAX} elements, got {len(found)}")
        return found

    def flag(self, name: str, *, default: bool = False) -> bool:
        """True or false, in any spelling Go reads."""
        text = self.text(name)
        if not text:
            return default
        if text not in _TRUE and text not in _FALSE:
            _refuse(name, "true or false", text)
        return text in _TRUE

    def whole(self, name: str, default: int, least: int, most: int) -> int:
        """A whole number from ``least`` to ``most``."""
        text = self.text(name)
        if not text:
            return default
        if not re.fullmatch(r"[+-]?\d{1,18}", text, re.ASCII) or not least <= int(text) <= most:
            _refuse(name, f"a whole number from {least} to {most}", text)
        return int(text)

    def number(self, name: str) -> Decimal | None:
        """A decimal number."""
        text = self.text(name)
        return parse_number(name, text) if text else None

    def moment(self, name: str) -> datetime | None:
        """A time (or a date, as its midnight UTC)."""
        text = self.text(name)
        return parse_moment(name, text) if text else None

    def date(self, name: str) -> date | None:
        """A date; of a time, the date it is written with."""
        text = self.text(name)
        if not text:
            return None
        if _MOMENT.fullmatch(text):
            parse_moment(name, text)
            return parse_date(name, text[:10])
        return parse_date(name, text)

    def chosen(self, name: str, words: Sequence[str], default: str) -> str:
        """One of ``words``, whatever its case."""
        text = self.text(name, default)
        found = next((each for each in words if each.lower() == text.lower()), None)
        if found is None:
            if text == default:
                return default
            _refuse(name, "one of " + ", ".join(words), text)
        return found


_decoder = msgspec.json.Decoder(float_hook=Decimal)


def read_object(data: bytes) -> Body:
    """The JSON object in a request's body."""
    try:
        value = _decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError, ArithmeticError) as error:
        raise bad_request("request body format is invalid") from error
    if not isinstance(value, dict) or len(value) > FIELDS_MAX:
        raise bad_request("request body format is invalid")
    return Body(value)


class Body:
    """A JSON object, read field by field. ``under`` is where it lies, for messages."""

    def __init__(self, fields: Mapping[str, Any], under: str = "") -> None:
        self._fields = fields
        self._under = under

    def __contains__(self, name: str) -> bool:
        return self._fields.get(name) not in (None, "")

    def named(self, name: str) -> str:
        """The whole name of a field."""
        return f"{self._under}.{name}" if self._under else name

    def text(self, name: str, *, longest: int = TEXT_MAX) -> str:
        """A string; empty when it is not there."""
        value = self._fields.get(name)
        if value is None:
            return ""
        if not isinstance(value, str) or "\x00" in value:
            _refuse(self.named(name), "a string", value)
        if len(value) > longest:
            raise bad_parameter(f"{self.named(name)} must be no more than {longest} characters")
        return value

    def number(self, name: str) -> Decimal | None:
        """A decimal number, as a string or a number."""
        value = self._fields.get(name)
        return None if value is None or value == "" else parse_number(self.named(name), value)

    def positive(self, name: str) -> Decimal | None:
        """A number above zero."""
        value = self.number(name)
        if value is not None and value <= 0:
            raise bad_parameter(f"{self.named(name)} must be > 0")
        return value

    def whole(self, name: str) -> int | None:
        """A whole number, as a string or a number."""
        value = self.number(name)
        if value is not None and value != value.to_integral_value():
            _refuse(self.named(name), "a whole number", self._fields.get(name))
        return None if value is None else int(value)

    def flag(self, name: str) -> bool | None:
        """True, false, or not given."""
        value = self._fields.get(name)
        if value is not None and not isinstance(value, bool):
            _refuse(self.named(name), "true or false", value)
        return value

    def chosen(self, name: str, kind: type[E]) -> E | None:
        """A member of an enumeration."""
        text = self.text(name)
        return _chosen(self.named(name), text, kind) if text else None

    def part(self, name: str) -> Body | None:
        """An object within the object; an empty one counts as not given."""
        value = self._fields.get(name)
        if value is None or value == {}:
            return None
        if not isinstance(value, dict):
            _refuse(self.named(name), "an object", value)
        return Body(value, self.named(name))

    def parts(self, name: str) -> tuple[Body, ...]:
        """A list of objects within the object."""
        value = self._fields.get(name)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
            _refuse(self.named(name), "a list of objects", value)
        return tuple(Body(each, f"{self.named(name)}.{index}") for index, each in enumerate(value))
