"""What a seat was: how it voted, what it cost, how long it took, why it did not vote, and how much of it its model could have read.

The split of BUY and SELL is held against a fair coin by an exact test that takes votes for independent, which votes on neighbouring
candles are not: a small probability is a hint of a bias, and no proof.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

import numpy as np

from hydra.gladiators.score.chance import binomial_test
from hydra.gladiators.score.rows import VoteRow
from hydra.gladiators.score.terms import SeatTerms
from hydra.model.votes import Choice

_EMPTY = "empty"
PERCENTILES = (50, 90, 99)


class Read(StrEnum):
    """Whether a seat's model could have read about the bars that it voted on."""

    RULES = "rules, nothing to read"
    UNKNOWN = "cutoff not known: nothing is called clean"
    CLEAN = "all bars after the cutoff"
    PARTLY = "some bars before the cutoff: contaminated"
    ALL = "all bars before the cutoff: contaminated"
    NOBODY = "nobody sits here"


@dataclass(frozen=True, kw_only=True)
class Sums:
    """``cost`` in dollars, ``latency`` in milliseconds by percentile and of the slowest, of those that were asked.

    ``bias`` is the probability of a split as uneven as this one from a coin; ``abstained`` counts reasons. ``contaminated`` counts
    votes on bars that closed on or before the cutoff.
    """

    seat: str
    engines: tuple[str, ...]
    models: tuple[str, ...]
    role: str
    votes: int
    buy: int
    sell: int
    hold: int
    abstained: Mapping[str, int]
    bias: float | None
    tokens_in: int
    tokens_out: int
    cost: Decimal
    attempts: int
    latency: Mapping[int, int]
    latency_most: int | None
    cutoff: date | None
    read: Read
    contaminated: int

    @property
    def abstentions(self) -> int:
        """All of them."""
        return sum(self.abstained.values())


def sums(seat: str, rows: Sequence[VoteRow], terms: SeatTerms) -> Sums:
    """Of one seat's rows."""
    counts = Counter(row.vote for row in rows)
    buy, sell = counts[Choice.BUY], counts[Choice.SELL]
    asked = [row.latency_ms for row in rows if row.attempts > 0 or row.voted]
    engines = tuple(dict.fromkeys(row.engine for row in rows if row.engine))
    contaminated = sum(1 for row in rows if before_cutoff(row, terms))
    return Sums(
        seat=seat,
        engines=engines,
        models=tuple(dict.fromkeys(row.model for row in rows if row.model)),
        role=terms.role,
        votes=len(rows),
        buy=buy,
        sell=sell,
        hold=counts[Choice.HOLD],
        abstained=dict(Counter(row.why or "no reason given" for row in rows if not row.voted).most_common()),
        bias=binomial_test(buy, buy + sell),
        tokens_in=sum(row.tokens_in for row in rows),
        tokens_out=sum(row.tokens_out for row in rows),
        cost=sum((row.cost for row in rows), Decimal(0)),
        attempts=sum(row.attempts for row in rows),
        latency={one: int(np.percentile(asked, one, method="inverted_cdf")) for one in PERCENTILES} if asked else {},
        latency_most=max(asked) if asked else None,
        cutoff=terms.cutoff,
        read=_read(engines, terms, contaminated, len(rows)),
        contaminated=contaminated,
    )


def before_cutoff(row: VoteRow, terms: SeatTerms) -> bool:
    """Whether the seat's model could have read about this bar."""
    return terms.cutoff is not None and row.timestamp.date() <= terms.cutoff


def _read(engines: tuple[str, ...], terms: SeatTerms, contaminated: int, votes: int) -> Read:
    if set(engines) <= {_EMPTY}:
        return Read.NOBODY
    if all(engine.startswith("local:") or engine == _EMPTY for engine in engines):
        return Read.RULES
    if terms.cutoff is None:
        return Read.UNKNOWN
    if not contaminated:
        return Read.CLEAN
    return Read.ALL if contaminated == votes else Read.PARTLY
