"""What ``--set KEY=VALUES`` says: which key of the policy, and the values that it takes one after the other.

A key is spelled as refusals spell it, ``risk.risk_per_trade`` and ``bots[0].parameters.fast``; a bot also by its id, and the dots may
stand in place of brackets; or as the environment does, ``HYDRA_BOTS__SPY_TREND__PARAMETERS__FAST``. Values are separated by commas, or
``FROM:TO:STEP`` for numbers, both ends included (the step of whole numbers may be left out), or a JSON list, which is how lists and
tables and texts with a comma are written. An empty value takes away an optional key.

The one thing that the environment refuses and this does not is a parameter that the bot's table does not hold yet: a bot named by
``--bot`` begins without any. Keys that no backtest reads are refused, for a sweep over them would look like one over something.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from hydra.bootstrap.keys import ANY, FITS, PREFIX, Key, Kind, is_scalar, key_at, keys, sections, variable_of
from hydra.bootstrap.problems import close_to, name_of, unknown_key, word
from hydra.model.errors import BadConfig
from hydra.model.money import plain
from hydra.policy import Policy
from hydra.study.sweep_grid import VALUES_MOST, Axis, Grid, Location, stepped

_BRACKETS = re.compile(r"\[([^\[\]]*)\]")
_UNREAD: Mapping[tuple[str, ...], str] = {
    ("mode",): "it has no money",
    ("practice",): "it is no run of either kind",
    ("broker", "name"): "it is always the simulated exchange",
    ("broker", "faults"): "its exchange makes no mistakes",
    ("market", "name"): "prices are recorded with --data and invented without",
    ("market", "speed"): "it goes as fast as it can",
    ("engine", "interval_seconds"): "it cycles whenever there is a new price",
    ("engine", "read_deadline_seconds"): "its exchange answers at once",
    ("engine", "bot_deadline_ms"): "its bots have all the time they want",
    ("risk", "blackout_file"): "blackout days are read once, with the configuration",
    ("bots", ANY, "id"): "it is a bot's name",
    ("isolation",): "bots answer the same wherever they are asked",
    **dict.fromkeys(
        (("alpaca",), ("certificate",), ("qc",), ("journal",), ("store",)), "it reads nothing of this section"
    ),
}
_NUMBERS = (Kind.NUMBER, Kind.WHOLE)
_AXIS_KINDS = {
    Kind.NUMBER: "number", Kind.WHOLE: "whole", Kind.FLAG: "flag", Kind.DATE: "date", Kind.TEXT: "text", Kind.NAMES: "json",
    Kind.TABLE: "json", Kind.GROUPS: "json",
}  # fmt: skip


def grid_of(texts: Sequence[str], policy: Policy) -> Grid:
    """The grid that some ``--set`` options span. Raises ``BadConfig``, naming the option."""
    if not texts:
        raise BadConfig("--set: nothing to vary; expected KEY=VALUES, such as bots[0].parameters.fast=5:30:5")
    axes = tuple(axis_of(text, policy) for text in texts)
    for number, axis in enumerate(axes):
        for other in axes[:number]:
            shorter = min(len(axis.location), len(other.location))
            if axis.location[:shorter] == other.location[:shorter]:
                same = axis.location == other.location
                raise BadConfig(f"--set {axis.name}: is set twice" + ("" if same else f", once within {other.name}"))
    return Grid(axes)


def axis_of(text: str, policy: Policy) -> Axis:
    """The parameter that one ``--set`` names. Raises ``BadConfig``."""
    name, equals, values = text.partition("=")
    if not equals:
        raise BadConfig(f"--set {text}: expected KEY=VALUES, such as bots[0].parameters.fast=5:30:5")
    location = _location(name.strip(), policy)
    key = key_at(location)
    shown = _shown(location, policy)
    if key is None:
        raise BadConfig(f"--set {shown}: is a table; set one key of it, such as {_within(shown, location)}")
    _refuse_unread(shown, key)
    inner = len(location) > len(key.path)
    if inner and (key.kind not in (Kind.TABLE, Kind.GROUPS) or len(location) > len(key.path) + 1):
        raise BadConfig(f"--set {shown}: {key.name} is {key.accepted}, and has no keys of its own")
    read = _scalar if inner and key.kind is Kind.TABLE else _reader(Kind.NAMES if inner else key.kind)
    try:
        found = _values(values.strip(), key, read, inner=inner)
    except (ValueError, RecursionError) as error:
        raise BadConfig(f"--set {shown}={_cut(values)}: {error}; expected {_expected(key, inner=inner)}") from None
    except BadConfig as error:
        raise BadConfig(f"--set {shown}={_cut(values)}: {error}") from None
    return Axis(name=shown, location=location, values=found, kind=_kind_of(found) if inner else _AXIS_KINDS[key.kind])


# -- keys


def _location(name: str, policy: Policy) -> Location:
    """The place in the document that a key stands for."""
    if name.upper().startswith(PREFIX):
        return _of_variable(name.upper(), policy)
    parts = _BRACKETS.sub(r".\1", name).split(".")
    if not all(parts):
        raise BadConfig(f"--set {word(name)}: expected a key such as risk.daily_loss or bots[0].stop_loss")
    if parts[0] != "bots" or len(parts) < 2:
        location: Location = tuple(parts)
    else:
        location = ("bots", _bot(parts[1], policy), *parts[2:])
    if (
        key_at(location) is None
        and tuple(ANY if part.__class__ is int else part for part in location) not in sections()
    ):
        raise BadConfig(f"--set {unknown_key(location).text}")
    return location


def _bot(text: str, policy: Policy) -> int:
    """The place of a bot, by its place or its id."""
    ids = [bot.id for bot in policy.bots]
    if text in ids:
        return ids.index(text)
    if text.isascii() and text.isdecimal() and int(text) < len(ids):
        return int(text)
    near = close_to(text, ids)
    hint = f"did you mean {near}?" if near else f"there are {', '.join(ids)} (0 to {len(ids) - 1})"
    raise BadConfig(f"--set bots[{word(text)}]: no such bot; {hint}")


def _of_variable(variable: str, policy: Policy) -> Location:
    known = _variables(policy)
    found = known.get(variable, [])
    if len(found) == 1:
        return found[0]
    if found:
        raise BadConfig(f"--set {variable}: stands for several bots, whose ids differ only in - and _")
    near = close_to(variable, known)
    raise BadConfig(
        f"--set {word(variable)}: no key of the configuration" + (f"; did you mean {near}?" if near else "")
    )


def _variables(policy: Policy) -> dict[str, list[Location]]:
    """Every variable of the environment that names a key, with the places it could stand for."""
    found: dict[str, list[Location]] = {}
    for key in keys().values():
        for index, bot in enumerate(policy.bots) if ANY in key.path else [(0, None)]:
            location: Location = tuple(index if part == ANY else part for part in key.path)
            names = [bot.id if part == ANY and bot is not None else part for part in key.path]
            found.setdefault(variable_of(names), []).append(location)
            for entry in bot.parameters if bot is not None and key.kind is Kind.TABLE else ():
                found.setdefault(variable_of([*names, entry]), []).append((*location, entry))
    return found


def _shown(location: Location, policy: Policy) -> str:
    """The key as a person would write it, a bot by its id."""
    if location[0] != "bots" or len(location) < 2:
        return name_of(location)
    assert isinstance(location[1], int)
    below = name_of(location[2:])
    return f"bots[{policy.bots[location[1]].id}]{'.' if below else ''}{below}"


def _refuse_unread(shown: str, key: Key) -> None:
    for depth in range(1, len(key.path) + 1):
        why = _UNREAD.get(key.path[:depth])
        if why is not None:
            raise BadConfig(f"--set {shown}: a backtest does not depend on it: {why}")


def _within(shown: str, location: Location) -> str:
    """A key of a table."""
    if location == ("bots",):
        return "bots[0].stop_loss"
    pattern = tuple(ANY if isinstance(part, int) else part for part in location)
    return f"{shown}.{sections()[pattern][-1]}"


# -- values


def _values(text: str, key: Key, read: Callable[[str], Any], *, inner: bool) -> tuple[Any, ...]:
    """The values in the form of the policy's document. Raises ``ValueError`` or ``BadConfig``."""
    found: list[Any] = []
    numbers = key.kind in _NUMBERS or (inner and key.kind is Kind.TABLE)
    if text.startswith("["):
        listed = json.loads(text, parse_float=Decimal)
        found = [_checked(one, key, inner=inner) for one in listed]
    else:
        for part in text.split(","):
            if numbers and ":" in part:
                found += _range(part.strip(), key, inner=inner)
            else:
                found.append(_checked(read(part.strip()) if part.strip() else None, key, inner=inner))
    if not found:
        raise BadConfig("no values")
    if len(found) > VALUES_MOST:
        raise BadConfig(f"{len(found):,} values, and at most {VALUES_MOST:,} are accepted")
    told = Counter(json.dumps(value, sort_keys=True) for value in found)
    twice = [value for value, count in told.items() if count > 1]
    if twice:
        raise BadConfig(f"{_cut(twice[0])} is named twice")
    return tuple(found)


