"""An engine that reaches nothing outside: the simulated exchange without books, its state in memory, and a certificate of its own.

What backtests and comparisons stand on. No folder, no lock and no operator; probes are always well, for there is nothing to probe.
"""

from __future__ import annotations

from dataclasses import dataclass

from hydra import __version__
from hydra.adapters.exchange.doors import SimBroker, SimClock, SimMarket
from hydra.adapters.exchange.venue import SimulatedVenue
from hydra.adapters.memory.outside import MemoryInbox, SteadyProbes
from hydra.adapters.memory.store import MemoryStore
from hydra.adapters.reads import read_inline
from hydra.bootstrap.setup import host, this_process, wall_now
from hydra.engine.cycle import Engine
from hydra.engine.outside import Outside
from hydra.engine.recover import recover
from hydra.model.events import GENESIS, Certified, SegmentOpened
from hydra.model.portfolio import Binding, Certificate, Ledger
from hydra.policy import Policy
from hydra.ports import BotHost, Calendar, Inbox, Journal

_DAY_MINUTES = 1440


@dataclass(frozen=True, slots=True, kw_only=True)
class Indoors:
    """One engine's world. ``url`` is what its account says of where it is, ``market`` what is played."""

    policy: Policy
    command: str
    url: str
    code_hash: str
    market: str
    seed: int
    venue: SimulatedVenue
    clock: SimClock
    calendar: Calendar

    def segment(self, number: int) -> SegmentOpened:
        """The opening of the n-th segment; the engine fills in the ledger."""
        policy = self.policy
        return SegmentOpened(
            segment=number,
            wall=wall_now(),
            command=self.command,
            host=host(),
            pid=this_process(self.command).pid,
            version=__version__,
            code_hash=self.code_hash,
            policy_hash=policy.hash,
            policy=policy.document(),
            seed=self.seed,
            market=self.market,
            practice=policy.practice,
            ledger=Ledger(),
        )

    def outside(
        self, journal: Journal, bots: BotHost, inbox: Inbox | None = None, *, bars_most: int | None = None
    ) -> Outside:
        """Every port. ``bars_most``: no look brings more bars of a symbol than these; it is as many as are kept of it."""
        bound = self._bound()
        return Outside(
            clock=self.clock,
            calendar=self.calendar,
            market=SimMarket(self.venue, bars_most),
            broker=SimBroker(self.venue),
            journal=journal,
            store=MemoryStore(history=False),
            inbox=inbox or MemoryInbox(),
            probes=SteadyProbes(),
            bots=bots,
            read_all=read_inline,
            binding=lambda: bound,
        )

    def begin(self, engine: Engine) -> None:
        """The first segment, what the gate asks for, and recovery: from here on the engine cycles."""
        bound = self._bound()
        shared = {name: getattr(bound, name) for name in Binding.__struct_fields__}
        engine.open_segment(self.segment(1))
        engine.record(Certified(certificate=Certificate(wall=wall_now(), minutes=_DAY_MINUTES, head=GENESIS, **shared)))
        engine.record(recover(engine.outside, engine.ledger, self.policy))
        engine.settle()

    def _bound(self) -> Binding:
        policy = self.policy
        return Binding(
            policy_hash=policy.hash,
            code_hash=self.code_hash,
            account_id=self.venue.state().account_id,
            url=self.url,
            mode=policy.mode,
            host=host(),
            practice=policy.practice,
        )
