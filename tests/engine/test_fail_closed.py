"""Absence means no: over a day on which an entry is made, whichever plug stops answering, no entry leaves.

The plugs are everything that is installed, so one that is added later is put to the same test without a line here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from hydra.bootstrap.plugs import rule_book
from hydra.bootstrap.points import available
from hydra.model.orders import Ceiling, Purpose
from hydra.model.portfolio import Mode
from hydra.model.snapshot import Verdict
from hydra.risk.plugs import Gate, Reply, RuleBook
from tests.engine.test_structures import SPREAD, staged, wish
from tests.fakes.outside import BOT, Stage, buys_at, entry, policy, scripted


def everything(**more: Any) -> RuleBook:
    """The rule book with every gate, rule, exit and kill there is."""
    risk = {group: tuple(available(f"hydra.{group}")) for group in ("rules", "exits", "option_exits", "kills")}
    return rule_book(policy(health={"gates": tuple(available("hydra.gates"))}, risk=risk, **more))


BOOK = everything()
DAY = [(100, 100, 100, 100)] * 6


class Unshowable:
    """A value that cannot even be printed."""

    def __repr__(self) -> str:
        raise RuntimeError("no")


class Unspeakable(Exception):
    """An exception that cannot even say what is wrong."""

    def __str__(self) -> str:
        raise RuntimeError("no")


def _forged(quantity: Any) -> Ceiling:
    """A ceiling as its constructor would never build it."""
    ceiling = Ceiling(rule="forged", quantity=Decimal(1), reason="forged")
    msgspec.structs.force_setattr(ceiling, "quantity", quantity)
    return ceiling


def raises(error: BaseException) -> Callable[..., Any]:
    def plug(*_asked: Any) -> Any:
        raise error

    return plug


def says(answer: Any) -> Callable[..., Any]:
    return lambda *_asked: answer


HOSTILE: dict[str, Callable[..., Any]] = {
    "raises": raises(RuntimeError("broken")),
    "exits": raises(SystemExit(1)),
    "raises the unspeakable": raises(Unspeakable()),
    "runs out of memory": raises(MemoryError()),
    "says True": says(True),
    "says False": says(False),
    "says NaN": says(float("nan")),
    "says Decimal NaN": says(Decimal("NaN")),
    "says a negative": says(Decimal(-1)),
    "says the unshowable": says(Unshowable()),
    "says a list": says([]),
}
NOT_A_GATE = HOSTILE | {
    "says nothing": says(None),
    "says pass": says("pass"),
    "says a verdict": says(Verdict.PASS),
    "has no verdict": says(Reply(verdict=True, reason="forged")),  # type: ignore[arg-type]  # on purpose
    "has no reason": says(Reply(verdict=Verdict.PASS, reason=None)),  # type: ignore[arg-type]  # on purpose
}
NOT_A_RULE = HOSTILE | {
    "says nothing": says(None),
    "says a number": says(Decimal(10)),
    "says a text": says("10"),
    "forges NaN": says(_forged(Decimal("NaN"))),
    "forges a signalling NaN": says(_forged(Decimal("sNaN"))),
    "forges infinity": says(_forged(Decimal("Infinity"))),
    "forges a negative": says(_forged(Decimal(-5))),
    "forges a float": says(_forged(10.0)),
    "forges True": says(_forged(True)),
}


def day(book: RuleBook) -> Stage:
    stage = Stage(book=book)
    stage.step(5)
    return stage


def with_gate(name: str, ask: Callable[..., Any]) -> RuleBook:
    gates = tuple(Gate(name=g.name, scope=g.scope, ask=ask) if g.name == name else g for g in BOOK.gates)
    return replace(BOOK, gates=gates)


def no_entry_left(stage: Stage) -> None:
    assert stage.submitted() == []
    assert stage.sent() == []
    assert stage.at_venue() == {}
    assert stage.agrees()


def test_on_this_day_an_entry_is_made() -> None:
    assert [order.purpose for order in day(BOOK).sent()] == [Purpose.ENTRY]


@pytest.mark.parametrize("how", NOT_A_GATE)
@pytest.mark.parametrize("name", [gate.name for gate in BOOK.gates])
def test_a_gate_that_does_not_answer_is_shut(name: str, how: str) -> None:
    stage = day(with_gate(name, NOT_A_GATE[how]))
    no_entry_left(stage)
    answers = [answer for answer in stage.reports[-1].plan.answers if answer.gate == name]
    assert answers
    assert {answer.verdict for answer in answers} == {Verdict.REFUSE}
    assert all("the gate" in answer.reason for answer in answers)


@pytest.mark.parametrize("how", NOT_A_RULE)
@pytest.mark.parametrize("name", BOOK.rules)
def test_a_rule_that_does_not_answer_admits_nothing(name: str, how: str) -> None:
    stage = day(replace(BOOK, rules={**BOOK.rules, name: NOT_A_RULE[how]}))
    no_entry_left(stage)
    (judgement,) = [one for report in stage.reports for one in report.plan.judgements]
    assert judgement.admitted == 0
    ceiling = next(ceiling for ceiling in judgement.ceilings if ceiling.rule == name)
    assert ceiling.quantity == 0
    assert "the rule" in ceiling.reason


@pytest.mark.parametrize("how", HOSTILE)
@pytest.mark.parametrize("name", BOOK.exits)
def test_an_exit_that_does_not_answer_latches_a_halt_and_no_entry_follows(name: str, how: str) -> None:
    book = everything(bots=[{"id": BOT, "symbols": ("SPY",)}, {"id": "late", "symbols": ("SPY",)}])
    book = replace(book, exits={**book.exits, name: HOSTILE[how]})
    bots = {BOT: buys_at(2), "late": scripted({4: [entry("late")], 5: [entry("late")]})}
    stage = Stage(bots, book=book, prices=DAY)
    stage.step(5)
    assert [halt.kind for halt in stage.ledger.halts] == ["exit_failed"]
    assert name in stage.ledger.halts[0].reason
    assert [order.bot for order in stage.sent()] == [BOT]
    assert stage.reports[-1].plan.mode is Mode.REDUCING
    assert stage.agrees()


@pytest.mark.parametrize("how", HOSTILE)
@pytest.mark.parametrize("name", BOOK.kills)
def test_a_kill_that_does_not_answer_latches_a_halt_and_no_entry_leaves(name: str, how: str) -> None:
    stage = day(replace(BOOK, kills={**BOOK.kills, name: HOSTILE[how]}))
    no_entry_left(stage)
    assert [halt.kind for halt in stage.ledger.halts] == ["kill_failed"]
    assert name in stage.ledger.halts[0].reason


@pytest.mark.parametrize("how", HOSTILE)
@pytest.mark.parametrize("name", BOOK.option_exits)
def test_an_exit_of_a_structure_that_does_not_answer_latches_a_halt_and_no_entry_follows(name: str, how: str) -> None:
    stage = staged({2: [wish(*SPREAD)], 5: [wish(*SPREAD)], 6: [wish(*SPREAD)]})
    stage.engine.book = replace(stage.engine.book, option_exits={**BOOK.option_exits, name: HOSTILE[how]})
    stage.step(8)
    assert [halt.kind for halt in stage.ledger.halts] == ["exit_failed"]
    assert name in stage.ledger.halts[0].reason
    assert [order.purpose for order in stage.sent() if order.purpose is Purpose.ENTRY] == [Purpose.ENTRY]
    assert stage.agrees()


def test_an_exit_after_one_that_fails_still_closes_the_holding() -> None:
    first = next(iter(BOOK.exits))
    book = replace(BOOK, exits={first: raises(RuntimeError("broken")), "leave": says("the script says so")})
    stage = Stage(book=book)
    stage.step(5)
    assert [order.purpose for order in stage.sent()] == [Purpose.ENTRY, Purpose.EXIT]
    assert stage.at_venue() == {}


def test_a_book_without_gates_rules_or_answers_admits_nothing() -> None:
    no_entry_left(day(replace(BOOK, rules={})))


def test_a_book_without_the_broker_gate_does_not_exit_blindly_either() -> None:
    gates = tuple(gate for gate in BOOK.gates if gate.name != "broker_reachable")
    stage = Stage(book=replace(BOOK, gates=gates, exits={"leave": says("now")}))
    stage.step(5)
    assert [order.purpose for order in stage.sent()] == [Purpose.ENTRY]
    assert any(skip.code == "exit_waits" for skip in stage.reports[-1].plan.skips)
