"""A brief for every test, and the extra imported once, outside of every deadline."""

from __future__ import annotations

import pytest

from hydra.gladiators.brief import Brief
from tests.gladiators.candles import a_brief


@pytest.fixture(scope="session")
def brief() -> Brief:
    """A brief of a made-up market."""
    return a_brief()
