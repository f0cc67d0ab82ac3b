"""The panel: one vote a seat by the deadline, whatever a gladiator does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from hydra.adapters.llm.panel import Panel, order_of
from hydra.gladiators.brief import Brief
from hydra.gladiators.local import LocalGladiator
from hydra.model.votes import Choice, Vote, Why


class Foreign:
    """A gladiator that does as it is told."""

    def __init__(self, seat: str, deed: Callable[[Brief, float], Any]) -> None:
        self.seat = seat
        self.engine = "foreign"
        self._deed = deed

    def vote(self, brief: Brief, deadline: float) -> Vote:
        return self._deed(brief, deadline)  # type: ignore[no-any-return]  # foreign code returns what it likes


def good(seat: str, **changes: Any) -> Callable[[Brief, float], Vote]:
    def deed(brief: Brief, deadline: float) -> Vote:
        told: dict[str, Any] = {"seat": seat, "engine": "foreign", "brief": brief.hash}
        return Vote(vote=Choice.BUY, confidence=0.5, p_up=0.6, **(told | changes))

    return deed


def raises(brief: Brief, deadline: float) -> Vote:
    raise ZeroDivisionError("of all things")


def leaves(brief: Brief, deadline: float) -> Vote:
    raise SystemExit(3)


@pytest.fixture
def opened() -> Iterator[list[Panel]]:
    panels: list[Panel] = []
    yield panels
    for panel in panels:
        panel.close(0)


def test_whatever_a_gladiator_does_is_a_vote_or_an_abstention(brief: Brief, opened: list[Panel]) -> None:
    forever = threading.Event()
    deeds: dict[str, Callable[[Brief, float], Any]] = {
        "A": raises,
        "B": leaves,
        "C": lambda *_: None,
        "D": lambda *_: forever.wait(20),
        "X1": lambda *_: {"vote": "BUY"},
        "X2": good("A"),
        "X3": good("X3", engine="local:trend"),
        "X4": good("X4", brief="0" * 64),
        "X5": lambda *_: good("X5")(brief, 1),
        "X10": lambda *_: Vote(seat="X10", vote=Choice.BUY, confidence=7, engine="foreign"),
    }
    panel = Panel([Foreign(seat, deed) for seat, deed in reversed(deeds.items())])
    opened.append(panel)
    began = time.monotonic()
    votes = panel.ask(brief, 0.4)
    assert time.monotonic() - began < 0.6
    assert [vote.seat for vote in votes] == list(deeds)
    assert {vote.seat: vote.why.value for vote in votes} == {
        **dict.fromkeys(("A", "B", "C", "X1", "X2", "X3", "X4", "X10"), "error"),
        "D": "timeout",
        "X5": "",
    }
    assert votes[0].detail == "ZeroDivisionError: of all things"
    assert "NoneType" in votes[2].detail
    assert "from 0 to 1, got 7" in votes[-1].detail
    assert panel.ask(brief, 0.1)[3].detail == "no vote within 0.1 s"
    third = panel.ask(brief, 0.4)[3]
    assert (third.why, third.detail) == (Why.TIMEOUT, "it is still busy with an earlier brief")
    forever.set()
    time.sleep(0.05)
    assert "bool" in panel.ask(brief, 0.4)[3].detail


def test_a_late_answer_to_one_brief_is_no_answer_to_the_next(brief: Brief, opened: list[Panel]) -> None:
    late = threading.Event()

    def slow(seen: Brief, deadline: float) -> Vote:
        late.wait(5)
        return good("A")(seen, deadline)

    panel = Panel([Foreign("A", slow), Foreign("B", good("B"))])
    opened.append(panel)
    assert [vote.why for vote in panel.ask(brief, 0.1)] == [Why.TIMEOUT, Why.NONE]
    late.set()
    assert [vote.why for vote in panel.ask(brief, 1)] == [Why.NONE, Why.NONE]


def test_a_brief_waits_for_a_gladiator_that_is_nearly_done_with_another(brief: Brief, opened: list[Panel]) -> None:
    def slow(seen: Brief, deadline: float) -> Vote:
        time.sleep(0.2)
        return good("A")(seen, deadline)

    panel = Panel([Foreign("A", slow)])
    opened.append(panel)
    assert [panel.ask(brief, seconds)[0].why for seconds in (0.1, 2, 2)] == [Why.TIMEOUT, Why.NONE, Why.NONE]


def test_seats_are_told_of_a_little_less_time_than_there_is(brief: Brief, opened: list[Panel]) -> None:
    told: list[float] = []

    def listens(seen: Brief, deadline: float) -> Vote:
        told.append(deadline)
        return good("A")(seen, deadline)

    panel = Panel([Foreign("A", listens)])
    opened.append(panel)
    panel.ask(brief, 2)
    panel.ask(brief, 60)
    assert told == pytest.approx([1.9, 59.5], abs=0.2)
    assert told[0] <= 1.9


def test_one_seat_holds_one_gladiator() -> None:
    with pytest.raises(ValueError, match="a seat holds one gladiator"):
        Panel([LocalGladiator("A", "trend"), LocalGladiator("A", "breakout")])


def test_seats_stand_in_order() -> None:
    assert sorted(["X10", "D", "X2", "A", "X1", "C"], key=order_of) == ["A", "C", "D", "X1", "X2", "X10"]


def test_a_closed_panel_leaves_no_thread_behind(brief: Brief) -> None:
    panel = Panel([LocalGladiator(seat, "trend") for seat in "ABCD"])
    panel.ask(brief, 1)
    threads = [seat.thread for seat in panel._seats]
    panel.close()
    assert not any(thread.is_alive() for thread in threads)


def test_asking_four_rules_costs_little(brief: Brief, opened: list[Panel]) -> None:
    panel = Panel([LocalGladiator(seat, name) for seat, name in zip("ABCD", ("trend",) * 4, strict=True)])
    opened.append(panel)
    panel.ask(brief, 1)
    took = []
    for _ in range(50):
        began = time.perf_counter()
        panel.ask(brief, 1)
        took.append(time.perf_counter() - began)
    assert sorted(took)[25] < 0.02
