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


def bands(low: Floats, high: Floats, columns: int = COLUMNS) -> tuple[Ints, Floats, Floats]:
    """The place in the middle of each column, and the lowest and the highest in it."""
    edges = _edges(len(low), min(columns, len(low)))
    if len(edges) < 2:
        return np.empty(0, dtype=np.int64), np.empty(0), np.empty(0)
    starts = edges[:-1]
    return (starts + edges[1:] - 1) // 2, np.minimum.reduceat(low, starts), np.maximum.reduceat(high, starts)


def _edges(count: int, columns: int) -> Ints:
    return np.unique(np.linspace(0, count, columns + 1).astype(np.int64))
