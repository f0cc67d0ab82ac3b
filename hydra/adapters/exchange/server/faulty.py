"""The server's door with faults: a middleware around the whole application, a tap on its streams, and the admin routes.

A request meets the middleware before anything else, so a fault hits whoever asks. What is under ``/sim/`` never fails: it is
how faults are taken back. The chosen oddity: closing a socket without an answer is no part of ASGI, so the connection is
found where uvicorn keeps it; under another server the request ends in an error instead.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hydra.adapters.exchange.fault_files import parse_body, parse_plan, parse_rule, rule_document
from hydra.adapters.exchange.fault_table import (
    BY_EXECUTION,
    OF_THE_ROAD,
    WITHIN,
    FaultKind,
    Operation,
)
from hydra.adapters.exchange.faults import Asked, FaultPlan, Rule
from hydra.adapters.exchange.interface import Exchange
from hydra.adapters.exchange.server import wire
from hydra.adapters.exchange.server.errors import BAD_REQUEST, INTERNAL, TOO_LARGE, UNPROCESSABLE, ApiError
from hydra.adapters.exchange.server.faulty_answers import account_of, clock_of, spoil
from hydra.adapters.exchange.server.faulty_paths import operation_of, symbols_of
from hydra.model.errors import BadConfig, Invalid

ADMIN = "/sim/faults"
BODY_BYTES_MAX = 1 << 20
_GATEWAY = (
    "<html>\n<head><title>504 Gateway Time-out</title></head>\n<body><h1>504 Gateway Time-out</h1></body>\n</html>\n"
)
_PAGE = "<!DOCTYPE html>\n<html>\n<head><title>Maintenance</title></head>\n<body></body>\n</html>\n"
_SPOILING = frozenset({FaultKind.NAN, FaultKind.UNKNOWN_ENUM, FaultKind.STALE_QUOTE, FaultKind.CROSSED_QUOTE})
_HANGING = frozenset({FaultKind.TIMEOUT_BEFORE, FaultKind.TIMEOUT_AFTER})
_DROPPING = frozenset({FaultKind.DROP_BEFORE, FaultKind.DROP_AFTER})
_CARRIED_OUT = frozenset(
    {FaultKind.TIMEOUT_AFTER, FaultKind.DROP_AFTER, FaultKind.GATEWAY_AFTER, FaultKind.HTML, FaultKind.EMPTY_BODY}
)
"""Faults whose request is carried out while its answer is thrown away."""


class Faulty:
    """The application with a plan's faults. ``sleep`` gets seconds of real time."""

    def __init__(
        self,
        app: ASGIApp,
        plan: FaultPlan,
        exchange: Exchange,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._app = app
        self._plan = plan
        self._exchange = exchange
        self._sleep = sleep

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, unless a fault is due; spoil or lose its answer."""
        if scope["type"] != "http" or scope["path"].startswith("/sim/") or not self._plan.rules:
            await self._app(scope, receive, send)
            return
        whole = b""
        if self._plan.names_symbols() and scope["method"] in ("POST", "PATCH"):
            try:
                whole = await _body(receive)
            except ApiError as refusal:
                await refusal.response()(scope, receive, send)
                return
            receive = _replayed(whole, receive)
        asked = self._asked(scope, whole)
        rule = self._plan.due(asked, OF_THE_ROAD)
        if rule is not None:
            await self._fail(_Exchange(scope, receive, send), rule, asked)
        elif asked.operation in (Operation.ACCOUNT, Operation.CLOCK, Operation.FILLS):
            await self._within(_Exchange(scope, receive, send), asked)
        else:
            await self._app(scope, receive, send)

    def _asked(self, scope: Scope, body: bytes) -> Asked:
        method, path = scope["method"], scope["path"]
        symbols: tuple[str, ...] = ()
        if self._plan.names_symbols():
            symbols = symbols_of(method, path, scope["query_string"], body, self._exchange)
        return Asked(
            operation=operation_of(method, path), at=self._exchange.now, symbols=symbols, request=f"{method} {path}"
        )

    async def _fail(self, call: _Exchange, rule: Rule, asked: Asked) -> None:
        fault = rule.fault
        if fault is FaultKind.SLOW:
            try:
                await self._sleep(float(rule.number("ms")) / 1000)
            except asyncio.CancelledError:  # the server ends, and nothing has been carried out
                await call.drop()
                return
            await call.answered_by(self._app)
        elif fault in _SPOILING:
            wholly = not rule.symbol or asked.symbols == (rule.symbol,)
            await call.answered_by(self._app, lambda body: spoil(body, rule, wholly=wholly))
        else:
            if fault in _CARRIED_OUT:
                await call.carried_out_by(self._app)
            if fault in _HANGING:
                await call.hang(float(rule.number("seconds")))
            elif fault in _DROPPING:
                await call.drop()
            else:
                await _ANSWERS[fault](rule)(call.scope, call.receive, call.send)

    async def _within(self, call: _Exchange, asked: Asked) -> None:
        """Faults that the venue itself seems to have: its account, its clock, its list of executions."""
        if asked.operation is Operation.FILLS:
            concerned = self._plan.concerns(BY_EXECUTION)
            await call.answered_by(self._app, self._reported if concerned else None)
            return
        rule = self._plan.due(asked, WITHIN)
        if rule is None:
            await call.answered_by(self._app)
            return
        change = clock_of if rule.fault is FaultKind.CLOCK_OFF else account_of
        await call.answered_by(self._app, lambda body: change(body, rule) if isinstance(body, dict) else body)

    def _reported(self, body: Any) -> Any:
        """The activities without the lost executions, and with the doubled ones twice."""
        if not isinstance(body, list):
            return body
        told: list[Any] = []
        for activity in body:
            fault = self._fate(activity) if isinstance(activity, dict) else None
            told += [activity] * _copies(fault)
        return told

    def _fate(self, activity: Mapping[str, Any]) -> FaultKind | None:
        if activity.get("activity_type") != "FILL":
            return None
        symbols = wire.canonical_symbols(str(activity.get("symbol", "")))
        asked = Asked(operation=Operation.FILLS, at=self._exchange.now, symbols=symbols)
        rule = self._plan.due_at_execution(asked, str(activity.get("id")))
        return None if rule is None else rule.fault


class _Exchange:
    """One request and its answer."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope = scope
        self.receive = receive
        self.send = send

    async def answered_by(self, app: ASGIApp, change: Callable[[Any], Any] | None = None) -> None:
        """Pass the request on; with ``change``, a good answer's JSON goes through it."""
        if change is None:
            await app(self.scope, self.receive, self.send)
            return
        start, body = await self._captured(app)
        if start["status"] < 300 and body:
            with suppress(ValueError):
                body = json.dumps(change(json.loads(body)), allow_nan=True, separators=(",", ":")).encode()
        MutableHeaders(scope=start)["content-length"] = str(len(body))
        await self.send(start)
        await self.send({"type": "http.response.body", "body": body})

    async def carried_out_by(self, app: ASGIApp) -> None:
        """Pass the request on and throw the answer away."""
        await self._captured(app)

    async def hang(self, seconds: float) -> None:
        """Say nothing until the client goes away, the server ends, or for so long; then there is no connection."""
        with suppress(TimeoutError, asyncio.CancelledError):
            await asyncio.wait_for(self._gone(), seconds)
        await self.drop()

    async def drop(self) -> None:
        """Close the connection without a word."""
        transport = getattr(getattr(self.send, "__self__", None), "transport", None)
        if transport is None:
            raise ConnectionAbortedError("a fault closes this connection, and the server offers no way to do it")
        transport.abort()
        await self._gone()

    async def _gone(self) -> None:
        while (await self.receive())["type"] != "http.disconnect":
            pass

    async def _captured(self, app: ASGIApp) -> tuple[Message, bytes]:
        start: Message = {"type": "http.response.start", "status": 500, "headers": []}
        parts: list[bytes] = []

        async def keep(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
            else:
                parts.append(message.get("body", b""))

        await app(self.scope, self.receive, keep)
        return start, b"".join(parts)


def _rate_limit(rule: Rule) -> Response:
    wait = str(int(rule.number("seconds")))
    left = {"Retry-After": wait, "X-RateLimit-Limit": "200", "X-RateLimit-Remaining": "0"}
    return ApiError(429, None, "too many requests.", headers=left).response()


_ANSWERS: Mapping[FaultKind, Callable[[Rule], Response]] = {
    FaultKind.RATE_LIMIT: _rate_limit,
    FaultKind.SERVER_ERROR: lambda _rule: ApiError(500, INTERNAL, "internal server error occurred").response(),
    FaultKind.GATEWAY_AFTER: lambda _rule: HTMLResponse(_GATEWAY, 504),
    FaultKind.HTML: lambda _rule: HTMLResponse(_PAGE, 200),
    FaultKind.EMPTY_BODY: lambda _rule: Response(b"", 200, {"content-length": "0"}, "application/json"),
}
"""What is answered instead."""


def make_tap(
    plan: FaultPlan, exchange: Exchange, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
) -> Callable[[str, Mapping[str, Any]], Awaitable[Sequence[Mapping[str, Any]]]]:
    """What a stream's news passes through: the messages to send instead. Raises ``ConnectionResetError`` to close it."""
    spoiling = frozenset({*OF_THE_ROAD, FaultKind.MUTE_STREAM})

    async def tap(operation: str, message: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        asked = _news(Operation(operation), message, exchange)
        rule = plan.due(asked, spoiling)
        if rule is not None:
            if rule.fault is FaultKind.MUTE_STREAM:
                return ()
            if rule.fault in _DROPPING:
                raise ConnectionResetError(f"a fault closes {operation}")
            if rule.fault is FaultKind.SLOW:
                await sleep(float(rule.number("ms")) / 1000)
            else:
                return (spoil(message, rule),)
        return (message,) * _copies(_fate_of_event(plan, asked, message))

    return tap


def _copies(fault: FaultKind | None) -> int:
    """How often an execution is told of."""
    return {None: 1, FaultKind.LOST_FILL: 0, FaultKind.DOUBLED_FILL: 2}[fault]


def _fate_of_event(plan: FaultPlan, asked: Asked, message: Mapping[str, Any]) -> FaultKind | None:
    data = message.get("data")
    if not isinstance(data, Mapping) or data.get("event") not in ("fill", "partial_fill"):
        return None
    rule = plan.due_at_execution(asked, str(data.get("execution_id")))
    return None if rule is None else rule.fault


def _news(operation: Operation, message: Mapping[str, Any], exchange: Exchange) -> Asked:
    data = message.get("data")
    order = data.get("order") if isinstance(data, Mapping) else None
    named = message.get("S") or (order.get("symbol") if isinstance(order, Mapping) else None) or ""
    return Asked(operation=operation, at=exchange.now, symbols=wire.canonical_symbols(str(named)))


def fault_routes(plan: FaultPlan) -> list[BaseRoute]:
    """The routes that show (GET), replace (PUT), add to (POST) and clear (DELETE) the rules. Whoever may ask may change."""

    async def answer(request: Request) -> Response:
        try:
            if request.method == "PUT":
                rules, seed = parse_plan(parse_body(await _read(request), "body"), "body")
                plan.replace(rules, seed)
            elif request.method == "POST":
                plan.add(parse_rule(parse_body(await _read(request), "body"), "body"))
            elif request.method == "DELETE":
                plan.replace(())
        except (BadConfig, Invalid) as error:
            raise ApiError(422, UNPROCESSABLE, str(error)) from None
        return wire.reply(_document(plan))

    route = Route(ADMIN, answer, methods=["GET", "PUT", "POST", "DELETE"])
    (route.methods or set()).discard("HEAD")
    return [route]


def _document(plan: FaultPlan) -> dict[str, Any]:
    rules = [{**rule_document(rule), "seen": tally.seen, "acted": tally.acted} for rule, tally in plan.tallies()]
    return {"seed": plan.seed, "faults": rules}


async def _read(request: Request) -> bytes:
    body = await _body(request.receive)
    if not body:
        raise ApiError(400, BAD_REQUEST, "body: expected JSON")
    return body


async def _body(receive: Receive) -> bytes:
    """The whole body. Raises ``ApiError`` when there is too much of it."""
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            break
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > BODY_BYTES_MAX:
            raise ApiError(413, TOO_LARGE, f"request body is larger than {BODY_BYTES_MAX} bytes")
        more = message.get("more_body", False)
    return b"".join(parts)


def _replayed(body: bytes, receive: Receive) -> Receive:
    """``receive`` that gives a body again which has been read."""
    waiting = True

    async def again() -> Message:
        nonlocal waiting
        if waiting:
            waiting = False
            return {"type": "http.request", "body": body, "more_body": False}
        return await receive()

    return again
