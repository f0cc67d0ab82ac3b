"""How many requests may still leave within a minute, and for whom the last of them are kept.

Alpaca allows so many requests a minute and answers 429 beyond that. A 429 must never hit what gets Hydra out of a position,
so requests are counted here before they leave, and what is less urgent is refused while there is still room for the rest:

    urgency    what                                                     kept free for others
    -------    ------------------------------------------------------   --------------------
    EXIT       exits, stops, cancels, looking up an order               nothing
    ENTRY      entries                                                  0.15 of the minute
    READ       everything else                                          0.30 of the minute

What a venue says in its answers (``X-RateLimit-Remaining``) counts too, for each host by itself: another client may use the
same key. It is taken to fill up evenly, since ``X-RateLimit-Reset`` means different things at different servers. It holds back
reads and entries only: an exit that the venue may still take is worth a 429, which is a definite no.

A venue that counts no requests has a budget beyond ``COUNTED_MOST``: nothing is counted, and a 429 of its holds nothing back.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from decimal import Decimal
from enum import StrEnum

from hydra.model.errors import OverBudget

MINUTE_SECONDS = 60.0
COUNTED_MOST = 1_000_000
"""Requests a minute beyond which there is no limit."""


class Urgency(StrEnum):
    """How much a request matters when there are few left."""

    EXIT = "exit"
    ENTRY = "entry"
    READ = "read"


KEPT_FREE: Mapping[Urgency, Decimal] = {
    Urgency.EXIT: Decimal(0),
    Urgency.ENTRY: Decimal("0.15"),
    Urgency.READ: Decimal("0.30"),
}
"""Which part of the minute's requests is kept for what is more urgent."""


class Budget:
    """The requests of the last minute, counted. ``now`` gives seconds on the clock that is followed; any thread may ask."""

    def __init__(self, per_minute: int, now: Callable[[], float]) -> None:
        if per_minute < 1:
            raise ValueError(f"requests per minute must be at least 1, got {per_minute}")
        self.per_minute = per_minute
        self._now = now
        self._sent: deque[float] = deque()
        self._told: dict[str, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def take(self, urgency: Urgency, host: str = "") -> None:
        """Count a request that leaves now for ``host``. Raises ``OverBudget``, and counts nothing, when it must not."""
        if self.per_minute > COUNTED_MOST:
            return
        kept = int(self.per_minute * KEPT_FREE[urgency])
        with self._lock:
            now = self._now()
            left = self._left(now, "" if urgency is Urgency.EXIT else host)
            if left <= kept:
                raise OverBudget(
                    f"request budget: {left} of {self.per_minute} a minute are left and {kept} are kept free "
                    f"for what is more urgent than {urgency}"
                )
            self._sent.append(now)
            if host in self._told:
                at, remaining = self._told[host]
                self._told[host] = (at, remaining - 1)

    def told(self, host: str, remaining: int) -> None:
        """Note what ``host`` says is left now."""
        with self._lock:
            self._told[host] = (self._now(), float(max(0, remaining)))

    def left(self, host: str = "") -> int:
        """How many requests are left for ``host`` now, by our count and by what it says."""
        with self._lock:
            return self._left(self._now(), host)

    def _left(self, now: float, host: str) -> int:
        while self._sent and not now - MINUTE_SECONDS < self._sent[0] <= now:
            # A time after now is one of a clock that was set back: a venue that plays another day.
            self._sent.popleft()
        own = self.per_minute - len(self._sent)
        if host not in self._told:
            return own
        at, remaining = self._told[host]
        if not 0 <= now - at < MINUTE_SECONDS:
            del self._told[host]
            return own
        return max(0, min(own, int(remaining + (now - at) * self.per_minute / MINUTE_SECONDS)))
