"""Bots inline: in this process, guarded. They can raise what they like; they can still hang or crash the process.

The deadline is measured, not enforced: an answer that came too late is a failure like any other, but a bot that never
returns stops the loop. Answers are checked as values before anyone sees them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from time import perf_counter
from typing import Any

import orjson

from hydra.guard import attempt_foreign
from hydra.model.orders import Intent
from hydra.model.snapshot import Answer, Failure
from hydra.model.values import decode, encode, replace
from hydra.ports import Bot, Question

_MEMORY_MAX_BYTES = 65536
_INTENTS_MAX = 50
_WORDS_MAX_BYTES = 65536


class InlineBotHost:
    """The ``BotHost`` for bots that run in this process."""

    def __init__(self, bots: Mapping[str, Bot], deadline_ms: int | None) -> None:
        self._bots = bots
        self._deadline_seconds = None if deadline_ms is None else deadline_ms / 1000

    def ask(self, questions: Sequence[Question]) -> tuple[Answer, ...]:
        """Ask each bot once, in order."""
        return tuple(self._ask(question) for question in questions)

    def close(self) -> None:
        """Nothing to end."""

    def _ask(self, question: Question) -> Answer:
        bot = self._bots.get(question.bot)
        if bot is None:
            return _failed(question, "missing", "no such bot is loaded")
        started = perf_counter()
        outcome = attempt_foreign(question.bot, lambda: _checked(question, bot(question.view, question.memory)))
        if outcome.failure is not None or outcome.value is None:
            return Answer(bot=question.bot, failure=outcome.failure)
        took = perf_counter() - started
        if self._deadline_seconds is not None and took > self._deadline_seconds:
            return _failed(
                question, "timeout", f"took {took * 1000:.0f} ms, at most {self._deadline_seconds * 1000:.0f}"
            )
        return outcome.value


def _checked(question: Question, answer: Any) -> Answer:
    """The answer as a value. Raises ``TypeError`` or ``ValueError`` when it is not what a bot returns.

    The intents go through their wire form: what cannot be journaled and read back has not been said.
    """
    if type(answer) is not tuple or len(answer) != 2:
        raise TypeError(f"a bot returns (intents, memory), got {type(answer).__name__}")
    intents, memory = answer
    if not isinstance(intents, list | tuple) or any(type(intent) is not Intent for intent in intents):
        raise TypeError("the intents must be a list of Intent values")
    if len(intents) > _INTENTS_MAX:
        raise ValueError(f"{len(intents)} intents in one answer, at most {_INTENTS_MAX}")
    kept = None if memory is question.memory or memory == question.memory else _packed(memory)
    if not intents:
        return Answer(bot=question.bot, memory=kept)
    words = encode(Answer(bot=question.bot, intents=tuple(intents)))
    if len(words) > _WORDS_MAX_BYTES:
        raise ValueError(f"the intents have {len(words)} bytes, at most {_WORDS_MAX_BYTES}")
    return replace(decode(words, Answer), memory=kept)


def _packed(memory: Any) -> Mapping[str, Any]:
    if not isinstance(memory, dict):
        raise TypeError(f"the memory must be a mapping, got {type(memory).__name__}")
    packed = orjson.dumps(memory)
    if len(packed) > _MEMORY_MAX_BYTES:
        raise ValueError(f"the memory has {len(packed)} bytes, at most {_MEMORY_MAX_BYTES}")
    return orjson.loads(packed)  # type: ignore[no-any-return]  # a mapping went in


def _failed(question: Question, kind: str, reason: str) -> Answer:
    return Answer(bot=question.bot, failure=Failure(what=question.bot, kind=kind, reason=reason))
