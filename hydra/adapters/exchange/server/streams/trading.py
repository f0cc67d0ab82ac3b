"""``/stream``: authenticate, listen to ``trade_updates``, and hear of every change of an order.

``{"action": "authenticate", "data": {"key_id": ..., "secret_key": ...}}`` and ``{"action": "auth", "key": ..., "secret": ...}`` are the
same. ``listen`` names all streams wanted from then on; an empty list ends it. Who is not authenticated within ten
seconds, or with a wrong key, is told ``unauthorized`` and let go.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, NoReturn

from starlette.websockets import WebSocket, WebSocketDisconnect

from hydra.adapters.exchange.server.auth import allowed, credentials
from hydra.adapters.exchange.server.context import ServerOptions
from hydra.adapters.exchange.server.streams.client import Client, Gone
from hydra.adapters.exchange.server.streams.codec import Message, read
from hydra.adapters.exchange.server.streams.hub import StreamHub
from hydra.adapters.exchange.server.streams.orders import TRADE_UPDATES

OPERATION = "stream.trades"
_SLOW: Message = {"stream": "error", "data": {"code": 407, "msg": "slow client"}}


class TradingTalk:
    """The conversation with one client of the trading stream."""

    def __init__(self, options: ServerOptions, hub: StreamHub, socket: WebSocket) -> None:
        self._options = options
        self._hub = hub
        self._socket = socket
        self._client = Client(socket, OPERATION, hub.tap, listed=False, queue_max=hub.limits.updates)
        self._known = allowed(options, *credentials(socket.headers))

    async def run(self) -> None:
        """Talk until one side has enough."""
        await self._socket.accept()
        try:
            await self._client.converse(self._talk, _SLOW)
        finally:
            self._hub.listeners.discard(self._client)

    async def _talk(self) -> None:
        try:
            async with asyncio.timeout(self._hub.limits.auth):
                while not self._known:
                    self._authenticate(await heard(self._socket))
        except TimeoutError:
            self._refuse("authenticate")
        while True:
            self._obey(await heard(self._socket))

    def _authenticate(self, message: Message | None) -> None:
        action = message.get("action") if message else None
        if message is None or action not in ("authenticate", "auth"):
            self._refuse(action if isinstance(action, str) else "")
        key, secret = keys_in(message)
        if not allowed(self._options, key, secret):
            self._refuse("authenticate")
        self._known = True
        self._authorized()

    def _authorized(self) -> None:
        self._say("authorization", {"status": "authorized", "action": "authenticate"})

    def _obey(self, message: Message | None) -> None:
        action = message.get("action") if message else None
        if message is None or action not in ("listen", "authenticate", "auth"):
            self._say("error", {"code": 400, "msg": "invalid syntax"})
        elif action == "listen":
            self._listen(message.get("data"))
        else:
            self._authorized()

    def _listen(self, data: Any) -> None:
        streams = data.get("streams") if isinstance(data, dict) else None
        if (
            not isinstance(streams, Sequence)
            or isinstance(streams, str)
            or any(type(one) is not str for one in streams)
        ):
            self._say("error", {"code": 400, "msg": "invalid syntax"})
            return
        served = [each for each in streams if each == TRADE_UPDATES][:1]
        if (
            served
            and self._client not in self._hub.listeners
            and len(self._hub.listeners) >= self._hub.limits.connections
        ):
            self._say("error", {"code": 406, "msg": "connection limit exceeded"})
            raise Gone
        if served:
            self._hub.listeners.add(self._client)
        else:
            self._hub.listeners.discard(self._client)
        self._say("listening", {"streams": served})

    def _refuse(self, action: str) -> NoReturn:
        self._say("authorization", {"status": "unauthorized", "action": action})
        raise Gone

    def _say(self, stream: str, data: dict[str, Any]) -> None:
        self._client.offer([{"stream": stream, "data": data}], news=False)


async def heard(socket: WebSocket) -> Message | None:
    """The next message of a client; ``None`` when it cannot be read. Raises ``WebSocketDisconnect`` at the end."""
    frame = await socket.receive()
    if frame["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(frame.get("code", 1005))
    found = frame.get("text")
    return read(frame.get("bytes") or b"" if found is None else found)


def keys_in(message: Message) -> tuple[str, str]:
    """Key and secret in either spelling; empty where they are not."""
    data = message.get("data")
    inner = data if isinstance(data, dict) else {}
    key = message.get("key", inner.get("key_id", ""))
    secret = message.get("secret", inner.get("secret_key", ""))
    return (key, secret) if isinstance(key, str) and isinstance(secret, str) else ("", "")
