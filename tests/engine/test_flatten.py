"""Flattening at an operator's word: until nothing is left, or nothing more can be done now, and it says which."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from hydra.adapters.bots.inline import InlineBotHost
from hydra.engine.flatten import Flat, Flatten, Step, left_of
from hydra.engine.replay import replay
from hydra.model.errors import Unreachable
from hydra.model.events import Flattened, Halted, Resumed, RunClosed
from hydra.model.orders import Purpose
from hydra.model.portfolio import Halt
from hydra.ports import Ack, AckOutcome
from tests.fakes.outside import OPEN, Fault, Stage, buys_at, feed_of, policy

TWO = {"trend": buys_at(2, bot="trend"), "other": buys_at(2, bot="other")}


def held(**more: Any) -> Stage:
    """Two bots that hold ten shares each, under their stops and targets."""
    on = Stage(bots=TWO, rules=policy(bots=({"id": "trend"}, {"id": "other"})), **more)
    on.step(5)
    on.restart()
    assert on.in_ledger() == {"SPY": 20}
    return on


def say(on: Stage, bot: str = "") -> None:
    """What the command writes down first."""
    if not bot:
        on.engine.record(Halted(halt=Halt(kind="flatten", reason="out", at=OPEN, by="me", automatic=False)))
    on.engine.record(Flattened(by="me", reason="out", bot=bot))
    on.engine.settle()


def flatten(
    on: Stage, bot: str = "", *, steps: list[Step] | None = None, stopped: Callable[[], int | None] = lambda: None
) -> Flat:
    say(on, bot)
    told: list[Step] = [] if steps is None else steps
    return Flatten(
        engine=on.engine, bot=bot, timeout_seconds=120, interval_seconds=5, stopped=stopped, watch=told.append
    ).run()


def test_everything_is_sold_after_its_orders_are_gone_and_the_run_ends_in_order() -> None:
    on = held()
    steps: list[Step] = []
    flat = flatten(on, steps=steps)
    assert (flat.exit_code, flat.reason, flat.left.told()) == (0, "flat", ())
    assert on.at_venue() == {}
    assert on.broker.inner.open_orders() == ()
    assert on.agrees()
    assert (len(steps[0].cancelled), len(steps[0].sent)) == (4, 2)
    assert steps[-1].left == ()
    closed = on.events()[-1].data
    assert isinstance(closed, RunClosed)
    assert (closed.reason, closed.exit_code, closed.cycles) == ("flat", 0, flat.cycles)
    result = replay(on.events(), lambda _document: (on.book, InlineBotHost(on.bots, None)))
    assert result.difference is None


def test_one_bot_is_flattened_and_another_keeps_what_it_holds() -> None:
    on = held()
    flat = flatten(on, "trend")
    assert flat.exit_code == 0
    assert [holding.bot for holding in on.ledger.holdings.values()] == ["other"]
    assert left_of(on.ledger, "trend").told() == ()
    assert len(left_of(on.ledger, "other").orders) == 2
    assert on.agrees()


def test_nothing_to_flatten_is_flat_after_one_look() -> None:
    on = Stage(bots={})
    flat = flatten(on)
    assert (flat.exit_code, flat.cycles) == (0, 1)


def test_a_closed_session_ends_it_with_what_is_left_and_the_stops_in_place() -> None:
    on = held()
    night = on.calendar.inner.sessions(OPEN + timedelta(hours=9))
    on.calendar.always["sessions"] = Fault(answer=night)
    flat = flatten(on)
    assert flat.exit_code == 3
    assert flat.reason.startswith("the equity session is ")
    assert len(flat.left.holdings) == 2
    assert [order.purpose for order in flat.left.orders].count(Purpose.STOP) == 2
    assert on.sent(Purpose.EXIT) == []
    on.calendar.always.clear()
    on.restart()
    on.step(2)
    assert on.at_venue() == {}


def test_exits_that_the_venue_refuses_end_it_when_its_time_is_over() -> None:
    on = held()
    on.broker.always["submit"] = Fault(answer=Ack(outcome=AckOutcome.REJECTED, reason="not now"))
    flat = flatten(on)
    assert flat.exit_code == 3
    assert flat.reason == f"not flat after 120 s and {flat.cycles} cycles"
    assert flat.cycles >= 5
    assert "trend holds 10 SPY" in flat.left.told()


def test_a_venue_that_does_not_answer_is_unreachable_when_its_time_is_over() -> None:
    on = held()
    on.broker.always["positions"] = Fault(error=Unreachable("mute"))
    steps: list[Step] = []
    flat = flatten(on, steps=steps)
    assert flat.exit_code == 4
    assert flat.reason.endswith("the venue does not answer")
    assert "broker_reachable: positions: Unreachable: mute" in steps[0].waits
    assert on.sent(Purpose.EXIT) == []


def test_a_clock_that_does_not_answer_ends_it_at_once() -> None:
    on = held()
    on.clock.always["wait"] = Fault(error=Unreachable("no clock"))
    flat = flatten(on)
    assert (flat.exit_code, flat.reason) == (4, "the venue does not answer: no clock")
    assert isinstance(on.events()[-1].data, RunClosed)


def test_an_empty_look_at_a_mute_venue_is_not_flat() -> None:
    on = Stage(bots={})
    on.broker.always["positions"] = Fault(error=Unreachable("mute"))
    assert flatten(on).exit_code == 4


def test_the_end_of_the_market_ends_it() -> None:
    on = held(feed=feed_of([(100, 100, 100, 100)] * 6))
    on.broker.always["submit"] = Fault(answer=Ack(outcome=AckOutcome.REJECTED, reason="not now"))
    flat = flatten(on)
    assert (flat.exit_code, flat.reason) == (3, "the market's last day is over")


@pytest.mark.parametrize(("code", "number"), [(130, 2), (143, 15)])
def test_a_signal_ends_it_before_the_next_cycle(code: int, number: int) -> None:
    on = held()
    flat = flatten(on, stopped=lambda: code)
    assert (flat.exit_code, flat.reason, flat.cycles) == (code, f"stopped by signal {number}", 0)


def test_somebody_who_resumes_meanwhile_ends_it() -> None:
    on = held()
    on.broker.always["submit"] = Fault(answer=Ack(outcome=AckOutcome.REJECTED, reason="not now"))
    steps: list[Step] = []

    def stopped() -> None:
        if len(steps) == 2:
            on.engine.record(Resumed(by="me", reason="no, keep it"))

    flat = flatten(on, steps=steps, stopped=stopped)
    assert (flat.exit_code, flat.reason) == (3, "somebody resumed meanwhile")
