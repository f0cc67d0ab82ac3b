"""The simulated exchange keeps the broker's contract, in memory and on its books."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.adapters.exchange.scenes import open_books
from tests.contracts.broker_contract import BrokerContract, ShortSaleContract
from tests.contracts.stage import MARGIN_ACCOUNT, BrokerStage


class TestInMemory(BrokerContract, ShortSaleContract):
    @pytest.fixture
    def scene(self) -> BrokerStage:
        return BrokerStage()

    @pytest.fixture
    def margin_scene(self) -> BrokerStage:
        return BrokerStage(MARGIN_ACCOUNT)


class TestOnBooks(BrokerContract, ShortSaleContract):
    @pytest.fixture
    def scene(self, tmp_path: Path) -> BrokerStage:
        return BrokerStage(books=open_books(tmp_path))

    @pytest.fixture
    def margin_scene(self, tmp_path: Path) -> BrokerStage:
        return BrokerStage(MARGIN_ACCOUNT, open_books(tmp_path))
