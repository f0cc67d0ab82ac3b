"""From votes to one choice: a pure function of the votes and two settings.

A direction wins with at least ``needed`` seats and strictly more of them than any other side has; everything else is HOLD. With
``hold_counts`` HOLD is a side: two BUY against two HOLD is HOLD. Without it only BUY and SELL stand against each other. An
abstention is no side under either rule.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from math import exp, fsum, log

from hydra.gladiators.votes import Choice, Consensus, Vote
from hydra.model.errors import Invalid

__all__ = ["SURE", "Consensus", "consensus", "pooled"]

DIGITS = 6
"""Behind the point, of what records hold: a mean of such numbers says no more."""
SURE = 0.99
"""No probability counts for more than this, or less than its counterpart: one voter's certainty would outweigh any number."""


def consensus(votes: Sequence[Vote], *, hold_counts: bool, needed: int = 2) -> Consensus:
    """The choice of these seats, one vote each. Raises ``Invalid`` for a seat that voted twice and a ``needed`` below 1."""
    seats = [vote.seat for vote in votes]
    if len(set(seats)) < len(seats):
        raise Invalid(f"a seat has one vote, got {', '.join(sorted(seats))}")
    if needed < 1:
        raise Invalid(f"needed must be at least 1, got {needed}")
    counts = Counter(vote.vote for vote in votes)
    choice = _choice(counts, hold_counts=hold_counts, needed=needed)
    together = pooled(vote.p_up for vote in votes if vote.p_up is not None)
    agreeing = [vote.confidence for vote in votes if vote.vote is choice]
    return Consensus(
        choice=choice,
        agreeing=len(agreeing),
        seats=len(votes),
        confidence=round(fsum(agreeing) / len(agreeing), DIGITS) if agreeing else 0.0,
        log_odds=None if together is None else round(together, DIGITS),
        buy=counts[Choice.BUY],
        sell=counts[Choice.SELL],
        hold=counts[Choice.HOLD],
        abstain=counts[Choice.ABSTAIN],
    )


def pooled(probabilities: Iterable[float]) -> float | None:
    """Probabilities pooled by the mean of their log-odds, equal weights, in any order alike; None for none."""
    logits = [log(p / (1 - p)) for p in (min(max(p, 1 - SURE), SURE) for p in probabilities)]
    return 1 / (1 + exp(-fsum(logits) / len(logits))) if logits else None


def _choice(counts: Counter[Choice], *, hold_counts: bool, needed: int) -> Choice:
    sides = (Choice.BUY, Choice.SELL, Choice.HOLD) if hold_counts else (Choice.BUY, Choice.SELL)
    for direction in (Choice.BUY, Choice.SELL):
        strongest_other = max(counts[side] for side in sides if side is not direction)
        if counts[direction] >= needed and counts[direction] > strongest_other:
            return direction
    return Choice.HOLD
