"""The clocks of a venue behind an address: a lockstep simulator's, a paced simulator's, and the wall clock with early wakes.

``LockstepClock`` moves the venue on, one instant of its feed a wait, exactly as the simulated venue's own clock does in this
process. ``PacedClock`` follows a simulator that runs by itself, ``FreshClock`` wraps the wall clock of a real venue. In both of these
a wait may end early for news of an order: then the next cycle only looks sooner, and the beat stays where it was. Asking for the
time is never a request.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from hydra.adapters.alpaca.simulator import Reading
from hydra.model.errors import BadConfig, Unreachable
from hydra.ports import Clock

PATIENCE_SECONDS = 15.0
"""How long a lockstep venue may keep silent before it counts as gone."""
PAUSE_SECONDS = 0.25
SPACING_SECONDS = 1.0
EARLY_A_MINUTE = 6
"""Cycles that news may add in a minute: a burst of updates must not use up the requests that an exit may need."""
LOOK_SECONDS = 5.0
"""Seconds between two readings of a paced venue's clock."""
_SLICE_SECONDS = 0.1


class Door(Protocol):
    """What a simulator's clock is followed by (``hydra.adapters.alpaca.simulator.Simulator``)."""

    def look(self) -> Reading:
        """What its clock says. Raises ``Unreachable`` and ``BadConfig``."""
        ...

    def move_to(self, at: datetime) -> Reading:
        """Move it up to ``at``; where it stands then. Raises ``Unreachable``, having moved it or not."""
        ...


def never() -> bool:
    """No news."""
    return False


class LockstepClock:
    """The ``Clock`` port on a venue that moves only when told.

    A move whose answer is lost is held against a fresh reading before anything else is asked: it is asked for again only while
    the venue still stands where it stood, and names the instant to reach, so that the venue cannot pass it.
    """

    def __init__(
        self,
        door: Door,
        first: Reading,
        *,
        stop: threading.Event,
        patience_seconds: float = PATIENCE_SECONDS,
        pause_seconds: float = PAUSE_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._door = door
        self._reading = first
        self._stop = stop
        self._patience = patience_seconds
        self._pause = pause_seconds
        self._monotonic = monotonic

    def now(self) -> datetime:
        """The venue's clock as last known. Nothing moves it but this object, so that is where it stands."""
        return self._reading.now

    def wait(self, seconds: float) -> bool:  # noqa: ARG002  # the market's steps set the pace
        """Move the venue to its feed's next instant. False, without a move, at the feed's end or when stopped.

        Raises ``Unreachable`` when the venue cannot be heard for so long that nobody knows where it stands.
        """
        until = self._monotonic() + self._patience
        coming = self._reading.next
        if coming is None:
            coming = self._look(until).next
        if coming is None or self._stop.is_set():
            return False
        while self._reading.now < coming:
            try:
                self._reading = self._door.move_to(coming)
            except Unreachable:  # it may have moved all the same
                self._look(until)
            if self._reading.now >= coming:
                break
            if self._stop.wait(self._pause):
                return False
            if self._monotonic() >= until:
                raise Unreachable(f"the venue's clock does not move: it stands at {self._reading.now.isoformat()}")
        return True

    def _look(self, until: float) -> Reading:
        """A fresh reading, asked for until the patience ends or somebody stops. Raises ``Unreachable``."""
        while True:
            try:
                self._reading = self._door.look()
                return self._reading
            except BadConfig as error:
                raise Unreachable(str(error)) from None
            except Unreachable:
                if self._stop.wait(self._pause) or self._monotonic() >= until:
                    raise


class Beat:
    """Sleeps to the next beat, or to the news before it; a missed beat is not made up.

    ``news`` answers whether there was any since it was last asked. It ends a sleep at the earliest ``spacing_seconds`` after the last one
    ended, and at most ``EARLY_A_MINUTE`` times a minute; news that has to wait is not forgotten.
    """

    def __init__(
        self,
        stop: threading.Event,
        *,
        news: Callable[[], bool] = never,
        spacing_seconds: float = SPACING_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stop = stop
        self._news = news
        self._spacing = spacing_seconds
        self._monotonic = monotonic
        self._beat: float | None = None
        self._woke_at = -float("inf")
        self._early: deque[float] = deque(maxlen=EARLY_A_MINUTE)
        self._heard = False

    def sleep(self, seconds: float) -> bool:
        """Sleep to the next multiple of ``seconds`` after the previous beat; False as soon as ``stop`` is set."""
        if seconds <= 0:
            return not self._stop.is_set()
        now = self._monotonic()
        beat = self._next(now, seconds)
        while (left := beat - now) > 0:
            if self._stop.wait(min(left, _SLICE_SECONDS)):
                return False
            now = self._monotonic()
            if now < beat and self._may_wake(now):
                self._early.append(now)
                break
        self._woke_at = now
        self._heard = False
        self._news()  # the cycle that begins now sees whatever has happened until now
        return not self._stop.is_set()

    def _next(self, now: float, seconds: float) -> float:
        """The beat to sleep to: the one that is still ahead after an early wake, else the first multiple ahead."""
        last = now if self._beat is None else self._beat
        if not now < last <= now + seconds:
            last = min(last, now)
            last += (int((now - last) // seconds) + 1) * seconds
        self._beat = last
        return last

    def _may_wake(self, now: float) -> bool:
        self._heard = self._news() or self._heard
        full = len(self._early) == EARLY_A_MINUTE and now - self._early[0] < 60
        return self._heard and not full and now - self._woke_at >= self._spacing


class FreshClock:
    """The wall clock, with waits that news may end early. ``clock`` says what time it is."""

    def __init__(self, clock: Clock, beat: Beat) -> None:
        self._clock = clock
        self._beat = beat

    def now(self) -> datetime:
        """The time of the clock underneath."""
        return self._clock.now()

    def wait(self, seconds: float) -> bool:
        """Sleep to the next beat or to the news before it; False as soon as stopped."""
        return self._beat.sleep(seconds)


class PacedClock:
    """The ``Clock`` port on a simulator that runs by itself, ``speed`` venue seconds a second.

    ``now`` is reckoned from the last reading and never goes back. A venue that falls behind its pace, or stops, is noticed at the
    next reading, and before that by the gate that compares clocks. Waiting for an interval waits until the venue's has passed.
    """

    def __init__(
        self, door: Door, first: Reading, beat: Beat, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        if first.lockstep or first.speed is None:
            raise BadConfig(
                "the simulator plays as fast as it goes, and nobody can follow its clock; "
                "start it with --lockstep, or with a --speed that is a number"
            )
        self._door = door
        self._reading = first
        self._speed = first.speed
        self._beat = beat
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._told = first.now

    def now(self) -> datetime:
        """The venue's time as far as it can be reckoned."""
        with self._lock:
            reading = self._reading
            passed = max(0.0, self._monotonic() - reading.taken_at) * self._speed
            self._told = max(self._told, reading.now + timedelta(seconds=passed))
            return self._told

    def wait(self, seconds: float) -> bool:
        """Sleep until the venue's interval has passed, or to the news before it; False as soon as stopped."""
        going_on = self._beat.sleep(seconds / self._speed)
        if going_on and self._monotonic() - self._reading.taken_at >= LOOK_SECONDS:
            self._look()
        return going_on

    def _look(self) -> None:
        """Take a reading; without an answer the last one stands, and reads of the venue say that it is gone."""
        try:
            reading = self._door.look()
        except (Unreachable, BadConfig):
            return
        if reading.lockstep or reading.speed is None:
            return
        with self._lock:
            self._reading, self._speed = reading, reading.speed
