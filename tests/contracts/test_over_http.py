"""The venue's other door keeps the contracts of ``Broker`` and ``Market`` too: over a socket, in the published protocol."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from hydra.adapters.alpaca.terms import STATUSES
from hydra.adapters.exchange.model import VenueSettings
from hydra.adapters.exchange.server.app import make_app
from hydra.adapters.exchange.server.context import ServerOptions
from hydra.adapters.exchange.server.serve import Serving
from hydra.adapters.exchange.venue import SimulatedVenue
from hydra.model.errors import Unreachable
from hydra.model.orders import OrderStatus
from hydra.ports import AckOutcome, Broker
from tests.contracts.broker_contract import AlpacaAccountContract, BrokerContract, ShortSaleContract, buy
from tests.contracts.lines import AlpacaPyLine, HttpLine, Line
from tests.contracts.market_contract import MarketContract
from tests.contracts.stage import ALPACA_ACCOUNT, CASH_ACCOUNT, MARGIN_ACCOUNT, BrokerStage, Hand, MarketStage
from tests.contracts.structure_contract import StructureContract
from tests.contracts.structure_stage import StructureStage
from tests.contracts.wire import WireBroker, WireMarket

KEY, SECRET = "PKTEST", "test-secret"
START_SECONDS = 20.0


class Server:
    """One listening server for all scenes; each puts its own application behind it. ``stop`` is bounded."""

    def __init__(self) -> None:
        self.app: ASGIApp | None = None
        self._bound: list[tuple[str, int]] = []
        self._up = threading.Event()
        self._serving = Serving()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._up.wait(START_SECONDS), "the server did not start"
        host, port = self._bound[0]
        keys = {"APCA-API-KEY-ID": KEY, "APCA-API-SECRET-KEY": SECRET}
        self.client = httpx.Client(base_url=f"http://{host}:{port}", headers=keys, timeout=20.0, trust_env=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Streams are not part of these suites, so nothing has to be started for each application."""
        if scope["type"] == "lifespan":
            for word in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{word}.complete"})
            return
        assert self.app is not None
        await self.app(scope, receive, send)

    def stand(self, venue: SimulatedVenue) -> None:
        """Have a venue answer from now on, in lockstep."""
        options = ServerOptions(key=KEY, secret=SECRET, rate_limit_per_minute=0, lockstep=True)
        self.app = make_app(venue, options)

    def move_to(self, at: datetime) -> None:
        """Move the clock as a client does."""
        self.client.post("/sim/clock", json={"to": at.isoformat()}).raise_for_status()

    def step(self) -> bool:
        """Move to the feed's next instant; False at its end."""
        answer = self.client.post("/sim/clock", json={"steps": 1}).raise_for_status()
        return bool(answer.json()["moved"])

    def stop(self) -> None:
        """End it."""
        self.client.close()
        self._serving.stop()
        self._thread.join(START_SECONDS)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        self._serving.run(self, "127.0.0.1", 0, self._ready)

    def _ready(self, host: str, port: int) -> None:
        self._bound.append((host, port))
        self._up.set()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.stop()


class Behind(Hand):
    """What every stage behind a server has: its clock moves over the socket, and its broker is a connection."""

    broker: Broker

    def stand_behind(self, server: Server) -> None:
        """Have the stage's venue answer, and connect to it."""
        self._server = server
        server.stand(self.venue)
        self.broker = self.again()

    def move_to(self, at: datetime) -> None:
        """Over the socket, too."""
        self._server.move_to(at)

    def again(self) -> Broker:
        """Another connection."""
        raise NotImplementedError


class Scene(Behind, BrokerStage):
    """The stage behind the socket.

    The protocol differs in that it lists exits that wait for their entry, as ``held``.
    """

    shows_waiting_exits = True

    def __init__(self, server: Server, settings: VenueSettings = CASH_ACCOUNT) -> None:
        super().__init__(settings)
        self.stand_behind(server)

    def again(self) -> Broker:
        """Another connection."""
        return WireBroker(self.line())

    def line(self) -> Line:
        """HTTP by itself."""
        return HttpLine(self._server.client)


class AlpacaPyScene(Scene):
    """The same, spoken to by alpaca-py."""

    def line(self) -> Line:
        """alpaca-py's client."""
        return AlpacaPyLine(str(self._server.client.base_url), KEY, SECRET)


