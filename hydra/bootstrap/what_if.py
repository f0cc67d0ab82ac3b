"""What if: a journal's looks under another policy. The same market and the same clock, another engine, and the simulated exchange.

The exchange is fed by what the journal itself saw, and the cycles are where the journal's are. Operators' words come when they came.
The account begins flat with the equity the journal began with. Nothing is written anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from hydra.adapters.calendar import AlwaysOpen, DayCalendar, ExchangeCalendar
from hydra.adapters.exchange.doors import SimClock
from hydra.adapters.exchange.model import VenueSettings
from hydra.adapters.exchange.venue import SimulatedVenue
from hydra.adapters.fingerprint import CodeFingerprint
from hydra.adapters.markets.journal import JournalFeed
from hydra.adapters.memory.journal import PassingJournal
from hydra.adapters.memory.outside import MemoryInbox
from hydra.bootstrap.hosts import replay_host
from hydra.bootstrap.indoors import Indoors
from hydra.bootstrap.plugs import foreign_sources, rule_book
from hydra.bootstrap.venues import account_of
from hydra.engine.cycle import Engine
from hydra.engine.fold import fold
from hydra.engine.side import Side, essence_of
from hydra.model.errors import BadConfig, Corrupt
from hydra.model.events import Decided, Event, Passed, Recovered, SegmentOpened
from hydra.model.market import AssetClass
from hydra.model.portfolio import Ledger
from hydra.model.snapshot import Observed, Plan
from hydra.model.values import replace
from hydra.policy import Policy
from hydra.ports import Calendar

_DAY_MINUTES = 1440
_JUST_BEFORE = timedelta(microseconds=1)


@dataclass(slots=True)
class Recorded:
    """What the journal says: its prices, its looks, what was decided in each, and the sums."""

    feed: JournalFeed = field(default_factory=JournalFeed)
    side: Side = field(default_factory=Side)
    looks: list[Observed] = field(default_factory=list)
    plans: dict[int, Plan] = field(default_factory=dict)
    turns: set[int] = field(default_factory=set)
    run: str = ""
    first_cycle: int = 0
    cash: Decimal | None = None
    held_at_first: bool = False
    policy_hash: str = ""
    failed: int = 0
    by_days: bool = False
    ledger: Ledger | None = None

    def take(self, event: Event) -> None:
        """Add an event, in the journal's order. Raises ``Corrupt`` for what cannot be a journal's."""
        data = event.data
        if self.ledger is None and not isinstance(data, SegmentOpened):
            raise Corrupt(f"event {event.seq} ({event.kind}) comes before any segment_opened")
        self.ledger = fold(self.ledger or Ledger(), event)
        self.side.take(event, self.ledger)
        if isinstance(data, SegmentOpened):
            self.policy_hash = data.policy_hash
            self.turns.add(self.ledger.cycle)
        elif isinstance(data, Recovered) and data.baseline_cash is not None:
            self.cash = data.baseline_cash
        elif isinstance(data, Observed):
            self._look(event, data)
        elif isinstance(data, Passed):
            raise BadConfig(
                f"{data.count:,} cycles up to {data.at:%Y-%m-%d %H:%M}Z were passed over in this journal, and their prices are not in it; "
                "`hydra backtest --every-cycle` records them"
            )
        elif isinstance(data, Decided):
            self.plans[data.plan.cycle] = data.plan

    def _look(self, event: Event, seen: Observed) -> None:
        assert self.ledger is not None
        if not self.looks:
            self.run, self.first_cycle = event.run, seen.cycle
            self.held_at_first = bool(self.ledger.holdings or self.ledger.foreign)
            self.cash = self.ledger.equity if self.held_at_first else self.ledger.cash
        self.failed += len(seen.missing)
        shares = None if seen.sessions is None else seen.sessions.by_class.get(AssetClass.EQUITY)
        self.by_days = self.by_days or (shares is not None and shares.before is not None)
        self.feed.take(seen)
        # As much of a look as is needed once more: the prices are in the feed.
        self.looks.append(Observed(cycle=seen.cycle, at=seen.at, commands=seen.commands))


@dataclass(frozen=True, slots=True, kw_only=True)
class Parting:
    """The first cycle in which the two decide differently."""

    cycle: int
    at: datetime
    recorded: Plan
    otherwise: Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """Both sides, where they part (``None``: nowhere), and in how many cycles they decided differently."""

    recorded: Side
    otherwise: Side
    parting: Parting | None
    differing: int
    limits: tuple[str, ...]


def recorded_in(events: Iterable[Event]) -> Recorded:
    """A whole journal, ready to be played again. Raises ``BadConfig`` when there is no cycle in it."""
    recorded = Recorded()
    for event in events:
        recorded.take(event)
    if not recorded.looks or recorded.cash is None or recorded.cash <= 0:
        raise BadConfig(
            "--what-if: this journal has no cycle, or never saw the account; there is nothing to play again"
        )
    return recorded


def play_again(
    recorded: Recorded, policy: Policy, watch: Callable[[int, int], None] = lambda _done, _all: None
) -> WhatIf:
    """Every look once more under ``policy``. Raises ``BadConfig`` for symbols of which the journal has no prices."""
    unknown = [symbol for symbol in policy.symbols if symbol not in recorded.feed.symbols]
    if unknown and not any(symbol in recorded.feed.symbols for symbol in policy.symbols):
        raise BadConfig(f"--what-if: the journal has no prices of {', '.join(unknown)}; it has {_some(recorded)}")
    recorded.feed.list_also(policy.symbols)
    with _Again(recorded, policy) as again:
        parting, differing = None, 0
        for number, look in enumerate(recorded.looks):
            plan = again.cycle(look)
            before = recorded.plans.get(look.cycle)
            if before is not None and essence_of(before) != essence_of(plan):
                differing += 1
                parting = parting or Parting(cycle=look.cycle, at=look.at, recorded=before, otherwise=plan)
            watch(number + 1, len(recorded.looks))
        limits = tuple(_limits(recorded, unknown))
        return WhatIf(recorded=recorded.side, otherwise=again.side, parting=parting, differing=differing, limits=limits)


def _some(recorded: Recorded) -> str:
    return ", ".join(recorded.feed.symbols) or "none at all"


def _limits(recorded: Recorded, unknown: list[str]) -> Iterable[str]:
    """What such a comparison cannot say."""
    yield "fills are simulated again, from the quotes and bars that the journal's looks saw; between two looks it knows nothing"
    yield "no market impact: what would have been traded otherwise would have moved nothing"
    yield "a bot sees no more history than the journal's looks had; memories, counts and halts of earlier runs are not there"
    yield "an operator's words to the running engine come when they came; those given while none ran do not"
    if recorded.held_at_first:
        yield "what was held at the journal's beginning counts as cash here: this side begins flat, with the same equity"
    if recorded.failed:
        yield f"{recorded.failed} reads that failed then do not fail here"
    if unknown:
        yield f"the journal has no prices of {', '.join(unknown)}: nothing is done in them"


def _calendar(recorded: Recorded, policy: Policy) -> Calendar:
    if policy.market.sessions == "always":
        return AlwaysOpen()
    return DayCalendar(ExchangeCalendar()) if recorded.by_days else ExchangeCalendar()


class _Again:
    """The engine over a recorded market; a context manager."""

    def __init__(self, recorded: Recorded, policy: Policy) -> None:
        self.side = Side()
        self._recorded, self._policy = recorded, policy
        self._bots = replay_host(policy)
        self._inbox = MemoryInbox()
        first = recorded.looks[0].at
        calendar = _calendar(recorded, policy)
        settings = replace(_account(policy), starting_cash=recorded.cash)
        self._venue = SimulatedVenue(recorded.feed, calendar, settings, start=first - _JUST_BEFORE)
        self._world = Indoors(
            policy=policy,
            command="replay --what-if",
            url="sim://what-if",
            code_hash=CodeFingerprint(more=foreign_sources(policy)).hash(),
            market=recorded.feed.describe(),
            seed=policy.engine.seed,
            venue=self._venue,
            clock=SimClock(self._venue),
            calendar=calendar,
        )
        journal = PassingJournal(recorded.run, self._world.clock.now)
        outside = self._world.outside(journal, self._bots, self._inbox)
        self._engine = Engine(outside, rule_book(policy), Ledger(cycle=recorded.first_cycle - 1), self._hear)
        self._venue.advance_to(first)
        self._segments = 1
        self._world.begin(self._engine)

    def __enter__(self) -> _Again:
        return self

    def __exit__(self, *_raised: object) -> None:
        self._bots.close()

    def cycle(self, look: Observed) -> Plan:
        """One cycle where the journal has one; a segment of the journal begins a segment here."""
        if look.cycle - 1 in self._recorded.turns and look.cycle > self._recorded.first_cycle:
            self._open()
        self._venue.advance_to(look.at)
        self._inbox.waiting += look.commands
        return self._engine.cycle().plan

    def _hear(self, event: Event, ledger: Ledger) -> None:
        self.side.take(event, ledger)

    def _open(self) -> None:
        self._segments += 1
        self._engine.open_segment(self._world.segment(self._segments))


def _account(policy: Policy) -> VenueSettings:
    """The account as the simulated exchange gives it with this policy; for a policy of Alpaca's, one as at Alpaca."""
    if policy.broker.name == "alpaca":
        policy = policy.model_copy(update={"broker": policy.broker.model_copy(update={"account": "alpaca"})})
    return account_of(policy)
