"""The WebSocket streams: news of orders, and the market as it is played."""

from __future__ import annotations

from starlette.routing import BaseRoute, WebSocketRoute
from starlette.websockets import WebSocket

from hydra.adapters.exchange.server.context import Context
from hydra.adapters.exchange.server.streams.hub import StreamHub
from hydra.adapters.exchange.server.streams.market import MarketTalk
from hydra.adapters.exchange.server.streams.subscriptions import DOORS, Door
from hydra.adapters.exchange.server.streams.trading import TradingTalk


def routes(context: Context) -> list[BaseRoute]:
    """Every stream; none when the context has no ``StreamHub``."""
    hub = context.hub
    if not isinstance(hub, StreamHub):
        return []

    async def orders(socket: WebSocket) -> None:
        await hub.start()
        await TradingTalk(context.options, hub, socket).run()

    def market(door: Door) -> BaseRoute:
        async def talk(socket: WebSocket) -> None:
            await hub.start()
            await MarketTalk(context.options, hub, door, socket).run()

        return WebSocketRoute(door.path, talk)

    return [WebSocketRoute("/stream", orders), *map(market, DOORS)]
