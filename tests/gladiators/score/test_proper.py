"""Brier's score, its parts and the logarithm, against published examples and against sums written out."""

from __future__ import annotations

from math import log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.gladiators.score.proper import SUREST, brier, log_loss, murphy
from hydra.model.errors import Invalid

SHARES = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60)


def columns(pairs: list[tuple[float, bool]]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([said for said, _ in pairs]), np.array([float(came) for _, came in pairs])


def test_brier_is_what_scikit_learns_manual_says() -> None:
    # The example of sklearn.metrics.brier_score_loss.
    assert brier(np.array([0.1, 0.9, 0.8, 0.3]), np.array([0.0, 1, 1, 0])) == pytest.approx(0.0375)


def test_log_loss_is_what_scikit_learns_manual_says() -> None:
    # The example of sklearn.metrics.log_loss: spam is 1.
    assert log_loss(np.array([0.9, 0.1, 0.2, 0.65]), np.array([1.0, 0, 0, 1])) == pytest.approx(0.21616, abs=1e-5)


@pytest.mark.parametrize(
    ("said", "came", "expected"),
    [
        ([1.0, 0.0], [1.0, 0.0], 0.0),
        ([0.5, 0.5], [1.0, 0.0], 0.25),
        ([0.0, 1.0], [1.0, 0.0], 1.0),
        ([0.7], [1.0], 0.09),
    ],
    ids=["perfect", "half", "always wrong", "one row"],
)
def test_the_extremes_are_what_they_are_by_hand(said: list[float], came: list[float], expected: float) -> None:
    parts = murphy(np.array(said), np.array(came))
    assert parts.brier == pytest.approx(expected)
    assert parts.reliability - parts.resolution + parts.uncertainty + parts.within == pytest.approx(expected)


def test_a_perfect_voter_has_all_the_resolution_there_is_and_no_unreliability() -> None:
    parts = murphy(np.array([1.0, 1, 0, 0]), np.array([1.0, 1, 0, 0]))
    assert (parts.reliability, parts.resolution, parts.uncertainty) == (0.0, 0.25, 0.25)


def test_who_always_says_half_resolves_nothing() -> None:
    parts = murphy(np.full(8, 0.5), np.array([1.0, 1, 1, 0, 0, 0, 0, 0]))
    assert parts.resolution == 0.0
    assert parts.reliability == pytest.approx((0.5 - 3 / 8) ** 2)


def test_the_parts_are_the_sums_of_the_formulas_over_bins() -> None:
    said, came = np.array([0.12, 0.18, 0.55, 0.58, 0.93]), np.array([0.0, 1, 1, 0, 1])
    parts = murphy(said, came)
    bins = {1: [0, 1], 5: [2, 3], 9: [4]}
    base = came.mean()
    reliability = sum(len(rows) * (said[rows].mean() - came[rows].mean()) ** 2 for rows in bins.values()) / 5
    resolution = sum(len(rows) * (came[rows].mean() - base) ** 2 for rows in bins.values()) / 5
    assert parts.reliability == pytest.approx(reliability)
    assert parts.resolution == pytest.approx(resolution)
    assert [one.forecasts for one in parts.bins] == [2, 2, 1]
    assert parts.within != 0


@given(SHARES)
@settings(derandomize=True, deadline=None, max_examples=40)
def test_the_parts_always_come_to_the_score(pairs: list[tuple[float, bool]]) -> None:
    parts = murphy(*columns(pairs))
    whole = parts.reliability - parts.resolution + parts.uncertainty + parts.within
    assert whole == pytest.approx(parts.brier, abs=1e-12)
    assert parts.reliability >= 0
    assert 0 <= parts.resolution <= parts.uncertainty + 1e-12


@given(SHARES)
@settings(derandomize=True, deadline=None, max_examples=40)
def test_turning_every_forecast_and_every_event_round_changes_no_score(pairs: list[tuple[float, bool]]) -> None:
    said, came = columns(pairs)
    assert brier(1 - said, 1 - came) == pytest.approx(brier(said, came))
    assert log_loss(1 - said, 1 - came) == pytest.approx(log_loss(said, came))


def test_a_certainty_that_was_wrong_costs_much_and_not_everything() -> None:
    assert log_loss(np.array([0.0]), np.array([1.0])) == pytest.approx(-log(1 - SUREST))


@pytest.mark.parametrize(
    ("said", "came"),
    [([], []), ([0.5], [1.0, 0.0]), ([float("nan")], [1.0]), ([1.1], [1.0]), ([0.5], [float("nan")]), ([0.5], [0.5])],
    ids=["none", "lengths", "nan", "above one", "unknown event", "half an event"],
)
def test_nonsense_is_refused(said: list[float], came: list[float]) -> None:
    with pytest.raises(Invalid):
        murphy(np.array(said), np.array(came))
