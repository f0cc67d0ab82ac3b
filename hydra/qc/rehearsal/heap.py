"""The garbage collector stands still while a voyage is played.

A voyage keeps its whole journal, and each full collection would walk over all of it and over the program besides: a sixth of a voyage's
time. What a voyage leaves behind is collected before the next one; what it lets go of within is freed at once, as ever.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def settled_heap() -> Iterator[None]:
    """Collect what the last one has left, set what is alive aside, and collect nothing until the end."""
    collecting = gc.isenabled()
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
