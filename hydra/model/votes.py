"""A vote: what a gladiator in a seat said to a brief, and what it cost to hear it.

A gladiator that did not answer, or not in the agreed words, has not voted: its vote is ABSTAIN with why and a sentence, it carries
no confidence and no probability, and counts for nothing. A vote that exists holds.
"""

from __future__ import annotations

import re
from decimal import Decimal
from enum import StrEnum
from math import isfinite

from hydra.model.errors import Invalid
from hydra.model.text import DETAIL_MAX, REASONING_MAX, harmless, is_harmless
from hydra.model.values import Value, named, not_negative

TOURNAMENT = "tournament"
"""The make of the bot that votes decide for. It is no plug, so a policy of ``hydra run`` cannot name it."""
SEATS = ("A", "B", "C", "D")
"""The seats whose votes count. Challengers (X1, X2, ...) vote in shadow."""
_SEAT = re.compile(r"[A-D]|X[1-9][0-9]?")


class Choice(StrEnum):
    """What a gladiator can say."""

    BUY = "BUY"
    SELL = "SELL"
    HOLD = "HOLD"
    ABSTAIN = "ABSTAIN"


class Why(StrEnum):
    """Why a gladiator abstained. ``NONE``: it did not."""

    NONE = ""
    TIMEOUT = "timeout"
    """The deadline passed before there was an answer."""
    QUOTA = "quota"
    """The account behind the key is used up: nothing is tried again."""
    RATE = "rate"
    """Too many requests, and no time left to wait."""
    OVERLOADED = "overloaded"
    """The other side said that it has too much to do."""
    UNREACHABLE = "unreachable"
    """No connection, or a connection that was dropped."""
    PARSE = "parse"
    """There was an answer, and it was not in the agreed form."""
    REFUSAL = "refusal"
    """The model would not answer."""
    BUDGET = "budget"
    """It was not asked: what it could have cost is not left."""
    EMPTY_SEAT = "empty_seat"
    """Nobody sits here: there is no key."""
    DATA = "data"
    """The brief does not hold what the gladiator needs."""
    MISS = "miss"
    """Nothing is recorded for this brief."""
    ERROR = "error"
    """Anything else; the detail says what."""


class Vote(Value, frozen=True, kw_only=True):
    """One gladiator's vote. Latency is in milliseconds, cost in USD; ``prompt``, ``brief`` and ``recordings`` are SHA-256 hashes."""

    seat: str
    vote: Choice
    confidence: float = 0.0
    """In [0, 1]; 0 for ABSTAIN."""
    p_up: float | None = None
    """In [0, 1]: the probability that the close after the horizon is above this one; None for ABSTAIN."""
    reasoning: str = ""
    why: Why = Why.NONE
    detail: str = ""
    engine: str
    """What sits in the seat: ``local:trend``, ``openai:deepseek-chat``, ``anthropic:claude-...``, ``empty``."""
    model: str = ""
    prompt: str = ""
    brief: str = ""
    attempts: int = 0
    latency_ms: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost: Decimal = Decimal(0)
    recordings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not _SEAT.fullmatch(self.seat):
            raise Invalid(f"vote.seat must be A, B, C, D or X1 to X99, got {self.seat[:40]!r}")
        named("vote.engine", self.engine)
        within_one("vote.confidence", self.confidence)
        if self.p_up is not None:
            within_one("vote.p_up", self.p_up)
        if self.vote is Choice.ABSTAIN:
            if not self.why or self.confidence or self.p_up is not None:
                raise Invalid("an abstention says why, and has no confidence and no p_up")
        elif self.why or self.detail or self.p_up is None:
            raise Invalid(f"a vote of {self.vote} has a p_up, and nothing that kept it from voting")
        if not is_harmless(self.reasoning, REASONING_MAX) or not is_harmless(self.detail, DETAIL_MAX):
            raise Invalid("vote.reasoning and vote.detail are one line of visible characters")
        for name in ("attempts", "latency_ms", "tokens_in", "tokens_out"):
            if getattr(self, name) < 0:
                raise Invalid(f"vote.{name} must be at least 0, got {getattr(self, name)}")
        not_negative("vote.cost", self.cost)


class Consensus(Value, frozen=True, kw_only=True):
    """What the seats came to. ``agreeing`` seats of ``seats`` voted for ``choice``."""

    choice: Choice
    agreeing: int
    seats: int
    confidence: float = 0.0
    """The mean confidence of those who agree; 0 when none does."""
    log_odds: float | None = None
    """The probability of *up* when everybody's log-odds are pooled with equal weight; None when nobody voted."""
    buy: int = 0
    sell: int = 0
    hold: int = 0
    abstain: int = 0

    @property
    def told(self) -> str:
        """As the records spell it: ``BUY (3/4)``."""
        return f"{self.choice} ({self.agreeing}/{self.seats})"


def abstain(seat: str, why: Why, detail: str, *, engine: str, brief: str = "", model: str = "") -> Vote:
    """The abstention of a seat, with its reason in one sentence."""
    return Vote(
        seat=seat,
        vote=Choice.ABSTAIN,
        why=why,
        detail=harmless(detail, DETAIL_MAX),
        engine=engine,
        model=model,
        brief=brief,
    )


def within_one(name: str, number: float) -> None:
    """Refuse what is not a finite number from 0 to 1, by name."""
    if type(number) not in (float, int) or not isfinite(number) or not 0 <= number <= 1:
        raise Invalid(f"{name} must be from 0 to 1, got {number!r}"[:200])
