"""Venues to hold against the documents: a ``hydra sim`` of its own, or the application in this process without a socket."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import httpx

from hydra.adapters.calendar import ExchangeCalendar
from hydra.adapters.exchange.model import as_at_alpaca
from hydra.adapters.exchange.server.app import make_app
from hydra.adapters.exchange.server.context import ServerOptions
from hydra.adapters.exchange.standing import Books
from hydra.adapters.exchange.venue import SimulatedVenue
from hydra.adapters.markets.feed import Feed
from hydra.adapters.markets.recorded import RecordedFeed
from tests.adapters.exchange.server import openapi
from tests.conformance.desk import KEY, SECRET

SETTINGS = as_at_alpaca(Decimal(100_000))
KEYS = {"APCA-API-KEY-ID": KEY, "APCA-API-SECRET-KEY": SECRET}
START_SECONDS = 30.0
SAMPLE = 200
_ADDRESS = re.compile(r"http://127\.0\.0\.1:(\d+)")


@contextmanager
def hydra_sim(folder: Path, *options: str | Path, ending: signal.Signals = signal.SIGTERM) -> Iterator[str]:
    """Run ``hydra sim`` in lockstep on a free port; its address. It has to end cleanly on SIGTERM, and at once on SIGKILL."""
    command = [sys.executable, "-m", "hydra", "sim", "--port", "0", "--lockstep"]
    command += ["--state-dir", str(folder / "state"), "--log-dir", str(folder / "logs"), *map(str, options)]
    plain = {name: value for name, value in os.environ.items() if not name.startswith("HYDRA_")}
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**plain, "NO_COLOR": "1"}
    )
    assert process.stdout is not None
    said: list[str] = []
    watchdog = threading.Timer(START_SECONDS, process.kill)
    watchdog.start()
    try:
        for line in process.stdout:
            said.append(line)
            if found := _ADDRESS.search(line):
                break
        else:
            raise AssertionError(f"hydra sim did not start:\n{''.join(said)}")
        watchdog.cancel()
        threading.Thread(target=said.extend, args=(process.stdout,), daemon=True).start()
        yield found[0]
        process.send_signal(ending)
        assert process.wait(timeout=20) == (143 if ending is signal.SIGTERM else -ending), "".join(said)
        assert "Traceback" not in "".join(said), "".join(said)
    finally:
        watchdog.cancel()
        process.kill()
        process.wait()


def recorded(data: Path, symbols: Sequence[str], start: datetime, end: datetime | None = None) -> RecordedFeed:
    """Some symbols of the recordings, from a moment on."""
    return RecordedFeed.open([data], symbols=symbols, start=start, end=end)


def venue(feed: Feed, days: Path, at: datetime, books: Books | None = None) -> SimulatedVenue:
    """A venue that begins at a moment, or goes on where its books were left."""
    return SimulatedVenue(feed, calendar(days), SETTINGS, books, start=at)


@cache
def calendar(folder: Path) -> ExchangeCalendar:
    """The exchange's days, kept in a folder: reading three centuries of them again takes a quarter of a second."""
    return ExchangeCalendar(folder)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A response: the bytes, and what they say."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def body(self) -> Any:
        """The parsed JSON, ``None`` for an empty body. Numbers that are not finite do not parse."""
        return json.loads(self.content, parse_constant=_not_finite) if self.content else None


def _thinned(body: Any) -> Any:
    """A body whose long lists are a sample: three centuries of days are all of one kind."""
    if isinstance(body, dict):
        return {name: _thinned(value) for name, value in body.items()}
    return body[:: len(body) // SAMPLE] if isinstance(body, list) and len(body) > 2 * SAMPLE else body


def _not_finite(text: str) -> Any:
    raise AssertionError(f"{text} in a response")


@dataclass(slots=True)
class InProcess:
    """The application, asked directly. What a published route answers is held against its document every time."""

    exchange: SimulatedVenue
    options: ServerOptions = field(
        default_factory=lambda: ServerOptions(key=KEY, secret=SECRET, rate_limit_per_minute=0, lockstep=True)
    )
    covered: dict[str, set[int]] = field(default_factory=dict)
    app: Any = None
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    _client: httpx.AsyncClient | None = None

    def __post_init__(self) -> None:
        self.app = make_app(self.exchange, self.options)
        transport = httpx.ASGITransport(app=self.app)
        self._client = httpx.AsyncClient(transport=transport, base_url="http://venue.test")

    def close(self) -> None:
        """Let go of the loop."""
        assert self._client is not None
        self._loop.run_until_complete(self._client.aclose())
        self._loop.close()

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        content: bytes | None = None,
        headers: Mapping[str, Any] = KEYS,
        **query: Any,
    ) -> Answer:
        """One request. ``body`` goes as JSON, ``content`` as it is."""
        given = {name: value for name, value in query.items() if value is not None}
        return self.send(method, path, params=given or None, json=body, content=content, headers=dict(headers))

    def send(self, method: str, path: str, **how: Any) -> Answer:
        """One request as httpx takes it."""
        assert self._client is not None
        response = self._loop.run_until_complete(self._client.request(method, path, **how))
        answer = Answer(status=response.status_code, headers=response.headers, content=response.content)
        if openapi.find(method, path) is not None:
            operation = openapi.validate(method, path, answer.status, _thinned(answer.body))
            self.covered.setdefault(str(operation), set()).add(answer.status)
        elif answer.status >= 400:
            openapi.validate_error(f"{method} {path}", answer.status, answer.body)
        return answer

    def good(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """What a request answers that has to succeed."""
        answer = self.ask(method, path, body, **query)
        assert answer.status < 300, f"{method} {path}: {answer.status} {answer.body}"
        return answer.body
