"""Every key of the configuration, read off the policy's models: its path, its kind, and in plain words what it accepts.

One list serves four readers: the check of a file's types, the match of environment variables, the words of a refusal and
the reference in ``docs/reference/configuration.md``. The oddity: ``*`` in a path stands for *any bot*; everything about
the models is found by walking them, so a key added there is known here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, TypeGuard, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from hydra.model.money import plain
from hydra.policy import Policy

KeyPath = tuple[str, ...]
Location = tuple[str | int, ...]

PREFIX = "HYDRA_"
BETWEEN = "__"
ANY = "*"

_CHOICE = "one of "


class Kind(StrEnum):
    """What a key's value is, named as the reference names it."""

    NUMBER = "number"
    WHOLE = "whole number"
    FLAG = "true or false"
    DATE = "date"
    TEXT = "text"
    NAMES = "list of text"
    TABLE = "table"
    GROUPS = "table of lists"


_KINDS: Mapping[Any, Kind] = {Decimal: Kind.NUMBER, int: Kind.WHOLE, bool: Kind.FLAG, date: Kind.DATE, str: Kind.TEXT}
_NOUNS: Mapping[Kind, str] = {
    Kind.NUMBER: "a number",
    Kind.WHOLE: "a whole number",
    Kind.FLAG: "true or false",
    Kind.DATE: "a date such as 2025-01-06",
    Kind.TEXT: "text",
    Kind.NAMES: "a list of texts",
    Kind.TABLE: "a table of whole numbers, numbers, texts and flags",
    Kind.GROUPS: "a table of lists of texts",
}
READ_ELSEWHERE: frozenset[tuple[str, ...]] = frozenset({("risk", "blackouts"), ("broker", "faults_sha256")})
"""What the policy holds and no configuration can say: it comes from a file of its own."""


class Key(NamedTuple):
    """One key. ``limits`` are its range or choices in words, empty when the kind says it all."""

    path: KeyPath
    kind: Kind
    limits: str
    optional: bool

    @property
    def name(self) -> str:
        """The dotted name, bots as ``bots[]``."""
        return ".".join(self.path).replace(f".{ANY}", "[]")

    @property
    def accepted(self) -> str:
        """What the key accepts, as the end of a sentence."""
        if self.kind is Kind.TEXT and self.limits.startswith(_CHOICE):
            return self.limits
        return f"{_NOUNS[self.kind]}, {self.limits}" if self.limits else _NOUNS[self.kind]

    @property
    def variable(self) -> str | None:
        """The environment variable that overrides it, ``<ID>`` for the bot's id; None: it names the bot itself."""
        if self.path == ("bots", ANY, "id"):
            return None
        return variable_of("<ID>" if part == ANY else part for part in self.path)


def variable_of(parts: Iterable[str]) -> str:
    """The environment variable of a path: upper case, ``-`` as ``_``, two underscores between the parts."""
    return PREFIX + BETWEEN.join(part.upper().replace("-", "_") for part in parts)


def pattern_of(location: Location) -> KeyPath:
    """The path of the key a location in the document belongs to: list positions of bots become ``*``."""
    if len(location) > 1 and location[0] == "bots":
        location = ("bots", ANY, *location[2:])
    return tuple(str(part) for part in location)


@cache
def keys() -> Mapping[KeyPath, Key]:
    """All keys by path, in the order of the models."""
    return {key.path: key for key in _walk(Policy, ())}


def key_at(location: Location) -> Key | None:
    """The key a location lies in: of a list's entry it is the list's; None for a table and for what nobody knows."""
    ends = range(len(location), 0, -1)
    return next((key for end in ends if (key := keys().get(pattern_of(location[:end])))), None)


@cache
def sections() -> Mapping[KeyPath, tuple[str, ...]]:
    """The names every table of the document holds, by the table's path."""
    found: dict[KeyPath, dict[str, None]] = {(): {}}
    for path in keys():
        for depth in range(len(path)):
            found.setdefault(path[:depth], {})[path[depth]] = None
    return {path: tuple(names) for path, names in found.items()}


def _walk(model: type[BaseModel], above: KeyPath) -> Iterator[Key]:
    for name, field in model.model_fields.items():
        path = (*above, name)
        if path in READ_ELSEWHERE:
            continue
        annotation = _without_none(field.annotation)
        inner = get_args(annotation)
        if _is_model(annotation):
            yield from _walk(annotation, path)
        elif get_origin(annotation) is tuple and _is_model(inner[0]):
            yield from _walk(inner[0], (*path, ANY))
        else:
            yield _key(path, field)


