"""How much of a Sharpe ratio is luck: its probability, and its probability after many tries.

    PSR(SR*) = Z[ (SR - SR*) sqrt(n - 1) / sqrt(1 - g3 SR + (g4 - 1)/4 SR^2) ]
    SR0      = sqrt(V) ( (1 - g) Z^-1[1 - 1/N] + g Z^-1[1 - 1/(N e)] )        g: Euler's constant
    DSR      = PSR(SR0)

Z is the normal distribution. Ratios are those of one period (a day), never annualised; ``kurtosis`` is 3 for normal returns.

Sources: Bailey and López de Prado, The Sharpe Ratio Efficient Frontier, Journal of Risk 15 (2012), for the first and the least
length of a record; the same, The Deflated Sharpe Ratio, Journal of Portfolio Management 40 (2014), for the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import e, sqrt
from statistics import NormalDist, variance

from hydra.model.errors import Invalid

_EULER = 0.5772156649015329
_Z = NormalDist()
RETURNS_LEAST = 2


def probabilistic_sharpe(
    ratio: float, returns: int, *, skewness: float = 0.0, kurtosis: float = 3.0, benchmark: float = 0.0
) -> float | None:
    """The probability that the true ratio is above ``benchmark``; ``ratio`` was seen over so many ``returns``.

    ``None`` for fewer than two returns, or moments that no returns can have.
    """
    spread = _spread(ratio, skewness, kurtosis)
    if returns < RETURNS_LEAST or spread is None:
        return None
    return _Z.cdf((ratio - benchmark) * sqrt(returns - 1) / spread)


def least_record(
    ratio: float, *, skewness: float = 0.0, kurtosis: float = 3.0, benchmark: float = 0.0, confidence: float = 0.95
) -> float | None:
    """How many returns it takes to be so sure that the true ratio is above ``benchmark``; ``None`` when ``ratio`` is not."""
    if not 0.5 < confidence < 1:
        raise Invalid(f"confidence must be above 0.5 and below 1, got {confidence}")
    spread = _spread(ratio, skewness, kurtosis)
    if spread is None or ratio <= benchmark:
        return None
    return 1 + (spread * _Z.inv_cdf(confidence) / (ratio - benchmark)) ** 2


def luckiest(tries: int, spread: float) -> float:
    """SR0: the best ratio that so many independent ``tries`` without any skill are expected to show.

    ``spread`` is the standard deviation of their ratios. Of one try it is 0. Raises ``Invalid`` for no try, or a spread below 0.
    """
    if tries < 1:
        raise Invalid(f"tries must be at least 1, got {tries}")
    if not spread >= 0:
        raise Invalid(f"the spread of the ratios must be at least 0, got {spread}")
    if tries == 1:
        return 0.0
    return spread * ((1 - _EULER) * _Z.inv_cdf(1 - 1 / tries) + _EULER * _Z.inv_cdf(1 - 1 / (tries * e)))


def deflated_sharpe(
    ratio: float, returns: int, *, tries: int, spread: float, skewness: float = 0.0, kurtosis: float = 3.0
) -> float | None:
    """The probability that there is skill, when ``ratio`` is the best of so many independent ``tries``.

    Raises ``Invalid`` as ``luckiest``.
    """
    return probabilistic_sharpe(ratio, returns, skewness=skewness, kurtosis=kurtosis, benchmark=luckiest(tries, spread))


def spread_of(ratios: Sequence[float]) -> float:
    """The standard deviation (n - 1) of the ratios of all tries; 0 for fewer than two."""
    return sqrt(variance(ratios)) if len(ratios) > 1 else 0.0


def _spread(ratio: float, skewness: float, kurtosis: float) -> float | None:
    inside = 1 - skewness * ratio + (kurtosis - 1) / 4 * ratio**2
    return sqrt(inside) if inside > 0 else None
