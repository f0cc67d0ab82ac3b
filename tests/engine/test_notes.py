"""The instants of a stretch that are noted are enough to judge its curve by, however it was found that there is little to note."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.engine.notes import mean, of_note, rises

CURVES = st.lists(st.integers(90_00, 110_00).map(lambda cents: cents / 100), min_size=1, max_size=25)


def deepest(curve: list[float], peak: float) -> tuple[float, float]:
    """The lowest of a curve, and its deepest fall from the highest so far."""
    fall, lowest = 0.0, peak
    for value in curve:
        peak = max(peak, value)
        fall, lowest = max(fall, round(peak - value, 2)), min(lowest, value)
    return lowest, fall


@settings(derandomize=True, max_examples=80, deadline=None)
@given(curve=CURVES, peak=st.integers(90_00, 120_00).map(lambda cents: cents / 100))
def test_the_noted_instants_fall_as_deep_as_all_of_them(curve: list[float], peak: float) -> None:
    note = sorted(of_note(np.array(curve), peak))
    assert note[-1] == len(curve) - 1
    assert deepest([curve[place] for place in note], peak) == deepest(curve, peak)
    assert max(curve[place] for place in note) == max(curve) or max(curve) < peak


@settings(derandomize=True, max_examples=40, deadline=None)
@given(curve=CURVES)
def test_a_curve_of_its_own_has_its_tops_and_bottoms_noted(curve: list[float]) -> None:
    note = of_note(np.array(curve))
    assert {curve[place] for place in note} >= {min(curve), max(curve), curve[-1]}
    assert {round(curve[place], 2) for place in rises(np.array(curve))} >= {curve[0], max(curve)}


def test_the_mean_is_the_one_of_numpy_to_the_last_digit() -> None:
    values = np.random.default_rng(1).standard_normal(1000) * 1e5
    for count in (1, 2, 7, 8, 9, 127, 128, 129, 1000):
        assert mean(values[:count]) == float(values[:count].mean())
