"""The venue's clock in step with real time, ``speed`` venue seconds to a second.

The clock moves in small steps on the event loop and gives way after a few milliseconds of work, so requests are answered while it
runs. When the steps take longer than their share the clock falls behind: it goes on as fast as it can, says so in the log at
intervals, and owes at most a day of venue time; the rest is forgiven, so a slow machine has a slow market and never a
sudden one. With ``speed`` ``None`` it plays instant after instant without waiting.

At the feed's end the clock goes on with time while prices grow stale, as on a real weekend; without a speed there is no time to
go on with, and it stops.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from hydra.adapters.exchange.interface import Exchange
from hydra.adapters.exchange.server.context import Hub
from hydra.model.errors import BadConfig

log = logging.getLogger(__name__)

TICK_SECONDS = 0.25
"""How often the clock moves when nothing is due."""
SLICE_SECONDS = 0.005
"""How long it works before it gives way."""
DEBT_MAX = timedelta(days=1)
LAG_SECONDS = 1.0
"""Real seconds it may be behind before it says so; at most half of what it may owe."""
SAY_SECONDS = 10.0

Sleep = Callable[[float], Awaitable[None]]


class Pace:
    """Moves an exchange's clock. Raises ``BadConfig`` for a speed that is not a positive number."""

    def __init__(
        self,
        exchange: Exchange,
        hub: Hub,
        speed: float | None = 1.0,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        if speed is not None and not (math.isfinite(speed) and speed > 0):
            raise BadConfig(f"speed must be a number above 0, got {speed}")
        self._exchange = exchange
        self._hub = hub
        self._speed = speed
        self._monotonic = monotonic
        self._sleep = sleep
        self._said_at = -math.inf
        self.behind = timedelta(0)

    async def run(self) -> None:
        """Keep the clock moving until cancelled (or, without a speed, until the feed's end)."""
        if self._speed is None:
            await self._play_all()
            return
        due = self._exchange.now
        before = self._monotonic()
        while True:
            now = self._monotonic()
            due, before = due + _share(now - before, self._speed), now
            reached = await self._reach(due)
            due -= self._judge(due, reached)
            await self._sleep(0 if self.behind else self._pause(due))

    async def _play_all(self) -> None:
        while self._exchange.next_instant() is not None:
            until = self._monotonic() + SLICE_SECONDS
            while self._monotonic() < until and self._exchange.advance():
                pass
            await self._hub.played()
            await self._sleep(0)

    async def _reach(self, due: datetime) -> datetime:
        """Work towards an instant for a slice, and tell how far it went."""
        until = self._monotonic() + SLICE_SECONDS
        reached = due
        while (coming := self._exchange.next_instant()) is not None and coming <= due:
            self._exchange.advance()
            if self._monotonic() >= until:
                reached = coming
                break
        else:
            self._exchange.advance_to(due)
        await self._hub.played()
        return reached

    def _judge(self, due: datetime, reached: datetime) -> timedelta:
        """Say how far behind the clock is; what is forgiven of it."""
        self.behind = max(timedelta(0), due - reached)
        forgiven = max(timedelta(0), self.behind - DEBT_MAX)
        allowed = min(LAG_SECONDS * (self._speed or 1.0), DEBT_MAX.total_seconds() / 2)
        now = self._monotonic()
        if self.behind.total_seconds() > allowed and now - self._said_at >= SAY_SECONDS:
            self._said_at = now
            log.warning(
                "the venue's clock is %s behind at %s: it cannot keep up with speed %s",
                self.behind,
                reached.isoformat(),
                self._speed,
            )
        return forgiven

    def _pause(self, due: datetime) -> float:
        coming = self._exchange.next_instant()
        if coming is None or self._speed is None:
            return TICK_SECONDS
        return min(TICK_SECONDS, max(0.001, (coming - due).total_seconds() / self._speed))


def _share(seconds: float, speed: float) -> timedelta:
    """What ``seconds`` are at the venue; at most what it may owe and a second more, so that no speed overflows."""
    most = DEBT_MAX.total_seconds() + 1
    return timedelta(seconds=min(seconds * speed, most))
