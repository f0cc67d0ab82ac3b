"""Walk forward: a stretch of days to choose on, the days after it to be judged by, and so on through a history.

Days are those on which there are prices, one after the other: a gap in the data takes no time. A window's test begins where its
training ends, and the next window lies ``step`` days further on. Days at the end that do not fill a test are left over.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from hydra.model.errors import BadConfig

DAYS_MOST = 100_000


class Walk(NamedTuple):
    """How a history is walked: days of training, days of testing, and days from one window to the next."""

    train: int
    test: int
    step: int

    def __str__(self) -> str:
        return f"{self.train}:{self.test}:{self.step}"


class Window(NamedTuple):
    """One window, its days counted from 0: training from ``begins``, testing from ``turns``; both end before the next number."""

    number: int
    begins: int
    turns: int
    ends: int


def walk_of(text: str) -> Walk:
    """What ``TRAIN:TEST[:STEP]`` says. Raises ``BadConfig``."""
    parts = text.split(":")
    numbers = [int(part) for part in parts if part.isascii() and part.isdecimal() and len(part) <= 6]
    if len(numbers) != len(parts) or len(parts) not in (2, 3) or not all(0 < each <= DAYS_MOST for each in numbers):
        raise BadConfig(
            f"--walk-forward {text!r}: expected TRAIN:TEST or TRAIN:TEST:STEP, whole days from 1 on, such as 60:20"
        )
    return Walk(numbers[0], numbers[1], numbers[2] if len(numbers) == 3 else numbers[1])


def windows(walk: Walk, days: Sequence[date]) -> tuple[Window, ...]:
    """Every window that fits. Raises ``BadConfig`` when none does."""
    needed = walk.train + walk.test
    if len(days) < needed:
        raise BadConfig(
            f"--walk-forward {walk}: the first window needs {needed} days with prices, there are {len(days)}"
        )
    begins = range(0, len(days) - needed + 1, walk.step)
    return tuple(
        Window(number, first, first + walk.train, first + needed) for number, first in enumerate(begins, start=1)
    )
