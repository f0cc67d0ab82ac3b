"""The trial of the cycle's time."""

from __future__ import annotations

from pathlib import Path

import pytest

from hydra.qc.trials import timing
from hydra.qc.trials.tools import percentile
from tests.qc.trials.desk import policy_with, trial_on
from tests.qc.trials.planted import ended_at_once, on_a_slow_disk


def test_cycles_well_within_the_interval_pass_and_say_on_how_many(tmp_path: Path) -> None:
    trial = trial_on(tmp_path, policy_with(), timing_seconds=1.5, timing_cycles=20)
    found = timing.ask(trial)
    assert found.good, found.reason
    told = trial.told["timing"]
    assert told["cycles"] >= 19
    assert set(told["stages"]) == {"observe", "consider", "ask", "judge", "act", "settle"}
    assert sum(count for _, count in told["histogram"]) == told["cycles"]
    assert f"over {told['cycles']} cycles" in found.reason
    assert "load" in found.reason
    assert "is not in it" in found.reason


def test_a_disk_that_is_too_slow_for_the_interval_is_a_no(tmp_path: Path) -> None:
    trial = trial_on(tmp_path, policy_with(interval="0.03"), open=on_a_slow_disk, timing_seconds=2, timing_cycles=5)
    found = timing.ask(trial)
    assert found.good is False
    assert found.reason.startswith("too slow")


def test_too_few_cycles_show_nothing(tmp_path: Path) -> None:
    trial = trial_on(tmp_path, policy_with(), open=ended_at_once, timing_seconds=0.0)
    found = timing.ask(trial)
    assert found.good is False
    assert "nothing was shown" in found.reason


@pytest.mark.parametrize(("share", "expected"), [(0.5, 2), (0.75, 3), (0.99, 4), (1.0, 4), (0.01, 1)])
def test_a_percentile_is_the_smallest_value_that_enough_do_not_exceed(share: float, expected: int) -> None:
    assert percentile([1, 2, 3, 4], share) == expected
