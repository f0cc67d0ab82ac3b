"""Bots that answer what is no answer, or one nobody should believe."""

from __future__ import annotations

import time
from collections.abc import Callable
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import msgspec

from hydra.model.orders import Protection, Size, SizeKind
from hydra.model.snapshot import View
from hydra.ports import Bot, Setting
from hydra.qc.hostile.kit import Attempt, Memory, asked_before, outcome_of, told, wish

_HUGE = tuple(Decimal(f"1e{zeros}") for zeros in (4000, 900_000, 99_999_999, 999_999_999_999))
_TINY = Decimal("1e-4000")
_WRONG: tuple[Any, ...] = (
    None,
    (),
    ([], {}, []),
    [[], {}],
    (None, {}),
    (["buy"], {}),
    ([], None),
    ([], []),
    ("buy", {}),
    ({"bot": "x"}, {}),
    (7, 7),
    ([], {1: 2}),
    ([], {"a": {1, 2}}),
    ([], {"a": b"bytes"}),
    ([], {"a": Decimal("NaN")}),
    ([], {"a": "\ud800"}),
    object,
    iter(()),
)


def wrong_types(_setting: Setting) -> Bot:
    """Everything but an answer, one after the other."""
    asked = iter(range(1 << 60))

    def bot(_view: View, _memory: Memory) -> Any:
        return _WRONG[next(asked) % len(_WRONG)]

    return bot


def _answers(answer: Callable[[View, Memory], Any]) -> Bot:
    def bot(view: View, memory: Memory) -> Any:
        return answer(view, memory)

    return bot


def floods(_setting: Setting) -> Bot:
    """A million wishes at once."""
    return _answers(lambda view, memory: ([wish(view)] * 1_000_000, memory))


def enormous_thesis(_setting: Setting) -> Bot:
    """One wish with a reason of 8 MB."""
    return _answers(lambda view, memory: ([wish(view, thesis="x" * (8 << 20))], memory))


def enormous_memory(_setting: Setting) -> Bot:
    """Remembers 8 MB."""
    return _answers(lambda _view, memory: ((), {**memory, "x": "x" * (8 << 20)}))


def deep_memory(_setting: Setting) -> Bot:
    """Remembers a list within a list, and so on, a hundred thousand deep."""

    def bot(_view: View, memory: Memory) -> Any:
        deep: list[Any] = []
        for _ in range(100_000):
            deep = [deep]
        return (), {**memory, "deep": deep}

    return bot


def nested_memory(_setting: Setting) -> Bot:
    """Remembers what is just shallow enough to be written, and may be too deep to be read by the next who tries."""

    def bot(_view: View, memory: Memory) -> Any:
        deep: list[Any] = []
        for _ in range(250):
            deep = [deep]
        return (), {"deep": deep, "asked": asked_before(memory) + 1}

    return bot


def cyclic_memory(_setting: Setting) -> Bot:
    """Remembers itself."""

    def bot(_view: View, _memory: Memory) -> Any:
        circle: dict[str, Any] = {}
        circle["again"] = circle
        return (), circle

    return bot


def strange_memory(_setting: Setting) -> Bot:
    """Remembers what is no JSON: a NaN, an integer of a thousand digits, a mapping that is none, a class that lies."""

    class Liar(dict[str, Any]):
        def __eq__(self, _other: object) -> bool:
            raise RuntimeError("not to be compared")

        __hash__ = None

    things: tuple[Any, ...] = (
        {"a": float("nan")},
        {"a": 10**1000},
        MappingProxyType({"a": 1}),
        Liar(a=1),
        {"\ud800": 1},
        {"a": float("inf")},
    )
    asked = iter(range(1 << 60))
    return _answers(lambda _view, _memory: ((), things[next(asked) % len(things)]))


def _forced(change: Callable[[Any], None]) -> Bot:
    """A wish whose values are changed behind the back of their checks."""

    def bot(view: View, memory: Memory) -> Any:
        one = wish(view)
        change(one)
        return [one], memory

    return bot


def nan_size(_setting: Setting) -> Bot:
    """A size that is not a number."""
    return _forced(lambda one: msgspec.structs.force_setattr(one.size, "amount", Decimal("NaN")))


def infinite_size(_setting: Setting) -> Bot:
    """A size without end."""
    return _forced(lambda one: msgspec.structs.force_setattr(one.size, "amount", Decimal("Infinity")))


