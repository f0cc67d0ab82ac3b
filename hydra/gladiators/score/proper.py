"""Scores that are best when one says what one believes: Brier's with Murphy's parts, and the logarithm.

    BS = (1/n) sum (p - y)^2
       = reliability - resolution + uncertainty + within
    reliability = (1/n) sum_k n_k (p_k - y_k)^2      p_k, y_k: means of the forecasts and of the events in bin k
    resolution  = (1/n) sum_k n_k (y_k - y)^2
    uncertainty = y (1 - y)
    within      = (1/n) sum (p - p_k)^2 - (2/n) sum (y - y_k)(p - p_k)      0 when all forecasts of a bin are one

Sources: Brier, Verification of Forecasts Expressed in Terms of Probability, Monthly Weather Review 78 (1950); Murphy, A New Vector
Partition of the Probability Score, Journal of Applied Meteorology 12 (1973); for forecasts that differ within a bin, Stephenson,
Coelho and Jolliffe, Two Extra Components in the Brier Score Decomposition, Weather and Forecasting 23 (2008); for the logarithm
Good, Rational Decisions, Journal of the Royal Statistical Society B 14 (1952).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hydra.gladiators.score.prices import Floats
from hydra.model.errors import Invalid

BINS = 10
SUREST = 0.999
"""A forecast counts as no surer than this in the log loss: one that was certain and wrong would be worth minus infinity for ever."""


class Bin(NamedTuple):
    """Forecasts of about the same probability: how many, their mean, and how often it happened."""

    forecasts: int
    said: float
    came: float


class Parts(NamedTuple):
    """Brier's score and what it is made of; ``brier = reliability - resolution + uncertainty + within``."""

    brier: float
    reliability: float
    resolution: float
    uncertainty: float
    within: float
    bins: tuple[Bin, ...]


def brier(said: Floats, came: Floats) -> float:
    """Mean of the squared error: 0 is perfect, 0.25 is what 50% always gets, 1 is always certain and wrong."""
    _checked(said, came)
    return float(np.mean((said - came) ** 2))


def murphy(said: Floats, came: Floats, bins: int = BINS) -> Parts:
    """The score with its parts, over ``bins`` bins of equal width."""
    score = brier(said, came)
    place = np.minimum((said * bins).astype(np.int64), bins - 1)
    counts = np.bincount(place, minlength=bins)
    filled = counts > 0
    divide = np.maximum(counts, 1)
    mean_said = np.bincount(place, weights=said, minlength=bins) / divide
    mean_came = np.bincount(place, weights=came, minlength=bins) / divide
    share = counts / len(said)
    base = float(np.mean(came))
    reliability = float(np.sum(share * (mean_said - mean_came) ** 2))
    resolution = float(np.sum(share * np.where(filled, mean_came - base, 0.0) ** 2))
    off_said, off_came = said - mean_said[place], came - mean_came[place]
    return Parts(
        brier=score,
        reliability=reliability,
        resolution=resolution,
        uncertainty=base * (1 - base),
        within=float(np.mean(off_said**2) - 2 * np.mean(off_said * off_came)),
        bins=tuple(Bin(int(counts[k]), float(mean_said[k]), float(mean_came[k])) for k in np.flatnonzero(filled)),
    )


def log_loss(said: Floats, came: Floats) -> float:
    """Mean of -log of the probability given to what happened (natural logarithm); 0.693 is what 50% always gets."""
    return float(np.mean(log_losses(said, came)))


def log_losses(said: Floats, came: Floats) -> Floats:
    """The same of each forecast."""
    _checked(said, came)
    held = np.clip(said, 1 - SUREST, SUREST)
    return np.asarray(-np.log(np.where(came > 0, held, 1 - held)), dtype=np.float64)


def _checked(said: Floats, came: Floats) -> None:
    if not len(said) or len(said) != len(came):
        raise Invalid(f"a score needs as many forecasts as events and at least one, got {len(said)} and {len(came)}")
    if not bool(np.all((said >= 0) & (said <= 1))):
        raise Invalid("forecasts must be within 0 and 1, and none of them NaN")
    if not bool(np.all((came == 0) | (came == 1))):
        raise Invalid("events must be 0 or 1, and none of them NaN")
