"""What every handler is given, and how a plain function becomes a route.

A handler is ``handle(context, ask) -> Response``: it runs on the event loop, answers at once, and raises ``ApiError`` to
refuse. One that has much to compute takes what it needs of the exchange and returns a function instead; that is called in
a thread and must not touch the exchange (its feed and its calendar it may). A module of routes offers
``routes(context) -> list[BaseRoute]``, and the app strings them together.
"""

from __future__ import annotations

import math
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from hydra.adapters.exchange.interface import Exchange
from hydra.adapters.exchange.server.errors import TOO_LARGE, ApiError
from hydra.adapters.exchange.server.params import Query
from hydra.adapters.exchange.server.symbols import Symbols
from hydra.model.errors import BadConfig

_CREDENTIAL = re.compile(r"[!-9;-~]{1,128}", re.ASCII)
BODY_BYTES_MAX = 64 * 1024
"""More than any order needs."""

Tap: TypeAlias = Callable[[str, Mapping[str, Any]], Awaitable[Sequence[Mapping[str, Any]]]]
"""What news on a stream passes through: the messages to send instead of the one given."""


class Hub(Protocol):
    """Where the news of orders and prices is handed round to the streams."""

    async def start(self) -> None:
        """Listen to the exchange, from now on and in this event loop."""
        ...

    async def stop(self) -> None:
        """Let go of every client."""
        ...

    async def played(self) -> None:
        """Send all that has become known up to the exchange's present."""
        ...


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """How the server is set up.

    ``rate_limit_per_minute`` of 0 switches the limit off. ``lockstep`` adds the route that moves the clock; nothing
    else does then. ``speed`` is venue seconds for each second (``None``: as fast as the feed can be played). ``faults`` is a fault
    plan (``None``: no faults at all), ``fault_admin`` adds the routes that change it.
    """

    key: str
    secret: str = field(repr=False)
    rate_limit_per_minute: int = 200
    lockstep: bool = False
    speed: float | None = 1.0
    faults: Any | None = None
    fault_admin: bool = False

    def __post_init__(self) -> None:
        for name, text in (("key", self.key), ("secret", self.secret)):
            if not _CREDENTIAL.fullmatch(text):
                raise BadConfig(
                    f"the server's {name} must be 1 to 128 letters, digits and signs without spaces or colons"
                )
        if self.rate_limit_per_minute < 0:
            raise BadConfig(f"the rate limit must be 0 (none) or more a minute, got {self.rate_limit_per_minute}")
        if self.speed is not None and not 0 < self.speed < math.inf:
            raise BadConfig(f"the speed must be above 0, got {self.speed}")


@dataclass(frozen=True, slots=True)
class Context:
    """The exchange, the options, and what the handlers share. ``hub`` is where the streams' news is handed round."""

    exchange: Exchange
    options: ServerOptions
    symbols: Symbols
    tap: Tap | None = None
    hub: Hub | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """A request as a handler sees it."""

    path: Mapping[str, str]
    query: Query
    body: bytes = b""


Answer: TypeAlias = Response | Callable[[], Response]
Handle: TypeAlias = Callable[[Context, Ask], Answer]


def endpoint(context: Context, method: str, path: str, handle: Handle) -> Route:
    """The route on which ``handle`` answers ``method``; HEAD is not offered."""

    async def answer(request: Request) -> Response:
        query = Query(request.url.query)
        body = await _body(request)
        given = handle(context, Ask(path=request.path_params, query=query, body=body))
        return given if isinstance(given, Response) else await run_in_threadpool(given)

    route = Route(path, answer, methods=[method], name=f"{method} {path}")
    route.methods = {method}
    return route


async def _body(request: Request) -> bytes:
    """The body, or 413 as soon as there is too much of it."""
    parts: list[bytes] = []
    size = 0
    try:
        async for part in request.stream():
            size += len(part)
            if size > BODY_BYTES_MAX:
                raise ApiError(413, TOO_LARGE, f"request body is larger than {BODY_BYTES_MAX} bytes")
            parts.append(part)
    except ClientDisconnect as error:
        raise ApiError(400, None, "the request was not finished") from error
    return b"".join(parts)
