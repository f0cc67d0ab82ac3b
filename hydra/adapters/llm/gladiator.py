"""A model in a seat: up to three attempts within one deadline, each paid for before it leaves, all of it recorded.

Tried again is only what another attempt may mend: no connection, too many requests, an overloaded server, an answer out of form. A
used-up account, a refused key and a refusal end it at once. A wait that was asked for is kept when it ends before the deadline, and
otherwise nobody waits. The vote is worked out from the exchange as it was recorded, so what is replayed is what was heard.
"""

from __future__ import annotations

import time
from threading import Event
from typing import NamedTuple

from hydra.adapters.llm.answers import Said
from hydra.adapters.llm.budget import Budget
from hydra.adapters.llm.client import Client
from hydra.adapters.llm.exchange import Attempt, Exchange, Question, engine_of, heard, vote_of
from hydra.adapters.llm.failures import Failed
from hydra.adapters.llm.recordings import Recordings
from hydra.gladiators.brief import Brief
from hydra.gladiators.prompting import Prompt, question_of
from hydra.model.values import replace
from hydra.model.votes import Choice, Vote, Why
from hydra.policy.tournament import SeatSection

BACKOFF = 0.05
"""Of the whole deadline: how long is waited before the second attempt when nobody asked for a wait; twice as long before the third."""
OVERHEAD_TOKENS = 200
"""What endpoints add to a request of their own; beyond that a token has at least a byte."""


class Purse(NamedTuple):
    """What a model's seat shares with the others."""

    budget: Budget
    recordings: Recordings
    reuse: bool


class ModelGladiator:
    """A ``Gladiator`` behind which a model sits. Asked by one thread at a time."""

    def __init__(self, seat: str, section: SeatSection, prompt: Prompt, client: Client, purse: Purse) -> None:
        self.seat = seat
        self.engine = engine_of(section.wire, section.model)
        self._section = section
        self._prompt = prompt
        self._client = client
        self._purse = purse
        self._closing = Event()

    def vote(self, brief: Brief, deadline: float) -> Vote:
        """Its vote within ``deadline`` seconds; from a recording where this very question was answered before."""
        began = time.monotonic()
        question = question_about(self.seat, self._section, self._prompt, brief)
        if self._purse.reuse:
            known = self._purse.recordings.latest(question)
            if known is not None and (vote := vote_of(known[1], known[0])).vote is not Choice.ABSTAIN:
                return vote
        attempts, ended, because = self._attempts(brief, began + deadline, deadline)
        exchange = Exchange(
            question=question,
            attempts=attempts,
            ended=ended,
            because=because,
            latency_ms=int((time.monotonic() - began) * 1000),
        )
        return vote_of(exchange, self._purse.recordings.keep(exchange) if attempts else "")

    def close(self) -> None:
        """Wait no longer. The connections go when the thread that uses them is done (``release``)."""
        self._closing.set()

    def release(self) -> None:
        """Drop the connections; called by the thread that asks."""
        self._client.close()

    def _attempts(self, brief: Brief, until: float, deadline: float) -> tuple[tuple[Attempt, ...], Why, str]:
        """The attempts there was time and money for; and what ended them, if it was not the last one."""
        attempts: list[Attempt] = []
        for number in range(self._section.attempts):
            left = until - time.monotonic()
            if left <= 0 or self._closing.is_set():
                if attempts:
                    break
                return (), Why.TIMEOUT, f"no time left to ask: the deadline is {deadline:.2f} s"
            paid = self._paid_attempt(brief, min(left, float(self._section.timeout_seconds)))
            if isinstance(paid, str):
                before = f"; before that: {attempts[-1].because or f'HTTP {attempts[-1].status}'}" if attempts else ""
                return tuple(attempts), Why.BUDGET, paid + before
            attempts.append(paid)
            outcome = heard(paid)
            if isinstance(outcome, Said) or not outcome.again or number + 1 == self._section.attempts:
                break
            wait = deadline * BACKOFF * 2**number if outcome.wait is None else outcome.wait
            if time.monotonic() + wait >= until:
                break
            self._closing.wait(wait)
        return tuple(attempts), Why.NONE, ""

    def _paid_attempt(self, brief: Brief, seconds: float) -> Attempt | str:
        """One attempt, reserved before and settled after; or why there is no money for it."""
        system, question = self._prompt.text, question_of(brief)
        most = len(system.encode()) + len(question.encode()) + OVERHEAD_TOKENS
        budget = self._purse.budget
        reservation = budget.reserve(
            self.seat, self._section.model, brief.hash, (most, self._section.max_output_tokens)
        )
        if isinstance(reservation, str):
            return reservation
        attempt, tokens = self._client.ask(system, question, seconds)
        if tokens is None and _was_turned_away(attempt):
            tokens = (0, 0)
        return replace(attempt, cost=budget.settle(reservation, tokens))


def _was_turned_away(attempt: Attempt) -> bool:
    """The vendor refused the request itself, for good: it did no work that it could charge for."""
    outcome = heard(attempt)
    turned_away = attempt.status is not None and 400 <= attempt.status < 500 and not attempt.problem
    return turned_away and isinstance(outcome, Failed) and not outcome.again


def question_about(seat: str, section: SeatSection, prompt: Prompt, brief: Brief) -> Question:
    """What a seat is asked about a brief: all that its answer may depend on."""
    settings = {
        "base_url": section.base_url or "",
        "max_output_tokens": str(section.max_output_tokens),
        "temperature": "" if section.temperature is None else f"{section.temperature.normalize():f}",
        "thinking": "" if section.thinking is None else str(section.thinking).lower(),
    }
    return Question(
        seat=seat,
        wire=section.wire,
        model=section.model,
        settings=settings,
        prompt=prompt.hash,
        brief=brief.hash,
    )
