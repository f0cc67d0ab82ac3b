"""Times in reasons: the same for hours, written in every cycle, and dear to write."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache


@lru_cache(maxsize=1024)
def stamp(at: datetime, how: str) -> str:
    """A time as ``strftime`` writes it."""
    return at.strftime(how)
