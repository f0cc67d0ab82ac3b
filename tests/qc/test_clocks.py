"""A clock that went back, jumps or cannot be is a no; whether a time service holds it is only a word of advice."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from hydra.adapters.kernel_clock import synchronised
from hydra.model.snapshot import Probe
from hydra.qc.clocks import Clocks, ask, ask_synchronised

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


class Two:
    """A wall clock and a monotonic one; ``rate`` is how fast the former goes by the latter."""

    def __init__(self, now: datetime = NOW, rate: float = 1.0) -> None:
        self.now, self.rate, self.seconds = now, rate, 0.0

    def pause(self, seconds: float) -> None:
        self.seconds += seconds
        self.now += timedelta(seconds=seconds * self.rate)

    def clocks(self, past: Mapping[str, datetime] = {}, probe: Probe | None = None) -> Clocks:
        return Clocks(
            wall_now=lambda: self.now,
            monotonic=lambda: self.seconds,
            pause=self.pause,
            past=lambda: past,
            synchronised=lambda: probe,
        )


def test_a_clock_after_everything_that_was_written_passes() -> None:
    found = ask(Two().clocks({"the last certificate": NOW - timedelta(minutes=3)}))
    assert found.good
    assert "after the last certificate" in found.reason
    assert ask(Two().clocks()).good, "before the first start there is no past"


@pytest.mark.parametrize("seconds", [3, 120, 86_400 * 400])
def test_a_clock_that_went_back_is_a_no_with_how_far(seconds: int) -> None:
    found = ask(Two().clocks({"the last certificate": NOW + timedelta(seconds=seconds)}))
    assert found.good is False
    assert "gone back: the last certificate is of" in found.reason


def test_a_nudge_of_a_time_service_is_no_going_back() -> None:
    assert ask(Two().clocks({"the journal's last line": NOW + timedelta(seconds=1.5)})).good


@pytest.mark.parametrize("year", [1970, 2025, 2100])
def test_a_year_that_cannot_be_is_a_no(year: int) -> None:
    assert ask(Two(NOW.replace(year=year)).clocks()).good is False


@pytest.mark.parametrize("rate", [0.0, 0.5, -3.0, 2.0, 1200.0])
def test_a_clock_that_does_not_keep_time_is_a_no(rate: float) -> None:
    found = ask(Two(rate=rate).clocks())
    assert found.good is False
    assert "does not keep time" in found.reason


def test_a_machine_that_was_busy_between_two_readings_has_a_sound_clock() -> None:
    class Busy(Two):
        """The first pause lasts longer by one clock than by the other."""

        def pause(self, seconds: float) -> None:
            super().pause(seconds)
            self.seconds += 0.01 if self.seconds < 0.15 else 0

    assert ask(Busy().clocks()).good


@pytest.mark.parametrize(
    ("probe", "good"),
    [
        (None, None),
        (Probe(ok=True, reason="held to 0.004 s"), True),
        (Probe(ok=False, reason="nobody holds it"), False),
    ],
)
def test_not_knowing_whether_it_is_held_is_no_fault(probe: Probe | None, good: bool | None) -> None:
    assert ask_synchronised(Two().clocks(probe=probe)).good is good


def test_the_kernel_is_asked_and_changes_nothing() -> None:
    told = synchronised()
    assert told is None or told.reason.endswith("(the kernel says so)")
