"""``hydra sim`` under load, held against a bare Starlette application under the same load in the same minute.

``python -m benchmarks.venue [--rate 200] [--seconds 20] [--orders 10000] [--folder DIR]``. Server and client are processes of
their own. Requests leave at fixed times whether or not earlier ones have been answered, and latency counts from the time a
request was due, so a server that stalls is charged for everything that waited. Then the server is given many open orders and
its memory is read. The last line is one JSON document.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from time import perf_counter
from typing import Any

KEYS = "APCA-API-KEY-ID: PKTEST\r\nAPCA-API-SECRET-KEY: secret\r\n"
_START_SECONDS = 60.0
_MIX = ("account", "order", "orders", "quote", "positions", "order", "cancel", "order_by_id", "account", "bars")
"""One request of each ten: a third of them change the books, each with a synced transaction."""

_BARE = """
import sys
import uvicorn
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route
BODY = b'{"id":"00000000-0000-0000-0000-000000000000","status":"ACTIVE","cash":"100000","equity":"100000"}'
async def answer(request):
    await request.body()
    return Response(BODY, media_type="application/json")
app = Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST", "DELETE"])])
class Server(uvicorn.Server):
    async def startup(self, sockets=None):
        await super().startup(sockets)
        print("http://127.0.0.1:%d" % self.servers[0].sockets[0].getsockname()[1], flush=True)
Server(uvicorn.Config(app, port=0, log_level="error", http="httptools", access_log=False)).run()
"""


@contextlib.contextmanager
def started(command: list[str]) -> Iterator[tuple[str, int]]:
    """Run a server, and give its address and process id; end it afterwards."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout is not None
        found = None
        until = perf_counter() + _START_SECONDS
        while found is None and perf_counter() < until:
            line = process.stdout.readline()
            if not line:
                break
            found = re.search(r"http://127\.0\.0\.1:\d+", line)
        if found is None:
            raise SystemExit(f"the server did not start: {' '.join(command[:6])}")
        yield found[0], process.pid
    finally:
        process.terminate()
        process.wait(30)


