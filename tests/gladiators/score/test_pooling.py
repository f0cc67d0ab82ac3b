"""Pools of log odds: equal ones are the tournament's own, learnt ones learn what there is and nothing from the future."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.gladiators.consensus import pooled
from hydra.gladiators.score.chance import Bootstrap
from hydra.gladiators.score.pooling import SHRINK_CALLS, equal_pool, equal_weights, fit, inputs, learn, pool
from hydra.gladiators.score.table import Table, table_of
from tests.gladiators.score.world import Seat, prices, row, terms, world

SAID = st.lists(st.one_of(st.none(), st.floats(0, 1)), min_size=1, max_size=5)


@given(SAID)
@settings(derandomize=True, deadline=None, max_examples=40)
def test_the_equal_pool_is_the_tournaments_own(said: list[float | None]) -> None:
    found = equal_pool(np.array([[np.nan if one is None else one for one in said]]))[0]
    expected = pooled(one for one in said if one is not None)
    assert (expected is None and np.isnan(found)) or found == pytest.approx(expected)


def made(seats: list[Seat], iterations: int, seed: int = 1) -> Table:
    rows, quoted = world(seats, iterations, seed)
    return table_of(rows, quoted, terms())


def test_without_anything_to_learn_from_weights_are_equal() -> None:
    table = made([Seat("A"), Seat("B")], 20)
    learnt = learn(table, Bootstrap(len(table), 1, 0))
    assert learnt.weights == pytest.approx([0.5, 0.5])
    assert learnt.intervals == (None, None)
    assert learnt.p_up == pytest.approx(equal_pool(table.p_up), nan_ok=True)


def test_of_little_little_is_learnt_and_of_much_what_there_is() -> None:
    seats = [Seat("A", skill=0.7, said=0.7), Seat("B", said=0.7)]
    few, many = (learn(table, Bootstrap(len(table), 2, 0)) for table in (made(seats, 60), made(seats, 1800)))
    early, late = few.weights[0], many.weights[0]
    assert early is not None
    assert late is not None
    assert 0 < early - 0.5 < late - 0.5
    # Said 70% and right 70%: the log odds are to be believed as they are, and the other's not at all.
    assert many.weights == pytest.approx([1.0, 0.0], abs=0.2)
    assert many.intervals[0] is not None
    assert many.intervals[0].low < 1.0 < many.intervals[0].high + 0.1


def test_the_prior_is_worth_as_many_calls_as_it_says() -> None:
    # A seat that is right every time, after as many calls as the prior is worth: about half the way to what it would be without one.
    x = np.full((SHRINK_CALLS, 1), 0.4)
    came = (np.arange(SHRINK_CALLS) % 100 < 60).astype(np.float64)
    believed = np.log(0.6 / 0.4) / 0.4
    assert fit(x, came)[0] == pytest.approx((1.0 + believed) / 2, abs=0.02)


def test_the_weights_are_where_the_slope_is_zero() -> None:
    chance = np.random.default_rng(3)
    x, came = chance.normal(size=(300, 3)), (chance.random(300) < 0.5).astype(np.float64)
    weights = fit(x, came)
    strength = SHRINK_CALLS * 0.25 * np.mean(x**2)
    slope = x.T @ (pool(x, weights) - came) + strength * (weights - equal_weights(3))
    assert slope == pytest.approx(np.zeros(3), abs=1e-6)


def test_nobody_who_is_always_wrong_is_believed() -> None:
    table = made([Seat("A", skill=0.0, said=0.8), Seat("B", said=0.8)], 500)
    weight = learn(table, Bootstrap(len(table), 2, 0)).weights[0]
    assert weight is not None
    assert weight < 0


@pytest.mark.parametrize("cut", [50, 200])
def test_nothing_is_learnt_from_what_was_not_known_yet(cut: int) -> None:
    rows, _ = world([Seat("A", skill=0.65, said=0.65), Seat("B")], 300)
    ups = [n % 2 == 0 for n in range(300)]
    bent = [up if n < cut else not up for n, up in enumerate(ups)]
    one, other = (table_of(rows, {"BTC-USD": prices(each)}, terms()) for each in (ups, bent))
    before, after = (learn(each, Bootstrap(300, 2, 0)).p_up for each in (one, other))
    assert before[: cut + 1] == pytest.approx(after[: cut + 1])
    assert not np.allclose(before, after)


def test_a_seat_that_never_speaks_has_no_say() -> None:
    table = made([Seat("A", skill=0.7, said=0.7), Seat("B", abstain=1.0)], 600)
    assert inputs(table.p_up)[:, 1] == pytest.approx(np.zeros(600))
    learnt = learn(table, Bootstrap(600, 2, 0))
    assert learnt.weights[1] is None
    assert learnt.intervals[1] is None
    alone = made([Seat("A", skill=0.7, said=0.7)], 600)
    assert learnt.weights[0] == pytest.approx(1.0, abs=0.2)
    assert learn(alone, Bootstrap(600, 2, 0)).intervals[0] is not None


def test_of_voters_who_all_abstain_there_is_no_pool() -> None:
    table = table_of([row(n, Seat("A"), True, silent=True) for n in range(40)], {}, terms())
    learnt = learn(table, Bootstrap(40, 2, 0))
    assert np.isnan(learnt.p_up).all()
    assert learnt.outcomes == 0
