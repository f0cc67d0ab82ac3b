"""What a simulated venue plays: prices in the order in which they became known.

A feed has no clock. Its user names an instant and is told what was known then, so the future is not forbidden but absent.
A bar becomes known when it has closed; a quote that closes an interval becomes known at the interval's end, and carries
that time. Two calls with the same arguments give the same answer, in this process and in the next.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from hydra.model.market import Bar, Quote


class Feed(Protocol):
    """A recorded or invented history."""

    @property
    def symbols(self) -> tuple[str, ...]:
        """The canonical symbols it has prices for."""
        ...

    @property
    def fingerprint(self) -> str:
        """A stable short hash of what it will play (files' content or seed and settings)."""
        ...

    def describe(self) -> str:
        """One line for the journal and the screen: which data, from when to when."""
        ...

    def next_after(self, at: datetime | None) -> datetime | None:
        """The next instant at which anything becomes known (``None``: from the beginning). ``None`` when nothing more."""
        ...

    def bars(self, after: datetime, upto: datetime) -> tuple[Bar, ...]:
        """Bars with ``after < closes_at <= upto``, ordered by closing time, then symbol."""
        ...

    def quotes(self, at: datetime) -> Mapping[str, Quote]:
        """The latest quote of each symbol known at ``at``; a symbol that never had one is absent."""
        ...

    def history(self, symbol: str, upto: datetime, count: int) -> tuple[Bar, ...]:
        """The last ``count`` bars of a symbol that closed at or before ``upto``, oldest first."""
        ...
