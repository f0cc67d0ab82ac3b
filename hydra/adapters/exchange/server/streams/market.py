"""The data streams: connected, authenticated, subscribed, and then what happens in the market.

Messages come in lists, in JSON or, for clients that connect with ``Content-Type: application/msgpack``, in MessagePack. Keys may be
sent as a message within ten seconds, or in the headers. Errors have Alpaca's codes: 400 invalid syntax, 401 not
authenticated, 402 auth failed, 403 already authenticated, 404 auth timeout, 405 symbol limit exceeded, 406 connection
limit exceeded, 407 slow client, 410 invalid subscribe action for this feed, 412 MessagePack only. 402, 404, 406, 407 and 412
end the conversation.
"""

from __future__ import annotations

import asyncio

from starlette.websockets import WebSocket

from hydra.adapters.exchange.server.auth import allowed, credentials
from hydra.adapters.exchange.server.context import ServerOptions
from hydra.adapters.exchange.server.streams.client import Client, Gone
from hydra.adapters.exchange.server.streams.codec import Message
from hydra.adapters.exchange.server.streams.hub import StreamHub, Subscriber
from hydra.adapters.exchange.server.streams.subscriptions import (
    TEST_SYMBOL,
    Door,
    Fault,
    Subscriptions,
    invalid_syntax,
)
from hydra.adapters.exchange.server.streams.trading import heard, keys_in
from hydra.model.market import AssetClass, asset_class_of

OPERATION = "stream.data"
_ENDING = frozenset({402, 404, 406, 412})
_SLOW = Fault(407, "slow client").message


class MarketTalk:
    """The conversation with one client of a data stream."""

    def __init__(self, options: ServerOptions, hub: StreamHub, door: Door, socket: WebSocket) -> None:
        self._options = options
        self._hub = hub
        self._door = door
        self._socket = socket
        self._client = Client(socket, OPERATION, hub.tap, listed=True, queue_max=hub.limits.news)
        self._subscriber = Subscriber(self._client, door, Subscriptions(door, self._aliases()))
        self._known = False

    async def run(self) -> None:
        """Talk until one side has enough."""
        await self._socket.accept()
        try:
            await self._client.converse(self._talk, _SLOW)
        finally:
            self._hub.subscribers.discard(self._subscriber)

    async def _talk(self) -> None:
        self._say({"T": "success", "msg": "connected"})
        if self._door.packed_only and not self._client.packed:
            self._blame(Fault(412, "option messages are only available in MsgPack format"))
        given = credentials(self._socket.headers)
        if given != ("", ""):
            self._check(*given)
        try:
            async with asyncio.timeout(self._hub.limits.auth):
                while not self._known:
                    self._obey(await heard(self._socket))
        except TimeoutError:
            self._blame(Fault(404, "auth timeout"))
        while True:
            self._obey(await heard(self._socket))

    def _obey(self, message: Message | None) -> None:
        try:
            self._act(message)
        except Fault as fault:
            self._blame(fault)

    def _act(self, message: Message | None) -> None:
        action = message.get("action") if message else None
        if message is None or action not in ("auth", "authenticate", "subscribe", "unsubscribe"):
            raise invalid_syntax()
        if action in ("auth", "authenticate"):
            if self._known:
                raise Fault(403, "already authenticated")
            self._check(*keys_in(message))
            return
        if not self._known:
            raise Fault(401, "not authenticated")
        wanted = self._subscriber.wanted
        if wanted.empty:
            self._hub.tune(self._subscriber)
        wanted.change(message, add=action == "subscribe")
        self._say(wanted.state())

    def _check(self, key: str, secret: str) -> None:
        if not allowed(self._options, key, secret):
            self._blame(Fault(402, "auth failed"))
        if self._hub.connections(self._door.path) >= self._hub.limits.connections:
            self._blame(Fault(406, "connection limit exceeded"))
        self._known = True
        self._hub.subscribers.add(self._subscriber)
        self._say({"T": "success", "msg": "authenticated"})

    def _blame(self, fault: Fault) -> None:
        self._say(fault.message)
        if fault.message["code"] in _ENDING:
            raise Gone

    def _say(self, message: Message) -> None:
        self._client.offer([message], news=False)

    def _aliases(self) -> dict[str, str]:
        if not self._door.path.endswith("/test"):
            return {}
        shares = (each for each in self._hub.exchange.feed.symbols if asset_class_of(each) is AssetClass.EQUITY)
        first = next(shares, None)
        return {} if first is None else {TEST_SYMBOL: first}
