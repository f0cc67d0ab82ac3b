"""What was fixed before the first vote: nothing of it may be chosen once the votes are known."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from math import isfinite

from hydra.model.errors import Invalid
from hydra.model.values import Value, named

HORIZON, HOLD_BAND, COST = 5, 0.0005, 0.0026
HORIZON_MOST = 100_000


class SeatTerms(Value, frozen=True, kw_only=True):
    """A seat: what sits in it, and until when its model has read the world (``None``: not known, or it is no model).

    A challenger (``shadow``) names the seat that it would replace, and how many paired calls its test was announced for (0: none was).
    """

    engine: str = ""
    model: str = ""
    role: str = ""
    cutoff: date | None = None
    shadow: bool = False
    against: str = ""
    calls: int = 0


class Terms(Value, frozen=True, kw_only=True):
    """``granularity`` in seconds, ``horizon`` in candles, ``hold_band`` and ``cost`` as fractions of the price; ``cost`` is paid on each side of a call.

    ``assumed`` are the terms that nobody had written down: the report says so.
    """

    run: str
    granularity: int = 60
    horizon: int = HORIZON
    hold_band: float = HOLD_BAND
    cost: float = COST
    hold_counts: bool = True
    needed: int = 2
    seed: int = 0
    market: str = ""
    control: str = ""
    seats: Mapping[str, SeatTerms] = {}
    assumed: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """The invariants."""
        named("run", self.run)
        for name, least, most in (
            ("granularity", 1, 86_400), ("horizon", 1, HORIZON_MOST), ("needed", 1, 64), ("seed", 0, 2**63 - 1),
        ):  # fmt: skip
            if not least <= getattr(self, name) <= most:
                raise Invalid(f"{name} must be within {least} and {most:,}, got {getattr(self, name)}")
        for name in ("hold_band", "cost"):
            value = getattr(self, name)
            if not (isfinite(value) and 0 <= value < 1):
                raise Invalid(f"{name} must be at least 0 and below 1, got {value}")

    @property
    def span(self) -> int:
        """Seconds from a decision to the moment when what came of it is known."""
        return self.horizon * self.granularity
