"""Which bar is the last one at an instant, and when a bot may speak next: what is kept is what a fresh look finds."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.engine.courses import NEVER, Course, NextTurn
from hydra.model.rows import Rows

TIMES = st.lists(st.integers(1, 60), unique=True, max_size=20).map(sorted)


def rows(known: list[int]) -> Rows:
    closed = np.array(known, np.int64)
    flat = np.ones(len(known))
    return Rows(closed - 1, closed, flat, flat, flat, flat, flat, tuple([Decimal(1)] * len(known) for _ in range(5)))


def next_turn(known: list[int], flags: list[bool], now: int) -> int:
    """By its definition: at a marked bar, and for as long as it is the last one."""
    last = [flag for at, flag in zip(known, flags, strict=True) if at <= now][-1:]
    coming = [at for at, flag in zip(known, flags, strict=True) if flag and at > now]
    return now + 1 if last == [True] else min(coming, default=NEVER)


@settings(derandomize=True, max_examples=60, deadline=None)
@given(known=TIMES, data=st.data())
def test_a_kept_turn_is_a_fresh_one_wherever_the_clock_goes(known: list[int], data: st.DataObject) -> None:
    flags = data.draw(st.lists(st.booleans(), min_size=len(known), max_size=len(known)))
    kept = NextTurn(np.array(known, np.int64), np.array(flags, bool))
    for now in data.draw(st.lists(st.integers(0, 65), max_size=30)):
        assert kept.due(now) == next_turn(known, flags, now)


def test_a_turn_begins_at_the_very_instant_its_bar_closes_and_is_over_when_the_next_one_does() -> None:
    turn = NextTurn(np.array([10, 20, 30], np.int64), np.array([False, True, False]))
    assert [turn.due(now) for now in (0, 19, 20, 29, 30)] == [20, 20, 21, 30, NEVER]


@settings(derandomize=True, max_examples=60, deadline=None)
@given(mine=TIMES, others=TIMES)
def test_the_last_bar_at_an_instant_is_the_one_that_counting_finds(mine: list[int], others: list[int]) -> None:
    instants = sorted({*mine, *others})
    course = Course(rows(mine), np.array(instants, np.int64))
    for place in range(len(instants) + 1):
        at = instants[place] if place < len(instants) else 1_000
        assert course.before(place) == len([known for known in mine if known < at])
    for first in range(len(instants)):
        if instants[first] < min(mine, default=1_000):
            continue
        found = np.arange(len(mine))[course.at_each(first, len(instants))]
        assert found.tolist() == [course.before(place + 1) - 1 for place in range(first, len(instants))]


@pytest.mark.parametrize(("mine", "slices"), [([2, 3, 4], True), ([2, 4], False)], ids=["at each", "with a gap"])
def test_a_stretch_of_instants_is_a_slice_of_bars_where_one_closes_at_each(mine: list[int], slices: bool) -> None:
    course = Course(rows(mine), np.array([1, 2, 3, 4, 5], np.int64))
    assert isinstance(course.at_each(1, 4), slice) is slices
    assert not isinstance(course.at_each(1, 5), slice)
