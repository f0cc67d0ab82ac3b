"""A venue in this process on the made-up market, without a socket; what it answers is held against the documents."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.market import NOW, market
from tests.conformance.venues import InProcess, venue


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the calendar keeps its days."""
    return tmp_path_factory.mktemp("calendar")


@pytest.fixture
def door(cache: Path) -> Iterator[InProcess]:
    """A new one."""
    made = InProcess(venue(market(), cache, NOW))
    yield made
    made.close()
