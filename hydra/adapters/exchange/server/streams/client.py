"""One connected socket: what waits to be sent to it, and the task that sends.

Offering never waits. A client that reads too slowly fills its own queue, is told 407 and let go; nobody else notices. News passes
through the tap just before it is encoded; what belongs to the conversation (connected, authenticated, listening, errors) does not.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress

from starlette.websockets import WebSocket, WebSocketDisconnect

from hydra.adapters.exchange.server.context import Tap
from hydra.adapters.exchange.server.streams.codec import PACKED, Message, written

BATCH_MAX = 200
"""Pieces of news in one frame, where frames carry several."""
FAREWELL_SECONDS = 1.0
"""How long a client may take to accept the last message."""


class Gone(Exception):
    """The conversation is over; what was said last has been sent, and the socket is to be closed properly."""


class Client:
    """A socket and its queue. ``listed``: frames carry lists of messages."""

    def __init__(self, socket: WebSocket, operation: str, tap: Tap | None, *, listed: bool, queue_max: int):
        self.socket = socket
        self.packed = PACKED in socket.headers.get("content-type", "")
        self.slow = asyncio.Event()
        self._operation = operation
        self._tap = tap
        self._listed = listed
        self._queue_max = queue_max
        self._waiting: deque[tuple[bool, Message]] = deque()
        self._some = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def busy(self) -> bool:
        """True when more than half of its queue is taken."""
        return len(self._waiting) > self._queue_max // 2

    def offer(self, messages: Iterable[Message], *, news: bool = True) -> None:
        """Have messages sent, in order. Past the queue's limit the client counts as slow and gets nothing more."""
        if self.slow.is_set():
            return
        self._waiting.extend((news, each) for each in messages)
        if not self._waiting:
            return
        self._idle.clear()
        self._some.set()
        if len(self._waiting) > self._queue_max:
            self.give_up()

    def give_up(self) -> None:
        """Count the client as slow."""
        self._waiting.clear()
        self._idle.set()
        self.slow.set()

    async def said(self) -> None:
        """Return when everything that was offered has been handed to the transport."""
        await self._idle.wait()

    async def converse(self, talk: Callable[[], Awaitable[None]], farewell: Message) -> None:
        """Run a conversation and the sending beside it, until one of them ends or the client is too slow.

        ``farewell`` is what a slow client is told. Leaves the socket closed, or to be dropped by the server.
        """
        tasks = [asyncio.ensure_future(each) for each in (talk(), self._send_all(), self.slow.wait())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
        if any(isinstance(each, WebSocketDisconnect | ConnectionResetError) for each in results):
            return
        for each in results:
            if isinstance(each, Exception) and not isinstance(each, Gone):
                raise each
        last = [each for _, each in self._waiting]
        if self.slow.is_set():
            last.append(farewell)
        self._waiting.clear()
        await self._part(last)

    async def _part(self, last: Sequence[Message]) -> None:
        with suppress(WebSocketDisconnect, TimeoutError, RuntimeError):
            async with asyncio.timeout(FAREWELL_SECONDS):
                for each in last:
                    await self._send_frame([each])
                await self.socket.close()

    async def _send_all(self) -> None:
        while True:
            if not self._waiting:
                self._some.clear()
                self._idle.set()
                await self._some.wait()
            found: list[Message] = []
            try:
                for news, message in self._batch():
                    found.extend(await self._tap(self._operation, message) if news and self._tap else (message,))
            except ConnectionResetError:
                await self._send_frame(found)
                raise
            await self._send_frame(found)

    def _batch(self) -> list[tuple[bool, Message]]:
        """What goes into the next frame: news that waits together, or one message of the conversation."""
        batch = [self._waiting.popleft()]
        while self._listed and batch[0][0] and self._waiting and self._waiting[0][0] and len(batch) < BATCH_MAX:
            batch.append(self._waiting.popleft())
        return batch

    async def _send_frame(self, messages: Sequence[Message]) -> None:
        for body in [list(messages)] if self._listed and messages else messages:
            frame = written(body, packed=self.packed)
            if isinstance(frame, bytes):
                await self.socket.send_bytes(frame)
            else:
                await self.socket.send_text(frame)
