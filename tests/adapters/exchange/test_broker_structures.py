"""The simulated exchange keeps the contract of structures, in memory and on its books."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.adapters.exchange.scenes import open_books
from tests.contracts.structure_contract import StructureContract
from tests.contracts.structure_stage import StructureStage


class TestInMemory(StructureContract):
    @pytest.fixture
    def option_scene(self) -> StructureStage:
        return StructureStage()


class TestOnBooks(StructureContract):
    @pytest.fixture
    def option_scene(self, tmp_path: Path) -> StructureStage:
        return StructureStage(books=open_books(tmp_path))
