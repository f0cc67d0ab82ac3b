"""Every clock and every market keeps its contract."""

from __future__ import annotations

import threading

import pytest

from hydra.adapters.clock import RealClock
from hydra.adapters.exchange.doors import SimClock
from hydra.ports import Clock
from tests.contracts.chain_stage import ChainStage
from tests.contracts.clock_contract import ClockContract
from tests.contracts.market_contract import ChainContract, MarketContract
from tests.contracts.stage import MarketStage
from tests.fakes.outside import Stage


class TestRealClock(ClockContract):
    @pytest.fixture
    def clock(self) -> Clock:
        return RealClock(threading.Event())


class TestSimClock(ClockContract):
    @pytest.fixture
    def clock(self) -> Clock:
        return SimClock(Stage().venue)


class TestSimMarket(MarketContract, ChainContract):
    @pytest.fixture
    def scene(self) -> MarketStage:
        return MarketStage()

    @pytest.fixture
    def chain_scene(self) -> ChainStage:
        return ChainStage()
