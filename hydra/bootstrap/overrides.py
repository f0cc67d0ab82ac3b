"""Environment variables that override keys: ``HYDRA_RISK__DAILY_LOSS=0.01``, ``HYDRA_BOTS__SPY_TREND__ENABLED=false``.

The names that mean something are written out first, for this document and its bots, and a variable must be one of them:
a name with a typo is refused, not ignored. Numbers and texts are written as they are, flags as true or false, lists and
tables as JSON; an empty value takes away an optional key.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from hydra.bootstrap.environment import RESERVED, Environment
from hydra.bootstrap.keys import ANY, FITS, PREFIX, Key, Kind, Location, is_scalar, keys, variable_of
from hydra.bootstrap.problems import Problem, close_to, misfit


class Override(NamedTuple):
    """A variable, the place in the document it stands for, and its decoded value."""

    variable: str
    location: Location
    value: Any


class _Target(NamedTuple):
    """A key's place, or that of one entry of a table of parameters with the value it has in the file."""

    key: Key
    location: Location
    entry: Any = None


def match_variables(environment: Environment, document: Mapping[str, Any]) -> tuple[list[Override], list[Problem]]:
    """Every variable as an override of the document, whole tables before their entries, and what cannot be one."""
    targets = _targets(document)
    overrides: list[Override] = []
    problems: list[Problem] = []
    for variable, text in sorted(environment.variables.items()):
        if variable in RESERVED:
            continue
        found = targets.get(variable, [])
        if len(found) == 1:
            value = _decode(found[0], text)
            if value is None or _fits(found[0], value):
                overrides.append(Override(variable, found[0].location, value))
            else:
                problems.append(misfit(found[0].key, found[0].location, value, variable=variable))
        else:
            problems.append(Problem((), _no_target(variable, found, targets), variable))
    return sorted(overrides, key=lambda override: len(override.location)), problems


def _targets(document: Mapping[str, Any]) -> dict[str, list[_Target]]:
    """What each variable stands for; more than one target when two bots' ids are spelled alike."""
    targets: dict[str, list[_Target]] = {}
    for key in keys().values():
        if key.variable is None:
            continue
        for index, bot in _bots(document) if ANY in key.path else [(0, {"id": ""})]:
            location: Location = tuple(index if part == ANY else part for part in key.path)
            name = variable_of(bot["id"] if part == ANY else part for part in key.path)
            targets.setdefault(name, []).append(_Target(key, location))
            inner = bot.get(key.path[-1]) if key.kind is Kind.TABLE else None
            for entry, current in inner.items() if isinstance(inner, dict) else ():
                target = _Target(key, (*location, entry), current)
                targets.setdefault(variable_of((name.removeprefix(PREFIX), entry)), []).append(target)
    return targets


def _bots(document: Mapping[str, Any]) -> Iterator[tuple[int, dict[str, Any]]]:
    bots = document.get("bots")
    for index, bot in enumerate(bots if isinstance(bots, list) else ()):
        if isinstance(bot, dict) and isinstance(bot.get("id"), str):
            yield index, bot


def _no_target(variable: str, found: list[_Target], targets: Mapping[str, Any]) -> str:
    if found:
        return "stands for several bots, whose ids differ only in - and _"
    inside = next((name for name in targets if name.startswith(f"{variable}__")), None)
    if inside is not None:
        return f"names a table; set one key of it, such as {inside}"
    bare = (name.removeprefix(PREFIX) for name in (*targets, *RESERVED))
    close = close_to(variable.removeprefix(PREFIX), bare)
    if close is not None:
        return f"no key of the configuration; did you mean {PREFIX}{close}?"
    return f"no key of the configuration; names are HYDRA_SECTION__KEY, such as {next(iter(targets))}"


def _fits(target: _Target, value: Any) -> bool:
    if target.entry is None:
        return FITS[target.key.kind](value)
    return is_scalar(value) and _kind_of(value) == _kind_of(target.entry)


def _decode(target: _Target, text: str) -> Any:
    """The value a variable's text writes; the text itself, which does not fit, when it writes none of its kind."""
    if target.key.optional and not text:
        return None
    kind = target.key.kind if target.entry is None else _kind_of(target.entry)
    decode = _json if kind is Kind.NUMBER and target.entry is not None else _DECODERS[kind]  # 5 stays whole, 0.5 not
    try:
        return decode(text)
    except (ValueError, KeyError, InvalidOperation, RecursionError):
        return text


def _kind_of(entry: Any) -> Kind:
    if isinstance(entry, bool):
        return Kind.FLAG
    return Kind.TEXT if isinstance(entry, str) else Kind.NUMBER


def _json(text: str) -> Any:
    return json.loads(text, parse_float=Decimal)


_DECODERS: Mapping[Kind, Callable[[str], Any]] = {
    Kind.NUMBER: Decimal,
    Kind.WHOLE: int,
    Kind.FLAG: lambda text: {"true": True, "false": False}[text.lower()],
    Kind.DATE: date.fromisoformat,
    Kind.TEXT: str,
    Kind.NAMES: _json,
    Kind.TABLE: _json,
}
