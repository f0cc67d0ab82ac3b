"""All that is known at one instant, and what is decided from it.

``Observed`` is what one look at the world added (it is what the journal records). ``Sight`` is the sum of all looks of a
segment. ``Snapshot`` is sight plus ledger plus the bots' answers: the whole input of a decision, and nothing else is.
The first ``Observed`` of every segment is a keyframe: it carries full windows, so a segment can be replayed alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from hydra.model.activities import Activity, Withheld
from hydra.model.errors import OverBudget
from hydra.model.market import AssetClass, Bar, Instrument, OptionQuote, Quote
from hydra.model.orders import Cancel, Fill, Intent, Judgement, Send, Skip, VenueOrder
from hydra.model.portfolio import Account, Binding, Halt, Holding, Ledger, Mode, Position
from hydra.model.values import Value, aware_utc, named, positive

STARTING, NURSERY = "starting", "nursery"
"""Kinds of failures that are nobody's fault: a bot whose process is still being made after it was lost, or cannot be made at all."""


class Failure(Value, frozen=True, kw_only=True):
    """Something that was asked and did not answer: what, how it failed (a class name or ``timeout``), and the reason."""

    what: str
    kind: str
    reason: str

    @property
    def strikes(self) -> bool:
        """False when the bot is not to blame: it abstains, and that is no strike."""
        return self.kind not in (STARTING, NURSERY)

    @property
    def asked(self) -> bool:
        """False when nobody was asked: the question was kept back so that an exit could be."""
        return self.kind != OverBudget.__name__


class Probe(Value, frozen=True, kw_only=True):
    """A health measurement: was it well, and the number that says so."""

    ok: bool
    reason: str
    number: float | None = None


class Session(Value, frozen=True, kw_only=True):
    """An asset class's trading session now. ``phase``: pre, regular, post, closed or continuous.

    ``before``: when the last session that is over opened and closed; told only where a day of shares is one bar.
    """

    open: bool
    phase: str
    opens_at: datetime | None = None
    closes_at: datetime | None = None
    before: tuple[datetime, datetime] | None = None


class Sessions(Value, frozen=True, kw_only=True):
    """The exchange's own day and minute of the day (in its local time), and the session of every asset class."""

    day: date
    minute: int
    by_class: Mapping[AssetClass, Session]


class Command(Value, frozen=True, kw_only=True):
    """An operator's word to a running engine: halt, resume, flatten, release, accept; with who and when (wall clock).

    ``force`` resumes before the cool-off; with a release it makes the bot forget what it remembers.
    """

    command_id: str
    action: str
    by: str
    wall: datetime
    reason: str
    force: bool = False
    bot: str = ""

    def __post_init__(self) -> None:
        named("command.action", self.action)
        named("command.by", self.by)
        named("command.reason", self.reason)
        aware_utc("command.wall", self.wall)


class ChainNews(Value, frozen=True, kw_only=True):
    """What changed in the chain of an underlying: quotes that are new or different, and contracts that are not quoted any more."""

    underlying: str
    quotes: tuple[OptionQuote, ...] = ()
    gone: tuple[str, ...] = ()


class Tighten(Value, frozen=True, kw_only=True):
    """An exit's wish to move a holding's stop closer, and why. It never moves one away."""

    stop: Decimal
    reason: str

    def __post_init__(self) -> None:
        positive("tighten.stop", self.stop)
        named("tighten.reason", self.reason)


class StopMoved(Value, frozen=True, kw_only=True):
    """A decided new stop of a holding."""

    bot: str
    symbol: str
    stop: Decimal
    reason: str


class Observed(Value, frozen=True, kw_only=True):
    """One look at the world. A field left out is unchanged since the last look, unless it is named in ``missing``.

    ``orders`` are venue orders that changed; ``not_received`` are client ids the venue says it never had. ``withheld`` is what
    the venue has visibly kept of purchases as its fee.
    """

    cycle: int
    at: datetime
    keyframe: bool = False
    missing: tuple[Failure, ...] = ()
    venue_at: datetime | None = None
    account: Account | None = None
    positions: tuple[Position, ...] | None = None
    open_orders: tuple[VenueOrder, ...] | None = None
    orders: tuple[VenueOrder, ...] = ()
    not_received: tuple[str, ...] = ()
    fills: tuple[Fill, ...] = ()
    fill_cursor: str | None = None
    activities: tuple[Activity, ...] = ()
    activity_cursor: str | None = None
    withheld: tuple[Withheld, ...] = ()
    instruments: tuple[Instrument, ...] = ()
    quotes: tuple[Quote, ...] = ()
    bars: tuple[Bar, ...] = ()
    chains: tuple[ChainNews, ...] = ()
    sessions: Sessions | None = None
    probes: Mapping[str, Probe] | None = None
    binding: Binding | None = None
    commands: tuple[Command, ...] = ()

    def __post_init__(self) -> None:
        aware_utc("observed.at", self.at)


