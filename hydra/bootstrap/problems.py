"""One problem is one line: the key, the value, what would be accepted.

Values of keys that may hold a credential, and of keys nobody knows, are never quoted.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from typing import Any, NamedTuple

from hydra.bootstrap.keys import Key, KeyPath, Kind, Location, keys, pattern_of, sections

_LENGTH_MAX = 60
_UNQUOTED = {("store", "url")}
_CLOSE = 0.6


class Problem(NamedTuple):
    """What is wrong with the value at ``location``; ``variable`` when the environment alone is to blame."""

    location: Location
    text: str
    variable: str | None = None


def name_of(location: Location) -> str:
    """The path of a key as a person would write it: ``bots[1].session.trade_end``."""
    name = ""
    for part in location:
        if isinstance(part, int):
            name += f"[{part}]"
        else:
            name += f".{word(part)}" if name else word(part)
    return name


def word(text: str) -> str:
    """A name as it is, when it is one; anything else quoted and cut, so that no key can steer a terminal."""
    is_plain = text.replace("_", "").replace("-", "").isalnum() and text.isascii() and len(text) <= _LENGTH_MAX
    return text if is_plain else _cut(json.dumps(text))


def misfit(key: Key, location: Location, value: Any, reason: str = "", variable: str | None = None) -> Problem:
    """The value is not what its key accepts, or the model's own reason; ``variable`` when it was read from one."""
    shown = "" if key.path in _UNQUOTED else f" = {_shown(value)}"
    syntax = _syntax(key, value) if variable is None and pattern_of(location) == key.path else ""
    text = reason or f"expected {key.accepted}{syntax}"
    return Problem(location, f"{name_of(location)}{shown}: {text}", variable)


def unknown_key(location: Location) -> Problem:
    """A key that is in no model, with the one that may have been meant."""
    table = pattern_of(location[:-1])
    name = str(location[-1])
    siblings = sections().get(table, ())
    close = get_close_matches(name, siblings, n=1, cutoff=_CLOSE)
    if not close:
        elsewhere = {path[-1]: key.name for path, key in reversed(list(keys().items()))}
        close = [elsewhere[found] for found in get_close_matches(name, elsewhere, n=1, cutoff=0.8)]
    hint = f"did you mean {close[0]}?" if close else f"known here: {', '.join(siblings)}"
    return Problem(location, f"{name_of(location)}: unknown key; {hint}")


def wanted(path: KeyPath) -> str:
    """What belongs at a path, be it a key or a table."""
    key = keys().get(path)
    if key is not None:
        return key.accepted
    if path == ("bots",):
        return "a list of tables, each headed [[bots]]"
    header = ".".join(part for part in path if part != "*")
    brackets = f"[[{header}]]" if path[-1] == "*" else f"[{header}]"
    return f"a table {brackets} with {', '.join(sections().get(path, ()))}"


def close_to(name: str, known: Iterable[str]) -> str | None:
    """The nearest known name, when one is near."""
    return next(iter(get_close_matches(name, list(known), n=1, cutoff=_CLOSE)), None)


def _syntax(key: Key, value: Any) -> str:
    """How TOML writes it, when that is what went wrong."""
    if key.kind is Kind.TEXT:
        return "" if isinstance(value, str) else " (in quotes)"
    if isinstance(value, str):
        return " (in square brackets)" if key.kind is Kind.NAMES else " (without quotes)"
    if isinstance(value, Decimal) and value.is_finite() and int(value.as_tuple().exponent) < -18:
        return " (at most 18 decimals)"
    return ""


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and abs(value) >= 10**30:
        return f"a number of {value.bit_length()} bits"
    if isinstance(value, int | float | Decimal | date):
        return _cut(str(value))
    try:
        return _cut(json.dumps(value, default=str))
    except (ValueError, TypeError, RecursionError):
        return f"a {type(value).__name__}"


def _cut(text: str) -> str:
    return text if len(text) <= _LENGTH_MAX else f"{text[:_LENGTH_MAX]}..."
