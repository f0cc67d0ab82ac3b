"""A server that answers as Coinbase Exchange's public candles do, over a real socket, with a script of mishaps."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from math import sin
from typing import Any
from urllib.parse import parse_qs, urlsplit

Row = list[Any]
PAGE_MAX = 300


def usual(symbol: str, opened: int) -> Row:
    """A candle that anybody can work out: low, high, open, close and volume by its time."""
    base = {"BTC-USD": 60_000, "ETH-USD": 3_000, "SOL-USD": 150}[symbol]
    first, last = (round(base * (1 + 0.01 * sin(at / 1800)), 2) for at in (opened, opened + 60))
    return [opened, min(first, last) - 0.5, max(first, last) + 0.5, first, last, 12.5]


class CoinbaseServer:
    """``answer`` may be set to replace what is served for a pair: (status, headers, body), or ``None`` for the usual."""

    row: Callable[[str, int], Row | None]
    answer: Callable[[str], tuple[int, dict[str, str], bytes] | None]

    def __init__(self) -> None:
        self.as_new()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                outer.requests.append(self.path)
                outer.agents.add(self.headers.get("User-Agent", ""))
                status, headers, body = outer._served(self.path)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_arguments: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def as_new(self) -> None:
        """Forget what was asked, and every mishap."""
        self.requests: list[str] = []
        self.agents: set[str] = set()
        self.row = usual
        self.answer = lambda _symbol: None

    def __enter__(self) -> CoinbaseServer:
        self._thread.start()
        return self

    def __exit__(self, *_raised: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def _served(self, path: str) -> tuple[int, dict[str, str], bytes]:
        parts = urlsplit(path)
        symbol = parts.path.split("/")[2]
        scripted = self.answer(symbol)
        if scripted is not None:
            return scripted
        if symbol not in ("BTC-USD", "ETH-USD", "SOL-USD"):
            return 404, {}, b'{"message":"NotFound"}'
        query = parse_qs(parts.query)
        start, end = (int(_read(query[name][0]).timestamp()) for name in ("start", "end"))
        step = int(query["granularity"][0])
        if (end - start) // step + 1 > PAGE_MAX:
            return 400, {}, b'{"message":"granularity too small for the requested time range"}'
        found = [self.row(symbol, at) for at in range(end // step * step, start - 1, -step)]
        return 200, {"Content-Type": "application/json"}, json.dumps([row for row in found if row is not None]).encode()


def _read(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@contextmanager
def serving() -> Iterator[CoinbaseServer]:
    """A server for as long as the block."""
    with CoinbaseServer() as server:
        yield server
