"""The venue's clock in step with time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from hydra.adapters.exchange.interface import Exchange
from hydra.adapters.exchange.server.pace import DEBT_MAX, Pace
from hydra.model.errors import BadConfig

START = datetime(2024, 3, 4, 14, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class FakeTime:
    """Seconds that pass when somebody sleeps, or works."""

    def __init__(self) -> None:
        self.now = 0.0
        self.sleeps = 0
        self.longest = 0.0

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.sleeps += 1
        self.now += max(seconds, 0.0001)
        await asyncio.sleep(0)


class FakeExchange:
    """An exchange with an instant every minute, up to ``count`` of them; each step takes ``cost`` seconds."""

    def __init__(self, time: FakeTime, count: int = 1_000_000, cost: float = 0.0) -> None:
        self.now = START
        self.steps: list[datetime] = []
        self._time = time
        self._end = START + count * MINUTE
        self._cost = cost

    def next_instant(self) -> datetime | None:
        coming = START + ((self.now - START) // MINUTE + 1) * MINUTE
        return coming if coming <= self._end else None

    def advance(self) -> bool:
        coming = self.next_instant()
        if coming is None:
            return False
        self._time.now += self._cost
        self.now = coming
        self.steps.append(coming)
        return True

    def advance_to(self, at: datetime) -> None:
        assert (coming := self.next_instant()) is None or coming > at, "an instant was jumped over"
        self.now = max(self.now, at)


class FakeHub:
    """A hub that counts."""

    def __init__(self) -> None:
        self.told = 0

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def played(self) -> None:
        self.told += 1


def _run(
    time: FakeTime, exchange: FakeExchange, speed: float | None, until: Callable[[], bool]
) -> tuple[Pace, FakeHub]:
    hub = FakeHub()
    pace = Pace(cast(Exchange, exchange), hub, speed, monotonic=time.monotonic, sleep=time.sleep)

    async def scene() -> None:
        task: asyncio.Task[Any] = asyncio.create_task(pace.run())
        for _ in range(200_000):
            if until() or task.done():
                break
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(scene())
    return pace, hub


@pytest.mark.parametrize("speed", [0.5, 1.0, 7.3, 60.0, 5000.0])
def test_the_clock_keeps_step_with_time(speed):
    time = FakeTime()
    exchange = FakeExchange(time)
    pace, hub = _run(time, exchange, speed, lambda: time.now >= 30)
    expected = 30 * speed
    assert (exchange.now - START).total_seconds() == pytest.approx(expected, abs=max(1.0, speed))
    assert exchange.steps == [START + (place + 1) * MINUTE for place in range(len(exchange.steps))]
    assert pace.behind == timedelta(0)
    assert hub.told > 0


def test_the_clock_moves_between_instants_too():
    time = FakeTime()
    exchange = FakeExchange(time)
    _run(time, exchange, 1.0, lambda: time.now >= 2)
    assert exchange.steps == []
    assert timedelta(seconds=1) < exchange.now - START < timedelta(seconds=3)


def test_after_the_end_of_the_feed_the_clock_goes_on():
    time = FakeTime()
    exchange = FakeExchange(time, count=3)
    _run(time, exchange, 60.0, lambda: time.now >= 10)
    assert len(exchange.steps) == 3
    assert exchange.now - START > 9 * MINUTE


def test_without_a_speed_it_plays_to_the_end_and_stops():
    time = FakeTime()
    exchange = FakeExchange(time, count=500, cost=0.001)
    _, hub = _run(time, exchange, None, lambda: False)
    assert exchange.now == START + 500 * MINUTE
    assert hub.told >= 100


def test_a_clock_that_cannot_keep_up_says_so_gives_way_and_forgets_what_it_cannot_pay(caplog):
    time = FakeTime()
    exchange = FakeExchange(time, cost=0.004)
    with caplog.at_level(logging.WARNING):
        pace, _ = _run(time, exchange, 1e9, lambda: time.now >= 25)
    said = [each.getMessage() for each in caplog.records]
    assert 2 <= len(said) <= 4
    assert "cannot keep up with speed 1000000000.0" in said[0]
    assert pace.behind <= 2 * DEBT_MAX
    assert time.sleeps >= 25 / 0.01  # a few milliseconds of work, then others have their turn


def test_no_instant_is_jumped_over_whatever_the_speed():
    time = FakeTime()
    exchange = FakeExchange(time, cost=0.003)
    _run(time, exchange, 40_000.0, lambda: time.now >= 3)
    assert exchange.steps == [START + (place + 1) * MINUTE for place in range(len(exchange.steps))]


@pytest.mark.parametrize("speed", [0.0, -1.0, float("nan"), float("inf")])
def test_a_speed_that_is_no_positive_number_is_refused(speed):
    with pytest.raises(BadConfig, match="speed must be a number above 0"):
        Pace(cast(Exchange, FakeExchange(FakeTime())), FakeHub(), speed)
