"""Where the time of asking a bot in its process goes, taken step by step with what the host and the worker are made of.

Every step is run here, in one process, on the questions of a running engine: no line in between and nobody to wake up, so what the
steps do not add up to is the line, the kernel and the waiting.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median
from time import perf_counter_ns
from typing import TypeVar

import msgspec
import orjson

from hydra.adapters.bots.answers import believed, checked
from hydra.adapters.bots.line import Heard
from hydra.adapters.bots.news import NewsDesk, Seen, Windows
from hydra.adapters.bots.wire import HEAD_BYTES, Ask, AskOut, Reply, framed
from hydra.model.values import decode, encode, replace
from hydra.ports import Bot, Question

T = TypeVar("T")
STAGES = (
    ("host: news of bars", True),
    ("host: encode the question", True),
    ("worker: decode it", False),
    ("worker: put the view together", False),
    ("worker: the bot, its memory copied", False),
    ("worker: check and encode the answer", False),
    ("host: decode and check the answer", True),
)
"""Each step, and whether the host takes it."""


class Stages:
    """One worker's side and the host's, for each of some bots."""

    def __init__(self, bots: dict[str, Bot]) -> None:
        self._bots = bots
        self._desk = NewsDesk()
        self._seen = {name: Seen() for name in bots}
        self._windows = {name: Windows() for name in bots}
        self._took: dict[str, list[int]] = {name: [] for name, _ in STAGES}

    def once(self, questions: Sequence[Question], *, counts: bool) -> None:
        """All steps for every question; each step's time is summed over the bots."""
        spent = [0] * len(STAGES)
        for number, question in enumerate(questions):
            self._one(number, question, spent)
        if counts:
            for (name, _), nanoseconds in zip(STAGES, spent, strict=True):
                self._took[name].append(nanoseconds)

    def micros(self) -> dict[str, float]:
        """The median of each step, in microseconds a bot."""
        return {name: round(median(took) / 1000 / len(self._bots), 1) for name, took in self._took.items()}

    def _one(self, number: int, question: Question, spent: list[int]) -> None:
        name = question.bot
        step = _Step(spent)
        bars, chains = step(lambda: self._desk.tell(question.view, self._seen[name]))
        said = step(lambda: _asked(number, question, bars, chains))
        ask = step(lambda: decode(said, Ask))
        view = step(lambda: self._windows[name].view(ask))
        answer = step(lambda: self._bots[name](view, orjson.loads(orjson.dumps(ask.memory))))
        reply = step(lambda: framed(encode(Reply(number=number, answer=checked(name, ask.memory, answer)))))
        step(lambda: _heard(name, reply))


class _Step:
    def __init__(self, spent: list[int]) -> None:
        self._spent, self._place = spent, 0

    def __call__(self, take: Callable[[], T]) -> T:
        began = perf_counter_ns()
        value = take()
        self._spent[self._place] += perf_counter_ns() - began
        self._place += 1
        return value


def _asked(number: int, question: Question, bars: dict[str, msgspec.Raw], chains: dict[str, msgspec.Raw]) -> bytes:
    memory = msgspec.Raw(orjson.dumps(question.memory))
    view = replace(question.view, bars={}, chains={})
    said = encode(AskOut(number=number, view=view, memory=memory, bars=bars, chains=chains))
    framed(said)
    return said


def _heard(name: str, reply: bytes) -> None:
    said: Heard = decode(reply[HEAD_BYTES:], Heard)  # type: ignore[arg-type]  # a union is as good as a type to the decoder
    assert isinstance(said, Reply)
    believed(name, said.answer)
