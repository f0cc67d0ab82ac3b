"""Prices that anybody can work out."""

from __future__ import annotations

from math import sin
from pathlib import Path

import pytest

from tests.tournament.arenas import csv_of

MINUTES = 360


@pytest.fixture(scope="session")
def waves(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six hours of two pairs that swing, without a gap."""
    folder = tmp_path_factory.mktemp("waves")
    csv_of(folder, "BTC-USD", (60_000 + 900 * sin(minute / 9) for minute in range(MINUTES)))
    csv_of(folder, "ETH-USD", (3_000 + 45 * sin(minute / 7) for minute in range(MINUTES)))
    return folder
