"""The runs of a sweep: combinations by number, draws that are the same everywhere, windows that follow one another."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.model.errors import BadConfig
from hydra.study.sweep_grid import RUNS_MOST, Axis, Grid, short_names, stepped
from hydra.study.sweep_windows import Walk, walk_of, windows


def grid(*sizes: int) -> Grid:
    axes = (
        Axis(name=f"risk.p{place}", location=("risk", f"p{place}"), values=tuple(range(size)), kind="whole")
        for place, size in enumerate(sizes)
    )
    return Grid(tuple(axes))


@given(st.lists(st.integers(1, 5), min_size=1, max_size=4))
@settings(derandomize=True, max_examples=40)
def test_every_combination_has_a_number_and_the_last_parameter_turns_fastest(sizes: list[int]) -> None:
    made = grid(*sizes)
    assert [made.values(number) for number in range(len(made))] == list(product(*(range(size) for size in sizes)))


@given(st.integers(1, 400), st.integers(1, 400), st.integers(0, 2**63 - 1))
@settings(derandomize=True, max_examples=60)
def test_a_draw_is_of_different_combinations_in_order_and_its_seeds(size: int, sample: int, seed: int) -> None:
    drawn = grid(size).chosen(sample, seed)
    assert len(drawn) == min(size, sample)
    assert list(drawn) == sorted(set(drawn))
    assert set(drawn) <= set(range(size))
    assert drawn == grid(size).chosen(sample, seed)


def test_another_seed_draws_others_and_a_draw_never_changes_between_versions() -> None:
    assert grid(1000).chosen(4, 7) == (74, 779, 814, 963)
    assert grid(1000).chosen(4, 8) != grid(1000).chosen(4, 7)


def test_a_few_are_drawn_of_more_combinations_than_anybody_could_play() -> None:
    vast = grid(9000, 9000, 9000)
    assert len(vast.chosen(50, 1)) == 50
    with pytest.raises(BadConfig, match="--sample N draws some of them"):
        vast.chosen(None, 1)
    with pytest.raises(BadConfig, match="at most 100,000 runs"):
        vast.chosen(RUNS_MOST + 1, 1)
    with pytest.raises(BadConfig, match="too many even to draw from"):
        grid(10_000, 10_000, 10_000, 10_000, 10_000).chosen(3, 1)


@pytest.mark.parametrize(
    ("low", "high", "step", "values"),
    [
        ("5", "30", "5", "5 10 15 20 25 30"),
        ("5", "8", "2", "5 7"),
        ("0.1", "0.3", "0.1", "0.1 0.2 0.3"),
        ("3", "1", "-1", "3 2 1"),
        ("2", "2", "7", "2"),
    ],
)
def test_a_range_has_both_ends_when_its_steps_lead_there(low: str, high: str, step: str, values: str) -> None:
    assert stepped(Decimal(low), Decimal(high), Decimal(step)) == tuple(map(Decimal, values.split()))


@pytest.mark.parametrize(
    ("low", "high", "step"), [("1", "2", "0"), ("1", "2", "-1"), ("2", "1", "1"), ("0", "9", "1e-9")]
)
def test_steps_that_lead_elsewhere_or_never_end_are_refused(low: str, high: str, step: str) -> None:
    with pytest.raises(BadConfig, match=r"do not lead|at most 10,000"):
        stepped(Decimal(low), Decimal(high), Decimal(step))


def test_names_are_as_short_as_they_can_be_told_apart() -> None:
    assert short_names(["bots[a].parameters.fast", "risk.daily_loss"]) == ("fast", "daily_loss")
    assert short_names(["bots[a].stop_loss", "bots[b].stop_loss"]) == ("bots[a].stop_loss", "bots[b].stop_loss")
    assert short_names(["bots[a].session.trade_end", "bots[a].x.trade_end"]) == ("session.trade_end", "x.trade_end")


DAYS = [date(2025, 1, 1) + timedelta(days=number) for number in range(200)]


@given(st.integers(1, 60), st.integers(1, 30), st.integers(1, 40), st.integers(1, 200))
@settings(derandomize=True, max_examples=80)
def test_a_test_follows_its_training_and_no_window_ends_beyond_the_days(
    train: int, test: int, step: int, count: int
) -> None:
    days = DAYS[:count]
    if count < train + test:
        with pytest.raises(BadConfig, match="the first window needs"):
            windows(Walk(train, test, step), days)
        return
    found = windows(Walk(train, test, step), days)
    assert found[0].begins == 0
    assert all((one.turns - one.begins, one.ends - one.turns) == (train, test) for one in found)
    assert all(after.begins - before.begins == step for before, after in pairwise(found))
    assert found[-1].ends <= count < found[-1].ends + step, "none is left out"


def test_the_step_is_the_test_unless_it_is_named() -> None:
    assert walk_of("60:20") == Walk(60, 20, 20)
    assert walk_of("60:20:5") == Walk(60, 20, 5)


@pytest.mark.parametrize(
    "text", ["", "60", "60:", ":20", "0:20", "60:0", "60:20:0", "1:2:3:4", "6x:2", "-1:2", "1.5:2", "²:2"]
)
def test_what_is_no_walk_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(BadConfig, match="such as 60:20"):
        walk_of(text)
