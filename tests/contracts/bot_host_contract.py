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
from tests.contracts.bot_host_bots import FAILING, fails_in_escapes, is_quiet, pretends_to_start, wish, wishes

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


class BotHostContract:
    """Subclass it and provide ``make``."""

    def test_everybody_is_answered_for_in_order(self, make: Make) -> None:
        host = make({"a": wishes, "b": is_quiet})
        answers = host.ask([question("b"), question("a", {"count": 2})])
        assert answers == (Answer(bot="b"), Answer(bot="a", intents=(wish("a"),), memory={"count": 3}))
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

    @pytest.mark.parametrize("bot", [pretends_to_start, fails_in_escapes])
    def test_a_bot_fails_by_an_exceptions_name_and_by_no_word_of_the_hosts(self, make: Make, bot: Bot) -> None:
        host = make({"bad": bot})
        (answer,) = host.ask([question("bad")])
        assert answer.failure is not None
        assert answer.failure.kind == "malformed"
        assert "which is not its to say" in answer.failure.reason
        assert answer.failure.reason.isprintable()
        host.close()

    def test_the_same_question_has_the_same_answer(self, make: Make) -> None:
        host = make({"a": wishes})
        assert host.ask([question("a")]) == host.ask([question("a")])
        host.close()
