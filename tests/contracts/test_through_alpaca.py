"""The adapter for Alpaca keeps the contract of ``Broker``: over a socket, through alpaca-py, before the simulated exchange."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from hydra.adapters.alpaca.access import Clients, clients_of
from hydra.adapters.alpaca.broker import AlpacaBroker
from hydra.adapters.alpaca.budget import Budget
from hydra.adapters.exchange.model import VenueSettings
from hydra.ports import Broker
from tests.adapters.alpaca.scripted import access_to
from tests.contracts.broker_contract import AlpacaAccountContract, BrokerContract, ShortSaleContract
from tests.contracts.stage import ALPACA_ACCOUNT, CASH_ACCOUNT, MARGIN_ACCOUNT, BrokerStage
from tests.contracts.structure_contract import StructureContract
from tests.contracts.structure_stage import StructureStage
from tests.contracts.test_over_http import KEY, SECRET, Behind, Server

REQUESTS_MOST = 100_000
"""A minute; these suites are not about the budget."""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def clients(server: Server) -> Clients:
    url = str(server.client.base_url)
    return clients_of(access_to(url, 10.0, key=KEY, secret=SECRET), Budget(REQUESTS_MOST, time.monotonic))


class ThroughAdapter(Behind):
    """What both stages behind the adapter have."""

    def adapt(self, server: Server, clients: Clients) -> None:
        """Stand behind the server, with the adapter as broker."""
        self._clients = clients
        self.stand_behind(server)

    def again(self) -> Broker:
        """A broker that knows nothing; the connection is the same."""
        return AlpacaBroker(self._clients, url=str(self._server.client.base_url), mode="sim")


class Scene(ThroughAdapter, BrokerStage):
    """The stage behind the adapter."""

    def __init__(self, server: Server, clients: Clients, settings: VenueSettings = CASH_ACCOUNT) -> None:
        super().__init__(settings)
        self.adapt(server, clients)


class OptionScene(ThroughAdapter, StructureStage):
    """The stage of structures behind the adapter."""

    def __init__(self, server: Server, clients: Clients, settings: VenueSettings = CASH_ACCOUNT) -> None:
        super().__init__(settings)
        self.adapt(server, clients)


class TestStructuresThroughAlpaca(StructureContract):
    @pytest.fixture
    def option_scene(self, server: Server, clients: Clients) -> OptionScene:
        return OptionScene(server, clients)


class TestThroughAlpaca(BrokerContract, ShortSaleContract, AlpacaAccountContract):
    @pytest.fixture
    def scene(self, server: Server, clients: Clients) -> Scene:
        return Scene(server, clients)

    @pytest.fixture
    def margin_scene(self, server: Server, clients: Clients) -> Scene:
        return Scene(server, clients, MARGIN_ACCOUNT)

    @pytest.fixture
    def alpaca_scene(self, server: Server, clients: Clients) -> Scene:
        return Scene(server, clients, ALPACA_ACCOUNT)
