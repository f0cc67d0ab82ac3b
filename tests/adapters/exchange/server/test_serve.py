"""Serving on a real socket: the port, the end, and what is refused before it begins."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from hydra.adapters.exchange.server.app import Served
from hydra.adapters.exchange.server.serve import Serving
from hydra.model.errors import BadConfig, Unreachable
from tests.adapters.exchange.server.scenes import KEYS, Stage, trading_app

ROOT = Path(__file__).parents[4]
WAIT = 10.0
SCRIPT = """
from tests.adapters.exchange.server.scenes import Stage, trading_app
from hydra.adapters.exchange.server.serve import Serving
stage = Stage()
Serving().run(trading_app(stage.venue, stage.options), "127.0.0.1", 0, lambda host, port: print(port, flush=True))
"""


@contextmanager
def served(app: ASGIApp) -> Iterator[tuple[str, Serving]]:
    """An application on a free port of this machine; its address."""
    serving, ready, ports = Serving(), threading.Event(), list[int]()

    def tell(_host: str, port: int) -> None:
        ports.append(port)
        ready.set()

    thread = threading.Thread(target=serving.run, args=(app, "127.0.0.1", 0, tell), daemon=True)
    thread.start()
    assert ready.wait(WAIT)
    try:
        yield f"http://127.0.0.1:{ports[0]}", serving
    finally:
        serving.stop()
        thread.join(WAIT)
        assert not thread.is_alive()


def test_port_zero_is_a_real_one_and_nothing_names_the_server(stage: Stage) -> None:
    with served(trading_app(stage.venue, stage.options)) as (url, _):
        response = httpx.get(f"{url}/v2/account", headers=KEYS)
    assert response.status_code == 200
    assert "server" not in response.headers


def test_a_request_that_is_no_http_is_answered_and_harms_nobody(stage: Stage) -> None:
    with served(trading_app(stage.venue, stage.options)) as (url, _):
        address = (httpx.URL(url).host, httpx.URL(url).port or 0)
        with socket.create_connection(address, timeout=WAIT) as connection:
            connection.sendall(b"\x16\x03\x01 nonsense\r\n\r\n")
            assert connection.recv(100).startswith(b"HTTP/1.1 400")
        with socket.create_connection(address, timeout=WAIT) as connection:
            connection.sendall(b"POST /v2/orders HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{")
        assert httpx.get(f"{url}/v2/account", headers=KEYS).status_code == 200
    assert not stage.venue.tickets()


def test_a_port_in_use_is_refused_by_name(stage: Stage) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(BadConfig, match=f"cannot listen on 127.0.0.1:{port}: the port is in use"):
            Serving().run(trading_app(stage.venue, stage.options), "127.0.0.1", port)


@pytest.mark.parametrize(("host", "port"), [("no.such.host.invalid", 0), ("192.0.2.1", 0), ("127.0.0.1", 70_000)])
def test_an_address_that_cannot_be_had_is_refused(stage: Stage, host: str, port: int) -> None:
    with pytest.raises(BadConfig, match="cannot listen on"):
        Serving().run(trading_app(stage.venue, stage.options), host, port)


def test_an_application_that_does_not_start_is_told() -> None:
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "the disk is full"})

    with pytest.raises(Unreachable, match="did not start"):
        Serving().run(broken, "127.0.0.1", 0)


class _Clock:
    """A clock that stops at once."""

    async def run(self) -> None:
        raise OSError("the disk is full")


def test_a_clock_that_stops_ends_the_server() -> None:
    serving = Serving()
    app = Served([], pace=_Clock(), collapsed=serving.collapse)
    with pytest.raises(Unreachable, match="the venue broke down: OSError: the disk is full"):
        serving.run(app, "127.0.0.1", 0)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_server_as_it_would_end_a_process(number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        assert httpx.get(f"http://127.0.0.1:{port}/v2/account", headers=KEYS).status_code == 200
        process.send_signal(number)
        _, told = process.communicate(timeout=WAIT)
    assert process.returncode == -number
    assert (b"KeyboardInterrupt" in told) is (number is signal.SIGINT)
