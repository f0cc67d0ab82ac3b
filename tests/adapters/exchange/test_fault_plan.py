"""A rule is due where and when it says, the same in every run; what cannot be is refused by name."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.adapters.exchange.fault_table import BY_EXECUTION, MEANINGS, FaultKind, Operation
from hydra.adapters.exchange.faults import RULES_MAX, Asked, FaultPlan, Rule, Tally
from hydra.model.errors import Invalid

NOON = datetime(2024, 3, 4, 12, tzinfo=UTC)
EVERY_KIND = frozenset(FaultKind)
ERROR = FaultKind.SERVER_ERROR


def asked(
    operation: Operation | None = Operation.SUBMIT, *symbols: str, at: datetime = NOON, request: str = ""
) -> Asked:
    return Asked(operation=operation, at=at, symbols=symbols, request=request)


def hits(plan: FaultPlan, count: int, question: Asked | None = None) -> list[int]:
    """Which of ``count`` questions, from 1, met a fault."""
    return [n for n in range(1, count + 1) if plan.due(question or asked(), EVERY_KIND) is not None]


def rule(fault: FaultKind = ERROR, *on: str, **more: Any) -> Rule:
    return Rule(fault=fault, on=on or (() if MEANINGS[fault].own else ("submit",)), **more)


@pytest.mark.parametrize(
    ("more", "due"),
    [
        ({}, [1, 2, 3, 4, 5, 6]),
        ({"nth": 2}, [2]),
        ({"every": 3}, [3, 6]),
        ({"times": 2}, [1, 2]),
        ({"every": 2, "times": 2}, [2, 4]),
        ({"probability": Decimal(1)}, [1, 2, 3, 4, 5, 6]),
    ],
    ids=str,
)
def test_a_rule_is_due_at_the_occurrences_it_names(more: dict[str, Any], due: list[int]) -> None:
    assert hits(FaultPlan([rule(**more)]), 6) == due


def test_a_rule_counts_only_what_it_is_about() -> None:
    plan = FaultPlan([rule(ERROR, "submit", nth=2, symbol="SPY")])
    for question in (asked(Operation.SUBMIT, "AAPL"), asked(Operation.CANCEL, "SPY"), asked(Operation.SUBMIT)):
        assert hits(plan, 3, question) == []
    assert hits(plan, 3, asked(Operation.SUBMIT, "SPY", "AAPL")) == [2]


def test_a_window_includes_its_beginning_and_not_its_end() -> None:
    plan = FaultPlan([rule(after=NOON, until=NOON + timedelta(minutes=1))])
    moments = [NOON + timedelta(seconds=seconds) for seconds in (-1, 0, 59, 60)]
    assert [bool(hits(plan, 1, asked(at=at))) for at in moments] == [False, True, True, False]


def test_the_first_rule_that_is_due_acts_and_all_of_them_count() -> None:
    slow = rule(FaultKind.SLOW, "submit", ms=Decimal(5))
    plan = FaultPlan([rule(nth=2), slow])
    found = [plan.due(asked(), EVERY_KIND) for _ in range(3)]
    assert [each.fault for each in found if each] == [FaultKind.SLOW, ERROR, FaultKind.SLOW]
    assert [tally for _, tally in plan.tallies()] == [Tally(seen=3, acted=1), Tally(seen=3, acted=2)]


def test_only_the_kinds_that_are_asked_for_are_due_or_counted() -> None:
    plan = FaultPlan([rule(nth=1)])
    assert plan.due(asked(), {FaultKind.NAN}) is None
    assert plan.due(asked(), {ERROR}) is not None


def test_a_star_stands_for_every_operation_at_which_the_fault_can_happen() -> None:
    plan = FaultPlan([rule(FaultKind.STALE_QUOTE, "*")])
    assert {each for each in Operation if plan.due(asked(each), EVERY_KIND)} == MEANINGS[FaultKind.STALE_QUOTE].at


def test_the_protocol_s_own_words_are_understood() -> None:
    plan = FaultPlan([rule(ERROR, "activities", "assets")])
    assert {each for each in Operation if plan.due(asked(each), EVERY_KIND)} == {Operation.FILLS, Operation.INSTRUMENTS}


@pytest.mark.parametrize(
    ("pattern", "request_line", "due"),
    [
        ("POST /v2/orders", "POST /v2/orders", True),
        ("POST /v2/orders", "POST /v2/orders/x", False),
        ("DELETE /v2/orders*", "DELETE /v2/orders/x", True),
        ("* /v2/*", "GET /v2/watchlists", True),
        ("GET /v2/*", "POST /v2/orders", False),
    ],
)
def test_a_request_is_named_by_method_and_path(pattern: str, request_line: str, due: bool) -> None:
    plan = FaultPlan([rule(ERROR, pattern)])
    assert bool(plan.due(asked(None, request=request_line), EVERY_KIND)) is due
    assert plan.due(asked(Operation.SUBMIT), EVERY_KIND) is None


@given(st.integers(0, 2**63 - 1), st.lists(st.sampled_from(["SPY", "AAPL"]), max_size=40))
def test_chance_repeats_with_its_seed(seed: int, symbols: list[str]) -> None:
    rules = [
        rule(probability=Decimal("0.3")),
        rule(FaultKind.DROP_AFTER, "*", probability=Decimal("0.5"), symbol="SPY"),
    ]
    runs = []
    for _ in range(2):
        plan = FaultPlan(rules, seed)
        runs.append([plan.due(asked(Operation.SUBMIT, symbol), EVERY_KIND) for symbol in symbols])
    assert runs[0] == runs[1]


def test_chance_is_about_as_often_as_it_says() -> None:
    found = hits(FaultPlan([rule(probability=Decimal("0.25"))], seed=7), 4000)
    assert 900 < len(found) < 1100


def test_the_fate_of_an_execution_is_the_same_each_time_it_is_asked_for() -> None:
    plan = FaultPlan([rule(FaultKind.LOST_FILL, nth=2)])
    for _ in range(3):
        lost = [n for n in "abc" if plan.due_at_execution(asked(Operation.FILLS), n)]
        assert lost == ["b"]


def test_fills_are_counted_on_the_stream_and_in_the_list_each_for_itself() -> None:
    plan = FaultPlan([rule(FaultKind.DOUBLED_FILL, nth=1)])
    assert plan.due_at_execution(asked(Operation.FILLS), "a") is not None
    assert plan.due_at_execution(asked(Operation.STREAM_TRADES), "x") is not None
    assert plan.due_at_execution(asked(Operation.FILLS), "b") is None
    assert plan.due(asked(Operation.FILLS), EVERY_KIND - BY_EXECUTION) is None


def test_a_mute_stream_stays_mute_until_its_window_ends() -> None:
    plan = FaultPlan([rule(FaultKind.MUTE_STREAM, nth=3, until=NOON + timedelta(minutes=1))])
    assert hits(plan, 5, asked(Operation.STREAM_DATA)) == [3, 4, 5]
    assert hits(plan, 2, asked(Operation.STREAM_DATA, at=NOON + timedelta(minutes=1))) == []


def test_rules_can_be_added_replaced_and_cleared_while_they_are_asked() -> None:
    plan = FaultPlan(seed=3)
    assert hits(plan, 2) == []
    plan.add(rule(nth=1))
    assert hits(plan, 2) == [1]
    plan.replace([rule(nth=1)])
    assert hits(plan, 2) == [1]
    assert plan.seed == 3
    plan.replace((), seed=4)
    assert hits(plan, 2) == []
    assert (plan.seed, plan.rules) == (4, ())


def test_there_is_an_end_to_rules() -> None:
    plan = FaultPlan([rule()] * RULES_MAX)
    with pytest.raises(Invalid, match="at most 1000 rules"):
        plan.add(rule())
    with pytest.raises(Invalid, match="at most 1000 rules, got 1001"):
        plan.replace([rule()] * (RULES_MAX + 1))


def test_threads_share_the_counters() -> None:
    plan = FaultPlan([rule(every=10)])
    found: list[int] = []

    def ask() -> None:
        found.append(len(hits(plan, 250)))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert sum(found) == 100


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"nth": 0}, "nth: expected a whole number, 1 to"),
        ({"every": -1}, "every: expected"),
        ({"times": 0}, "times: expected"),
        ({"nth": 1, "every": 2}, "every: stands beside nth"),
        ({"nth": 1, "probability": Decimal("0.5")}, "probability: stands beside nth"),
        ({"nth": 1, "times": 2}, "times: stands beside nth"),
        ({"probability": Decimal(0)}, "probability: expected a fraction above 0"),
        ({"probability": Decimal("1.01")}, "probability: expected a fraction"),
        ({"probability": Decimal("NaN")}, "probability must be finite"),
        ({"after": NOON, "until": NOON}, "until: .* is not later than after"),
        ({"after": NOON.replace(tzinfo=None)}, "after must be aware UTC"),
        ({"seconds": Decimal(1)}, "seconds: 500 has no such number; accepted: none"),
        ({"on": ("submitt",)}, "on: 'submitt' is no operation; accepted: \\*, submit, cancel"),
        ({"on": ("FETCH /v2",)}, "on: 'FETCH /v2' is no request"),
        ({"on": ("GET v2",)}, "on: 'GET v2' is no request"),
        ({"on": ("stream.data",)}, "on: 500 cannot happen at stream.data; accepted: \\*, submit"),
        ({"on": ()}, "on: missing; 500 can happen at"),
        ({"on": ("account",), "symbol": "SPY"}, "symbol: account is about no symbol"),
        ({"fault": FaultKind.SLOW}, "ms: missing; slow needs a whole number, 1 to 600000"),
        ({"fault": FaultKind.SLOW, "ms": Decimal("1.5")}, "ms: expected a whole number"),
        ({"fault": FaultKind.CLOCK_OFF, "on": ()}, "seconds: missing"),
        ({"fault": FaultKind.CLOCK_OFF, "on": (), "seconds": Decimal(0)}, "off by 0 is right"),
        ({"fault": FaultKind.PARTIAL_FILL, "fraction": Decimal(1)}, "fraction: expected a number, 0.01 to 0.99, got 1"),
        ({"fault": FaultKind.MUTE_STREAM, "on": (), "every": 2}, "every: a mute stream stays mute"),
        ({"fault": FaultKind.REJECT_EXIT, "on": ("POST /v2/orders",)}, "cannot be asked for by a path"),
        ({"fault": FaultKind.ACCOUNT_INACTIVE, "on": (), "symbol": "SPY"}, "symbol: account is about no symbol"),
    ],
    ids=str,
)
def test_a_rule_that_cannot_be_is_refused_by_the_key(more: dict[str, Any], reason: str) -> None:
    with pytest.raises(Invalid, match=reason):
        Rule(**{"fault": ERROR, "on": ("submit",), **more})


@pytest.mark.parametrize("kind", FaultKind)
def test_every_fault_can_happen_somewhere_and_is_explained_for_both_doors(kind: FaultKind) -> None:
    meaning = MEANINGS[kind]
    assert meaning.at
    assert meaning.own <= meaning.at
    assert all((meaning.http, meaning.in_process, meaning.never))
