"""Fault files: the rules of a ``FaultPlan`` as TOML, or the same as JSON over the admin route.

    seed = 7

    [[faults]]
    fault = "timeout_after"
    on = "submit"
    nth = 2

Everything is optional but ``fault``. Nothing is guessed: an unknown key or word, a number out of range or of the wrong kind
is refused, naming the file, the rule and the key. Values are of their kind exactly: ``true`` is no number, ``"5"`` neither.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from hydra.adapters.exchange.fault_table import FaultKind
from hydra.adapters.exchange.faults import RULES_MAX, FaultPlan, Rule
from hydra.model.errors import BadConfig, Invalid
from hydra.model.market import asset_class_of
from hydra.model.money import plain

FILE_BYTES_MAX = 1 << 20
SEED_MAX = 2**63 - 1


def read_faults(path: Path) -> FaultPlan:
    """The plan in a fault file. Raises ``BadConfig`` naming the file, the rule and the key."""
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            raise BadConfig(f"{path}: {path.stat().st_size} bytes; a fault file has at most {FILE_BYTES_MAX}")
        text = path.read_bytes().decode()
    except OSError as error:
        raise BadConfig(f"{path}: the fault file cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise BadConfig(f"{path}: not UTF-8 text: {error}") from None
    try:
        document = tomllib.loads(text, parse_float=_decimal)
    except (ValueError, RecursionError) as error:
        raise BadConfig(f"{path}: not TOML: {error}") from None
    rules, seed = parse_plan(document, str(path))
    return FaultPlan(rules, seed)


def parse_body(body: bytes, source: str) -> Any:
    """JSON with numbers as written. Raises ``BadConfig`` naming ``source``."""
    try:
        return json.loads(body, parse_float=_decimal, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise BadConfig(f"{source}: not JSON: {error}") from None


def parse_plan(document: Any, source: str) -> tuple[tuple[Rule, ...], int]:
    """The rules and the seed in a whole document. Raises ``BadConfig`` naming ``source``, the rule and the key."""
    if not isinstance(document, Mapping):
        raise BadConfig(f"{source}: expected a table with seed and faults, got {_shown(document)}")
    for name in document:
        if name not in ("seed", "faults"):
            raise BadConfig(f"{source}: {name}: unknown key{_hint(name, ('seed', 'faults'))}; accepted: seed, faults")
    seed = document.get("seed", 0)
    if type(seed) is not int or not 0 <= seed <= SEED_MAX:
        raise BadConfig(f"{source}: seed: expected a whole number, 0 to {SEED_MAX}, got {_shown(seed)}")
    found = document.get("faults", [])
    if not isinstance(found, list) or len(found) > RULES_MAX:
        told = f"{len(found)} of them" if isinstance(found, list) else _shown(found)
        raise BadConfig(f"{source}: faults: expected at most {RULES_MAX} tables [[faults]], got {told}")
    return tuple(parse_rule(rule, source, number) for number, rule in enumerate(found, 1)), seed


def parse_rule(document: Any, source: str, number: int | None = None) -> Rule:
    """One rule, the ``number``-th of its source. Raises ``BadConfig``."""
    where = source if number is None else f"{source}: rule {number}"
    if not isinstance(document, Mapping):
        raise BadConfig(f"{where}: expected a table, got {_shown(document)}")
    if isinstance(document.get("fault"), str):
        where += f" ({document['fault'][:40]})"
    if "fault" not in document:
        raise BadConfig(f"{where}: fault: missing; accepted: {', '.join(FaultKind)}")
    told: dict[str, Any] = {}
    for key, value in document.items():
        parse = _KEYS.get(key)
        if parse is None:
            raise BadConfig(f"{where}: {key}: unknown key{_hint(key, _KEYS)}; accepted: {', '.join(_KEYS)}")
        try:
            told[key] = parse(value)
        except Invalid as error:
            raise BadConfig(f"{where}: {key}: {error}") from None
    try:
        return Rule(**told)
    except Invalid as error:
        raise BadConfig(f"{where}: {error}") from None


def rule_document(rule: Rule) -> dict[str, Any]:
    """A rule as the JSON it could be given as."""
    document: dict[str, Any] = {"fault": rule.fault.value}
    for name in ("nth", "every", "times"):
        document[name] = getattr(rule, name)
    for name in ("probability", "seconds", "ms", "fraction"):
        number = getattr(rule, name)
        document[name] = None if number is None else json.loads(plain(number))
    for name in ("after", "until"):
        at = getattr(rule, name)
        document[name] = None if at is None else at.isoformat().replace("+00:00", "Z")
    document["on"] = list(rule.on) or None
    document["symbol"] = rule.symbol or None
    return {name: value for name, value in document.items() if value is not None}


def _kind(value: Any) -> FaultKind:
    if type(value) is str and value in set(FaultKind):
        return FaultKind(value)
    raise Invalid(f"{_shown(value)} is no fault{_hint(value, FaultKind)}; accepted: {', '.join(FaultKind)}")


def _on(value: Any) -> tuple[str, ...]:
    places = [value] if type(value) is str else value
    if not isinstance(places, list) or not places or not all(type(place) is str for place in places):
        raise Invalid(f"expected an operation or a list of them, got {_shown(value)}")
    return tuple(places)


def _count(value: Any) -> int:
    if type(value) is not int:
        raise Invalid(f"expected a whole number, got {_shown(value)}")
    return value


def _number(value: Any) -> Decimal:
    if type(value) not in (int, Decimal):
        raise Invalid(f"expected a number, got {_shown(value)}")
    number = Decimal(value)
    if not number.is_finite() or abs(number.adjusted()) > 18:
        raise Invalid(f"expected a finite number that a person would write, got {number}")
    return number


def _time(value: Any) -> datetime:
    at = value
    if type(value) is str:
        try:
            at = datetime.fromisoformat(value)
        except ValueError:
            at = None
    if type(at) is not datetime or at.tzinfo is None:
        raise Invalid(f"expected a time with its offset, such as 2025-01-06T15:00:00Z, got {_shown(value)}")
    return at.astimezone(UTC)


def _symbol(value: Any) -> str:
    if type(value) is not str:
        raise Invalid(f"expected a symbol such as SPY or BTC-USD, got {_shown(value)}")
    asset_class_of(value)
    return value


_KEYS: Mapping[str, Callable[[Any], Any]] = {
    "fault": _kind,
    "on": _on,
    "nth": _count,
    "every": _count,
    "times": _count,
    "after": _time,
    "until": _time,
    "symbol": _symbol,
    "probability": _number,
    "seconds": _number,
    "ms": _number,
    "fraction": _number,
}
"""Every key of a rule, with what reads its value."""


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{text[:40]} is beyond every range") from None


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is no number")


def _shown(value: Any) -> str:
    return (str(value) if type(value) is Decimal else repr(value))[:80]


def _hint(word: Any, known: Sequence[str] | Mapping[str, Any] | type[FaultKind]) -> str:
    close = get_close_matches(str(word), [str(one) for one in known], n=1)
    return f" (did you mean {close[0]}?)" if close else ""
