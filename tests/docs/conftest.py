"""Where the documents are tried out."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

_MEMORY = Path("/dev/shm")  # noqa: S108  # a folder of our own is made below it
_ROOM = 1 << 30


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """A folder, in memory where there is room: nothing here is about durability, and everything syncs."""
    if not _MEMORY.is_dir() or shutil.disk_usage(_MEMORY).free < _ROOM:
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=_MEMORY, prefix="hydra-docs-") as name:
        yield Path(name)
