"""A simulator's clock is followed instant by instant or paced, a lost answer never moves it twice, and news only wakes early."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from hydra.adapters.alpaca.clock import Beat, FreshClock, LockstepClock, PacedClock
from hydra.adapters.alpaca.simulator import Reading, Simulator
from hydra.adapters.clock import RealClock
from hydra.adapters.exchange.doors import SimClock
from hydra.adapters.exchange.model import VenueSettings
from hydra.adapters.exchange.venue import SimulatedVenue
from hydra.model.errors import BadConfig, Unreachable
from hydra.ports import Clock
from tests.adapters.exchange.server.data.asking import MINUTE, OPEN, minutes
from tests.adapters.exchange.server.data.running import KEY, SECRET, Running, running
from tests.adapters.exchange.server.scenes import Calendar
from tests.contracts.clock_contract import ClockContract
from tests.fakes.feed import ScriptedFeed

PRICES = range(100, 110)
START = datetime(2024, 3, 4, 15, 0, tzinfo=UTC)


def feed() -> ScriptedFeed:
    return ScriptedFeed(minutes("SPY", OPEN, *PRICES))


@pytest.fixture
def server() -> Iterator[Running]:
    with running(feed(), Calendar(), start=OPEN) as found:
        yield found


def door_of(server: Running) -> Simulator:
    return Simulator(server.url, key=SecretStr(KEY), secret=SecretStr(SECRET), seconds=5)


def lockstep(server: Running, stop: threading.Event | None = None) -> LockstepClock:
    door = door_of(server)
    return LockstepClock(door, door.look(), stop=stop or threading.Event())


class TestLockstepClock(ClockContract):
    @pytest.fixture
    def clock(self, server: Running) -> Clock:
        return lockstep(server)


class TestPacedClock(ClockContract):
    @pytest.fixture
    def clock(self) -> Iterator[Clock]:
        with running(feed(), Calendar(), start=OPEN, lockstep=False, speed=10.0) as server:
            door = door_of(server)
            yield PacedClock(door, door.look(), Beat(threading.Event()))


class TestFreshClock(ClockContract):
    @pytest.fixture
    def clock(self) -> Clock:
        stop = threading.Event()
        return FreshClock(RealClock(stop), Beat(stop))


def test_a_lockstep_venue_is_taken_through_the_instants_of_the_clock_in_this_process(server: Running) -> None:
    venue = SimulatedVenue(
        feed(), Calendar(), VenueSettings(starting_cash=server.venue.settings.starting_cash), start=OPEN
    )
    ours, theirs = lockstep(server), SimClock(venue)
    seen = []
    for _ in range(len(PRICES) + 3):
        seen.append((ours.now(), ours.wait(5.0)))
        assert seen[-1] == (theirs.now(), theirs.wait(5.0))
    assert [going for _, going in seen] == [True] * len(PRICES) + [False] * 3
    assert server.venue.now == ours.now() == OPEN + len(PRICES) * MINUTE


def test_a_stopped_clock_moves_nothing(server: Running) -> None:
    stop = threading.Event()
    clock = lockstep(server, stop)
    assert clock.wait(1)
    stop.set()
    assert not clock.wait(1)
    assert server.venue.now == OPEN + MINUTE


class Road:
    """A lockstep venue of so many instants at the end of a bad road. ``fates`` says what becomes of each request.

    good; lost: carried out, the answer is not heard; silent: never arrives; late: carried out only before the next request.
    """

    def __init__(self, fates: list[str], instants: int = 5) -> None:
        self.at = 0
        self.moves: list[int] = []
        self._instants = instants
        self._fates = iter(fates)
        self._late: list[datetime] = []

    def reading(self) -> Reading:
        coming = None if self.at == self._instants else START + (self.at + 1) * MINUTE
        return Reading(START + self.at * MINUTE, coming, True, None, 0.0)

    def look(self) -> Reading:
        self._arrive()
        if next(self._fates, "good") != "good":
            raise Unreachable("no answer")
        return self.reading()

    def move_to(self, at: datetime) -> Reading:
        self._arrive()
        fate = next(self._fates, "good")
        if fate == "late":
            self._late.append(at)
        elif fate in ("good", "lost"):
            self._move(at)
        if fate != "good":
            raise Unreachable("no answer")
        return self.reading()

    def _arrive(self) -> None:
        late, self._late = self._late, []
        for at in late:
            self._move(at)

    def _move(self, at: datetime) -> None:
        target = (at - START) // MINUTE
        if target < self.at:
            raise Unreachable("422: that has passed")
        if target > self.at:
            self.moves.append(target - self.at)
            self.at = target


@settings(derandomize=True, max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(["good", "lost", "silent", "late"]), max_size=20))
def test_whatever_is_lost_on_the_road_every_wait_moves_one_instant(fates: list[str]) -> None:
    road = Road(fates)
    clock = LockstepClock(road, road.reading(), stop=threading.Event(), pause_seconds=0)
    for number in range(1, 6):
        assert clock.wait(5)
        assert clock.now() == START + number * MINUTE
        assert road.at == number
    assert not clock.wait(5)
    assert road.moves == [1] * 5


def test_a_venue_that_stays_silent_is_unreachable_and_one_that_comes_back_has_moved_once() -> None:
    ticks = iter(range(1000))
    road = Road(["lost", *["silent"] * 40])
    clock = LockstepClock(
        road,
        road.reading(),
        stop=threading.Event(),
        patience_seconds=10,
        pause_seconds=0,
        monotonic=lambda: next(ticks),
    )
    with pytest.raises(Unreachable):
        clock.wait(5)
    assert clock.now() == START
    while clock.now() == START:
        try:
            clock.wait(5)
        except Unreachable:
            continue
    assert road.moves == [1]


def test_a_stop_ends_the_patience() -> None:
    stop = threading.Event()
    road = Road(["silent"] * 1000)
    clock = LockstepClock(road, road.reading(), stop=stop, pause_seconds=5)
    threading.Timer(0.05, stop.set).start()
    begun = time.monotonic()
    with pytest.raises(Unreachable):
        clock.wait(5)
    assert time.monotonic() - begun < 2


class Time:
    """Seconds that pass only when somebody sleeps, and a stop that sleeps in them."""

    def __init__(self) -> None:
        self.now = 100.0
        self.stopped_at = float("inf")

    def monotonic(self) -> float:
        return self.now


class Sleeper(threading.Event):
    """A stop event whose waits pass in somebody's time."""

    def __init__(self, passing: Time) -> None:
        super().__init__()
        self._passing = passing

    def wait(self, timeout: float | None = None) -> bool:
        self._passing.now += timeout or 0.0
        if self._passing.now >= self._passing.stopped_at:
            self.set()
        return self.is_set()


