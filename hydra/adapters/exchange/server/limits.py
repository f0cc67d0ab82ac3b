"""How often a key may ask: a bucket of tokens that fills evenly over a minute.

Every answer says what is left: ``X-RateLimit-Limit``, ``X-RateLimit-Remaining`` and ``X-RateLimit-Reset`` (Unix seconds at
which there will be one more). Who asks with a wrong key has a bucket too, shared by everybody who does. Time here is the
machine's, not the venue's: the limit protects the server.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hydra.adapters.exchange.server.auth import allowed, credentials
from hydra.adapters.exchange.server.context import ServerOptions
from hydra.adapters.exchange.server.errors import ApiError

MINUTE = 60.0


class Bucket:
    """Tokens of one key."""

    def __init__(self, per_minute: int, now: float) -> None:
        self.per_minute = per_minute
        self._tokens = float(per_minute)
        self._at = now

    def take(self, now: float) -> bool:
        """Take a token, if there is one. ``now`` in seconds; a time before the last one earns nothing."""
        earned = (now - self._at) * self.per_minute / MINUTE
        self._tokens = min(float(self.per_minute), self._tokens + max(0.0, earned))
        self._at = max(self._at, now)
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    @property
    def left(self) -> int:
        """Whole tokens left."""
        return int(self._tokens)

    @property
    def more_in(self) -> float:
        """Seconds until there is a token more than now."""
        return (self.left + 1 - self._tokens) * MINUTE / self.per_minute


class Limited:
    """Lets HTTP requests through while their key has tokens; answers 429 otherwise."""

    def __init__(
        self,
        app: ASGIApp,
        options: ServerOptions,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._app = app
        self._options = options
        self._monotonic = monotonic
        self._wall = wall
        self._buckets = {known: Bucket(options.rate_limit_per_minute, monotonic()) for known in (True, False)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on with the headers, or answer 429 with ``Retry-After``."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        bucket = self._buckets[allowed(self._options, *credentials(Headers(scope=scope)))]
        taken = bucket.take(self._monotonic())
        told = {
            "X-RateLimit-Limit": str(bucket.per_minute),
            "X-RateLimit-Remaining": str(bucket.left),
            "X-RateLimit-Reset": str(math.ceil(self._wall() + bucket.more_in)),
        }

        async def tell(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(told)
            await send(message)

        if taken:
            await self._app(scope, receive, tell)
            return
        wait = str(max(1, math.ceil(bucket.more_in)))
        await ApiError(429, None, "too many requests.", headers={"Retry-After": wait}).response()(scope, receive, tell)