def negative_size(_setting: Setting) -> Bot:
    """A size below zero."""
    return _forced(lambda one: msgspec.structs.force_setattr(one.size, "amount", Decimal(-1000)))


def zero_price(_setting: Setting) -> Bot:
    """A wish at no price."""
    return _forced(lambda one: msgspec.structs.force_setattr(one, "reference", Decimal(0)))


def without_protection(_setting: Setting) -> Bot:
    """An entry without a stop."""
    return _forced(lambda one: msgspec.structs.force_setattr(one, "protection", None))


def float_size(_setting: Setting) -> Bot:
    """A size that is a float, and no number at that."""
    return _forced(lambda one: msgspec.structs.force_setattr(one.size, "amount", float("nan")))


def text_size(_setting: Setting) -> Bot:
    """A size in words."""
    return _forced(lambda one: msgspec.structs.force_setattr(one.size, "amount", "all of it"))


def unknown_symbol(_setting: Setting) -> Bot:
    """A wish for what nobody trades, and for a symbol that another bot has."""
    return _answers(lambda view, memory: ([wish(view, symbol="NOPE"), wish(view, symbol="BTC-USD")], memory))


def other_bots(setting: Setting) -> Bot:
    """Speaks in the good bot's name, and for its symbol."""
    good = str(setting.policy.parameters.get("good", "good"))
    return _answers(lambda view, memory: ([wish(view, bot=good), wish(view, bot=good, symbol="BTC-USD")], memory))


def huge_size(_setting: Setting) -> Bot:
    """Asks for more than there is of everything, at a price that nobody has ever seen; in words as short as these."""

    def bot(view: View, memory: Memory) -> Any:
        huge = _HUGE[view.minute % len(_HUGE)]
        size = Size(kind=SizeKind.QUANTITY, amount=huge)
        price = Decimal((0, (1,), huge.as_tuple().exponent + 1))  # type: ignore[operator]  # it is finite
        return [wish(view, size=size, reference=price, protection=Protection(stop=huge))], memory

    return bot


def tiny_size(_setting: Setting) -> Bot:
    """Asks for less than there can be of anything, with its stop as far down as there are prices."""

    def bot(view: View, memory: Memory) -> Any:
        size = Size(kind=SizeKind.NOTIONAL, amount=_TINY)
        return [wish(view, size=size, protection=Protection(stop=_TINY))], memory

    return bot


def mutates(setting: Setting) -> Bot:
    """Changes what it was given: the mappings of the view, the values in them, its memory, its own policy."""

    def bot(view: View, memory: Memory) -> Any:
        attempts: dict[str, Attempt] = {
            "bars emptied": lambda: _emptied(view.bars),
            "quotes emptied": lambda: _emptied(view.quotes),
            "holdings emptied": lambda: _emptied(view.holdings),
            "may enter all": lambda: _set_all(view.may_enter),
            "a bar changed": lambda: _changed_bar(view),
            "equity changed": lambda: _forced_attribute(view, "equity", Decimal(10**12)),
            "policy changed": lambda: _forced_policy(setting),
        }
        done = {name: outcome_of(attempt).replace("GOT IT", "nothing") for name, attempt in attempts.items()}
        remembered = told(memory, done)
        if isinstance(memory, dict):
            memory.clear()
        return (), remembered

    return bot


def _emptied(mapping: Any) -> str:
    mapping.clear()
    return "done to its own copy"


def _set_all(mapping: Any) -> str:
    for name in list(mapping):
        mapping[name] = True
    return "done to its own copy"


def _changed_bar(view: View) -> str:
    for bars in view.bars.values():
        msgspec.structs.force_setattr(bars[-1], "close", Decimal(1))
    return "done to its own copy"


def _forced_attribute(value: Any, name: str, to: Any) -> str:
    msgspec.structs.force_setattr(value, name, to)
    return "done to its own copy"


def _forced_policy(setting: Setting) -> str:
    vars(setting.policy)["trades_per_day"] = 10**6
    return "done to its own copy"


def capricious(_setting: Setting) -> Bot:
    """Never the same answer twice: it depends on the clock and on the seed of the hashes."""

    def bot(_view: View, memory: Memory) -> Any:
        return (), {
            **memory,
            "asked": asked_before(memory) + 1,
            "at": time.time_ns(),  # noqa: TID251  # this is what it is about
            "hash": hash("seed"),
        }

    return bot
