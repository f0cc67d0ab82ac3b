"""What every ``Clock`` must do. A test module subclasses ``ClockContract`` and provides ``clock``."""

from __future__ import annotations

from datetime import UTC, timedelta

from hydra.ports import Clock


class ClockContract:
    """Subclass it and provide ``clock``: one with at least three cycles ahead of it."""

    def test_the_time_is_aware_utc(self, clock: Clock) -> None:
        assert clock.now().utcoffset() == timedelta(0)
        assert clock.now().tzinfo is UTC

    def test_the_time_never_goes_back_and_a_wait_says_that_there_is_a_next_cycle(self, clock: Clock) -> None:
        seen = [clock.now()]
        for _ in range(3):
            assert clock.wait(0.001) is True
            seen.append(clock.now())
        assert seen == sorted(seen)
