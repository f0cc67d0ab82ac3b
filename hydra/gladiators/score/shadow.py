"""Challengers against the seats that they would replace: the same briefs, the difference of the squared errors, a test announced beforehand.

    d = (p_challenger - y)^2 - (p_seat - y)^2        below zero, the challenger is better

The test is Diebold and Mariano's with the correction of Harvey, Leybourne and Newbold: the spread of the mean counts that calls
within a horizon share their outcome. It decides once there are as many pairs as were announced, and not before: whoever looks often
enough finds something.

Sources: Diebold and Mariano, Comparing Predictive Accuracy, Journal of Business and Economic Statistics 13 (1995); Harvey, Leybourne
and Newbold, Testing the Equality of Prediction Mean Squared Errors, International Journal of Forecasting 13 (1997), with the normal
distribution in place of Student's.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import nan, sqrt
from statistics import NormalDist

import numpy as np

from hydra.gladiators.score.chance import SIGNIFICANCE, Bootstrap, Interval
from hydra.gladiators.score.measure import LEAST
from hydra.gladiators.score.prices import Floats
from hydra.gladiators.score.table import Table
from hydra.gladiators.score.terms import SeatTerms


class Outlook(StrEnum):
    """What follows for a challenger."""

    NOT_ANNOUNCED = "no test was announced: no ground for promotion"
    NOT_ENOUGH = "not enough data"
    PROMOTE = "better: may be promoted"
    WORSE = "worse"
    SAME = "no difference shown"


@dataclass(frozen=True, kw_only=True)
class Duel:
    """A challenger and a seat on the same briefs. ``difference`` is the mean of d, ``p_value`` two-sided."""

    challenger: str
    seat: str
    pairs: int
    announced: int
    difference: float | None
    interval: Interval | None
    p_value: float | None
    outlook: Outlook


def duel(table: Table, shadow: Table, challenger: str, terms: SeatTerms, bootstrap: Bootstrap) -> Duel:
    """The announced comparison. Both tables have the same iterations."""
    there = terms.against in table.seats
    announced = there and terms.calls > 0
    pairs, gap = 0, np.full(len(table), nan)
    if there and challenger in shadow.seats:
        mine = shadow.p_up[:, shadow.seats.index(challenger)]
        theirs = table.p_up[:, table.seats.index(terms.against)]
        gap = (mine - table.up) ** 2 - (theirs - table.up) ** 2
        pairs = int(np.isfinite(gap).sum())
    enough = pairs >= LEAST
    difference = float(np.nanmean(gap)) if enough else None
    p_value = paired(gap[np.isfinite(gap)], table.overlap) if enough else None
    return Duel(
        challenger=challenger,
        seat=terms.against,
        pairs=pairs,
        announced=terms.calls,
        difference=difference,
        interval=bootstrap.mean(gap) if enough else None,
        p_value=p_value,
        outlook=_outlook(announced, pairs, terms.calls, difference, p_value),
    )


def _outlook(announced: bool, pairs: int, calls: int, difference: float | None, p_value: float | None) -> Outlook:
    if not announced:
        return Outlook.NOT_ANNOUNCED
    if pairs < calls or difference is None or p_value is None:
        return Outlook.NOT_ENOUGH
    if p_value >= SIGNIFICANCE:
        return Outlook.SAME
    return Outlook.PROMOTE if difference < 0 else Outlook.WORSE


def paired(gap: Floats, ahead: int) -> float | None:
    """The two-sided probability of such a mean difference if there were none; ``ahead`` calls share a horizon.

    The spread uses the covariances of up to ``ahead - 1`` calls apart with Bartlett's weights, which keep it above zero (Newey and
    West, Econometrica 55, 1987). ``None`` when there is no spread.
    """
    count = len(gap)
    if count < 2:
        return None
    off = gap - float(np.mean(gap))
    variance = float(off @ off) / count
    for apart in range(1, min(ahead, count)):
        variance += 2 * (1 - apart / ahead) * float(off[apart:] @ off[:-apart]) / count
    if variance <= 0:
        return None
    correction = (count + 1 - 2 * ahead + ahead * (ahead - 1) / count) / count
    statistic = float(np.mean(gap)) / sqrt(variance / count) * sqrt(max(correction, 0.0))
    return 2 * (1 - NormalDist().cdf(abs(statistic)))
