"""The wall clock.

``now`` is the machine's time; ``wait`` keeps the beat of the loop on the monotonic clock, so a corrected wall clock
neither shortens nor stretches a cycle. The oddity: a beat that was missed, because a cycle took too long or the machine
slept, is not made up. The next wake is the next beat still ahead.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime


class RealClock:
    """The ``Clock`` port on real time. Setting ``stop`` ends a wait at once.

    ``monotonic`` (seconds, never going back) is replaceable so that a test need not wait.
    """

    def __init__(self, stop: threading.Event, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._stop = stop
        self._monotonic = monotonic
        self._beat: float | None = None

    def now(self) -> datetime:
        """The machine's time, aware UTC."""
        return datetime.now(UTC)

    def wait(self, seconds: float) -> bool:
        """Sleep until the next multiple of ``seconds`` after the previous beat; False as soon as ``stop`` is set.

        The first call starts the beat. Zero or less does not sleep.
        """
        if seconds <= 0:
            return not self._stop.is_set()
        now = self._monotonic()
        last = now if self._beat is None else self._beat
        beats = max(1, int((now - last) // seconds) + 1)
        self._beat = last + beats * seconds
        return not self._stop.wait(self._beat - now)
