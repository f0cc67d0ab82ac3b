"""What a look adds: what did not change stays the same object, and what was missing does not stay missing."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.engine.answers import ask_all
from hydra.engine.fold import fold
from hydra.engine.observe import coin_kept
from hydra.engine.sight import see
from hydra.guard import Outcome
from hydra.model.events import KIND_OF, Event
from hydra.model.portfolio import Ledger, Position
from hydra.model.snapshot import Failure, Observed, Sight
from hydra.model.values import replace
from tests.fakes.outside import OPEN, Stage
from tests.risk.scenes import holding

D = Decimal
PAIR = "BTC-USD"
FAILED = Failure(what="account", kind="timeout", reason="no answer")


def test_what_was_missing_is_missing_until_a_look_in_which_nothing_is() -> None:
    quiet = see(Sight(), Observed(cycle=1, at=OPEN), 10)
    still = see(quiet, Observed(cycle=2, at=OPEN), 10)
    assert still.missing is quiet.missing
    failing = see(still, Observed(cycle=3, at=OPEN, missing=(FAILED,)), 10)
    assert failing.missing == {"account": FAILED}
    assert see(failing, Observed(cycle=4, at=OPEN), 10).missing == {}
    assert see(failing, Observed(cycle=4, at=OPEN, keyframe=True), 10).missing == {}


def test_what_a_look_does_not_tell_stays_the_same_object() -> None:
    stage = Stage()
    stage.cycle()
    before = stage.engine.sight
    assert before is not None
    after = see(before, Observed(cycle=9, at=OPEN + timedelta(minutes=1)), 10)
    names = [name for name in Sight.__struct_fields__ if name not in ("at", "commands")]
    assert all(getattr(after, name) is getattr(before, name) for name in names)
    assert after.at == OPEN + timedelta(minutes=1)


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("account", None),
        ("positions", []),
        ("positions", (None,)),
        ("market", ()),
        ("probes", {"x": 1}),
        ("chain SPY", (1,)),
    ],
)
def test_an_answer_of_another_make_is_none(name: str, answer: object) -> None:
    stage = Stage()
    outside = replace_reads(stage, {name: Outcome(value=answer)})
    outcome = ask_all(outside, {name: lambda: answer})[name]
    assert outcome.value is None
    assert outcome.failure is not None
    assert (outcome.failure.what, outcome.failure.kind) == (name, "nonsense")
    assert type(answer).__name__ in outcome.failure.reason


def test_a_name_without_an_answer_or_a_failure_is_a_failure_and_a_failure_is_handed_on() -> None:
    outside = replace_reads(Stage(), {"account": Outcome(failure=FAILED)})
    found = ask_all(outside, {"account": lambda: None, "positions": lambda: ()})
    assert found["account"].failure is FAILED
    assert found["positions"].failure is not None
    assert found["positions"].failure.reason == "neither an answer nor a failure"


def replace_reads(stage: Stage, answers: dict[str, Outcome[Any]]) -> Any:
    """The stage's outside, which answers with these."""
    import dataclasses

    return dataclasses.replace(stage.outside, read_all=lambda _questions: answers)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    withheld=st.lists(st.integers(0, 25), min_size=1, max_size=3),
    foreign=st.integers(0, 3),
    there=st.integers(-40, 40),
)
def test_coin_kept_without_news_is_what_the_folded_ledger_would_say(
    withheld: list[int], foreign: int, there: int
) -> None:
    held = [
        replace(
            holding(bot=f"b{place}", symbol=PAIR, quantity=D(1), price=4000, stop=3900),
            withheld=D(most) / 20_000,
            withheld_most=D("0.00125"),
        )
        for place, most in enumerate(withheld)
    ]
    ledger = Ledger(holdings={one.key: one for one in held}, foreign={PAIR: D(foreign)} if foreign else {}, cash=D(1))
    seen = Observed(cycle=1, at=OPEN)
    event = Event(v=1, seq=0, ts=OPEN, run="r", kind=KIND_OF[Observed], data=seen, prev="", hash="")
    theirs = (Position(symbol=PAIR, quantity=D(len(held) + foreign) - D(there) / 20_000, average_price=D(4000)),)
    assert coin_kept(ledger, seen, theirs) == coin_kept(fold(ledger, event), seen, theirs)
