"""A thousand bots: a cycle within a second, and ten times as many bots cost about ten times as much. Processor time, not the clock's."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.bots import CYCLE_MS_MOST, GROWTH_KB_MOST, fit, measure
from benchmarks.plot import Line, Panel, drawing, ticks

CYCLES = 20


@pytest.mark.drill
@pytest.mark.timeout(600)
def test_a_thousand_bots_complete_a_cycle_within_a_second_and_cost_in_proportion(tmp_path: Path) -> None:
    few, many = measure(100, CYCLES, tmp_path / "few"), measure(1000, CYCLES, tmp_path / "many")
    assert many.entries > 0
    assert many.most <= CYCLE_MS_MOST
    assert many.p50 <= 14 * few.p50
    assert (many.ended_mb - few.ended_mb) * 1000 / 900 <= GROWTH_KB_MOST


def test_the_nearest_line_through_points_on_a_line_is_that_line() -> None:
    rise, start = fit([(x, 3 + 0.5 * x) for x in (10, 20, 50, 1000)])
    assert rise == pytest.approx(0.5)
    assert start == pytest.approx(3)


@pytest.mark.parametrize(
    ("most", "shown"),
    [
        (0, [0, 1]),
        (388, [0, 100, 200, 300, 400]),
        (1000, [0, 200, 400, 600, 800, 1000]),
        (0.7, [0, 0.2, 0.4, 0.6, 0.8]),
    ],
    ids=str,
)
def test_an_axis_has_round_numbers_up_to_the_most(most: float, shown: list[float]) -> None:
    assert ticks(most) == pytest.approx(shown)


def test_a_picture_has_every_point_and_name() -> None:
    line = Line(name="a <b>", points=[(1, 2), (3, 4)], fitted=(1.0, 1.0))
    svg = drawing("one & two", [Panel(title="t", lines=[line])], across="bots")
    assert svg.count("<circle") == 3
    assert "one &amp; two" in svg
    assert "a &lt;b&gt;" in svg
