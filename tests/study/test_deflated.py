"""The probability that there is skill, against the worked examples of the two papers."""

from __future__ import annotations

from math import sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.model.errors import Invalid
from hydra.study.deflated import deflated_sharpe, least_record, luckiest, probabilistic_sharpe, spread_of

DAYS = 250
"""In a year, as the paper counts them."""
FOUND = 2.5 / sqrt(DAYS)
SPREAD = sqrt(0.5 / DAYS)


def test_the_luckiest_of_a_hundred_is_the_papers() -> None:
    """Bailey and López de Prado (2014), a numerical example: 100 tries, variance of the yearly ratios 1/2."""
    assert luckiest(100, SPREAD) == pytest.approx(0.1132, abs=5e-5)


@pytest.mark.parametrize(
    ("tries", "skewness", "kurtosis", "expected"),
    [(100, -3, 10, 0.9004), (46, -3, 10, 0.9505), (88, 0, 3, 0.9505)],
    ids=["100 tries", "46 tries", "88 tries, normal returns"],
)
def test_the_deflated_ratio_is_the_papers(tries: int, skewness: float, kurtosis: float, expected: float) -> None:
    """The same example: a yearly ratio of 2.5 over five years of days."""
    found = deflated_sharpe(FOUND, 1250, tries=tries, spread=SPREAD, skewness=skewness, kurtosis=kurtosis)
    assert found == pytest.approx(expected, abs=5e-5)


def test_the_probabilistic_ratio_is_the_papers() -> None:
    """Bailey and López de Prado (2012): two years of months with a ratio of 0.458, taken for normal and as they are."""
    assert probabilistic_sharpe(0.458, 24) == pytest.approx(0.982, abs=5e-4)
    assert probabilistic_sharpe(0.458, 24, skewness=-2.448, kurtosis=10.164) == pytest.approx(0.913, abs=5e-4)


@pytest.mark.parametrize(
    ("periods", "skewness", "kurtosis", "years"),
    [(250, 0, 3, 2.73), (52, 0, 3, 2.83), (12, 0, 3, 3.24), (12, -0.72, 5.78, 4.99)],
    ids=["days", "weeks", "months", "months of hedge funds"],
)
def test_the_least_record_is_the_papers(periods: int, skewness: float, kurtosis: float, years: float) -> None:
    """The same: how many years to be 95% sure that a yearly ratio of 2 is above 1."""
    found = least_record(
        2 / sqrt(periods), skewness=skewness, kurtosis=kurtosis, benchmark=1 / sqrt(periods), confidence=0.95
    )
    assert found is not None
    assert found / periods == pytest.approx(years, abs=5e-3)


def test_what_cannot_be_said_is_not_said() -> None:
    assert probabilistic_sharpe(0.1, 1) is None
    assert probabilistic_sharpe(1.0, 100, skewness=5.0, kurtosis=3.0) is None
    assert least_record(0.1, benchmark=0.1) is None
    assert luckiest(1, 3.0) == 0
    assert spread_of([0.5]) == 0
    assert spread_of([0.1, 0.3]) == pytest.approx(0.1414, abs=1e-4)


@pytest.mark.parametrize("tries", [0, -1])
def test_no_try_is_refused(tries: int) -> None:
    with pytest.raises(Invalid, match=f"at least 1, got {tries}"):
        luckiest(tries, 1.0)


def test_a_spread_below_zero_and_a_strange_confidence_are_refused() -> None:
    with pytest.raises(Invalid, match=r"at least 0, got -0\.1"):
        deflated_sharpe(0.1, 100, tries=2, spread=-0.1)
    with pytest.raises(Invalid, match="at least 0, got nan"):
        luckiest(2, float("nan"))
    with pytest.raises(Invalid, match=r"below 1, got 1\.0"):
        least_record(0.1, confidence=1.0)


@settings(derandomize=True, deadline=None)
@given(st.floats(-0.5, 0.5), st.integers(2, 5000), st.integers(1, 1000), st.floats(0, 0.5))
def test_more_tries_never_make_skill_more_probable(ratio: float, returns: int, tries: int, spread: float) -> None:
    one = deflated_sharpe(ratio, returns, tries=tries, spread=spread)
    more = deflated_sharpe(ratio, returns, tries=tries + 1, spread=spread)
    assert one is not None
    assert more is not None
    assert 0 <= more <= one + 1e-12 <= 1 + 1e-12
    assert one <= (probabilistic_sharpe(ratio, returns) or 0) + 1e-12
