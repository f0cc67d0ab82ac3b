"""News of orders, as a freshener: it may make the next cycle look sooner, and nothing is ever taken from it as true.

alpaca-py's ``TradingStream`` runs in a daemon thread. What it says only sets a flag, which the clock's wait looks at. A stream that
is mute, drops, talks nonsense or may not authenticate changes nothing but its own health. It comes back by itself, after pauses
that grow to half a minute.

The chosen oddity: the client is a subclass that goes through three of its inner steps (connect, dispatch, close), because the public
surface neither says whether it is connected, nor bounds how long a mute server may keep it from authenticating, nor ends in less
than five seconds. alpaca-py is held to one minor version, and the tests drive all of this over real sockets.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr

START_SECONDS = 10.0
"""How long connecting and authenticating may take."""
CLOSE_SECONDS = 1.0
JOIN_SECONDS = 3.0
_LOGGERS = ("alpaca.trading.stream", "websockets.client")


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamHealth:
    """How the stream is. Seconds are ages; ``None`` is never. ``problem`` is what went wrong last, empty while connected."""

    connected: bool
    connected_seconds: float | None
    message_seconds: float | None
    connects: int
    reconnects: int
    problem: str


class TradeStream:
    """The trade updates of one account. Start it once; ``close`` ends it for good.

    ``monotonic`` is in seconds; ``start_seconds`` bounds each attempt to connect.
    """

    def __init__(
        self,
        url: str,
        key: SecretStr,
        secret: SecretStr,
        *,
        start_seconds: float = START_SECONDS,
        longest_pause_seconds: float = 30.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.url = url
        self._key, self._secret = key, secret
        self._start_seconds = start_seconds
        self._longest_pause = longest_pause_seconds
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._news = False
        self._connected_at: float | None = None
        self._message_at: float | None = None
        self._connects = 0
        self._problem = "not started"
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._session: Any = None
        self._ending = threading.Event()
        self._over: asyncio.Event | None = None

    def start(self) -> None:
        """Begin to connect, in the background."""
        if self._thread is not None:
            return
        self._problem = "not connected yet"
        self._thread = threading.Thread(target=self._run, name="trade updates", daemon=True)
        self._thread.start()

    def take(self) -> bool:
        """True when something was heard since it was last asked."""
        with self._lock:
            news, self._news = self._news, False
            return news

    def health(self) -> StreamHealth:
        """How it is right now."""
        now = self._monotonic()
        with self._lock:
            since, heard = self._connected_at, self._message_at
            return StreamHealth(
                connected=since is not None,
                connected_seconds=None if since is None else now - since,
                message_seconds=None if heard is None else now - heard,
                connects=self._connects,
                reconnects=max(0, self._connects - 1),
                problem="" if since is not None else self._problem,
            )

    def wait_connected(self, seconds: float, *, after: int = 0) -> bool:
        """Wait until it is connected, and has been more than ``after`` times; False when it takes longer than ``seconds``."""
        with self._changed:
            return self._changed.wait_for(
                lambda: self._connected_at is not None and self._connects > after, timeout=seconds
            )

    def drop(self) -> None:
        """Let go of the connection; it comes back by itself."""
        loop, session = self._loop, self._session
        if loop is not None and session is not None and not loop.is_closed():
            self._lost("dropped")
            asyncio.run_coroutine_threadsafe(session.drop(), loop)

    def close(self) -> None:
        """End it, within a few seconds whatever the other side does."""
        self._ending.set()
        loop, over = self._loop, self._over
        if loop is not None and over is not None and not loop.is_closed():
            with suppress(RuntimeError):  # it ended in between
                loop.call_soon_threadsafe(over.set)
        if self._thread is not None:
            self._thread.join(JOIN_SECONDS)

    def _run(self) -> None:
        try:
            asyncio.run(self._listen())
        except (OSError, RuntimeError, ImportError) as error:
            self._lost(f"{type(error).__name__}: ended")

    async def _listen(self) -> None:
        self._over = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        session = self._session = _session_of(self)
        session.subscribe_trade_updates(self._hear)
        if self._ending.is_set():
            return
        running = asyncio.create_task(session.listen_forever())
        ending = asyncio.create_task(self._over.wait())
        await asyncio.wait((running, ending), return_when=asyncio.FIRST_COMPLETED)
        ending.cancel()
        while not running.done():
            # Once is not enough: a wait that ends in the same moment loses the cancellation (Python before 3.12).
            running.cancel()
            await asyncio.wait((running,), timeout=0.1)
        await asyncio.gather(running, ending, return_exceptions=True)
        await session.let_go()
        self._lost("closed")

    async def _hear(self, _message: Any) -> None:
        """Something happened to an order. What it was is asked for elsewhere."""
        with self._lock:
            self._message_at = self._monotonic()
            self._news = True

    def _began(self) -> None:
        with self._changed:
            self._connects += 1
            self._connected_at = self._monotonic()
            self._news = self._connects > 1 or self._news  # what happened while it was away was not heard
            self._changed.notify_all()

    def _lost(self, problem: str) -> None:
        with self._changed:
            self._connected_at = None
            self._problem = problem
            self._changed.notify_all()


def _session_of(stream: TradeStream) -> Any:
    """alpaca-py's client, imported here so that only who has a stream pays for it."""
    from alpaca.trading.stream import TradingStream
    from websockets import WebSocketException

    class Session(TradingStream):
        """The client, telling when it is connected and when it is not."""

        async def listen_forever(self) -> None:
            client: Any = self
            await client._run_forever()

        async def _start_ws(self) -> None:
            client: Any = super()
            try:
                await asyncio.wait_for(client._start_ws(), stream._start_seconds)
            except (OSError, EOFError, ValueError, TypeError, AttributeError, WebSocketException) as error:
                stream._lost(_said(error))
                raise
            stream._began()

        async def close(self) -> None:
            if stream.health().connected:
                stream._lost("the connection ended")
            await self.let_go()

        async def let_go(self) -> None:
            """Close the socket, if there is one, within a bound."""
            socket: Any = self._ws
            self._ws = None
            self._running = False
            if socket is not None:
                socket.close_timeout = CLOSE_SECONDS
                await socket.close()

        async def drop(self) -> None:
            """Cut the connection; reading it then fails, and the loop connects again."""
            socket: Any = self._ws
            if socket is not None:
                await socket.close()

    for name in _LOGGERS:
        # What they would print is in the stream's health, in a line; a run's screen is not theirs.
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    session = Session(
        stream._key.get_secret_value(),
        stream._secret.get_secret_value(),
        raw_data=True,
        url_override=stream.url,
        websocket_params={
            "ping_interval": 10,
            "ping_timeout": 20,
            "close_timeout": CLOSE_SECONDS,
            "open_timeout": stream._start_seconds,
            "max_queue": 1024,
        },
    )
    session._reconnect_max_backoff = stream._longest_pause
    return session


def _said(error: BaseException) -> str:
    """A failure in a few words of ours; the server's own might repeat what it was sent."""
    if isinstance(error, TimeoutError):
        return "no answer to connecting or authenticating"
    if isinstance(error, ValueError | AttributeError | TypeError):
        return "not authorised, or an answer that cannot be read"
    return f"cannot connect: {type(error).__name__}"
