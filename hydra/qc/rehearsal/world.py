"""A world: a policy, an account, a universe and a calendar. Everything that happens in it derives from its seed.

Who decides and who trades is *cast* from the policy by a function handed in: the rule book and the bots come from above this floor.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Self

from hydra.adapters.exchange.model import VenueSettings
from hydra.adapters.memory.calendar import PlainCalendar
from hydra.policy import Policy
from hydra.ports import Bot, Calendar
from hydra.risk.plugs import RuleBook

OPENING = datetime(2024, 3, 4, 14, 30, tzinfo=UTC)
"""A Monday's opening by the plain calendar."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """The resolved rule book of a world, and its bots by id."""

    book: RuleBook
    bots: Mapping[str, Bot]


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Where a voyage goes. ``prices`` are dollars at its start, by symbol; ``sizes`` is what a quote displays, in turn.

    ``troubled`` worlds have faults of the venue and of the ports; the others only their market. ``warm`` is how many bars of a
    minute there are before it starts. ``notes`` say what is not as the policy has it.
    """

    seed: int
    policy: Policy
    account: VenueSettings
    symbols: tuple[str, ...]
    contracts: tuple[str, ...]
    prices: Mapping[str, Decimal]
    cast: Callable[[World], Cast]
    sizes: tuple[int, ...] = (100_000,)
    troubled: bool = True
    calendar: Calendar = field(default_factory=PlainCalendar)
    starts_at: datetime = OPENING
    warm: int = 0
    notes: tuple[str, ...] = ()

    def without(self, bot: str) -> Self:
        """The same world with one bot less."""
        bots = tuple(each for each in self.policy.bots if each.id != bot)
        return replace(self, policy=self.policy.model_copy(update={"bots": bots}))
