"""How a run ends when the outside fails in a way that no gate can wait for."""

from __future__ import annotations

from hydra.engine.run import EXIT_UNREACHABLE, Loop
from hydra.model.errors import Unreachable
from hydra.model.events import RunClosed
from tests.fakes.outside import Fault, Stage


def loop(stage: Stage) -> Loop:
    return Loop(
        engine=stage.engine,
        segment=stage.segment,
        cycles_max=20,
        interval_seconds=5,
        stopped=lambda: None,
        watch=lambda _report: None,
    )


def test_a_clock_that_does_not_answer_ends_the_run_in_order_with_what_rests() -> None:
    stage = Stage()
    stage.clock.plan("wait", 6, Fault(error=Unreachable("the books are locked")))
    ending = loop(stage).run()
    assert ending.exit_code == EXIT_UNREACHABLE
    assert "the books are locked" in ending.reason
    assert "stop" in ending.reason
    last = stage.events()[-1].data
    assert isinstance(last, RunClosed)
    assert last.exit_code == EXIT_UNREACHABLE
