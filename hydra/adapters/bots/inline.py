"""Bots inline: in this process, guarded. They can raise what they like; they can still hang or crash the process.

The deadline is measured, not enforced: an answer that came too late is a failure like any other, but a bot that never
returns stops the loop. Each bot gets mappings of its own: what it does to them is seen by nobody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from time import perf_counter
from typing import Any

import orjson

from hydra.adapters.bots.answers import checked, failed, own
from hydra.guard import ask_foreign
from hydra.model.isolation import INLINE, Isolation
from hydra.model.snapshot import Answer, Failure, View
from hydra.model.values import replace
from hydra.ports import Bot, Question


class InlineBotHost:
    """The ``BotHost`` for bots that run in this process."""

    def __init__(self, bots: Mapping[str, Bot], deadline_ms: int | None) -> None:
        self._bots = bots
        self._deadline_seconds = None if deadline_ms is None else deadline_ms / 1000

    @property
    def bots(self) -> Mapping[str, Bot]:
        """The bots by id."""
        return self._bots

    @property
    def isolation(self) -> Isolation:
        """Nothing is kept from them."""
        return INLINE

    def ask(self, questions: Sequence[Question]) -> tuple[Answer, ...]:
        """Ask each bot once, in order."""
        return tuple([self._ask(question) for question in questions])

    def close(self) -> None:
        """Nothing to end."""

    def _ask(self, question: Question) -> Answer:
        bot = self._bots.get(question.bot)
        if bot is None:
            return failed(question.bot, "missing", "no such bot is loaded")
        view, memory = _own(question.view), _copy(question.memory)
        started = perf_counter()
        answer = ask_foreign(question.bot, _asked, bot, question, view, memory)
        if type(answer) is Failure:
            return Answer(bot=question.bot, failure=own(question.bot, answer))
        took = perf_counter() - started
        if self._deadline_seconds is not None and took > self._deadline_seconds:
            reason = f"took {took * 1000:.0f} ms, at most {self._deadline_seconds * 1000:.0f}"
            return failed(question.bot, "timeout", reason)
        return answer  # type: ignore[no-any-return]  # what _asked returns


def _asked(bot: Bot, question: Question, view: View, memory: Mapping[str, Any]) -> Answer:
    return checked(question.bot, question.memory, bot(view, memory))


def _own(view: View) -> View:
    """The view with mappings that nobody else holds; what they hold cannot be changed."""
    return replace(
        view,
        bars={**view.bars},
        quotes={**view.quotes},
        holdings={**view.holdings} if view.holdings else {},
        may_enter={**view.may_enter},
        chains={**view.chains} if view.chains else {},
    )


def _copy(memory: Mapping[str, Any]) -> Mapping[str, Any]:
    """A memory that nobody else holds, as it is written and read: of one that holds nothing but texts another mapping is enough."""
    for value in memory.values():
        if type(value) is not str:
            return orjson.loads(orjson.dumps(memory))  # type: ignore[no-any-return]  # a mapping went in
    return {**memory}
