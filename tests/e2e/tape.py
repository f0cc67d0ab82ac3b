"""Recorded days made for a test: one-minute bars of a price that is a function of the minute, as files `--data` plays."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

OPEN = datetime(2025, 1, 6, 14, 30, tzinfo=UTC)
"""09:30 in New York."""
MINUTES = 390
GAP = 0.02
"""A larger step than this fraction is a gap: the bar opens where it closes."""


def swings(minute: int) -> float:
    """A price that crosses its averages every twenty minutes."""
    return 200 + 1.2 * math.sin(minute * math.pi / 20) + 0.002 * minute


def write_bars(
    folder: Path, symbol: str, price: Callable[[int], float | None], *, day: datetime = OPEN, minutes: int = MINUTES
) -> Path:
    """A file of bars; a minute without a price has none."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{symbol}-1min-{day:%Y%m%d}.csv"
    lines = ["timestamp,open,high,low,close,volume"]
    before: float | None = None
    for minute in range(minutes):
        close = price(minute)
        if close is not None:
            opened = close if before is None or abs(close / before - 1) > GAP else before
            high, low = max(opened, close) + 0.01, min(opened, close) - 0.01
            at = day + timedelta(minutes=minute)
            lines.append(f"{at:%Y-%m-%dT%H:%M:%SZ},{opened:.2f},{high:.2f},{low:.2f},{close:.2f},10000")
        before = close
    path.write_text("\n".join(lines) + "\n")
    return path