class MarketScene(MarketStage):
    """The market behind the socket."""

    def __init__(self, server: Server) -> None:
        super().__init__()
        self._server = server
        server.stand(self.venue)
        self.market = WireMarket(server.client)

    def advance(self) -> bool:
        """Over the socket, once it is there."""
        return self._server.step() if hasattr(self, "_server") else super().advance()


class OptionScene(Behind, StructureStage):
    """The stage of structures behind the socket."""

    def __init__(self, server: Server, settings: VenueSettings = CASH_ACCOUNT) -> None:
        super().__init__(settings)
        self.stand_behind(server)

    def again(self) -> Broker:
        """Another connection."""
        return WireBroker(HttpLine(self._server.client))


class TestStructuresOverHttp(StructureContract):
    @pytest.fixture
    def option_scene(self, server: Server) -> OptionScene:
        return OptionScene(server)


class TestOverHttp(BrokerContract, ShortSaleContract, AlpacaAccountContract):
    @pytest.fixture
    def scene(self, server: Server) -> Scene:
        return Scene(server)

    @pytest.fixture
    def margin_scene(self, server: Server) -> Scene:
        return Scene(server, MARGIN_ACCOUNT)

    @pytest.fixture
    def alpaca_scene(self, server: Server) -> Scene:
        return Scene(server, ALPACA_ACCOUNT)


class TestOverAlpacaPy(BrokerContract, ShortSaleContract, AlpacaAccountContract):
    @pytest.fixture
    def scene(self, server: Server) -> AlpacaPyScene:
        return AlpacaPyScene(server)

    @pytest.fixture
    def margin_scene(self, server: Server) -> AlpacaPyScene:
        return AlpacaPyScene(server, MARGIN_ACCOUNT)

    @pytest.fixture
    def alpaca_scene(self, server: Server) -> AlpacaPyScene:
        return AlpacaPyScene(server, ALPACA_ACCOUNT)


class TestMarketOverHttp(MarketContract):
    @pytest.fixture
    def scene(self, server: Server) -> MarketScene:
        return MarketScene(server)


ORDER = {
    "id": "6d1f5a0e-8f0c-4bb1-9b3d-0d7b9a3f2c11",
    "client_order_id": "b1",
    "symbol": "SPY",
    "asset_class": "us_equity",
    "side": "buy",
    "type": "limit",
    "order_class": "simple",
    "qty": "10",
    "filled_qty": "4",
    "filled_avg_price": "95",
    "limit_price": "95",
    "stop_price": None,
    "updated_at": "2024-03-04T14:31:00.123456789Z",
}


def answering(status: int, **how: Any) -> WireBroker:
    """A broker before a server that answers everything in one way."""
    transport = httpx.MockTransport(lambda _: httpx.Response(status, **how))
    return WireBroker(HttpLine(httpx.Client(transport=transport, base_url="http://venue.test")))


@pytest.mark.parametrize("status", [400, 403, 404, 422])
def test_a_4xx_about_the_order_is_a_rejection_with_the_venues_words(status: int) -> None:
    ack = answering(status, json={"code": status * 100_000, "message": "not like this"}).submit(buy())
    assert ack.outcome is AckOutcome.REJECTED
    assert "not like this" in ack.reason


@pytest.mark.parametrize("status", [302, 401, 408, 429, 500, 502, 503, 504])
def test_any_other_status_is_no_answer(status: int) -> None:
    with pytest.raises(Unreachable):
        answering(status, json={"message": "not now"}).submit(buy())


@pytest.mark.parametrize("content", [b"<html></html>", b"", b"[]", b"null"], ids=["html", "empty", "list", "null"])
def test_a_success_that_is_not_an_order_is_no_answer(content: bytes) -> None:
    with pytest.raises(Unreachable):
        answering(200, content=content).submit(buy())


def test_every_published_status_is_understood_and_no_other() -> None:
    for status in set(STATUSES) - {"filled"}:
        order = answering(200, json={**ORDER, "status": status}).order("b1")
        assert order is not None
        assert order.status is not OrderStatus.ACCEPTED, "4 of 10 have filled"
    with pytest.raises(Unreachable, match="molten"):
        answering(200, json={**ORDER, "status": "molten"}).order("b1")


def test_a_connection_that_breaks_is_no_answer() -> None:
    def breaks(_: httpx.Request) -> httpx.Response:
        raise httpx.ReadError("reset by peer")

    client = httpx.Client(transport=httpx.MockTransport(breaks), base_url="http://venue.test")
    with pytest.raises(Unreachable):
        WireBroker(HttpLine(client)).submit(buy())
