"""Every clock and every market keeps its contract."""

from __future__ import annotations

import threading
from datetime import datetime

import pytest

from hydra.adapters.clock import RealClock
from hydra.adapters.exchange.doors import SimClock, SimMarket
from hydra.ports import Clock
from tests.contracts.clock_contract import ClockContract
from tests.contracts.market_contract import MarketContract
from tests.fakes.outside import Stage


class TestRealClock(ClockContract):
    @pytest.fixture
    def clock(self) -> Clock:
        return RealClock(threading.Event())


class TestSimClock(ClockContract):
    @pytest.fixture
    def clock(self) -> Clock:
        return SimClock(Stage().venue)


class Scene:
    """A simulated market after its third bar."""

    def __init__(self) -> None:
        self.venue = Stage().venue
        self.market = SimMarket(self.venue)
        self.advance()
        self.advance()

    def now(self) -> datetime:
        return self.venue.now

    def advance(self) -> bool:
        return self.venue.advance()


class TestSimMarket(MarketContract):
    @pytest.fixture
    def scene(self) -> Scene:
        return Scene()
