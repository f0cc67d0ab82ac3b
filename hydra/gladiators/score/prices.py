"""Candles of an asset as columns, and what came of a decision.

Filled at the open of the first candle that opens at the decision or after it, judged at the close of the last one that opens within
the horizon: minutes without a trade have no candle. No candle within the horizon: no fill, so no call. Prices that do not reach the
end of the horizon: not known yet.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from math import isfinite
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from hydra.model.errors import Invalid

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]


class Fate(StrEnum):
    """What became of a decision."""

    KNOWN = "known"
    PENDING = "not known yet"
    UNPRICED = "no candle within the horizon"


class Outcome(NamedTuple):
    """``fill`` and ``end`` are prices, ``change`` is end / fill - 1; nothing unless the fate is known."""

    fate: Fate
    fill: float = float("nan")
    end: float = float("nan")

    @property
    def change(self) -> float:
        """As a fraction of the fill."""
        return self.end / self.fill - 1


class Prices:
    """The candles of one asset: when they open (seconds since 1970), their opens and closes. Candles that were told twice count once."""

    def __init__(self, candles: Iterable[tuple[datetime, float, float]], granularity: int) -> None:
        """Each candle is (opens at, open, close). Raises ``Invalid`` for a price that is not above zero and finite."""
        found: dict[int, tuple[float, float]] = {}
        for at, opened, closed in candles:
            if not (isfinite(opened) and isfinite(closed) and opened > 0 and closed > 0):
                raise Invalid(
                    f"the candle of {at:%Y-%m-%d %H:%M:%S}Z must have prices above 0, got {opened} and {closed}"
                )
            found[round(at.timestamp())] = (opened, closed)
        self.granularity = granularity
        self.at: Ints = np.array(sorted(found), dtype=np.int64)
        self.open: Floats = np.array([found[at][0] for at in self.at.tolist()], dtype=np.float64)
        self.close: Floats = np.array([found[at][1] for at in self.at.tolist()], dtype=np.float64)

    def __len__(self) -> int:
        """How many candles there are."""
        return len(self.at)

    def outcome(self, decided_at: int, span: int) -> Outcome:
        """What came of a decision at this second, ``span`` seconds later."""
        until = decided_at + span
        first, after = (int(place) for place in np.searchsorted(self.at, [decided_at, until]))
        reaches = len(self.at) > 0 and int(self.at[-1]) + self.granularity >= until
        if not reaches:
            return Outcome(Fate.PENDING)
        if first == after:
            return Outcome(Fate.UNPRICED)
        return Outcome(Fate.KNOWN, float(self.open[first]), float(self.close[after - 1]))

    def before(self, decided_at: int, span: int) -> float | None:
        """The change over the ``span`` seconds up to the decision, from what was known then; ``None`` where there are too few candles."""
        last = int(np.searchsorted(self.at, decided_at - self.granularity, side="right")) - 1
        first = int(np.searchsorted(self.at, decided_at - self.granularity - span, side="right")) - 1
        if last < 0 or first < 0 or first == last:
            return None
        return float(self.close[last] / self.close[first] - 1)

    def held(self, since: int, until: int) -> float | None:
        """The change from the first open at or after ``since`` to the last close up to ``until``."""
        first = int(np.searchsorted(self.at, since))
        last = int(np.searchsorted(self.at, until - self.granularity, side="right")) - 1
        return float(self.close[last] / self.open[first] - 1) if first <= last else None
