"""The venue's server in a thread, and a counter before its door: what really arrived there, and when.

The counter stands outside of authentication, limits and faults, so it sees what left the client and not what became of it. It looks
at an order at the moment at which its last byte has arrived and before anyone acts on it.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hydra.adapters.exchange.server.app import make_app
from hydra.adapters.exchange.server.context import ServerOptions
from hydra.adapters.exchange.server.faulty_paths import operation_of
from hydra.adapters.exchange.server.serve import Serving
from hydra.adapters.exchange.venue import SimulatedVenue

KEY, SECRET = "PKTEST", "a-secret-that-nobody-may-read"
START_SECONDS = QUIET_SECONDS = 20.0


@dataclass(slots=True)
class Arrivals:
    """What reached the door. ``posted`` are the client ids of orders, each as often as it came, with the venue's time."""

    requests: Counter[str] = field(default_factory=Counter)
    posted: list[tuple[datetime, str]] = field(default_factory=list)
    cancelled: list[tuple[datetime, str]] = field(default_factory=list)
    unwritten: list[str] = field(default_factory=list)


class CountingDoor:
    """An application behind the counter. ``written`` says whether a client id stands durably in the journal."""

    def __init__(self, app: ASGIApp, now: Callable[[], datetime], written: Callable[[str], bool]) -> None:
        self._app = app
        self._now = now
        self._written = written
        self.arrivals = Arrivals()
        self._under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count a request and pass it on."""
        if scope["type"] != "http" or scope["path"].startswith("/sim/"):
            await self._app(scope, receive, send)
            return
        method, path = scope["method"], scope["path"]
        self.arrivals.requests[operation_of(method, path) or f"{method} {path}"] += 1
        if method == "DELETE":
            self.arrivals.cancelled.append((self._now(), path.rpartition("/")[2]))
        if (method, path) == ("POST", "/v2/orders"):
            receive = await self._read(receive)
        self._under_way += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._under_way -= 1

    @property
    def quiet(self) -> bool:
        """Whether nothing is under way."""
        return self._under_way == 0

    async def _read(self, receive: Receive) -> Receive:
        """Take an order's body in, and give it out again."""
        messages: list[Message] = []
        while not messages or messages[-1].get("more_body", False):
            messages.append(await receive())
        self._order(b"".join(message.get("body", b"") for message in messages))
        waiting = iter(messages)

        async def again() -> Message:
            message = next(waiting, None)
            return await receive() if message is None else message

        return again

    def _order(self, body: bytes) -> None:
        client_id = str(json.loads(body).get("client_order_id", ""))
        self.arrivals.posted.append((self._now(), client_id))
        if not self._written(client_id):
            self.arrivals.unwritten.append(client_id)


class Server:
    """One venue behind one free port of this machine, moved in lockstep. ``stop`` is bounded."""

    def __init__(self, venue: SimulatedVenue, options: ServerOptions, written: Callable[[str], bool]) -> None:
        self._door = CountingDoor(make_app(venue, options), lambda: venue.now, written)
        self._serving = Serving()
        self._bound: list[tuple[str, int]] = []
        self._up = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="venue")
        self._thread.start()
        assert self._up.wait(START_SECONDS), "the server did not start"

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens: host and port."""
        return self._bound[0]

    @property
    def url(self) -> str:
        """The same as an address to ask."""
        host, port = self.address
        return f"http://{host}:{port}"

    @property
    def arrivals(self) -> Arrivals:
        """What has reached it."""
        return self._door.arrivals

    def settle(self) -> None:
        """Wait until nothing is under way: time passes for a request on the road as for everyone else. Bounded."""
        ends_at = time.monotonic() + QUIET_SECONDS
        while not self._door.quiet:
            assert time.monotonic() < ends_at, "a request does not end"
            time.sleep(0.002)

    def stop(self) -> None:
        """End it."""
        self._serving.stop()
        self._thread.join(START_SECONDS)
        assert not self._thread.is_alive(), "the server did not end"

    def _run(self) -> None:
        self._serving.run(self._door, "127.0.0.1", 0, self._ready)

    def _ready(self, host: str, port: int) -> None:
        self._bound.append((host, port))
        self._up.set()
