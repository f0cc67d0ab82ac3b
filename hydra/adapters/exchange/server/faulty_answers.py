"""Answers and messages that are spoilt on their way: the same functions for a response's JSON and for a stream's messages.

They know shapes and not routes: a quote is an object with ``bp`` and ``ap``; a number is a JSON number, or a text that
reads as one and is no id; a word of the protocol stands under one of the names in ``WORDS``. Nothing given is changed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from hydra.adapters.exchange.fault_table import FaultKind
from hydra.adapters.exchange.faults import Rule
from hydra.adapters.exchange.server import wire

Spoil: TypeAlias = Callable[[dict[str, Any]], dict[str, Any]]

UNHEARD_OF = "unheard_of"
WORDS = frozenset(
    {
        "activity_type",
        "asset_class",
        "class",
        "crypto_status",
        "event",
        "exchange",
        "order_class",
        "order_type",
        "position_intent",
        "side",
        "status",
        "time_in_force",
        "type",
    }
)
"""Fields whose values are words of the protocol."""

_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_NAMES = re.compile(r"(.*_)?id|i|account_number|cusip|symbol|name|S|T")
"""Fields that look like numbers at times, and are names."""
_CENT = 0.01


def spoil(body: Any, rule: Rule, *, wholly: bool = True) -> Any:
    """A JSON value with the fault of ``rule`` in it. Unless ``wholly``, a rule about a symbol touches only what is named so."""
    if rule.fault is FaultKind.NAN:
        change: Spoil = _without_numbers
    elif rule.fault is FaultKind.UNKNOWN_ENUM:
        change = _with_unknown_words
    elif rule.fault is FaultKind.STALE_QUOTE:
        back = timedelta(seconds=float(rule.number("seconds")))

        def change(part: dict[str, Any]) -> dict[str, Any]:
            return _set_back(part, back)

    else:
        assert rule.fault is FaultKind.CROSSED_QUOTE, rule.fault
        change = _crossed
    return _walk(body, change, "" if wholly else rule.symbol)


def account_of(body: Mapping[str, Any], rule: Rule) -> dict[str, Any]:
    """The account, inactive or blocked."""
    if rule.fault is FaultKind.ACCOUNT_INACTIVE:
        return {**body, "status": "INACTIVE"}
    return {**body, "account_blocked": True, "trading_blocked": True}


def clock_of(body: Mapping[str, Any], rule: Rule) -> dict[str, Any]:
    """The clock, off."""
    off = timedelta(seconds=float(rule.number("seconds")))
    return {**body, "timestamp": _shifted(body["timestamp"], off)}


def _walk(body: Any, change: Spoil, symbol: str) -> Any:
    """Change every object, or with a symbol those that belong to it."""
    if isinstance(body, list):
        return [_walk(part, change, symbol) for part in body]
    if not isinstance(body, Mapping):
        return body
    mine = not symbol or any(_names(body.get(name), symbol) for name in ("symbol", "S"))
    inner = {name: _walk(part, change, "" if mine or _names(name, symbol) else symbol) for name, part in body.items()}
    return change(inner) if mine else inner


def _names(text: Any, symbol: str) -> bool:
    return isinstance(text, str) and (text == symbol or symbol in wire.canonical_symbols(text))


def _without_numbers(part: dict[str, Any]) -> dict[str, Any]:
    return {name: value if _NAMES.fullmatch(name) else _nan(value) for name, value in part.items()}


def _nan(value: Any) -> Any:
    if isinstance(value, list):
        return [_nan(inner) for inner in value]
    if isinstance(value, str):
        return "NaN" if _NUMBER.fullmatch(value) else value
    return float("nan") if isinstance(value, int | float) and not isinstance(value, bool) else value


def _with_unknown_words(part: dict[str, Any]) -> dict[str, Any]:
    return {
        name: UNHEARD_OF if name in WORDS and isinstance(value, str) and value else value
        for name, value in part.items()
    }


def _set_back(part: dict[str, Any], back: timedelta) -> dict[str, Any]:
    return {**part, "t": _shifted(part["t"], -back)} if _is_quote(part) and "t" in part else part


def _crossed(part: dict[str, Any]) -> dict[str, Any]:
    if not _is_quote(part):
        return part
    low, high = sorted((float(part["bp"]), float(part["ap"])))
    if low <= 0 or low == high:
        low = max(high / 2, high - _CENT)
    return {**part, "bp": high, "ap": low}


def _is_quote(part: Mapping[str, Any]) -> bool:
    return "bp" in part and "ap" in part


def _shifted(at: Any, by: timedelta) -> Any:
    """A time moved on, as it was given: a time or a text in RFC 3339."""
    if isinstance(at, datetime):
        return at + by
    return wire.instant(datetime.fromisoformat(at) + by)
