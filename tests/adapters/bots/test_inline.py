"""Bots in this process: guarded, checked, timed."""

from __future__ import annotations

import time
from copy import deepcopy
from decimal import Decimal

import pytest

from hydra.adapters.bots.inline import InlineBotHost
from hydra.model.orders import Purpose
from hydra.model.values import replace
from hydra.ports import BotHost
from tests.adapters.bots.foreign import changes_what_it_was_given
from tests.contracts.bot_host_contract import BotHostContract, question
from tests.fakes.outside import entry


class TestInline(BotHostContract):
    @pytest.fixture
    def make(self):
        return lambda bots: InlineBotHost(bots, 2000)


def ask(bot, deadline_ms: int | None = None, memory=None):
    (answer,) = InlineBotHost({"b": bot}, deadline_ms).ask([question("b", memory)])
    return answer


def test_an_answer_that_came_too_late_is_a_failure_with_its_time() -> None:
    def slow(_view, _memory):
        time.sleep(0.05)
        return [], {"a": 1}

    answer = ask(slow, deadline_ms=10)
    assert answer.failure is not None
    assert answer.failure.kind == "timeout"
    assert "at most 10" in answer.failure.reason
    assert ask(slow).memory == {"a": 1}


def test_what_a_bot_does_to_what_it_was_given_is_seen_by_nobody() -> None:
    asked = question("a", {"count": 5})
    (answer,) = InlineBotHost({"a": changes_what_it_was_given}, None).ask([asked])
    assert answer.memory == {"count": 1}
    assert asked == question("a", {"count": 5})


@pytest.mark.parametrize("held", [False, True])
@pytest.mark.parametrize("name", ["bars", "quotes", "holdings", "may_enter", "chains"])
def test_no_mapping_of_a_view_is_one_that_anybody_else_holds(name: str, held: bool) -> None:
    asked = question("b")
    asked = replace(asked, view=replace(asked.view, **{name: {"SPY": None} if held else {}}))

    def takes(view, memory):
        getattr(view, name).clear()
        getattr(view, name)["QQQ"] = None
        return [], memory

    (answer,) = InlineBotHost({"b": takes}, None).ask([asked])
    assert answer.quiet
    assert getattr(asked.view, name) == ({"SPY": None} if held else {})


@pytest.mark.parametrize("memory", [{}, {"a": "text"}, {"a": "text", "b": ["text"]}, {"a": {"b": {"c": "d"}}}])
def test_a_memory_is_nobody_elses_however_deep_it_is(memory: dict) -> None:
    def spoils(_view, memory):
        for value in memory.values():
            value.clear() if type(value) is not str else None
        memory["more"] = 1
        return [], memory

    asked, before = question("b", memory), deepcopy(memory)
    (answer,) = InlineBotHost({"b": spoils}, None).ask([asked])
    assert answer.memory is not None
    assert asked.memory == before


def test_a_memory_that_is_changed_in_place_is_a_new_one() -> None:
    def adds(_view, memory):
        memory["b"] = "more"
        return [], memory

    assert ask(adds, memory={"a": "text"}).memory == {"a": "text", "b": "more"}


DIGITS = {
    "1" * 30: True,
    "1" * 31: False,
    "0." + "1" * 29: True,
    "0." + "1" * 30: True,
    "0." + "1" * 31: False,
    "1E+30": True,
    "1E+31": False,
    "1E-30": True,
    "1E-31": False,
    "12.5E+29": True,
    "1E+4000": False,
}


@pytest.mark.parametrize("text", DIGITS)
def test_a_number_has_as_many_digits_as_anybody_trades_with(text: str) -> None:
    wished = entry("b", reference=Decimal(text), protection=None, purpose=Purpose.EXIT)
    answer = ask(lambda view, memory: ([wished], memory))
    assert (answer.failure is None) is DIGITS[text]
    assert answer.failure is None or "more than 30 digits" in answer.failure.reason


def test_memory_that_did_not_change_is_not_recorded() -> None:
    assert ask(lambda view, memory: ([], memory), memory={"a": 1}).quiet
    assert ask(lambda view, memory: ([], {"a": 1}), memory={"a": 1}).quiet
    assert ask(lambda view, memory: ([], {"a": 2}), memory={"a": 1}).memory == {"a": 2}


def test_memory_comes_back_as_json_knows_it() -> None:
    assert ask(lambda view, memory: ([], {"a": (1, 2)})).memory == {"a": [1, 2]}


def test_a_wish_is_what_can_be_journaled_and_read_back() -> None:
    # A text instead of an enum passes the constructor; it comes out as the enum, or not at all.
    answer = ask(lambda view, memory: ([entry("b", purpose="entry")], memory))
    assert answer.intents[0].purpose is Purpose.ENTRY
    wrong = ask(lambda view, memory: ([entry("b", order_type="market", limit=None, size=None)], memory))
    assert wrong.failure is not None


def test_an_inline_host_is_a_bot_host() -> None:
    host: BotHost = InlineBotHost({}, None)
    assert host.ask([]) == ()
    assert Decimal(1) == 1
    host.close()
