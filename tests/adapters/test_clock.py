"""The real clock keeps its beat."""

from __future__ import annotations

import threading
import time
from datetime import UTC

import pytest

from hydra.adapters.clock import RealClock


class Scene(threading.Event):
    """Time that passes only when it is waited for, or by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.time = 100.0
        self.slept: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self.slept.append(timeout)
        self.time += 0 if self.is_set() else timeout
        return self.is_set()


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.fixture
def clock(scene: Scene) -> RealClock:
    return RealClock(scene, monotonic=lambda: scene.time)


def test_now_is_aware_utc(clock: RealClock) -> None:
    assert clock.now().tzinfo is UTC


def test_work_between_waits_does_not_shift_the_beat(clock: RealClock, scene: Scene) -> None:
    for work in (0.0, 1.5, 4.9, 0.25):
        scene.time += work
        assert clock.wait(5)
    assert scene.slept == pytest.approx([5.0, 3.5, 0.1, 4.75])
    assert scene.time == pytest.approx(120)


def test_missed_beats_are_skipped_not_made_up(clock: RealClock, scene: Scene) -> None:
    assert clock.wait(5)
    scene.time += 17
    assert clock.wait(5)
    assert scene.slept == pytest.approx([5, 3])
    assert scene.time == pytest.approx(125)


def test_a_cycle_that_ends_on_the_beat_waits_for_the_next(clock: RealClock, scene: Scene) -> None:
    assert clock.wait(5)
    scene.time += 5
    assert clock.wait(5)
    assert scene.slept == [5, 5]


def test_a_set_stop_ends_the_wait_with_no(clock: RealClock, scene: Scene) -> None:
    scene.set()
    assert clock.wait(5) is False
    assert clock.wait(0) is False


def test_no_interval_means_no_sleep(clock: RealClock, scene: Scene) -> None:
    assert clock.wait(0)
    assert scene.slept == []


def test_a_real_wait_is_interrupted_by_another_thread() -> None:
    stop = threading.Event()
    began = time.monotonic()
    timer = threading.Timer(0.05, stop.set)
    timer.start()
    assert RealClock(stop).wait(30) is False
    assert time.monotonic() - began < 5
    timer.join()
