"""The bots of the contract: functions of a module that imports little, so that a worker is made of them quickly."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from hydra.model.orders import Intent, Protection, Side, Size, SizeKind
from hydra.model.snapshot import View
from hydra.ports import Bot


def wish(bot: str, **more: Any) -> Intent:
    """A wish to buy ten shares at about 100."""
    fields = {
        "side": Side.BUY,
        "size": Size(kind=SizeKind.QUANTITY, amount=Decimal(10)),
        "reference": Decimal(100),
        "protection": Protection(stop=Decimal(98), target=Decimal(104)),
        "thesis": "the script says so",
    }
    return Intent(bot=bot, symbol="SPY", **{**fields, **more})


def wishes(view: View, memory: Mapping[str, Any]) -> Any:
    return [wish(view.bot)], {**memory, "count": memory.get("count", 0) + 1}


def is_quiet(_view: View, memory: Mapping[str, Any]) -> Any:
    return (), memory


def raises(_view: View, _memory: Mapping[str, Any]) -> Any:
    raise RuntimeError("broken")


def exits(_view: View, _memory: Mapping[str, Any]) -> Any:
    raise SystemExit(3)


def says_nothing(_view: View, _memory: Mapping[str, Any]) -> Any:
    return None


def floods(view: View, memory: Mapping[str, Any]) -> Any:
    return [wish(view.bot)] * 1000, memory


def remembers_too_much(_view: View, _memory: Mapping[str, Any]) -> Any:
    return [], {"a": "x" * 1_000_000}


def wishes_in_words(_view: View, memory: Mapping[str, Any]) -> Any:
    return ["buy"], memory


class starting(Exception):  # noqa: N801  # the name is the trick
    """Named like a failure that is the host's to tell of."""


def pretends_to_start(_view: View, _memory: Mapping[str, Any]) -> Any:
    raise starting


def fails_in_escapes(_view: View, _memory: Mapping[str, Any]) -> Any:
    raise type("\x1b[2J", (Exception,), {})("gone")


FAILING: dict[str, Bot] = {
    "raises": raises,
    "exits": exits,
    "says_nothing": says_nothing,
    "floods": floods,
    "remembers_too_much": remembers_too_much,
    "wishes_in_words": wishes_in_words,
}