def _range(text: str, key: Key, *, inner: bool) -> list[Any]:
    """``FROM:TO`` or ``FROM:TO:STEP``."""
    numbers = [_number(part) for part in text.split(":")]
    if len(numbers) > 3 or not all(number.is_finite() and abs(number.adjusted()) < 19 for number in numbers):
        raise ValueError(f"{text!r} is no range")
    whole = all(number == number.to_integral_value() for number in numbers)
    if len(numbers) == 2 and not whole:
        raise BadConfig(f"{text}: fractions need a step, FROM:TO:STEP")
    low, high = numbers[:2]
    step = numbers[2] if len(numbers) == 3 else Decimal(1 if high >= low else -1)
    if key.kind is Kind.WHOLE and not whole:
        raise BadConfig(f"{text}: expected whole numbers")
    found = stepped(low, high, step)
    as_written: Callable[[Decimal], Any] = int if key.kind is Kind.WHOLE or (inner and whole) else Decimal
    return [_checked(as_written(number), key, inner=inner) for number in found]


def _checked(value: Any, key: Key, *, inner: bool) -> Any:
    """The value as the policy's document has it. Raises ``ValueError`` for one that is not of the key's kind."""
    if value is None:
        if not key.optional or inner:
            raise ValueError("an empty value takes away an optional key, and this is none")
        return None
    fits = (
        FITS[key.kind](value) if not inner else is_scalar(value) if key.kind is Kind.TABLE else FITS[Kind.NAMES](value)
    )
    if key.kind is Kind.NUMBER and isinstance(value, bool):
        fits = False
    if not fits:
        raise ValueError(f"{_cut(json.dumps(value, default=str))} does not fit")
    return _in_document(value, inner=inner or key.kind is Kind.TABLE, number=key.kind is Kind.NUMBER)


