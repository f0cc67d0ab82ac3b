"""The request budget: never more than so many a minute, and the last of them for what gets Hydra out."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.adapters.alpaca.budget import KEPT_FREE, Budget, Urgency
from hydra.model.errors import OverBudget


class Watch:
    """Seconds, moved by hand."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def taken(budget: Budget, urgency: Urgency, host: str = "") -> int:
    """How many requests of this urgency leave until one is refused."""
    for count in range(10_000):
        try:
            budget.take(urgency, host)
        except OverBudget:
            return count
    raise AssertionError("there is no end to it")


def test_reads_leave_more_room_than_entries_and_exits_may_have_it_all() -> None:
    budget = Budget(200, Watch())
    assert taken(budget, Urgency.READ) == 140
    assert taken(budget, Urgency.ENTRY) == 30
    assert taken(budget, Urgency.EXIT) == 30
    assert budget.left() == 0


def test_a_refusal_says_the_numbers_and_counts_nothing() -> None:
    budget = Budget(20, Watch())
    taken(budget, Urgency.READ)
    with pytest.raises(OverBudget, match="request budget: 6 of 20 a minute are left and 6 are kept free"):
        budget.take(Urgency.READ)
    assert budget.left() == 6


def test_a_request_is_forgotten_after_a_minute() -> None:
    watch = Watch()
    budget = Budget(20, watch)
    assert taken(budget, Urgency.EXIT) == 20
    watch.seconds += 59.9
    assert taken(budget, Urgency.EXIT) == 0
    watch.seconds += 0.2
    assert taken(budget, Urgency.EXIT) == 20


def test_a_clock_that_is_set_back_bars_nothing_for_ever() -> None:
    watch = Watch()
    budget = Budget(20, watch)
    taken(budget, Urgency.EXIT)
    budget.told("venue", 0)
    watch.seconds -= 500
    assert budget.left("venue") == 20


def test_what_the_venue_says_counts_for_its_host_alone_and_fills_up() -> None:
    watch = Watch()
    budget = Budget(60, watch)
    budget.told("trading", 2)
    assert (budget.left("trading"), budget.left("data")) == (2, 60)
    watch.seconds += 10
    assert budget.left("trading") == 12
    watch.seconds += 60
    assert budget.left("trading") == 60


def test_what_the_venue_says_gives_no_more_than_our_own_count() -> None:
    budget = Budget(20, Watch())
    budget.take(Urgency.READ, "trading")
    budget.told("trading", 500)
    assert budget.left("trading") == 19


def test_what_the_venue_says_holds_back_no_exit() -> None:
    budget = Budget(20, Watch())
    budget.told("venue", 0)
    assert [taken(budget, urgency, "venue") for urgency in (Urgency.READ, Urgency.ENTRY)] == [0, 0]
    assert taken(budget, Urgency.EXIT, "venue") == 20


def test_a_venue_without_a_limit_holds_nothing_back() -> None:
    budget = Budget(1_000_000_000, Watch())
    budget.told("venue", 0)
    for _ in range(100):
        budget.take(Urgency.READ, "venue")


def test_a_budget_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Budget(0, Watch())


def test_every_urgency_has_its_reserve_and_exits_have_none() -> None:
    assert set(KEPT_FREE) == set(Urgency)
    assert KEPT_FREE[Urgency.EXIT] == 0 < KEPT_FREE[Urgency.ENTRY] < KEPT_FREE[Urgency.READ] < 1


def test_threads_together_take_no_more_than_there_is() -> None:
    budget = Budget(200, Watch())
    counts: list[int] = []
    threads = [threading.Thread(target=lambda: counts.append(taken(budget, Urgency.EXIT))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert sum(counts) == 200


@settings(derandomize=True, max_examples=100)
@given(st.lists(st.tuples(st.sampled_from(sorted(Urgency)), st.floats(0, 30)), max_size=200), st.integers(1, 50))
def test_no_minute_ever_sees_more_than_the_budget(asked: list[tuple[Urgency, float]], per_minute: int) -> None:
    watch = Watch()
    budget = Budget(per_minute, watch)
    sent: list[float] = []
    for urgency, pause in asked:
        watch.seconds += pause
        try:
            budget.take(urgency)
        except OverBudget:
            continue
        sent.append(watch.seconds)
        assert sum(watch.seconds - 60 < each for each in sent) <= per_minute
