"""A journal executed again comes to the same, and the smallest change to it is named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace as changed
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from hydra.adapters.bots.inline import InlineBotHost
from hydra.bootstrap.plugs import rule_book
from hydra.engine.replay import Difference, Replayed, differences, replay
from hydra.model.errors import Corrupt
from hydra.model.events import Answered, CycleClosed, Decided, Event, Flattened, OrderSent, SegmentOpened
from hydra.model.snapshot import Answer, Command, Observed
from hydra.model.values import Value, replace
from tests.engine.test_faults import PRICES, SCRIPT, Hung, every_call, play
from tests.engine.test_faults import stage as faulty_stage
from tests.fakes.outside import BOT, OPEN, Fault, Stage, entry, policy, scripted


def again(stage: Stage, events: list[Event], **more: Any) -> Replayed:
    book = more.get("book", stage.book)
    return replay(events, lambda _document: (book, InlineBotHost(more.get("bots", stage.bots), None)))


@pytest.fixture(scope="module")
def day() -> Stage:
    stage = Stage({BOT: scripted(SCRIPT)}, prices=PRICES)
    stage.day()
    return stage


@pytest.fixture(scope="module")
def events(day: Stage) -> list[Event]:
    return day.events()


def edited(events: list[Event], kind: type, edit: Callable[[Any], Value], *, last: bool = False) -> list[Event]:
    """The events with one payload changed (the hashes are the reader's business, not the replay's)."""
    places = [number for number, event in enumerate(events) if type(event.data) is kind]
    place = places[-1] if last else places[0]
    return [*events[:place], replace(events[place], data=edit(events[place].data)), *events[place + 1 :]]


def difference(replayed: Replayed) -> Difference:
    assert replayed.difference is not None
    return replayed.difference


def test_a_day_replays_identical(day: Stage, events: list[Event]) -> None:
    result = again(day, events)
    assert result.difference is None
    assert (result.cycles, result.decisions, result.orders, result.events) == (14, 14, 3, len(events))
    assert result.open_tail


def test_a_day_of_two_runs_and_three_segments_replays_identical() -> None:
    stage = Stage({BOT: scripted(SCRIPT)}, prices=PRICES)
    stage.step(4)
    stage.engine.open_segment(stage.segment(2))
    stage.step(2)
    stage.crash()
    stage.day()
    result = again(stage, stage.events())
    assert result.difference is None
    assert len(result.runs) == 2
    assert stage.agrees()


@pytest.mark.parametrize("port", ["broker", "market", "calendar", "probes", "inbox", "store", "journal", "clock"])
def test_a_day_with_a_fault_replays_identical(port: str) -> None:
    faults = (Fault(error=Hung("hung"), after=True), Fault(error=OSError(5, "gone")))
    for number, (method, call) in enumerate(every_call(port)):
        if number % 6 and method not in ("submit", "cancel"):
            continue
        stage = faulty_stage()
        wrapper = getattr(stage, port)
        wrapper.plan(method, wrapper.calls.get(method, 0) + call, faults[number % 2])
        play(stage)
        assert again(stage, stage.events()).difference is None, (method, call)


def test_recorded_failures_are_taken_as_they_are() -> None:
    def late(_view: Any, _memory: Any) -> Any:
        raise TimeoutError("too late")

    stage = Stage({BOT: late})
    stage.day()
    assert again(stage, stage.events(), bots={BOT: scripted({})}).difference is None


def test_another_policy_number_is_a_difference(day: Stage, events: list[Event]) -> None:
    stricter = rule_book(policy(risk={"order_notional": Decimal(500)}))
    found = difference(again(day, events, book=stricter))
    assert found.where == "decided.judgements[0].admitted"
    assert (found.recorded, found.recomputed, found.cycle) == ("10", "4", 2)


def test_another_rule_book_is_a_difference(day: Stage, events: list[Event]) -> None:
    fewer = changed(day.book, rules={k: rule for k, rule in day.book.rules.items() if k != "drawdown"})
    assert difference(again(day, events, book=fewer)).where == "decided.judgements[0].ceilings.length"


def test_another_answer_is_a_difference(day: Stage, events: list[Event]) -> None:
    found = difference(again(day, events, bots={BOT: scripted({**SCRIPT, 2: [entry(thesis="otherwise")]})}))
    assert found.where == "answered.answers[0].intents[0].thesis"
    assert (found.recorded, found.recomputed) == ("the script says so", "otherwise")


def test_a_bot_that_fails_only_now_is_a_difference(day: Stage, events: list[Event]) -> None:
    found = difference(again(day, events, bots={}))
    assert found.where.startswith("answered.")


def test_a_changed_look_is_a_difference(day: Stage, events: list[Event]) -> None:
    def later(seen: Observed) -> Observed:
        return replace(seen, at=seen.at + timedelta(hours=9))

    # Nine hours later the session is over, and nobody would have been asked.
    assert difference(again(day, edited(events, Observed, later))).where == "answered.quiet.length"


def _other_mode(decided: Decided) -> Decided:
    return Decided(plan=replace(decided.plan, mode="halted"))


def _dropped_send(decided: Any) -> Decided:
    return Decided(plan=replace(decided.plan, sends=()))


def test_a_changed_plan_is_a_difference_that_names_the_field(day: Stage, events: list[Event]) -> None:
    assert difference(again(day, edited(events, Decided, _other_mode))).where == "decided.mode"
    entry_cycle = [e for e in events if type(e.data) is not Decided or e.data.plan.sends]
    place = events.index(next(e for e in entry_cycle if type(e.data) is Decided))
    dropped = [*events[:place], replace(events[place], data=_dropped_send(events[place].data)), *events[place + 1 :]]
    assert difference(again(day, dropped)).where == "decided.sends.length"


def test_a_changed_order_is_a_difference_that_names_the_field(day: Stage, events: list[Event]) -> None:
    def larger(sent: OrderSent) -> OrderSent:
        return OrderSent(order=replace(sent.order, quantity=Decimal(11)))

    found = difference(again(day, edited(events, OrderSent, larger)))
    assert (found.where, found.recorded, found.recomputed) == ("order_sent.quantity", "11", "10")


def test_an_order_that_was_not_planned_is_a_difference(day: Stage, events: list[Event]) -> None:
    def other(sent: OrderSent) -> OrderSent:
        return OrderSent(order=replace(sent.order, client_id="hy-smuggled"))

    found = difference(again(day, edited(events, OrderSent, other)))
    assert (found.where, found.recomputed) == ("order_sent.order", "no such order was planned")


def test_an_order_that_was_planned_and_neither_sent_nor_withheld_is_a_difference(
    day: Stage, events: list[Event]
) -> None:
    without = [event for event in events if type(event.data) is not OrderSent]
    found = difference(again(day, without))
    assert (found.where, found.recorded) == ("cycle_closed.left_undone", "(absent)")


def test_a_word_that_was_planned_and_not_written_down_is_a_difference_and_the_one_that_was_is_none() -> None:
    stage = Stage({BOT: scripted(SCRIPT)}, prices=PRICES)
    stage.step(2)
    for reason in ("first", "second"):
        word = Command(command_id=reason, action="flatten", by="me", wall=OPEN, reason=reason, bot=BOT)
        stage.inbox.inner.waiting.append(word)
    stage.step(2)
    events = stage.events()
    assert again(stage, events).difference is None
    places = [number for number, event in enumerate(events) if type(event.data) is Flattened]
    assert len(places) == 2
    for place, reason in zip(places, ("first", "second"), strict=True):
        found = difference(again(stage, [*events[:place], *events[place + 1 :]]))
        assert found.where == "cycle_closed.left_undone"
        assert [(field.recorded, field.recomputed.split()[0]) for field in found.fields] == [("(absent)", "flattened")]
        assert reason in found.recomputed


def test_a_cycle_that_is_closed_undecided_or_never_closed_is_corrupt(day: Stage, events: list[Event]) -> None:
    with pytest.raises(Corrupt, match="nothing was decided in it"):
        again(day, [event for event in events if type(event.data) is not Decided])
    with pytest.raises(Corrupt, match="another look before cycle 1 was closed"):
        again(day, [event for event in events if type(event.data) is not CycleClosed])


def test_a_cycle_that_is_missing_is_a_difference(day: Stage, events: list[Event]) -> None:
    first, second = [n for n, event in enumerate(events) if type(event.data) is Observed][:2]
    found = difference(again(day, [*events[:first], *events[second:]]))
    assert (found.where, found.recorded, found.recomputed) == ("observed.cycle", "2", "1")


def test_every_field_that_differs_is_named(day: Stage, events: list[Event]) -> None:
    def other(sent: OrderSent) -> OrderSent:
        return OrderSent(order=replace(sent.order, quantity=Decimal(11), thesis="another"))

    found = difference(again(day, edited(events, OrderSent, other)))
    assert [(field.where, field.recorded) for field in found.fields] == [("quantity", "11"), ("thesis", "another")]


def test_a_changed_checkpoint_is_a_difference_that_names_the_field() -> None:
    stage = Stage({BOT: scripted(SCRIPT)}, prices=PRICES)
    stage.step(4)
    stage.engine.open_segment(stage.segment(2))
    stage.step(2)

    def richer(opened: SegmentOpened) -> SegmentOpened:
        return replace(opened, ledger=replace(opened.ledger, peak_equity=Decimal(200_000)))

    found = difference(again(stage, edited(stage.events(), SegmentOpened, richer, last=True)))
    assert found.where == "segment_opened.peak_equity"
    assert found.recorded == "200000"


def test_a_segment_replays_alone() -> None:
    stage = Stage({BOT: scripted(SCRIPT)}, prices=PRICES)
    stage.step(4)
    stage.engine.open_segment(stage.segment(2))
    stage.day()
    events = stage.events()
    second = next(n for n, e in enumerate(events) if type(e.data) is SegmentOpened and e.data.segment == 2)
    assert again(stage, events[second:]).difference is None


def test_events_before_a_segment_or_out_of_order_are_corrupt(day: Stage, events: list[Event]) -> None:
    with pytest.raises(Corrupt, match="before any segment_opened"):
        again(day, events[1:])
    without_answers = [e for e in events if type(e.data) is not Answered]
    with pytest.raises(Corrupt, match="without the bots' answers"):
        again(day, without_answers)
    without_looks = [e for e in events if type(e.data) is not Observed]
    with pytest.raises(Corrupt, match="before anything was observed"):
        again(day, without_looks)


def test_differences_name_every_leaf() -> None:
    ours = {"a": 1, "b": [1, {"c": 2}], "d": None, "e": [1]}
    theirs = {"a": 1, "b": [1, {"c": 3}], "d": "x", "e": [], "f": 4}
    assert list(differences(ours, theirs)) == [
        ("b[1].c", "2", "3"),
        ("d", "(absent)", "x"),
        ("e.length", "1", "0"),
        ("f", "(absent)", "4"),
    ]
    assert Answer(bot="b").quiet
