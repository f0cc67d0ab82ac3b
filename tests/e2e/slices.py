"""Long tables of cases: a slice of them in every ``make test``, all of them in ``make drill``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def sliced(cases: Iterable[Any], keep: int) -> list[Any]:
    """The cases for ``parametrize``; those after the first ``keep`` are marked for the drill alone."""
    rows = [case if isinstance(case, tuple) else (case,) for case in cases]
    return [pytest.param(*row, marks=[pytest.mark.drill] if n >= keep else []) for n, row in enumerate(rows)]