class Client:
    """A few kept connections that speak just enough HTTP: a client library would cost more than the server."""

    def __init__(self, address: str, connections: int) -> None:
        host, port = address.removeprefix("http://").split(":")
        self._host, self._port, self._connections = host, int(port), connections
        self._idle: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()

    async def __aenter__(self) -> Client:
        for _ in range(self._connections):
            self._idle.put_nowait(await asyncio.open_connection(self._host, self._port))
        return self

    async def __aexit__(self, *_: object) -> None:
        while not self._idle.empty():
            self._idle.get_nowait()[1].close()

    async def request(self, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
        """Status and body of the answer."""
        data = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: x\r\n{KEYS}Content-Length: {len(data)}\r\n"
        head += "Content-Type: application/json\r\n\r\n"
        reader, writer = await self._idle.get()
        try:
            writer.write(head.encode() + data)
            return await self._answer(reader)
        finally:
            self._idle.put_nowait((reader, writer))

    async def _answer(self, reader: asyncio.StreamReader) -> tuple[int, bytes]:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        length = re.search(r"(?i)content-length: (\d+)", head)
        return int(head[9:12]), await reader.readexactly(int(length[1]) if length else 0)


class Load:
    """Requests at a fixed rate, and how long each took from when it was due."""

    def __init__(self, client: Client, rate: int, seconds: float) -> None:
        self.taken: dict[str, list[float]] = defaultdict(list)
        self.wrong: list[str] = []
        self._client = client
        self._rate = rate
        self._count = int(rate * seconds)
        self._open: list[str] = []
        self._known: list[str] = []

    async def run(self) -> None:
        """Send everything, and wait for the last answer."""
        begin = perf_counter() + 0.1
        tasks = []
        for number in range(self._count):
            due = begin + number / self._rate
            wait = due - perf_counter()
            if wait > 0:
                await asyncio.sleep(wait)
            tasks.append(asyncio.create_task(self._one(number, due)))
        await asyncio.gather(*tasks)

    async def _one(self, number: int, due: float) -> None:
        kind = _MIX[number % len(_MIX)]
        status, answer = await self._client.request(*self._request(kind, number))
        self.taken[kind].append((perf_counter() - due) * 1000)
        if status >= 300:
            self.wrong.append(f"{kind}: {status} {answer[:120]!r}")
        elif kind == "order":
            order_id = json.loads(answer)["id"]
            self._open.append(order_id)
            self._known.append(order_id)

    def _request(self, kind: str, number: int) -> tuple[str, str, dict[str, Any] | None]:
        if kind == "order":
            body = {"symbol": "SPY", "qty": "1", "side": "buy", "type": "limit", "time_in_force": "gtc"}
            return "POST", "/v2/orders", {**body, "limit_price": f"{100 + number % 50}.00"}
        if kind == "cancel" and self._open:
            return "DELETE", f"/v2/orders/{self._open.pop(0)}", None
        if kind == "order_by_id" and self._known:
            return "GET", f"/v2/orders/{self._known[-1]}", None
        paths = {
            "orders": "/v2/orders?status=open&limit=50",
            "quote": "/v2/stocks/quotes/latest?symbols=SPY,AAPL",
            "positions": "/v2/positions",
            "bars": "/v2/stocks/SPY/bars/latest",
        }
        return "GET", paths.get(kind, "/v2/account"), None


async def measure(address: str, rate: int, seconds: float) -> Load:
    """One round of load, after a second of warming up."""
    async with Client(address, 32) as client:
        await Load(client, rate, 1.0).run()
        load = Load(client, rate, seconds)
        await load.run()
        return load


async def pile_up(address: str, count: int) -> float:
    """Send many limit orders that rest, eight at a time; orders a second."""
    body = {"symbol": "SPY", "qty": "1", "side": "buy", "type": "limit", "time_in_force": "gtc", "limit_price": "1.00"}
    async with Client(address, 8) as client:

        async def some(share: int) -> None:
            for _ in range(share):
                status, answer = await client.request("POST", "/v2/orders", body)
                if status >= 300:
                    raise SystemExit(f"an order was refused: {status} {answer[:200]!r}")

        began = perf_counter()
        await asyncio.gather(*(some(count // 8) for _ in range(8)))
        return count / (perf_counter() - began)


def memory_mb(pid: int) -> float:
    """The resident memory of a process now."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def quantiles(load: Load, kinds: tuple[str, ...] = ()) -> dict[str, float]:
    """Milliseconds at the median, at 99%, and at most."""
    taken = sorted(ms for kind, each in load.taken.items() if not kinds or kind in kinds for ms in each)
    return {
        "count": len(taken),
        "p50": round(statistics.median(taken), 2),
        "p99": round(taken[int(len(taken) * 0.99)], 2),
        "max": round(taken[-1], 2),
    }


def main() -> None:
    """Measure, print a table, and one JSON document last."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--orders", type=int, default=10_000)
    parser.add_argument("--folder", type=Path, default=None)
    options = parser.parse_args()
    figures: dict[str, Any] = {"rate": options.rate, "seconds": options.seconds}
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        with started([sys.executable, "-c", _BARE]) as (address, _):
            figures["bare"] = quantiles(asyncio.run(measure(address, options.rate, options.seconds)))
        sim = [sys.executable, "-m", "hydra", "sim", "--port", "0", "--rate-limit", "0", "--seed", "1"]
        with started([*sim, "--speed", "60", "--state-dir", folder, "--log-dir", folder]) as (address, pid):
            load = asyncio.run(measure(address, options.rate, options.seconds))
            figures["sim"] = quantiles(load)
            figures["by_kind"] = {kind: quantiles(load, (kind,)) for kind in sorted(load.taken)}
            figures["wrong"] = load.wrong[:5]
            figures["memory_mb_before"] = round(memory_mb(pid), 1)
            if options.orders:
                figures["orders_a_second"] = round(asyncio.run(pile_up(address, options.orders)), 1)
                figures["open_orders"] = options.orders
                figures["memory_mb"] = round(memory_mb(pid), 1)
                crowded = asyncio.run(measure(address, options.rate, options.seconds))
                figures["sim_crowded"] = quantiles(crowded)
                figures["wrong"] += crowded.wrong[:5]
    figures["python"] = platform.python_version()
    figures["versions"] = {name: version(name) for name in ("starlette", "uvicorn", "httptools")}
    for name in ("bare", "sim", "sim_crowded"):
        print(f"{name:12} {figures.get(name)}")
    for kind, row in figures["by_kind"].items():
        print(f"  {kind:10} {row}")
    print(f"memory {figures['memory_mb_before']} MB, with {options.orders} open orders {figures.get('memory_mb')} MB")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
