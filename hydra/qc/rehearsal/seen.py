"""What the watch has seen so far: the evidence that the claims are judged by."""

from __future__ import annotations

from collections import deque
from datetime import datetime
from typing import Any

from hydra.adapters.exchange.venue import SimulatedVenue
from hydra.model.market import OptionQuote
from hydra.model.orders import Order
from hydra.model.snapshot import Plan
from hydra.qc.rehearsal.ports import MemoryJournal
from hydra.qc.rehearsal.tally import Tally
from hydra.qc.rehearsal.truth import Truth
from hydra.qc.rehearsal.world import World


class Seen:
    """One voyage's evidence. ``problems`` are sentences: which claim, and the numbers."""

    def __init__(self, world: World, venue: SimulatedVenue, journal: MemoryJournal, tally: Tally) -> None:
        self.world, self.policy = world, world.policy
        self.venue, self.journal, self.tally = venue, journal, tally
        self.truth = Truth(venue)
        self.problems: list[str] = []
        self.submitted: dict[str, Order] = {}
        self.sent_at: deque[datetime] = deque()
        self.entries_by_day: dict[tuple[str, str], int] = {}
        self.entered_at: dict[tuple[str, str], datetime] = {}
        self.unknown: dict[str, datetime] = {}
        self.chains: dict[str, dict[str, OptionQuote]] = {}
        self.bare: dict[tuple[str, str, str], datetime] = {}
        self.unbounded: dict[str, datetime] = {}
        self.journaled: set[str] = set()
        self.stops: dict[tuple[str, str], tuple[str, Any]] = {}
        self.failed: set[str] = set()
        self.behind = False
        self.told: dict[str, Any] = {}
        self.halted = False
        self.resumed = False
        self.lossy = False
        self.plan: Plan | None = None
        """What was decided in this cycle."""
        self.unknown_now = False
        """Whether the outcome of an order of this cycle is not known."""
