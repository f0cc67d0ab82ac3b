"""Replies of gates are kept while what they look at is the same, and words are asked for when somebody reads them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace as changed
from datetime import timedelta
from typing import Any

import pytest

from hydra.bootstrap.plugs import rule_book
from hydra.bootstrap.points import available
from hydra.engine.decide import ask_gates
from hydra.engine.gatekeeper import Answers
from hydra.model.portfolio import Ledger
from hydra.model.snapshot import Scope, Sight, Snapshot, Verdict
from hydra.model.values import replace
from hydra.policy import Policy
from hydra.risk.gates import data_fresh, keys_of
from hydra.risk.plugs import Gate, RuleBook, no, yes
from tests.fakes.feed import quote
from tests.fakes.outside import policy
from tests.risk.hostile import raises, says
from tests.risk.scenes import healthy, with_ledger, with_sight
from tests.risk.test_gates import CLOSED, SHUT, STILL_OPEN, sessions

BOOK = rule_book(policy(health={"gates": tuple(available("hydra.gates"))}))
SCENES = [
    healthy(),
    sessions(by_class=CLOSED),
    *(scene for _, _, scene, _ in SHUT),
    *(scene for _, _, scene in STILL_OPEN),
]


class Watched:
    """A snapshot, or a part of one, that notes what is read of it."""

    def __init__(self, value: Any, read: set[str], name: str = "") -> None:
        self._value = value
        self._read = read
        self._name = name

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._value, name)
        if isinstance(value, Ledger | Sight):
            return Watched(value, self._read, f"{name}.")
        self._read.add(self._name + name)
        return value


class Counted:
    """A gate that counts how often it is asked; what it replies is replaced from outside."""

    def __init__(self, reply: Any = None) -> None:
        self.asked = 0
        self.reply = yes("well") if reply is None else reply

    def __call__(self, _snapshot: Snapshot, _policy: Policy, _key: str) -> Any:
        self.asked += 1
        if isinstance(self.reply, Exception):
            raise self.reply
        return self.reply


def book_of(*gates: Gate) -> RuleBook:
    return changed(BOOK, gates=gates)


def counted(counter: Counted, *sees: str, doubts: Callable[..., Any] | None = None) -> RuleBook:
    return book_of(Gate(name="counted", scope=Scope.SYSTEM, ask=counter, sees=sees, doubts=doubts))


@pytest.mark.parametrize("gate", BOOK.gates, ids=lambda gate: gate.name)
def test_a_gate_reads_nothing_but_what_it_says_it_sees(gate: Gate) -> None:
    if not gate.sees:
        return
    read: set[str] = set()
    keys = keys_of(gate.scope, BOOK.policy.symbols)
    for scene in SCENES:
        watched: Any = Watched(scene, read)
        for key in keys:
            gate.ask(watched, BOOK.policy, key)
        if gate.doubts is not None:
            gate.doubts(watched, BOOK.policy, keys)
    assert read == set(gate.sees)


def test_only_gates_that_depend_on_the_time_see_everything_anew() -> None:
    assert {gate.name for gate in BOOK.gates if not gate.sees} == {"clock_skew", "failure_window", "data_fresh"}


@pytest.mark.parametrize("gate", [gate for gate in BOOK.gates if gate.doubts], ids=lambda gate: gate.name)
def test_a_gate_judges_in_short_as_it_does_in_words(gate: Gate) -> None:
    assert gate.doubts is not None
    for scene in SCENES:
        for seconds in (-130, -5, -2, 0, 2, 120, 121, 5000):
            moved = replace(scene, at=scene.at + timedelta(seconds=seconds))
            keys = keys_of(gate.scope, BOOK.policy.symbols)
            shut = [key for key in keys if gate.ask(moved, BOOK.policy, key).verdict is not Verdict.PASS]
            assert gate.doubts(moved, BOOK.policy, keys) == shut


def test_a_reply_is_kept_while_all_that_the_gate_sees_is_the_very_same() -> None:
    """A kept answer is a fresh one: one rule book goes through all scenes, forwards and backwards, another begins anew with each."""
    for scene in (*SCENES, *reversed(SCENES)):
        for at in (scene.at, scene.at + timedelta(seconds=121), scene.at - timedelta(seconds=5)):
            moved = replace(scene, at=at)
            fresh = ask_gates(moved, changed(BOOK, gates=tuple(map(changed, BOOK.gates))))
            assert ask_gates(moved, BOOK) == fresh


@pytest.mark.parametrize("part", sorted({name for gate in BOOK.gates for name in gate.sees}))
def test_a_kept_reply_ends_when_what_the_gate_sees_is_replaced(part: str) -> None:
    counter = Counted()
    book = counted(counter, part)
    where, _, name = part.partition(".")
    other = {"a": "another"} if name not in ("cash", "account") else object()
    shift = with_ledger if where == "ledger" else with_sight
    later = replace(healthy(), cycle=9, at=healthy().at + timedelta(seconds=5))
    snapshots = [healthy(), later, shift(healthy(), **{name: other})]
    assert [(ask_gates(snapshot, book), counter.asked)[1] for snapshot in snapshots] == [1, 1, 2]
    ask_gates(healthy(), book)
    assert counter.asked == 3


def test_an_equal_value_is_another_one_and_another_part_is_none_of_its_business() -> None:
    counter = Counted()
    book = counted(counter, "sight.probes")
    same = with_sight(healthy(), probes={**healthy().sight.probes})
    for snapshot, times in ((healthy(), 1), (with_ledger(cash=None), 1), (same, 2), (same, 2)):
        ask_gates(snapshot, book)
        assert counter.asked == times


def test_another_policy_ends_every_kept_reply() -> None:
    counter = Counted()
    book = counted(counter, "sight.probes")
    ask_gates(healthy(), book)
    ask_gates(healthy(), changed(book, policy=BOOK.policy.model_copy()))
    assert counter.asked == 2


def test_a_gate_that_says_nothing_of_what_it_sees_is_asked_in_every_cycle() -> None:
    counter = Counted()
    book = counted(counter)
    for n in range(1, 4):
        ask_gates(healthy(), book)
        assert counter.asked == n


@pytest.mark.parametrize("nonsense", [RuntimeError("boom"), "yes", 7], ids=repr)
def test_nothing_is_kept_of_a_gate_that_fails(nonsense: Any) -> None:
    counter = Counted(nonsense)
    book = counted(counter, "sight.probes")
    assert [answer.verdict for answer in ask_gates(healthy(), book)] == [Verdict.REFUSE]
    counter.reply = yes("well again")
    assert [answer.reason for answer in ask_gates(healthy(), book)] == ["well again"]
    counter.reply = no("this is kept back")
    assert [answer.reason for answer in ask_gates(healthy(), book)] == ["well again"]


def test_the_words_of_an_open_gate_are_asked_for_when_somebody_reads_them() -> None:
    counter = Counted(yes("all is well"))
    answers = Answers(healthy(), counted(counter, doubts=lambda *_asked: []))
    assert (counter.asked, answers.shut, answers.open("counted"), len(answers)) == (0, (), True, 1)
    assert [(answer.verdict, answer.reason) for answer in answers] == [(Verdict.PASS, "all is well")]
    assert (answers[0], answers[:1]) == (next(iter(answers)), tuple(answers))
    assert counter.asked == 1


class Alike:
    """Does not want to be compared."""

    __hash__ = None  # type: ignore[assignment]  # not to be hashed either

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("boom")


@pytest.mark.parametrize(
    "doubts",
    [raises(RuntimeError("boom")), *map(says, (None, 0, (), "", {}, ["another"], [Alike()], [None]))],
)
def test_whatever_doubts_does_but_list_keys_every_key_is_asked(doubts: Callable[..., Any]) -> None:
    counter = Counted(no("shut"))
    answers = Answers(healthy(), counted(counter, doubts=doubts))
    assert [answer.reason for answer in answers.shut] == ["shut"]
    assert not answers.open("counted")


def test_only_the_keys_in_doubt_are_asked_and_answer_in_the_order_of_the_policy() -> None:
    bot = BOOK.policy.bots[0].model_copy(update={"symbols": ("SPY", "QQQ", "IWM")})
    rules = Policy.model_validate(BOOK.policy.model_copy(update={"bots": (bot,)}).document())
    gate = Gate(
        name="picky",
        scope=Scope.SYMBOL,
        ask=lambda _snapshot, _policy, key: no(f"{key} is shut") if key != "QQQ" else yes(f"{key} is open"),
        doubts=lambda *_asked: ["IWM", "SPY", "IWM"],
    )
    answers = Answers(healthy(), changed(BOOK, policy=rules, gates=(gate,)))
    assert [answer.key for answer in answers.shut] == ["SPY", "IWM"]
    assert [answer.reason for answer in answers] == ["SPY is shut", "QQQ is open", "IWM is shut"]


def test_a_gate_that_is_not_there_is_shut() -> None:
    assert not Answers(healthy(), book_of()).open("broker_reachable")
    assert Answers(healthy(), BOOK).open("broker_reachable")


def test_a_gate_cannot_see_what_is_no_part_of_a_snapshot() -> None:
    for name in ("at", "sight", "sight.at.year", "ledger.nothing", ""):
        with pytest.raises(ValueError, match="no part of a snapshot"):
            Gate(name="blind", scope=Scope.SYSTEM, ask=says(None), sees=(name,))


def test_a_price_grows_old_though_nothing_is_replaced() -> None:
    book, scene = book_of(data_fresh), healthy()
    last = scene.sight.quotes["SPY"].at
    for seconds, open_now in ((120, True), (120.001, False), (120, True), (-2, True), (-2.001, False)):
        moved = replace(scene, at=last + timedelta(seconds=seconds))
        moved = with_sight(moved, bars={"SPY": scene.sight.bars["SPY"]}, quotes={"SPY": quote("SPY", last, 100, 101)})
        assert Answers(moved, book).open("data_fresh") is (open_now and _bar_is_fresh(moved))


def _bar_is_fresh(snapshot: Snapshot) -> bool:
    return -2 <= (snapshot.at - snapshot.sight.bars["SPY"][-1].closes_at).total_seconds() <= 120
