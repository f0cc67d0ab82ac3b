"""Times in fixed memory."""

from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.cli.screen.histogram import Histogram


def test_an_empty_histogram_knows_nothing() -> None:
    assert Histogram().quantile(0.5) is None


def test_a_negative_time_counts_as_zero() -> None:
    histogram = Histogram()
    histogram.add(-5)
    assert histogram.quantile(0.5) == 0
    assert histogram.largest == 0


@settings(max_examples=60)
@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=60), st.sampled_from((0.5, 0.9, 0.99, 1.0)))
def test_quantiles_are_within_two_percent(values: list[int], fraction: float) -> None:
    histogram = Histogram()
    for value in values:
        histogram.add(value)
    place = next(n for n in range(1, len(values) + 1) if n >= fraction * len(values))
    true, told = sorted(values)[place - 1], histogram.quantile(fraction)
    assert told is not None
    assert abs(told - true) <= true * 0.02
    assert told <= histogram.largest == max(values)


def test_memory_stays_bounded_whatever_is_counted() -> None:
    histogram = Histogram()
    for value in range(0, 2_000_000, 17):
        histogram.add(value)
    assert len(histogram._counts) < 700
