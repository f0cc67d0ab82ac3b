"""The simulated exchange keeps the broker's contract, in memory and on its books."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.adapters.exchange.scenes import Scene, open_books
from tests.contracts.broker_contract import BrokerContract


class TestInMemory(BrokerContract):
    @pytest.fixture
    def scene(self) -> Scene:
        return Scene()


class TestOnBooks(BrokerContract):
    @pytest.fixture
    def scene(self, tmp_path: Path) -> Scene:
        return Scene(books=open_books(tmp_path))