def beats(*news_at: float, seconds: float, count: int, busy: float = 0.0) -> list[float]:
    """When the waits of a beat ended, with news at some seconds and so much work between the waits."""
    passing, waiting = Time(), sorted(100 + at for at in news_at)

    def news() -> bool:
        heard = bool(waiting) and waiting[0] <= passing.now
        while waiting and waiting[0] <= passing.now:
            waiting.pop(0)
        return heard

    beat = Beat(Sleeper(passing), news=news, monotonic=passing.monotonic)
    ended = []
    for _ in range(count):
        passing.now += busy
        assert beat.sleep(seconds)
        ended.append(round(passing.now - 100, 1))
    return ended


def test_without_news_a_beat_is_a_beat() -> None:
    assert beats(seconds=5, count=3) == [5, 10, 15]
    assert beats(seconds=5, count=3, busy=2) == [7, 12, 17]
    assert beats(seconds=5, count=3, busy=6) == [11, 21, 31]


def test_news_wakes_early_and_leaves_the_beat_where_it_was() -> None:
    assert beats(2, seconds=5, count=3) == pytest.approx([2, 5, 10], abs=0.25)


def test_news_waits_for_the_spacing_and_is_not_forgotten() -> None:
    assert beats(2, 2.3, 2.6, seconds=10, count=3) == pytest.approx([2, 3, 10], abs=0.25)
    assert beats(4.9, 5.0, seconds=5, count=3) == pytest.approx([4.9, 5, 10], abs=0.25)


def test_a_burst_of_news_adds_only_so_many_cycles_a_minute() -> None:
    ended = beats(*(number / 4 for number in range(1, 400)), seconds=30, count=12)
    assert len([at for at in ended if at < 60 and at % 30]) == 6
    assert {30, 60} <= set(ended)


def test_a_stop_ends_a_sleep_at_once() -> None:
    stop = threading.Event()
    beat = Beat(stop)
    threading.Timer(0.05, stop.set).start()
    begun = time.monotonic()
    assert not beat.sleep(60)
    assert time.monotonic() - begun < 2
    assert not beat.sleep(0)


class Told:
    """A paced simulator that says what it is told to say."""

    def __init__(self, reading: Reading | None) -> None:
        self.reading = reading
        self.looks = 0

    def look(self) -> Reading:
        self.looks += 1
        if self.reading is None:
            raise Unreachable("no answer")
        return self.reading

    def move_to(self, at: datetime) -> Reading:
        raise AssertionError("a paced venue moves by itself")


def test_a_paced_venue_is_followed_without_asking_and_its_interval_passes() -> None:
    passing = Time()
    door = Told(Reading(START + 70 * MINUTE, None, False, 60.0, 170.0))
    first = Reading(START, START + MINUTE, False, 60.0, 100.0)
    clock = PacedClock(door, first, Beat(Sleeper(passing), monotonic=passing.monotonic), monotonic=passing.monotonic)
    assert clock.now() == START
    passing.now += 1
    assert clock.now() == START + MINUTE
    assert door.looks == 0
    assert clock.wait(120)
    assert clock.now() == START + 3 * MINUTE
    assert clock.wait(600)
    assert door.looks == 1
    assert clock.now() == START + 70 * MINUTE


def test_a_paced_clock_never_goes_back_and_a_silent_venue_leaves_the_last_reading() -> None:
    passing = Time()
    door = Told(None)
    first = Reading(START, None, False, 1.0, 100.0)
    clock = PacedClock(door, first, Beat(Sleeper(passing), monotonic=passing.monotonic), monotonic=passing.monotonic)
    assert clock.wait(10)
    assert door.looks == 1
    assert clock.now() == START + timedelta(seconds=10)
    door.reading = Reading(START + timedelta(seconds=4), None, False, 1.0, passing.now + 10)
    assert clock.wait(10)
    assert clock.now() == START + timedelta(seconds=10)
    passing.now += 7
    assert clock.now() == START + timedelta(seconds=11)


@pytest.mark.parametrize("reading", [Reading(START, None, True, None, 0.0), Reading(START, None, False, None, 0.0)])
def test_a_venue_whose_clock_cannot_be_followed_is_refused(reading: Reading) -> None:
    with pytest.raises(BadConfig, match="as fast as it goes"):
        PacedClock(Told(reading), reading, Beat(threading.Event()))
