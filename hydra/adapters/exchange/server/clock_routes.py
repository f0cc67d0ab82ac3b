"""``/sim/clock``: how a client knows the simulator and follows its clock, and in lockstep moves it, as nothing else does then.

``GET`` answers ``{"venue": "hydra sim", "lockstep": ..., "speed": ..., "now": ..., "next": ..., "moved": 0}``: the venue's clock, the
feed's next instant (null at its end), and venue seconds a second (null in lockstep, and for as fast as it goes). It needs no key:
a client asks it to find out whether a key may be sent here at all.

``POST`` exists in lockstep only. It takes one of ``{"steps": n}`` (so many instants of the feed, 1 to 100,000), ``{"to": time}`` and ``{"seconds": n}`` (to that
time, through every instant on the way), and answers ``now``, ``next`` and ``moved`` once all of it has happened and been handed to the streams;
``moved`` counts the instants. One call moves through at most 100,000 of them: if ``now`` has not reached ``to`` then, ask again. At the
feed's end ``steps`` moves nothing more, while ``to`` and ``seconds`` still move the clock. A time that has passed, an unknown
field or anything else that cannot be read is 422. Calls happen one after the other.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from hydra.adapters.exchange.interface import Exchange
from hydra.adapters.exchange.server import wire
from hydra.adapters.exchange.server.context import Context, Hub
from hydra.adapters.exchange.server.errors import ApiError, bad_parameter
from hydra.adapters.exchange.server.params import parse_moment
from hydra.model.values import Value

STEPS_MAX = 100_000
SECONDS_MAX = 366 * 86_400
BODY_BYTES_MAX = 4096
SLICE_SECONDS = 0.02
PATH = "/sim/clock"
VENUE = "hydra sim"


class Move(Value, frozen=True, kw_only=True):
    """How far the clock is to move: exactly one of them."""

    steps: int | None = None
    to: str | None = None
    seconds: int | float | None = None


_decoder = msgspec.json.Decoder(Move)


class Lockstep:
    """Moves an exchange's clock when told, and tells the streams."""

    def __init__(self, exchange: Exchange, hub: Hub) -> None:
        self._exchange = exchange
        self._hub = hub
        self._turn = asyncio.Lock()

    async def move(self, move: Move) -> int:
        """Carry out a move and return how many instants it went through. Raises ``ApiError`` for one that cannot be."""
        async with self._turn:
            until = None if move.steps is not None else self._until(move)
            most = STEPS_MAX if move.steps is None else move.steps
            moved = await self._play(most, until)
            if until is not None and not self._comes_before(until):
                self._exchange.advance_to(until)
            await self._hub.played()
            return moved

    async def _play(self, most: int, until: datetime | None) -> int:
        moved = 0
        pause_at = time.monotonic() + SLICE_SECONDS
        while moved < most and self._comes_before(until) and self._exchange.advance():
            moved += 1
            if time.monotonic() >= pause_at:
                await self._hub.played()
                await asyncio.sleep(0)
                pause_at = time.monotonic() + SLICE_SECONDS
        return moved

    def _comes_before(self, until: datetime | None) -> bool:
        coming = self._exchange.next_instant()
        return coming is not None and (until is None or coming <= until)

    def _until(self, move: Move) -> datetime:
        now = self._exchange.now
        if move.seconds is not None:
            return now + timedelta(seconds=move.seconds)
        until = parse_moment("to", move.to or "")
        if until < now:
            raise bad_parameter(f"to must not have passed: {wire.instant(until)}, the clock is at {wire.instant(now)}")
        return until


def routes(context: Context) -> list[BaseRoute]:
    """``GET /sim/clock``, and in lockstep ``POST``."""
    options = context.options
    known = {
        "venue": VENUE,
        "lockstep": options.lockstep,
        "speed": None if options.lockstep else options.speed,
    }

    async def look(_: Request) -> Response:
        return wire.reply({**known, **_told(context.exchange, 0)})

    found: list[BaseRoute] = [_route("GET", look)]
    if options.lockstep and context.hub is not None:
        lockstep = Lockstep(context.exchange, context.hub)

        async def move(request: Request) -> Response:
            moved = await lockstep.move(read_move(await _body(request)))
            return wire.reply(_told(context.exchange, moved))

        found.append(_route("POST", move))
    return found


def _route(method: str, handle: Callable[[Request], Awaitable[Response]]) -> Route:
    route = Route(PATH, handle, methods=[method], name=f"{method} {PATH}")
    route.methods = {method}
    return route


def read_move(data: bytes) -> Move:
    """The move a body asks for. Raises ``ApiError`` (422)."""
    try:
        move = _decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise bad_parameter(f"the body must be one of steps, to and seconds: {error}") from error
    given = [name for name in ("steps", "to", "seconds") if getattr(move, name) is not None]
    if len(given) != 1:
        raise bad_parameter(f"give one of steps, to and seconds, got {', '.join(given) or 'none'}")
    if move.steps is not None and not 1 <= move.steps <= STEPS_MAX:
        raise bad_parameter(f"steps must be from 1 to {STEPS_MAX}, got {move.steps}")
    if move.seconds is not None and not (math.isfinite(move.seconds) and 0 < move.seconds <= SECONDS_MAX):
        raise bad_parameter(f"seconds must be above 0 and at most {SECONDS_MAX}, got {move.seconds}")
    return move


async def _body(request: Request) -> bytes:
    data = b""
    try:
        async for part in request.stream():
            data += part
            if len(data) > BODY_BYTES_MAX:
                raise bad_parameter(f"the body must have at most {BODY_BYTES_MAX} bytes")
    except ClientDisconnect as error:
        raise ApiError(400, None, "the request was not finished") from error
    return data


def _told(exchange: Exchange, moved: int) -> dict[str, Any]:
    coming = exchange.next_instant()
    return {"now": wire.instant(exchange.now), "next": wire.instant_or_none(coming), "moved": moved}
