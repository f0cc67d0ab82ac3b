"""The stream of trade updates makes the next look sooner, and whatever is wrong with it changes nothing but its health."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Queue

import pytest
from pydantic import SecretStr
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

from hydra.adapters.alpaca.clock import Beat
from hydra.adapters.alpaca.stream import StreamHealth, TradeStream
from tests.adapters.exchange.server.data.asking import OPEN, minutes
from tests.adapters.exchange.server.data.running import KEY, SECRET, Running, running
from tests.adapters.exchange.server.scenes import Calendar
from tests.fakes.feed import ScriptedFeed

BUY = {"symbol": "SPY", "qty": "1", "side": "buy", "type": "market", "time_in_force": "day"}
Talk = Callable[[ServerConnection], None]
AUTHORISED = json.dumps({"stream": "authorization", "data": {"status": "authorized", "action": "authenticate"}})
UPDATE = json.dumps({"stream": "trade_updates", "data": {"event": "new", "order": {"id": "1"}}})


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with running(ScriptedFeed(minutes("SPY", OPEN, *range(100, 130))), Calendar(), start=OPEN) as found:
        found.move(steps=1)
        yield found


@contextmanager
def listening(url: str, secret: str = SECRET, start_seconds: float = 5) -> Iterator[TradeStream]:
    stream = TradeStream(url, SecretStr(KEY), SecretStr(secret), start_seconds=start_seconds, longest_pause_seconds=0.2)
    stream.start()
    try:
        yield stream
    finally:
        begun = time.monotonic()
        stream.close()
        assert time.monotonic() - begun < 2.5
        assert not stream.health().connected


@contextmanager
def talking(talk: Talk) -> Iterator[str]:
    """A server of sockets on this machine that says what ``talk`` says; its address."""

    def answer(socket: ServerConnection) -> None:
        try:
            talk(socket)
        except ConnectionClosed:
            return

    with serve(answer, "127.0.0.1", 0) as served:
        thread = threading.Thread(target=served.serve_forever, daemon=True)
        thread.start()
        yield f"ws://127.0.0.1:{served.socket.getsockname()[1]}/stream"
        served.shutdown()
        thread.join(5)


def until(stream: TradeStream, holds: Callable[[StreamHealth], bool], seconds: float = 20) -> StreamHealth:
    ends = time.monotonic() + seconds
    while not holds(stream.health()):
        assert time.monotonic() < ends, stream.health()
        time.sleep(0.02)
    return stream.health()


def authorise(socket: ServerConnection) -> None:
    assert json.loads(socket.recv())["action"] == "authenticate"
    socket.send(AUTHORISED)
    assert json.loads(socket.recv())["data"] == {"streams": ["trade_updates"]}


def test_an_order_is_news_once_and_wakes_a_beat(server: Running) -> None:
    with listening(f"{server.sockets}/stream") as stream:
        assert stream.wait_connected(20)
        health = stream.health()
        assert (health.message_seconds, health.connects, health.reconnects, health.problem) == (None, 1, 0, "")
        assert not stream.take()
        woken = threading.Event()

        def trade() -> None:
            while not woken.wait(0.3):  # the first may come before the server has heard `listen`
                server.http.post("/v2/orders", json=BUY)

        trading = threading.Thread(target=trade, daemon=True)
        trading.start()
        begun = time.monotonic()
        assert Beat(threading.Event(), news=stream.take).sleep(60)
        assert time.monotonic() - begun < 30
        woken.set()
        trading.join(10)
        heard = stream.health().message_seconds
        assert heard is not None
        assert heard < 30


def test_a_dropped_connection_comes_back_and_counts_as_news(server: Running) -> None:
    with listening(f"{server.sockets}/stream") as stream:
        assert stream.wait_connected(20)
        stream.take()
        connects = stream.health().connects
        stream.drop()
        assert stream.wait_connected(20, after=connects)
        assert (stream.health().reconnects, stream.take()) == (1, True)


def test_a_wrong_key_is_told_and_tried_again_and_nothing_of_it_is_shown(
    server: Running, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG), listening(f"{server.sockets}/stream", secret="hunter2") as stream:
        health = until(stream, lambda found: "not authorised" in found.problem)
        assert not stream.wait_connected(0.1)
        assert not stream.take()
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("uvicorn")]
    shown = (health, repr(stream), vars(stream), *ours, *capfd.readouterr())
    assert "hunter2" not in "".join(map(str, shown))


def test_nobody_there_is_told_and_tried_again() -> None:
    with talking(authorise) as url:
        pass
    with listening(url) as stream:
        until(stream, lambda health: "cannot connect: ConnectionRefusedError" in health.problem)


def test_a_mute_server_is_left_after_a_while_and_the_next_attempt_may_do() -> None:
    calls: Queue[int] = Queue()

    def talk(socket: ServerConnection) -> None:
        calls.put(1)
        if calls.qsize() == 1:
            socket.recv()
            socket.recv()
        else:
            authorise(socket)
            socket.recv()

    with talking(talk) as url, listening(url, start_seconds=0.3) as stream:
        until(stream, lambda health: "no answer" in health.problem)
        assert stream.wait_connected(20)


def test_a_socket_that_stays_open_and_mute_is_connected_and_says_so() -> None:
    def talk(socket: ServerConnection) -> None:
        authorise(socket)
        socket.recv()

    with talking(talk) as url, listening(url) as stream:
        assert stream.wait_connected(20)
        time.sleep(0.3)
        health = stream.health()
        assert (health.connected, health.message_seconds, health.reconnects) == (True, None, 0)
        assert health.connected_seconds is not None
        assert health.connected_seconds >= 0.3


def test_nonsense_between_two_updates_changes_nothing() -> None:
    more = threading.Event()

    def talk(socket: ServerConnection) -> None:
        authorise(socket)
        for nonsense in (
            "",
            "{",
            "[]",
            "7",
            "null",
            '{"stream": 7}',
            '{"stream": "trade_updates"',
            b"\xff\xfe",
            "[" * 9000,
        ):
            socket.send(nonsense)
        assert more.wait(8)
        socket.send(UPDATE)
        socket.recv()

    with talking(talk) as url, listening(url) as stream:
        assert stream.wait_connected(20)
        time.sleep(0.5)
        assert stream.health().connected
        assert not stream.take()
        more.set()
        until(stream, lambda health: health.message_seconds is not None)
        assert stream.take()
        assert not stream.take()


def test_an_update_that_makes_no_sense_is_news_like_any_other() -> None:
    def talk(socket: ServerConnection) -> None:
        authorise(socket)
        socket.send(json.dumps({"stream": "trade_updates", "data": {"event": "frog", "order": {"qty": "NaN"}}}))
        socket.recv()

    with talking(talk) as url, listening(url) as stream:
        until(stream, lambda health: health.message_seconds is not None)
        assert stream.take()


def test_a_server_that_never_says_goodbye_does_not_hold_up_the_end() -> None:
    ended = threading.Event()

    def talk(socket: ServerConnection) -> None:
        authorise(socket)
        socket.socket.setblocking(False)
        ended.wait(8)

    with talking(talk) as url:
        with listening(url) as stream:
            assert stream.wait_connected(20)
        ended.set()


def test_it_can_be_closed_before_it_is_connected_or_started() -> None:
    stream = TradeStream("ws://127.0.0.1:9/stream", SecretStr(KEY), SecretStr(SECRET))
    stream.close()
    with listening("ws://127.0.0.1:9/stream"):
        pass
