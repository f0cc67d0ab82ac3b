"""Where news is handed round: every change of an order to those who listen, and the market to those who subscribed.

The exchange is played by somebody else. After each step they call ``played``, and everything that became known since the last
call is offered to the clients, instant by instant. A client that has much to read is waited for between instants, so a fast clock is
slowed by its listeners, up to a bound; who is still behind then is a slow client.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import NamedTuple

from hydra.adapters.exchange.interface import Exchange
from hydra.adapters.exchange.model import Update
from hydra.adapters.exchange.server.context import Tap
from hydra.adapters.exchange.server.data.tape import View
from hydra.adapters.exchange.server.streams.client import Client
from hydra.adapters.exchange.server.streams.line import LETTERS, Line, News
from hydra.adapters.exchange.server.streams.orders import update_message
from hydra.adapters.exchange.server.streams.subscriptions import EVERY, Door, Subscriptions
from hydra.model.market import AssetClass

_INSTANTS_A_TURN = 20


class Limits(NamedTuple):
    """What a client may ask of the streams.

    ``connections`` are authenticated clients on one stream, ``news`` and ``updates`` the messages that may wait for a client of
    a data stream and of the trading stream. ``patience`` is how many seconds the clock waits for a client whose queue is
    half full before it counts as slow; ``auth`` how many it has to authenticate.
    """

    connections: int = 64
    news: int = 10_000
    updates: int = 100_000
    patience: float = 2.0
    auth: float = 10.0


USUAL = Limits()


@dataclass(eq=False)
class Subscriber:
    """A client of a data stream, and what it wants to hear."""

    client: Client
    door: Door
    wanted: Subscriptions

    def hear(self, news: Sequence[News]) -> None:
        """Offer what it wants of some news."""
        self.client.offer(
            {"T": LETTERS[each.channel], "S": self.wanted.shown(each.symbol), **each.row}
            for each in news
            if self.wanted.wants(each.channel, each.symbol)
        )


@dataclass(eq=False)
class StreamHub:
    """The streams of one exchange. Used on one event loop only; ``tap`` is what every piece of news passes through."""

    exchange: Exchange
    tap: Tap | None = None
    limits: Limits = USUAL
    listeners: set[Client] = field(default_factory=set)
    subscribers: set[Subscriber] = field(default_factory=set)
    _lines: dict[tuple[AssetClass, timedelta], Line] = field(default_factory=dict)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _loop: asyncio.AbstractEventLoop | None = None
    _thread: int = 0
    _end: Callable[[], None] | None = None

    async def start(self) -> None:
        """Begin to listen to the exchange. Starting twice is one start."""
        if self._end is None:
            self._loop, self._thread = asyncio.get_running_loop(), threading.get_ident()
            self._end = self.exchange.subscribe(self._changed)

    async def stop(self) -> None:
        """Stop listening. Clients keep their sockets until the server closes them."""
        if self._end is not None:
            self._end()
            self._end = None

    def connections(self, path: str) -> int:
        """How many clients a data stream has."""
        return sum(1 for each in self.subscribers if each.door.path == path)

    def tune(self, subscriber: Subscriber) -> None:
        """Before a client's first subscription: a line nobody heard begins at the present."""
        door = subscriber.door
        line = self._lines.get((door.kind, door.delay))
        if line is None:
            line = self._lines[door.kind, door.delay] = Line(door.kind, door.delay, self.exchange.now - door.delay)
        if not self._hearing(line):
            line.seen = max(line.seen, self.exchange.now - door.delay)

    async def played(self) -> None:
        """Tell everything that became known up to the exchange's clock."""
        async with self._turn:
            for line in tuple(self._lines.values()):
                await self._tell(line)

    async def _tell(self, line: Line) -> None:
        view = View(self.exchange.feed, self.exchange.calendar, self.exchange.now)
        for count, at in enumerate(line.instants(view), 1):
            hearing = self._hearing(line)
            if not hearing:
                line.seen = max(line.seen, view.now - line.delay)
                return
            news = line.tell(view, at, _union(hearing))
            for each in hearing:
                each.hear(news)
            if count % _INSTANTS_A_TURN == 0:
                await self._give_way(hearing)
        await self._give_way(self._hearing(line))

    async def _give_way(self, hearing: Sequence[Subscriber]) -> None:
        """Let others run, and those who have much to read catch up."""
        await asyncio.sleep(0)
        busy = [each.client for each in hearing if each.client.busy]
        if not busy:
            return
        tasks = [asyncio.ensure_future(each.said()) for each in busy]
        await asyncio.wait(tasks, timeout=self.limits.patience)
        for task in tasks:
            task.cancel()
        for client in busy:
            if client.busy:
                client.give_up()

    def _hearing(self, line: Line) -> list[Subscriber]:
        key = (line.kind, line.delay)
        return [each for each in self.subscribers if (each.door.kind, each.door.delay) == key and not each.wanted.empty]

    def _changed(self, updates: Sequence[Update]) -> None:
        if not self.listeners or self._loop is None:
            return
        messages = [update_message(self.exchange, each) for each in updates]
        if threading.get_ident() == self._thread:
            self._spread(messages)
        else:
            self._loop.call_soon_threadsafe(self._spread, messages)

    def _spread(self, messages: Sequence[dict[str, object]]) -> None:
        for client in tuple(self.listeners):
            client.offer(messages)


def _union(hearing: Sequence[Subscriber]) -> Callable[[str], set[str]]:
    def wanted(channel: str) -> set[str]:
        found: set[str] = set().union(*(each.wanted.symbols(channel) for each in hearing))
        return {EVERY} if EVERY in found else found

    return wanted
