"""A vote history whose truth is known: seats with a skill, a habit and a correlation that somebody chose.

Every iteration lies a whole horizon after the one before, unless ``every`` says otherwise, so that outcomes are independent. Whether a
price goes up is a coin; a seat is shown a signal that is right with the probability ``skill``, or what a common signal says with the
probability ``shared``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np

from hydra.gladiators.score.prices import Prices
from hydra.gladiators.score.rows import VoteRow
from hydra.gladiators.score.terms import SeatTerms, Terms
from hydra.model.votes import Choice

START = datetime(2026, 1, 5, tzinfo=UTC)
ASSET = "BTC-USD"
STEP = 0.01
"""How far a price goes within a horizon, as a fraction."""


@dataclass(frozen=True)
class Seat:
    """``skill``: how often its signal is right; ``shared``: how often it takes the common signal instead; ``said``: how sure it says it is."""

    name: str
    skill: float = 0.5
    shared: float = 0.0
    said: float = 0.6
    hold: float = 0.0
    abstain: float = 0.0
    engine: str = "local:made-up"
    shadow: bool = False


def terms(run: str = "made-up", **others: object) -> Terms:
    """Five candles of a minute, a cost of a tenth of a percent a side."""
    settings: dict[str, object] = {"horizon": 5, "granularity": 60, "hold_band": 0.0005, "cost": 0.001, "seed": 7}
    return Terms(run=run, **(settings | others))  # type: ignore[arg-type]  # by name


def prices(ups: Sequence[bool], every: int = 5) -> Prices:
    """Candles in which each horizon opens at 100 and closes a step above or below."""
    candles = []
    for number, up in enumerate(ups):
        for minute in range(every):
            at = START + timedelta(minutes=number * every + minute)
            candles.append((at, 100.0, 100.0 * (1 + STEP if up else 1 - STEP)))
    return Prices(candles, 60)


def world(seats: Sequence[Seat], iterations: int, seed: int = 1) -> tuple[list[VoteRow], dict[str, Prices]]:
    """Rows and prices of so many iterations."""
    chance = np.random.default_rng(seed)
    ups = chance.random(iterations) < 0.5
    common = chance.random(iterations) < 0.5
    rows = []
    for number, up in enumerate(ups):
        for seat in seats:
            right, follows, holds, silent = chance.random(4)
            says_up = bool(common[number]) if follows < seat.shared else bool(up) == bool(right < seat.skill)
            rows.append(row(number, seat, says_up, holds=holds < seat.hold, silent=silent < seat.abstain))
    return rows, {ASSET: prices([bool(up) for up in ups])}


def row(
    number: int, seat: Seat, says_up: bool, *, holds: bool = False, silent: bool = False, run: str = "made-up"
) -> VoteRow:
    """One vote."""
    side = Choice.BUY if says_up else Choice.SELL
    vote = Choice.ABSTAIN if silent else Choice.HOLD if holds else side
    return VoteRow(
        run=run,
        iteration=number,
        timestamp=START + timedelta(minutes=5 * number),
        asset=ASSET,
        seat=seat.name,
        vote=vote,
        confidence=0.0 if silent else 0.5,
        p_up=None if silent else seat.said if says_up else 1 - seat.said,
        why="timeout" if silent else "",
        engine=seat.engine,
        regime="ranging",
        attempts=1,
        latency_ms=100 + number % 50,
        tokens_in=1000,
        tokens_out=50,
        cost=Decimal("0.001"),
        shadow=seat.shadow,
    )


def seat_terms(**named: SeatTerms) -> dict[str, SeatTerms]:
    """Seats by name."""
    return dict(named)
