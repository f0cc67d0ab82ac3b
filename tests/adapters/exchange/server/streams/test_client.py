"""One client: its queue, its tap, and what happens when it does not read."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest
from starlette.websockets import WebSocket

from hydra.adapters.exchange.server.streams.client import Client, Gone

SLOW = {"T": "error", "code": 407, "msg": "slow client"}


class FakeSocket:
    """A socket whose reader may stop reading."""

    def __init__(self, content_type: str = "") -> None:
        self.headers = {"content-type": content_type}
        self.reads = asyncio.Event()
        self.reads.set()
        self.frames: list[Any] = []
        self.closed = False

    async def send_text(self, frame: str) -> None:
        await self.reads.wait()
        self.frames.append(json.loads(frame))

    async def close(self) -> None:
        await self.reads.wait()
        self.closed = True


def _client(socket: FakeSocket, tap: Any = None, *, listed: bool = True, queue_max: int = 10) -> Client:
    return Client(cast(WebSocket, socket), "stream.data", tap, listed=listed, queue_max=queue_max)


async def for_ever() -> None:
    """A conversation in which nothing is said."""
    await asyncio.Event().wait()


def _talk(scene: Callable[[], Awaitable[None]]) -> None:
    async def limited() -> None:
        async with asyncio.timeout(10):
            await scene()

    asyncio.run(limited())


def test_messages_are_sent_in_order_and_a_conversation_that_ends_closes_the_socket():
    async def scene() -> None:
        socket = FakeSocket()
        client = _client(socket, listed=False)

        async def talk() -> None:
            client.offer([{"a": 1}, {"a": 2}])
            await client.said()
            client.offer([{"bye": True}], news=False)
            raise Gone

        await client.converse(talk, SLOW)
        assert socket.frames == [{"a": 1}, {"a": 2}, {"bye": True}]
        assert socket.closed

    _talk(scene)


def test_messages_that_wait_together_share_a_frame_where_frames_are_lists():
    async def scene() -> None:
        socket = FakeSocket()
        client = _client(socket, queue_max=1000)

        async def talk() -> None:
            client.offer([{"n": place} for place in range(450)])
            await client.said()
            raise Gone

        await client.converse(talk, SLOW)
        assert [len(each) for each in socket.frames] == [200, 200, 50]

    _talk(scene)


def test_a_client_that_does_not_read_is_told_407_and_let_go():
    async def scene() -> None:
        socket = FakeSocket()
        client = _client(socket)
        socket.reads.clear()
        running = asyncio.ensure_future(client.converse(for_ever, SLOW))
        for place in range(20):
            client.offer([{"n": place}])
            await asyncio.sleep(0)
        assert client.slow.is_set()
        socket.reads.set()
        await running
        assert socket.frames[-1] == [SLOW]
        assert socket.closed
        client.offer([{"n": 21}])
        assert socket.frames[-1] == [SLOW]

    _talk(scene)


def test_a_client_that_never_reads_again_holds_nobody_up():
    async def scene() -> None:
        socket = FakeSocket()
        client = _client(socket, queue_max=2)
        socket.reads.clear()
        client.offer([{}, {}, {}])
        await asyncio.wait_for(client.converse(for_ever, SLOW), 5)
        assert socket.frames == []

    _talk(scene)


def test_news_passes_through_the_tap_and_the_conversation_does_not():
    async def tap(operation: str, message: Any) -> Any:
        assert operation == "stream.data"
        return {0: [], 1: [message, message], 2: [{**message, "n": math.nan}]}[message["n"]]

    async def scene() -> None:
        socket = FakeSocket()
        client = _client(socket, tap, listed=False)

        async def talk() -> None:
            client.offer([{"n": 0}, {"n": 1}, {"n": 2}])
            client.offer([{"said": True}], news=False)
            await client.said()
            raise Gone

        await client.converse(talk, SLOW)
        assert socket.frames[:2] == [{"n": 1}, {"n": 1}]
        assert math.isnan(socket.frames[2]["n"])
        assert socket.frames[3] == {"said": True}

    _talk(scene)


def test_a_tap_that_resets_the_connection_leaves_the_socket_unclosed():
    async def tap(operation: str, message: Any) -> Any:
        raise ConnectionResetError

    async def scene() -> None:
        socket = FakeSocket()
        client = _client(socket, tap)
        client.offer([{"n": 0}])
        await client.converse(for_ever, SLOW)
        assert not socket.closed
        assert socket.frames == []

    _talk(scene)


def test_a_failure_of_ours_is_raised_and_not_swallowed():
    async def tap(operation: str, message: Any) -> Any:
        raise LookupError("a mistake")

    async def scene() -> None:
        client = _client(FakeSocket(), tap)
        client.offer([{"n": 0}])
        await client.converse(for_ever, SLOW)

    with pytest.raises(LookupError, match="a mistake"):
        _talk(scene)
