"""What was sent to a model and what was heard, and the vote that comes out of it.

``vote_of`` is a pure function of an exchange: the live seat and the replaying one run the same, so a recorded exchange gives the same
vote, byte for byte. Latency and cost are part of the exchange, as inputs.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from hydra.adapters.llm.answers import Said, Unfit, read_answer
from hydra.adapters.llm.failures import Failed, failure_of_status
from hydra.model.errors import Invalid
from hydra.model.text import DETAIL_MAX, harmless
from hydra.model.values import Value, not_negative
from hydra.model.votes import Choice, Vote, Why

REFUSED_ENDS = ("refusal", "content_filter")
CUT_OFF_ENDS = ("length", "max_tokens")


class Attempt(Value, frozen=True, kw_only=True):
    """One request and what came back. ``status`` is None when nothing did; times in milliseconds, cost in USD."""

    request: str
    status: int | None = None
    body: str = ""
    """What came back, as it came, secrets taken out."""
    text: str | None = None
    """The model's own words in it; None when they could not be found."""
    finish: str = ""
    problem: Why = Why.NONE
    """What went wrong before there was a whole answer: timeout, unreachable, parse."""
    because: str = ""
    retry_after: float | None = None
    latency_ms: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost: Decimal = Decimal(0)

    def __post_init__(self) -> None:
        not_negative("attempt.cost", self.cost)
        if min(self.latency_ms, self.tokens_in, self.tokens_out) < 0:
            raise Invalid("an attempt's latency and tokens are at least 0")


class Question(Value, frozen=True, kw_only=True):
    """What an exchange is about: all that may change an answer, and nothing else. Hashes are SHA-256."""

    seat: str
    wire: str
    model: str
    settings: Mapping[str, str]
    prompt: str
    brief: str


class Exchange(Value, frozen=True, kw_only=True):
    """A seat's whole asking about one brief: every attempt, and what ended it when that was not its last attempt."""

    question: Question
    attempts: tuple[Attempt, ...]
    ended: Why = Why.NONE
    because: str = ""
    latency_ms: int = 0


def heard(attempt: Attempt) -> Said | Failed:
    """What one attempt came to."""
    if attempt.problem:
        again = attempt.problem in (Why.TIMEOUT, Why.UNREACHABLE, Why.PARSE)
        return Failed(attempt.problem, attempt.because, again)
    if attempt.status is None or attempt.status != 200:
        return failure_of_status(attempt.status or 0, attempt.body, attempt.retry_after)
    if attempt.finish in REFUSED_ENDS:
        return Failed(Why.REFUSAL, f"it refused ({attempt.finish}): {attempt.text or 'no text'}", again=False)
    if attempt.text is None:
        return Failed(Why.PARSE, f"HTTP 200 and no message in it: {attempt.body}", again=True)
    answer = read_answer(attempt.text)
    if isinstance(answer, Said):
        return answer
    if attempt.finish in CUT_OFF_ENDS:
        return Failed(Why.PARSE, f"cut off after {attempt.tokens_out} tokens: {answer.because}", again=False)
    return _failed(answer)


def _failed(answer: Unfit) -> Failed:
    return Failed(Why.REFUSAL if answer.refused else Why.PARSE, answer.because, again=not answer.refused)


def vote_of(exchange: Exchange, recording: str = "") -> Vote:
    """The vote an exchange came to, ``recording`` being its name in the recordings."""
    question, attempts = exchange.question, exchange.attempts
    last = heard(attempts[-1]) if attempts else Failed(exchange.ended, exchange.because, again=False)
    said = last if isinstance(last, Said) else None
    failed = last if isinstance(last, Failed) else None
    if failed and exchange.ended:
        failed = Failed(exchange.ended, exchange.because, again=False)
    return Vote(
        seat=question.seat,
        vote=said.vote if said else Choice.ABSTAIN,
        confidence=said.confidence if said else 0.0,
        p_up=said.p_up if said else None,
        reasoning=said.reasoning if said else "",
        why=failed.why if failed else Why.NONE,
        detail=harmless(failed.because, DETAIL_MAX) if failed else "",
        engine=engine_of(question.wire, question.model),
        model=question.model,
        prompt=question.prompt,
        brief=question.brief,
        attempts=len(attempts),
        latency_ms=exchange.latency_ms,
        tokens_in=sum(attempt.tokens_in for attempt in attempts),
        tokens_out=sum(attempt.tokens_out for attempt in attempts),
        cost=sum((attempt.cost for attempt in attempts), Decimal(0)),
        recordings=(recording,) if recording else (),
    )


def engine_of(wire: str, model: str) -> str:
    """What the screen and every record call a seat's engine."""
    return f"{wire}:{model}"
