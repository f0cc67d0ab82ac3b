"""What the reference of events has to say about a value: its fields, their types in words, and what a missing one means."""

from __future__ import annotations

import types
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec

from hydra.model.events import KINDS, Event
from hydra.model.values import Value

_WORDS: dict[Any, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    Decimal: "decimal",
    datetime: "time",
    date: "date",
    Any: "any JSON",
}


def type_in_words(kind: Any) -> str:
    """A field's type as the reference spells it."""
    if kind in _WORDS:
        return _WORDS[kind]
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return " or ".join("null" if one is type(None) else type_in_words(one) for one in arguments)
    if origin is tuple:
        return f"list of {type_in_words(arguments[0])}"
    if origin is not None and issubclass(origin, Mapping):
        key = "name" if arguments[0] is str else "asset class"
        return f"{type_in_words(arguments[1])} by {key}"
    if isinstance(kind, type) and issubclass(kind, Enum):
        return ", ".join(f"`{one.value}`" for one in kind)
    assert isinstance(kind, type), kind
    assert issubclass(kind, Value), kind
    return f"[{kind.__name__}](#{kind.__name__.lower()})"


def default_in_words(field: msgspec.structs.FieldInfo) -> str:
    """What a field that is left out stands for."""
    if field.required:
        return "required"
    default = field.default_factory() if field.default is msgspec.NODEFAULT else field.default
    if default is None or isinstance(default, bool):
        return {None: "null", True: "true", False: "false"}[default]
    if isinstance(default, StrEnum):
        return f"`{default.value}`"
    if isinstance(default, str | tuple | Mapping):
        assert not default
        return "empty"
    return str(default)


def fields_of(value: type[Value]) -> dict[str, tuple[str, str]]:
    """(type, default) in words of every field, by name, in the order of the wire."""
    hints = get_type_hints(value)
    return {
        field.encode_name: (type_in_words(hints[field.name]), default_in_words(field))
        for field in msgspec.structs.fields(value)
    }


def values_inside() -> dict[str, type[Value]]:
    """Every value that an event can hold somewhere, by name; the payloads themselves are not among them."""
    found: dict[str, type[Value]] = {}
    payloads = set(KINDS.values())
    waiting: list[Any] = [*payloads, Event]
    while waiting:
        kind = waiting.pop()
        if isinstance(kind, type) and issubclass(kind, Value):
            if kind not in payloads and kind is not Event and kind is not Value:
                if kind.__name__ in found:
                    continue
                found[kind.__name__] = kind
            waiting += get_type_hints(kind).values()
        else:
            waiting += get_args(kind)
    return dict(sorted(found.items()))
