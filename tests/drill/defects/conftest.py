"""One yard of healthy places for the session."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.drill.defects.yard import Yard, checkout
from tests.e2e.place import warmed


@pytest.fixture(scope="session")
def yard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Yard]:
    """Places are made when they are first asked for."""
    program = checkout(tmp_path_factory.mktemp("program") / "program")
    with warmed(program):
        yield Yard(tmp_path_factory.mktemp("yard"), program)
