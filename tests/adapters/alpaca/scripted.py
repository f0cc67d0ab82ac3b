"""A server on this machine that answers as it is told, and remembers what it was asked: for what a venue does when it is unwell.

An answer is ``Said``; ``Silent`` says nothing until the server ends, ``Dropped`` closes the socket, ``Dripping`` sends a body that
never ends. A script is one answer for everything, or one for each request in turn (the last one stays).
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pydantic import SecretStr

from hydra.adapters.alpaca.access import Access, Clients, clients_of
from hydra.adapters.alpaca.broker import AlpacaBroker
from hydra.adapters.alpaca.budget import Budget

KEY, SECRET = "PKSCRIPTED", "scripted-secret"
JOIN_SECONDS = 10.0
HTML = b"<html><body><h1>504 Gateway Time-out</h1></body></html>"
DRIP_SECONDS = 0.05


@dataclass(frozen=True)
class Said:
    """An answer: a status, a body as JSON or as bytes, more headers."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def content(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        return b"" if self.body is None else json.dumps(self.body).encode()


@dataclass(frozen=True)
class Silent:
    """No answer."""


@dataclass(frozen=True)
class Dropped:
    """The socket is closed; after so many bytes of an answer."""

    after: bytes = b""


@dataclass(frozen=True)
class Dripping:
    """Headers at once, then a byte every now and then."""


Answer = Said | Silent | Dropped | Dripping


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    method: str
    path: str
    query: Mapping[str, str]
    body: Any
    headers: Mapping[str, str]


class Scripted:
    """What a server says, and what it was asked. ``script`` by ``METHOD /path``; ``*`` for anything else."""

    def __init__(self, script: Mapping[str, Answer | Sequence[Answer]]) -> None:
        self.asked: list[Asked] = []
        self.reached = threading.Event()
        self.peers: set[object] = set()
        self.over = threading.Event()
        self._script = {key: list(each) if isinstance(each, Sequence) else [each] for key, each in script.items()}
        self._lock = threading.Lock()

    def answer(self, asked: Asked) -> Answer:
        with self._lock:
            self.asked.append(asked)
            self.reached.set()
            turns = self._script.get(f"{asked.method} {asked.path}") or self._script.get("*")
            assert turns, f"nothing is scripted for {asked.method} {asked.path}"
            return turns.pop(0) if len(turns) > 1 else turns[0]

    def count(self, method: str) -> int:
        """Requests by this method."""
        return sum(each.method == method for each in self.asked)


@dataclass(frozen=True)
class Rig:
    """A scripted server with what speaks to it."""

    scripted: Scripted
    clients: Clients
    broker: AlpacaBroker
    budget: Budget
    url: str


@contextmanager
def rig(
    script: Mapping[str, Answer | Sequence[Answer]] | Answer | Sequence[Answer],
    *,
    per_minute: int = 1000,
    seconds: float = 5.0,
) -> Iterator[Rig]:
    """A server, and a broker before it that waits so long."""
    scripted = Scripted(script if isinstance(script, Mapping) else {"*": script})
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(scripted))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.005}, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    access = access_to(url, seconds)
    budget = Budget(per_minute, time.monotonic)
    clients = clients_of(access, budget)
    try:
        yield Rig(scripted, clients, AlpacaBroker(clients, url=url, mode="sim"), budget, url)
    finally:
        scripted.over.set()
        clients.trading._session.close()
        server.shutdown()
        server.server_close()
        thread.join(JOIN_SECONDS)
        assert not thread.is_alive()


def access_to(url: str, seconds: float = 5.0, *, data_url: str = "", key: str = KEY, secret: str = SECRET) -> Access:
    """Access to a server, of ours unless told otherwise; every request has ``seconds``."""
    return Access(
        trading_url=url,
        data_url=data_url or url,
        key=SecretStr(key),
        secret=SecretStr(secret),
        connect_seconds=seconds,
        read_seconds=seconds,
        order_seconds=seconds,
    )


def refusing_url() -> str:
    """An address at which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


def _handler(scripted: Scripted) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *what: Any) -> None:
            """Quiet."""

        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            content = self.rfile.read(length)
            parts = urlsplit(self.path)
            query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
            body = json.loads(content) if content else None
            scripted.peers.add(self.client_address)
            answer = scripted.answer(Asked(self.command, parts.path, query, body, dict(self.headers)))
            if isinstance(answer, Said):
                self._say(answer)
            else:
                self.close_connection = True
                _do_not_answer(self, answer)

        def _say(self, answer: Said) -> None:
            content = answer.content
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_DELETE = do_PATCH = _serve  # noqa: N815  # the names the server looks for

    def _do_not_answer(handler: BaseHTTPRequestHandler, answer: Answer) -> None:
        if isinstance(answer, Silent):
            scripted.over.wait(JOIN_SECONDS)
        elif isinstance(answer, Dropped):
            handler.wfile.write(answer.after)
        else:
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n[")
            try:
                while not scripted.over.wait(DRIP_SECONDS):
                    handler.wfile.write(b" ")
            except OSError:
                return

    return Handler
