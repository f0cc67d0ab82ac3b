"""Where tests find real market data, which lies beside the repository and is not part of it."""

from __future__ import annotations

from pathlib import Path

import pytest


def shared_data() -> Path:
    """The folder of shared data; the test is skipped where there is none."""
    folder = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("no real market data: ../shared/data does not exist beside the repository")
    return folder
