"""A stage for every test that asks for one."""

from __future__ import annotations

import pytest

from tests.adapters.exchange.server.scenes import Stage


@pytest.fixture
def stage() -> Stage:
    """The usual stage."""
    return Stage()
