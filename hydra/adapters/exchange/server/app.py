"""The whole server as one ASGI application: routes within authentication within the rate limit within the faults.

An exception nobody expected becomes Alpaca's 500 without a word of ours in it; it is counted and logged with its place, never
with headers or bodies. A path that no route knows is 404, a method that a path does not know is 405 with ``Allow``.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Match, Route, Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hydra.adapters.exchange.interface import Exchange
from hydra.adapters.exchange.server import (
    account,
    activities,
    announcements,
    assets,
    calendar_routes,
    contracts,
    history,
    orders,
    positions,
)
from hydra.adapters.exchange.server.auth import Authenticated
from hydra.adapters.exchange.server.context import Context, Hub, ServerOptions
from hydra.adapters.exchange.server.errors import INTERNAL, NOT_ALLOWED, NOT_FOUND, ApiError, bad_request
from hydra.adapters.exchange.server.limits import Limited
from hydra.adapters.exchange.server.sessions import equity_session
from hydra.adapters.exchange.server.symbols import Symbols
from hydra.ports import Calendar

log = logging.getLogger(__name__)

Routes = Callable[[Context], Sequence[BaseRoute]]

TRADING: tuple[Routes, ...] = (
    account.routes,
    orders.routes,
    positions.routes,
    assets.routes,
    contracts.routes,
    calendar_routes.routes,
    history.routes,
    activities.routes,
    announcements.routes,
)


Collapsed = Callable[[BaseException], None]
"""Told when the clock stopped moving because of a failure; without it a server would serve a frozen market."""


def make_app(exchange: Exchange, options: ServerOptions, collapsed: Collapsed | None = None) -> ASGIApp:
    """The application that serves ``exchange``. Its lifespan starts the streams and, unless in lockstep, the clock."""
    from hydra.adapters.exchange.server import clock_routes, data, streams
    from hydra.adapters.exchange.server.pace import Pace
    from hydra.adapters.exchange.server.streams.hub import StreamHub

    tap = None
    if options.faults is not None:
        from hydra.adapters.exchange.server.faulty import make_tap

        tap = make_tap(options.faults, exchange)
    hub = StreamHub(exchange, tap=tap)
    context = Context(exchange=exchange, options=options, symbols=Symbols(exchange), tap=tap, hub=hub)
    doors = (*TRADING, data.routes, streams.routes, clock_routes.routes)
    routes = [route for door in doors for route in door(context)]
    if options.faults is not None and options.fault_admin:
        from hydra.adapters.exchange.server.faulty import fault_routes

        routes += fault_routes(options.faults)
    pace = None if options.lockstep else Pace(exchange, hub, options.speed)
    return enclose(exchange, options, Served(routes, hub, pace, collapsed, (exchange.calendar, exchange.now)))


def enclose(exchange: Exchange, options: ServerOptions, app: ASGIApp) -> ASGIApp:
    """``app`` behind authentication, the rate limit and the faults, as far as the options want them."""
    app = Authenticated(app, options)
    if options.rate_limit_per_minute:
        app = Limited(app, options)
    if options.faults is not None:
        from hydra.adapters.exchange.server.faulty import Faulty

        app = Faulty(app, options.faults, exchange)
    return app


class Served:
    """The routes, and what is said when they fail. ``failures`` counts the exceptions nobody expected."""

    def __init__(
        self,
        routes: Sequence[BaseRoute],
        hub: Hub | None = None,
        pace: Any | None = None,
        collapsed: Collapsed | None = None,
        first_page: tuple[Calendar, datetime] | None = None,
    ) -> None:
        self._routes = tuple(routes)
        self._router = Router(routes=routes, redirect_slashes=False, default=self._lost, lifespan=self._life)
        self._hub = hub
        self._pace = pace
        self._collapsed = collapsed
        self._first_page = first_page
        self.failures = 0

    @asynccontextmanager
    async def _life(self, app: Any) -> AsyncIterator[None]:  # noqa: ARG002  # Starlette gives it
        """While the server runs: the streams, and the clock in step with time. Nobody waits for the calendar's first page."""
        if self._first_page is not None:
            await run_in_threadpool(equity_session, *self._first_page)
        if self._hub is not None:
            await self._hub.start()
        clock = None if self._pace is None else asyncio.create_task(self._pace.run())
        if clock is not None:
            clock.add_done_callback(self._ended)
        try:
            yield
        finally:
            if clock is not None:
                clock.cancel()
                with suppress(asyncio.CancelledError, Exception):
                    await clock
            if self._hub is not None:
                await self._hub.stop()

    def _ended(self, clock: asyncio.Task[None]) -> None:
        error = None if clock.cancelled() else clock.exception()
        if error is not None:
            self.failures += 1
            log.critical("the venue's clock stopped: %s", type(error).__name__, exc_info=error)
            if self._collapsed is not None:
                self._collapsed(error)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, whatever happens."""
        if scope["type"] != "http":
            await self._router(scope, receive, send)
            return
        begun = False

        async def watch(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._router({**scope, "app": self}, receive, watch)
        except ApiError as error:
            refusal = error
        except HTTPException as error:
            refusal = self._refusal(scope, error)
        except Exception:  # the last door: what nobody expected must not reach the client
            self.failures += 1
            log.exception("%s %s failed", scope["method"], scope["path"])
            refusal = ApiError(500, INTERNAL, "internal server error occurred")
        else:
            return
        if not begun:
            await refusal.response()(scope, receive, send)

    def _refusal(self, scope: Scope, error: HTTPException) -> ApiError:
        if error.status_code != 405:
            return bad_request("the request cannot be read")
        matches = (
            each for each in self._routes if isinstance(each, Route) and each.matches(scope)[0] is not Match.NONE
        )
        methods = sorted({method for each in matches for method in each.methods or ()})
        return ApiError(405, NOT_ALLOWED, "method not allowed", headers={"Allow": ", ".join(methods)})

    async def _lost(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})
            return
        await ApiError(404, NOT_FOUND, "endpoint not found.").response()(scope, receive, send)
