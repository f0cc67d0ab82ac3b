"""Children that enter the sandbox, and a folder with a file nobody inside may touch."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.adapters.sandbox.child import Children


@pytest.fixture
def folder() -> Iterator[Path]:
    """Not below pytest's own, which an ordinary user cannot enter when the tests run as root."""
    with tempfile.TemporaryDirectory(prefix="hydra-sandbox-") as name:
        place = Path(name)
        (place / "kept").write_text("kept")
        (place / "spare").write_text("spare")
        (place / "spare-folder").mkdir()
        yield place


@pytest.fixture(scope="session")
def inside() -> Iterator[Children]:
    """Runs what a test wants in a child of its own."""
    children = Children()
    yield children
    children.close()
