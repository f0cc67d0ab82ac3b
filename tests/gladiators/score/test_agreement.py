"""How much the seats say the same, in worlds where somebody chose it."""

from __future__ import annotations

import pytest

from hydra.gladiators.score.agreement import agreement, effective
from hydra.gladiators.score.chance import Bootstrap
from hydra.gladiators.score.table import table_of
from tests.gladiators.score.world import Seat, row, terms, world


def test_four_voters_at_a_correlation_of_six_tenths_are_worth_less_than_one_and_a_half() -> None:
    assert effective([0.6] * 6, 4) == pytest.approx(1.43, abs=0.005)
    assert effective([0.0] * 6, 4) == pytest.approx(4)
    assert effective([1.0] * 6, 4) == pytest.approx(1)
    assert effective([None] * 6, 4) is None
    assert effective([], 1) is None
    assert effective([-1.0], 2) is None


def test_a_correlation_that_was_made_is_found_again() -> None:
    seats = [Seat(name, shared=0.8) for name in "ABCD"]
    rows, quoted = world(seats, 1500, seed=2)
    found = agreement(table_of(rows, quoted, terms()), Bootstrap(1500, 2, 0))
    # Two that follow the same signal eight times in ten agree there, and by chance half of the rest.
    for pair in found.pairs:
        assert pair.same == pytest.approx(0.64 + 0.36 / 2, abs=0.03)
        assert pair.correlation == pytest.approx(0.64, abs=0.06)
    assert found.effective == pytest.approx(4 / (1 + 3 * 0.64), abs=0.1)


def test_who_all_say_the_same_have_no_entropy_and_are_one_voter() -> None:
    rows = [row(n, Seat(name), n % 2 == 0) for n in range(60) for name in "ABCD"]
    found = agreement(table_of(rows, {}, terms()), Bootstrap(60, 2, 0))
    assert (found.entropy, found.unanimous) == (0.0, 1.0)
    assert found.effective == pytest.approx(1.0)


def test_two_against_two_is_one_bit() -> None:
    rows = [row(n, Seat(name), name in "AB") for n in range(40) for name in "ABCD"]
    found = agreement(table_of(rows, {}, terms()), Bootstrap(40, 2, 0))
    assert found.entropy == pytest.approx(1.0)
    assert found.unanimous == 0.0
    # They say the same every time: a probability that never changes has no correlation with anything.
    assert found.effective is None


def test_a_seat_that_knows_something_helps_the_pool_and_one_that_is_wrong_does_not() -> None:
    seats = [Seat("A", skill=0.7, said=0.7), Seat("B"), Seat("C", skill=0.3, said=0.7)]
    rows, quoted = world(seats, 800, seed=3)
    by_seat = {one.seat: one for one in agreement(table_of(rows, quoted, terms()), Bootstrap(800, 2, 0)).without}
    good, bad = by_seat["A"], by_seat["C"]
    assert good.interval is not None
    assert bad.interval is not None
    assert good.interval.low > 0
    assert bad.interval.high < 0


@pytest.mark.parametrize("seats", ["", "A"])
def test_of_few_seats_there_is_nothing_to_compare(seats: str) -> None:
    rows = [row(n, Seat(name), True) for n in range(50) for name in seats]
    found = agreement(table_of(rows, {}, terms()), Bootstrap(len(rows), 2, 0))
    assert found.pairs == ()
    assert found.effective is None
    assert all(one.worse is None for one in found.without)
