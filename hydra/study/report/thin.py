"""As few points as there are pixels across: of each column the first, the lowest, the highest and the last stay."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from hydra.study.curve import Floats, Ints

COLUMNS = 800


def thin(values: Floats, columns: int = COLUMNS) -> Ints:
    """The places of the points to draw, in order. Everything, when there are no more than four a column."""
    count = len(values)
    if count <= columns * 4:
        return np.arange(count, dtype=np.int64)
    edges = _edges(count, columns)
    kept: list[int] = []
    for start, end in pairwise(edges.tolist()):
        part = values[start:end]
        kept += sorted({start, start + int(np.argmin(part)), start + int(np.argmax(part)), end - 1})
    return np.array(kept, dtype=np.int64)


def _edges(count: int, columns: int) -> Ints:
    return np.unique(np.linspace(0, count, columns + 1).astype(np.int64))
