"""What every ``BotHost`` must do: answer for everybody, in order, and let nobody's failure out.

A test module subclasses ``BotHostContract`` and provides ``make``: bots by name to a host. Bots of the contract can be
sent to a worker: they are module-level functions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from hydra.model.snapshot import Answer, View
from hydra.ports import Bot, BotHost, Question
from tests.fakes.outside import entry

Make = Callable[[Mapping[str, Bot]], BotHost]


def question(bot: str, memory: Mapping[str, Any] | None = None) -> Question:
    """A view without prices."""
    view = View(
        bot=bot,
        at=datetime(2024, 3, 4, 15, tzinfo=UTC),
        minute=600,
        symbols=("SPY",),
        bars={},
        quotes={},
        holdings={},
        may_enter={"SPY": True},
        equity=Decimal(1000),
    )
    return Question(bot=bot, view=view, memory=memory or {})


def wishes(view: View, memory: Mapping[str, Any]) -> Any:
    return [entry(view.bot)], {**memory, "count": memory.get("count", 0) + 1}


def is_quiet(_view: View, memory: Mapping[str, Any]) -> Any:
    return (), memory


def raises(_view: View, _memory: Mapping[str, Any]) -> Any:
    raise RuntimeError("broken")


def exits(_view: View, _memory: Mapping[str, Any]) -> Any:
    raise SystemExit(3)


def says_nothing(_view: View, _memory: Mapping[str, Any]) -> Any:
    return None


def floods(view: View, memory: Mapping[str, Any]) -> Any:
    return [entry(view.bot)] * 1000, memory


def remembers_too_much(_view: View, _memory: Mapping[str, Any]) -> Any:
    return [], {"a": "x" * 1_000_000}


def wishes_in_words(_view: View, memory: Mapping[str, Any]) -> Any:
    return ["buy"], memory


FAILING: dict[str, Bot] = {
    "raises": raises,
    "exits": exits,
    "says_nothing": says_nothing,
    "floods": floods,
    "remembers_too_much": remembers_too_much,
    "wishes_in_words": wishes_in_words,
}


class BotHostContract:
    """Subclass it and provide ``make``."""

    def test_everybody_is_answered_for_in_order(self, make: Make) -> None:
        host = make({"a": wishes, "b": is_quiet})
        answers = host.ask([question("b"), question("a", {"count": 2})])
        assert answers == (Answer(bot="b"), Answer(bot="a", intents=(entry("a"),), memory={"count": 3}))
        host.close()

    def test_a_bot_that_is_not_there_abstains(self, make: Make) -> None:
        host = make({})
        (answer,) = host.ask([question("ghost")])
        assert answer.failure is not None
        assert answer.failure.what == "ghost"
        host.close()

    @pytest.mark.parametrize("how", FAILING)
    def test_a_bot_that_fails_abstains_and_the_others_answer(self, make: Make, how: str) -> None:
        host = make({"bad": FAILING[how], "good": wishes})
        bad, good = host.ask([question("bad", {"kept": 1}), question("good")])
        assert bad.failure is not None
        assert (bad.intents, bad.memory) == ((), None)
        assert bad.failure.reason
        assert len(good.intents) == 1
        host.close()

    def test_the_same_question_has_the_same_answer(self, make: Make) -> None:
        host = make({"a": wishes})
        assert host.ask([question("a")]) == host.ask([question("a")])
        host.close()