class Sight(Value, frozen=True, kw_only=True):
    """What has been seen so far in this segment. ``None`` or absent means it is not known now.

    ``bars`` are closed bars, oldest first, bounded by the policy's window. ``chains`` are option quotes by underlying and
    contract, and ``chains_at`` when each chain was last read. ``locked_since`` is the time of the first quote of an unbroken row
    of quotes with bid and ask alike, by symbol.
    """

    at: datetime | None = None
    missing: Mapping[str, Failure] = {}
    venue_at: datetime | None = None
    account: Account | None = None
    positions: tuple[Position, ...] | None = None
    open_orders: tuple[VenueOrder, ...] | None = None
    instruments: Mapping[str, Instrument] = {}
    quotes: Mapping[str, Quote] = {}
    bars: Mapping[str, tuple[Bar, ...]] = {}
    chains: Mapping[str, Mapping[str, OptionQuote]] = {}
    chains_at: Mapping[str, datetime] = {}
    locked_since: Mapping[str, datetime] = {}
    sessions: Sessions | None = None
    probes: Mapping[str, Probe] = {}
    binding: Binding | None = None
    commands: tuple[Command, ...] = ()


class View(Value, frozen=True, kw_only=True):
    """What a bot is shown: its own symbols, its own holdings, the time, and nothing of anybody else.

    ``bars[symbol]`` are closed bars, oldest first. ``may_enter[symbol]`` is false when an entry would not be sent anyway.
    ``equity`` is the account's, in dollars. ``day`` is the exchange's. ``chains[underlying]`` are the quotes of its contracts,
    by symbol, for a bot that trades options. ``holdings`` are by symbol, those of contracts included. ``ordered`` are the
    symbols in which an entry of the bot is under way.
    """

    bot: str
    at: datetime
    minute: int
    symbols: tuple[str, ...]
    bars: Mapping[str, tuple[Bar, ...]]
    quotes: Mapping[str, Quote]
    holdings: Mapping[str, Holding]
    may_enter: Mapping[str, bool]
    equity: Decimal
    day: date | None = None
    chains: Mapping[str, tuple[OptionQuote, ...]] = {}
    ordered: tuple[str, ...] = ()


class Answer(Value, frozen=True, kw_only=True):
    """What a bot said: its intents and its new memory (``None``: unchanged), or how it failed. A failed bot abstains."""

    bot: str
    intents: tuple[Intent, ...] = ()
    memory: Mapping[str, Any] | None = None
    failure: Failure | None = None

    @property
    def quiet(self) -> bool:
        """True when there is nothing to record: no wish, no new memory, no failure."""
        return not self.intents and self.memory is None and self.failure is None


class Scope(StrEnum):
    """How far a gate's answer reaches."""

    SYSTEM = "system"
    ASSET_CLASS = "asset_class"
    SYMBOL = "symbol"


class Verdict(StrEnum):
    """A gate's answer: yes, no, or not now (a closed session is nobody's failure)."""

    PASS = "pass"  # noqa: S105  # not a password
    SKIP = "skip"
    REFUSE = "refuse"


class GateAnswer(Value, frozen=True, kw_only=True):
    """One gate's answer within a scope. ``key`` names the asset class or symbol; the reason has the numbers."""

    gate: str
    scope: Scope
    verdict: Verdict
    reason: str
    key: str = ""


class Snapshot(Value, frozen=True, kw_only=True):
    """The whole input of a decision."""

    run: str
    cycle: int
    at: datetime
    ledger: Ledger
    sight: Sight
    answers: Mapping[str, Answer] = {}


class Plan(Value, frozen=True, kw_only=True):
    """What was decided, with everything that led to it. ``sends`` are in sending order, exits first.

    ``answers`` holds every gate's answer that was not a pass. ``stops`` are the stops that move closer; the orders that carry
    them out are among the next cycle's ``sends``.
    """

    cycle: int
    mode: Mode
    answers: tuple[GateAnswer, ...] = ()
    skips: tuple[Skip, ...] = ()
    judgements: tuple[Judgement, ...] = ()
    cancels: tuple[Cancel, ...] = ()
    sends: tuple[Send, ...] = ()
    stops: tuple[StopMoved, ...] = ()
    halts: tuple[Halt, ...] = ()
    resumes: tuple[Command, ...] = ()
    flattens: tuple[Command, ...] = ()
    accepts: tuple[Command, ...] = ()
    releases: tuple[Command, ...] = ()
