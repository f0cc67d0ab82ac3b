"""What a venue must not forget, whole and as it changes, and the port of the books it is written to."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from hydra.adapters.exchange.model import AccountState, Activity, Execution, Ticket
from hydra.model.portfolio import Position
from hydra.model.values import Value


class FeedClock(Value, frozen=True, kw_only=True):
    """How far a feed has been played: its fingerprint, its description in words, and the time reached."""

    fingerprint: str
    feed: str
    at: datetime


class Standing(Value, frozen=True, kw_only=True):
    """Everything the books hold. ``current`` is the fingerprint of the feed that was played last."""

    account: AccountState
    current: str = ""
    clocks: Mapping[str, FeedClock] = {}
    positions: tuple[Position, ...] = ()
    orders: tuple[Ticket, ...] = ()
    executions: tuple[Execution, ...] = ()
    activities: tuple[Activity, ...] = ()


class Change(Value, frozen=True, kw_only=True):
    """What one request or one advance changed: whole rows, and the names of positions that are gone.

    ``account`` is ``None`` when nothing in it changed.
    """

    clock: FeedClock
    account: AccountState | None = None
    orders: tuple[Ticket, ...] = ()
    positions: tuple[Position, ...] = ()
    gone: tuple[str, ...] = ()
    executions: tuple[Execution, ...] = ()
    activities: tuple[Activity, ...] = ()


class Books(Protocol):
    """Where a venue writes what it must not forget."""

    @property
    def name(self) -> str:
        """Where they are, for identities and messages."""
        ...

    def load(self) -> Standing | None:
        """All of it; ``None`` when nothing was ever written.

        Whoever loads owns the books from then on; an earlier owner can no longer write.
        """
        ...

    def open(self, standing: Standing) -> None:
        """Write the first entry of new books, durably."""
        ...

    def commit(self, change: Change) -> None:
        """Write a change in one transaction, durably on return. Raises ``Unreachable`` when it is not known to be written,
        ``Barred`` when another owner has taken over."""
        ...

    def close(self) -> None:
        """Let go of them."""
        ...
