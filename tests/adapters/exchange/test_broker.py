"""The simulated exchange keeps the broker's contract, in memory and on its books."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.adapters.exchange.scenes import open_books
from tests.contracts.broker_contract import AlpacaAccountContract, BrokerContract, ShortSaleContract
from tests.contracts.stage import ALPACA_ACCOUNT, MARGIN_ACCOUNT, BrokerStage


class TestInMemory(BrokerContract, ShortSaleContract, AlpacaAccountContract):
    @pytest.fixture
    def scene(self) -> BrokerStage:
        return BrokerStage()

    @pytest.fixture
    def margin_scene(self) -> BrokerStage:
        return BrokerStage(MARGIN_ACCOUNT)

    @pytest.fixture
    def alpaca_scene(self) -> BrokerStage:
        return BrokerStage(ALPACA_ACCOUNT)


class TestOnBooks(BrokerContract, ShortSaleContract, AlpacaAccountContract):
    @pytest.fixture
    def scene(self, tmp_path: Path) -> BrokerStage:
        return BrokerStage(books=open_books(tmp_path))

    @pytest.fixture
    def margin_scene(self, tmp_path: Path) -> BrokerStage:
        return BrokerStage(MARGIN_ACCOUNT, open_books(tmp_path))

    @pytest.fixture
    def alpaca_scene(self, tmp_path: Path) -> BrokerStage:
        return BrokerStage(ALPACA_ACCOUNT, open_books(tmp_path))