def _without_none(annotation: Any) -> Any:
    """``T`` of ``T | None``; anything else as it is."""
    if get_origin(annotation) not in (Union, UnionType):
        return annotation
    inner = [choice for choice in get_args(annotation) if choice is not NoneType]
    return inner[0] if len(inner) == 1 else annotation


def _is_model(annotation: Any) -> TypeGuard[type[BaseModel]]:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _key(path: KeyPath, field: FieldInfo) -> Key:
    annotation, marks, description = _unwrap(field.annotation, list(field.metadata), field.description)
    origin = get_origin(annotation)
    optional = not field.is_required()
    if origin is Literal:
        return Key(path, Kind.TEXT, _choice(get_args(annotation)), optional)
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return Key(path, Kind.TEXT, _choice([member.value for member in annotation]), optional)
    if origin is tuple:
        return Key(path, Kind.NAMES, _list_limits(annotation, marks), optional)
    if origin is dict:
        _, inner = get_args(annotation)
        if get_origin(inner) is tuple:
            return Key(path, Kind.GROUPS, f"each {_list_limits(inner, [])}", optional)
        return Key(path, Kind.TABLE, "", optional)
    return Key(path, _KINDS[annotation], description or _range(marks), optional)


def _list_limits(annotation: Any, marks: list[Any]) -> str:
    """How many there may be in a list, and what each may be."""
    inner, _, description = _unwrap(get_args(annotation)[0], [], None)
    if get_origin(inner) is Literal:
        description = _choice(get_args(inner))
    return ", each ".join(part for part in (_counted(marks), description) if part)


def _unwrap(annotation: Any, marks: list[Any], description: str | None) -> tuple[Any, list[Any], str | None]:
    """The bare type, its constraints and its description, through ``Annotated`` and ``... | None``."""
    annotation = _without_none(annotation)
    if get_origin(annotation) is Annotated:
        annotation, *inner_marks = get_args(annotation)
        for mark in inner_marks:
            if isinstance(mark, FieldInfo):
                marks.extend(mark.metadata)
                description = description or mark.description
            else:
                marks.append(mark)
    return annotation, marks, description


def _choice(options: Any) -> str:
    return _CHOICE + ", ".join(f'"{option}"' for option in options)


def _counted(marks: list[Any]) -> str:
    bound = _bounds(marks)
    if "min_length" not in bound:
        return ""
    return f"{bound['min_length']} to {bound['max_length']} of them"


def _range(marks: list[Any]) -> str:
    bound = _bounds(marks)
    if "ge" in bound and "le" in bound:
        return f"{_shown(bound['ge'])} to {_shown(bound['le'])}"
    words = {"gt": "above {}", "ge": "at least {}", "lt": "below {}", "le": "at most {}"}
    return ", ".join(text.format(_shown(bound[name])) for name, text in words.items() if name in bound)


def _bounds(marks: list[Any]) -> dict[str, Any]:
    names = ("gt", "ge", "lt", "le", "min_length", "max_length")
    return {name: getattr(mark, name) for mark in marks for name in names if getattr(mark, name, None) is not None}


def _shown(bound: Any) -> str:
    return plain(bound) if isinstance(bound, Decimal) else str(bound)


def _is_number(value: Any) -> bool:
    """Finite, and of a size that every later step can write out: at most 19 digits before the point and 18 behind."""
    if type(value) is Decimal:
        return value.is_finite() and value.adjusted() < 19 and int(value.as_tuple().exponent) >= -18
    return type(value) is int and abs(value) < 10**19


def _is_whole(value: Any) -> bool:
    return type(value) is int and _is_number(value)


def _is_names(value: Any) -> bool:
    return type(value) is list and all(type(item) is str for item in value)


def is_scalar(value: Any) -> bool:
    """Whether a value may stand in a table of parameters."""
    return type(value) in (str, bool) or _is_number(value)


FITS: Mapping[Kind, Callable[[Any], bool]] = {
    Kind.NUMBER: _is_number,
    Kind.WHOLE: _is_whole,
    Kind.FLAG: lambda value: type(value) is bool,
    Kind.DATE: lambda value: type(value) is date,
    Kind.TEXT: lambda value: type(value) is str,
    Kind.NAMES: _is_names,
    Kind.TABLE: lambda value: type(value) is dict and all(is_scalar(item) for item in value.values()),
    Kind.GROUPS: lambda value: type(value) is dict and all(_is_names(item) for item in value.values()),
}
"""Whether a value read from TOML is of a kind at all. Exact types: ``true`` is no number, ``"5"`` neither."""
