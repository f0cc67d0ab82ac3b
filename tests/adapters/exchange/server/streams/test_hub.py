"""Handing news round: to everybody, at the pace of those who read."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any, cast

from starlette.websockets import WebSocket

from hydra.adapters.exchange.interface import Exchange, Listener
from hydra.adapters.exchange.model import News, Update
from hydra.adapters.exchange.server.streams.client import Client
from hydra.adapters.exchange.server.streams.hub import Limits, StreamHub, Subscriber
from hydra.adapters.exchange.server.streams.subscriptions import DOORS, Subscriptions
from tests.adapters.exchange.server.data.asking import MINUTE, OPEN, FakeExchange, minutes
from tests.adapters.exchange.server.scenes import Stage
from tests.adapters.exchange.server.streams.test_client import SLOW, FakeSocket, for_ever
from tests.fakes.feed import ScriptedFeed

SIP = next(each for each in DOORS if each.path == "/v2/sip")


class Playing(FakeExchange):
    """A fake exchange that can be subscribed to."""

    def __init__(self) -> None:
        super().__init__(ScriptedFeed(minutes("SPY", OPEN, *range(100, 300))), OPEN)
        self.listeners: list[Listener] = []

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        self.listeners.append(listener)
        return lambda: self.listeners.remove(listener)


def _scene(scene: Callable[[Playing, StreamHub], Awaitable[None]], limits: Limits) -> None:
    async def run() -> None:
        exchange = Playing()
        hub = StreamHub(cast(Exchange, exchange), limits=limits)
        await hub.start()
        await hub.start()
        assert len(exchange.listeners) == 1
        async with asyncio.timeout(20):
            await scene(exchange, hub)
        await hub.stop()
        assert exchange.listeners == []

    asyncio.run(run())


def _join(hub: StreamHub, socket: FakeSocket) -> tuple[Subscriber, asyncio.Task[None]]:
    client = Client(cast(WebSocket, socket), "stream.data", None, listed=True, queue_max=hub.limits.news)
    subscriber = Subscriber(client, SIP, Subscriptions(SIP, {}))
    hub.tune(subscriber)
    subscriber.wanted.change({"bars": ["SPY"]}, add=True)
    hub.subscribers.add(subscriber)
    return subscriber, asyncio.create_task(client.converse(for_ever, SLOW))


def _closes(socket: FakeSocket) -> list[Any]:
    return [message["c"] for frame in socket.frames for message in frame if message["T"] == "b"]


def test_a_client_that_is_stuck_is_let_go_and_the_others_hear_everything():
    async def scene(exchange: Playing, hub: StreamHub) -> None:
        stuck, well = FakeSocket(), FakeSocket()
        stuck.reads.clear()
        (slow, _), (good, _) = _join(hub, stuck), _join(hub, well)
        exchange.now = OPEN + 150 * MINUTE
        begun = time.monotonic()
        await hub.played()
        assert time.monotonic() - begun < 3
        await good.client.said()
        assert _closes(well) == list(range(100, 250))
        assert slow.client.slow.is_set()
        assert not good.client.slow.is_set()

    _scene(scene, Limits(news=50, patience=0.05))


def test_a_client_that_reads_is_waited_for_however_much_there_is():
    async def scene(exchange: Playing, hub: StreamHub) -> None:
        socket = FakeSocket()
        subscriber, _ = _join(hub, socket)
        exchange.now = OPEN + 200 * MINUTE
        await hub.played()
        await subscriber.client.said()
        assert _closes(socket) == list(range(100, 300))

    _scene(scene, Limits(news=45, patience=2))


def test_who_subscribes_later_hears_of_nothing_that_was_before():
    async def scene(exchange: Playing, hub: StreamHub) -> None:
        exchange.now = OPEN + 10 * MINUTE
        await hub.played()
        socket = FakeSocket()
        subscriber, _ = _join(hub, socket)
        await hub.played()
        exchange.now += timedelta(seconds=90)
        await hub.played()
        await subscriber.client.said()
        assert _closes(socket) == [110]

    _scene(scene, Limits())


def test_news_of_orders_made_on_another_thread_reaches_the_listeners():
    stage = Stage()
    told: list[Sequence[Update]] = []
    stage.venue.subscribe(told.append)
    stage.buy()
    updates = [each for batch in told for each in batch]
    assert [each.news for each in updates] == [News.NEW, News.FILL]

    async def scene(exchange: Playing, hub: StreamHub) -> None:
        hub.exchange = cast(Exchange, stage.venue)
        socket = FakeSocket()
        client = Client(cast(WebSocket, socket), "stream.trades", None, listed=False, queue_max=10)
        hub.listeners.add(client)
        task = asyncio.create_task(client.converse(for_ever, SLOW))
        thread = threading.Thread(target=exchange.listeners[0], args=(updates,))
        thread.start()
        while len(socket.frames) < 2:
            await asyncio.sleep(0.01)
        thread.join()
        task.cancel()
        assert [each["data"]["event"] for each in socket.frames] == ["new", "fill"]

    _scene(scene, Limits())
