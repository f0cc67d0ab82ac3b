"""A whole server in a thread, in lockstep or not, and what a test asks of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from queue import Queue
from typing import Any

import httpx

from hydra.adapters.exchange.model import VenueSettings
from hydra.adapters.exchange.server.app import make_app
from hydra.adapters.exchange.server.context import ServerOptions
from hydra.adapters.exchange.server.serve import Serving
from hydra.adapters.exchange.venue import SimulatedVenue
from hydra.adapters.markets.feed import Feed
from hydra.ports import Calendar
from tests.adapters.exchange.server.openapi import validate

KEY, SECRET = "PKTEST", "secret"
WAIT_SECONDS = 10


@dataclass
class Running:
    """A server that runs: where it is, and the venue behind it."""

    venue: SimulatedVenue
    url: str
    http: httpx.Client

    def get(self, path: str, **query: Any) -> Any:
        """The body of a good answer, which validates against Alpaca's document."""
        answer = self.http.get(path, params={name: str(value) for name, value in query.items() if value is not None})
        assert answer.status_code == 200, answer.text
        if not path.startswith("/sim"):
            validate("GET", path, 200, answer.json())
        return answer.json()

    def refused(self, path: str, **query: Any) -> tuple[int, str]:
        """Status and message of a refusal."""
        answer = self.http.get(path, params={name: str(value) for name, value in query.items()})
        validate("GET", path, answer.status_code, answer.json())
        return answer.status_code, answer.json()["message"]

    def move(self, **how: Any) -> dict[str, Any]:
        """Move the clock (lockstep)."""
        body = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in how.items()}
        answer = self.http.post("/sim/clock", json=body)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    @property
    def sockets(self) -> str:
        """The URL of the streams."""
        return self.url.replace("http", "ws")


@contextmanager
def running(feed: Feed, calendar: Calendar, *, start: datetime | None = None, **options: Any) -> Iterator[Running]:
    """A server on a free port, as long as the block lasts. Lockstep and no rate limit unless said otherwise."""
    settings = VenueSettings(starting_cash=Decimal(100_000))
    venue = SimulatedVenue(feed, calendar, settings, start=start)
    usual = {"lockstep": True, "rate_limit_per_minute": 0}
    app = make_app(venue, ServerOptions(key=KEY, secret=SECRET, **{**usual, **options}))
    serving, ready = Serving(), Queue[tuple[str, int]]()
    thread = threading.Thread(
        target=serving.run, args=(app, "127.0.0.1", 0, lambda host, port: ready.put((host, port))), daemon=True
    )
    thread.start()
    host, port = ready.get(timeout=WAIT_SECONDS)
    url = f"http://{host}:{port}"
    headers = {"APCA-API-KEY-ID": KEY, "APCA-API-SECRET-KEY": SECRET}
    try:
        with httpx.Client(base_url=url, headers=headers, timeout=WAIT_SECONDS, trust_env=False) as http:
            yield Running(venue, url, http)
    finally:
        serving.stop()
        thread.join(WAIT_SECONDS)
    assert not thread.is_alive(), "the server did not stop"
