"""A bot that says what it is told to, however strange: its memory names what, and gives the value."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from hydra.model.orders import Intent, Side, Size, SizeKind
from hydra.model.snapshot import View


class Mute(Exception):
    """An error that cannot say what it is."""

    def __str__(self) -> str:
        raise ValueError("not even this")


class Liar(dict[str, Any]):
    """A memory that claims to be equal to every other."""

    def __eq__(self, _other: object) -> bool:
        return True

    __hash__ = None  # as a dict's


def _wish(bot: str, reference: str = "100", amount: str = "1", thesis: str = "because") -> Intent:
    size = Size(kind=SizeKind.QUANTITY, amount=Decimal(amount))
    return Intent(bot=bot, symbol="SPY", side=Side.BUY, size=size, reference=Decimal(reference), thesis=thesis)


def _raise(error: BaseException) -> Any:
    raise error


def _nested(depth: int) -> Any:
    value: Any = 0
    for _ in range(depth):
        value = [value]
    return value


STRANGE: Mapping[str, Callable[[str], Any]] = {
    "no number": lambda _: ([], {"a": float("nan"), "b": float("inf")}),
    "a large whole number": lambda _: ([], {"a": 2**64 - 1, "b": -(2**63)}),
    "too large a whole number": lambda _: ([], {"a": 2**64}),
    "half a character": lambda _: ([], {"a": "\ud800"}),
    "keys that are no texts": lambda _: ([], {1: 2}),
    "a decimal": lambda _: ([], {"a": Decimal("1.50")}),
    "a time": lambda _: ([], {"a": datetime(2024, 3, 4, 15, 0, 0, 120, tzinfo=UTC)}),
    "bytes": lambda _: ([], {"a": b"x"}),
    "a set": lambda _: ([], {"a": {1}}),
    "a tuple": lambda _: ([], {"a": (1, (2,))}),
    "a value of ours": lambda bot: ([], {"a": _wish(bot)}),
    "something deep": lambda _: ([], {"a": _nested(200)}),
    "something too deep": lambda _: ([], {"a": _nested(400)}),
    "a large memory": lambda _: ([], {"a": "x" * 65_000}),
    "too large a memory": lambda _: ([], {"a": "x" * 65_536}),
    "a memory that says it has not changed": lambda _: ([], Liar(a=1)),
    "no memory": lambda _: ([], None),
    "a list for a memory": lambda _: ([], [1]),
    "nothing": lambda _: None,
    "one thing": lambda bot: [_wish(bot)],
    "a wish of another make": lambda _: ([{"bot": "a"}], {}),
    "a generator of wishes": lambda bot: ((_wish(bot) for _ in range(2)), {}),
    "wishes": lambda bot: ([_wish(bot, "1E+2", "0.10"), _wish(bot, "99.990", "3", "Grüße \u2028")], {}),
    "another bot's wish": lambda _: ([_wish("somebody-else")], {}),
    "an endless number": lambda bot: ([_wish(bot, "1E+400")], {}),
    "too many wishes": lambda bot: ([_wish(bot)] * 51, {}),
    "a wish that cannot be written": lambda bot: ([_wish(bot, thesis="half \ud800")], {}),
    "many words": lambda bot: ([_wish(bot, thesis="x" * 70_000)], {}),
    "an error": lambda _: _raise(LookupError("nothing: 今日は \ud800")),
    "a long error": lambda _: _raise(RuntimeError("x" * 5000)),
    "an error that is mute": lambda _: _raise(Mute()),
    "an exit": lambda _: _raise(SystemExit(3)),
    "a fraction": lambda _: ([], {"a": Fraction(1, 3)}),
    "endless depth": lambda _: _deeper(),
}


def _deeper() -> Any:
    return _deeper() if sys.getrecursionlimit() else None


def parrot(view: View, memory: Mapping[str, Any]) -> Any:
    """Says it."""
    strange = STRANGE.get(memory.get("strange", ""))
    return ([], {"said": memory["said"]}) if strange is None else strange(view.bot)
