"""A slice of the storm: a few kills and power losses with a fixed seed, and proof that the claims can fail."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hydra.engine.outside import Outside
from hydra.model.orders import Order
from hydra.ports import Ack
from tests.storm.losses import Outages
from tests.storm.places import ORDER_PLACES
from tests.storm.tally import Tally

KILLS, LOSSES, SEED = 12, 15, 2
ROOT = Path(__file__).resolve().parents[1]


class Standin:
    """A port of which one method is another."""

    def __init__(self, inner: Any, **methods: Callable[..., Any]) -> None:
        self._inner = inner
        self.__dict__.update(methods)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def first_problems(outages: Outages, losses: int) -> list[str]:
    return next((problems for problems in outages.sail(losses) if problems), [])


@pytest.mark.slow
def test_kill_minus_nine_at_any_moment_loses_and_doubles_nothing(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    # A process of its own: it forks, and a fork must not inherit the test runner's threads.
    options = ["--kills", str(KILLS), "--losses", "0", "--seed", str(SEED), "--report", str(report)]
    ran = subprocess.run(
        [sys.executable, "-m", "tests.storm", *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    told = json.loads(report.read_text())["voyages"]["kills:0"]
    assert told["faults"] >= KILLS
    assert told["on_orders"] * 4 >= KILLS
    assert told["comparisons"]["settled"]


@pytest.mark.slow
@pytest.mark.parametrize("voyage", [1, pytest.param(2, marks=pytest.mark.drill)])
def test_a_power_loss_at_any_moment_loses_and_doubles_nothing(tmp_path: Path, voyage: int) -> None:
    tally = Tally()
    for problems in Outages(tmp_path, voyage, SEED, tally).sail(LOSSES):
        assert problems == []
    assert tally.faults >= LOSSES
    assert tally.on_orders * 4 >= LOSSES
    assert set(tally.places) & set(ORDER_PLACES)


def test_the_storm_notices_an_engine_that_sends_before_its_journal_is_durable(tmp_path: Path) -> None:
    def careless(outside: Outside) -> Outside:
        return replace(outside, journal=Standin(outside.journal, sync=lambda: None))

    problems = first_problems(Outages(tmp_path, 1, SEED, Tally(), careless), 20)
    assert any("the store stands at" in problem or "unjournaled" in problem for problem in problems), problems


def test_the_storm_notices_an_order_that_is_sent_again(tmp_path: Path) -> None:
    def eager(outside: Outside) -> Outside:
        def submit(order: Order) -> Ack:
            outside.broker.submit(order.__class__(**{**_fields(order), "client_id": f"{order.client_id}-2"}))
            return outside.broker.submit(order)

        return replace(outside, broker=Standin(outside.broker, submit=submit))

    problems = first_problems(Outages(tmp_path, 1, SEED, Tally(), eager), 5)
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

    problems = first_problems(Outages(tmp_path, 1, SEED, Tally(), stopless), 20)
    assert any("stops for 0" in problem for problem in problems), problems


def _fields(order: Order) -> dict[str, Any]:
    return {name: getattr(order, name) for name in Order.__struct_fields__}
