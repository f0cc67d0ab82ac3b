"""A slice of the storm: a few kills and power losses with a fixed seed, and proof that the claims can fail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hydra.bootstrap.outages.losses import Losses
from hydra.bootstrap.outages.sail import Sailed, sail
from hydra.bootstrap.outages.weather import weather_of
from hydra.engine.outside import Outside
from hydra.model.orders import Order
from hydra.ports import Ack
from hydra.qc.crew import Crew, Job
from hydra.qc.outages.places import ORDER_PLACES
from hydra.qc.outages.tally import Tally

KILLS, LOSSES, SEED = 6, 8, 2


class Standin:
    """A port of which one method is another."""

    def __init__(self, inner: Any, **methods: Callable[..., Any]) -> None:
        self._inner = inner
        self.__dict__.update(methods)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def first_problems(outages: Losses, losses: int) -> list[str]:
    return next((problems for problems in outages.sail(losses) if problems), [])


@pytest.mark.slow
def test_kill_minus_nine_at_any_moment_loses_and_doubles_nothing(tmp_path: Path) -> None:
    # A process of its own: it forks, and a fork must not inherit the test runner's threads.
    with Crew(1, deadline_seconds=100) as crew:
        ((_, sailed),) = crew.play([Job(sail, ("kills", SEED, 0, KILLS, tmp_path))])
    assert isinstance(sailed, Sailed), sailed
    assert sailed.problems == ()
    assert sailed.tally["faults"] >= KILLS
    assert set(sailed.tally["places"]) & set(ORDER_PLACES)
    assert sailed.tally["comparisons"]["settled"]


@pytest.mark.slow
@pytest.mark.parametrize("voyage", [1, pytest.param(2, marks=pytest.mark.drill)])
def test_a_power_loss_at_any_moment_loses_and_doubles_nothing(tmp_path: Path, voyage: int) -> None:
    tally = Tally()
    for problems in Losses(tmp_path, voyage, SEED, tally, weather_of(voyage)).sail(LOSSES):
        assert problems == []
    assert tally.faults >= LOSSES
    assert tally.on_orders * 4 >= LOSSES
    assert set(tally.places) & set(ORDER_PLACES)


def test_the_storm_notices_an_engine_that_sends_before_its_journal_is_durable(tmp_path: Path) -> None:
    def careless(outside: Outside) -> Outside:
        return replace(outside, journal=Standin(outside.journal, sync=lambda: None))

    problems = first_problems(Losses(tmp_path, 1, SEED, Tally(), weather_of(1), careless), 20)
    assert any("the store stands at" in problem or "unjournaled" in problem for problem in problems), problems


def test_the_storm_notices_an_order_that_is_sent_again(tmp_path: Path) -> None:
    def eager(outside: Outside) -> Outside:
        def submit(order: Order) -> Ack:
            outside.broker.submit(order.__class__(**{**_fields(order), "client_id": f"{order.client_id}-2"}))
            return outside.broker.submit(order)

        return replace(outside, broker=Standin(outside.broker, submit=submit))

    problems = first_problems(Losses(tmp_path, 1, SEED, Tally(), weather_of(1), eager), 5)
    assert any("the venue has" in problem and "the journal has not" in problem for problem in problems), problems


def test_the_storm_notices_a_stop_that_is_gone(tmp_path: Path) -> None:
    def stopless(outside: Outside) -> Outside:
        def submit(order: Order) -> Ack:
            ack = outside.broker.submit(order)
            for leg in outside.broker.open_orders():
                if leg.parent == order.client_id:
                    outside.broker.cancel(leg.venue_id)
            return ack

        return replace(outside, broker=Standin(outside.broker, submit=submit))

    problems = first_problems(Losses(tmp_path, 1, SEED, Tally(), weather_of(1), stopless), 20)
    assert any("stops for 0" in problem for problem in problems), problems


def _fields(order: Order) -> dict[str, Any]:
    return {name: getattr(order, name) for name in Order.__struct_fields__}