def _in_document(value: Any, *, inner: bool, number: bool) -> Any:
    """Decimals as plain texts, those of a table of parameters as floats, dates as they are written."""
    if isinstance(value, dict):
        return {name: _in_document(one, inner=inner, number=number) for name, one in value.items()}
    if isinstance(value, Decimal):
        return float(value) if inner else plain(value)
    if number and isinstance(value, int) and not inner:
        return plain(Decimal(value))
    return value.isoformat() if isinstance(value, date) else value


def _reader(kind: Kind) -> Callable[[str], Any]:
    return _READERS[kind]


def _scalar(text: str) -> Any:
    """A parameter: a number or a flag as TOML has it, a text otherwise."""
    if text in _FLAGS:
        return _FLAGS[text]
    try:
        return int(text) if re.fullmatch(r"[+-]?[0-9]{1,19}", text) else Decimal(text)
    except InvalidOperation:
        return text


def _number(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{text!r} is no number") from None


def _whole(text: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]{1,19}", text):
        raise ValueError(f"{text!r} is no whole number")
    return int(text)


def _flag(text: str) -> bool:
    if text not in _FLAGS:
        raise ValueError(f"{text!r} is neither true nor false")
    return _FLAGS[text]


def _of_json(_text: str) -> Any:
    raise ValueError("lists and tables are values of a JSON list")


_FLAGS = {"true": True, "false": False}
_READERS: Mapping[Kind, Callable[[str], Any]] = {
    Kind.NUMBER: _number,
    Kind.WHOLE: _whole,
    Kind.FLAG: _flag,
    Kind.DATE: date.fromisoformat,
    Kind.TEXT: str,
    Kind.NAMES: _of_json,
    Kind.TABLE: _of_json,
    Kind.GROUPS: _of_json,
}
_LENGTH_MAX = 60


def _cut(text: str) -> str:
    text = text if text.isprintable() else repr(text)
    return text if len(text) <= _LENGTH_MAX else f"{text[:_LENGTH_MAX]}..."


def _expected(key: Key, *, inner: bool) -> str:
    if inner and key.kind is Kind.TABLE:
        return "numbers, texts or flags, separated by commas, or FROM:TO:STEP"
    if key.kind in (Kind.NAMES, Kind.TABLE, Kind.GROUPS):
        return f'a JSON list, each value of which is {key.accepted}, such as [["SPY"], ["AAPL"]]'
    return f"values separated by commas, each {key.accepted}" + (", or FROM:TO:STEP" if key.kind in _NUMBERS else "")


def _kind_of(values: tuple[Any, ...]) -> str:
    """The kind of a parameter's values: what they all are, or ``json``."""
    if all(isinstance(value, bool) for value in values):
        return "flag"
    if all(type(value) is int for value in values):
        return "whole"
    if all(type(value) in (int, float) for value in values):
        return "number"
    return "text" if all(isinstance(value, str) for value in values) else "json"
