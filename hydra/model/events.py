"""The journal's vocabulary: an envelope, and one table of kinds.

Every kind names the value its ``data`` decodes to. A kind that is not in ``KINDS`` cannot be written or read; a payload
that changes its shape is a new journal version (``VERSION``).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import msgspec

from hydra.model.activities import Activity, Withheld
from hydra.model.errors import Invalid
from hydra.model.isolation import Isolation
from hydra.model.orders import Fill, Order, VenueOrder
from hydra.model.portfolio import Certificate, Halt, Ledger, Position
from hydra.model.snapshot import Answer, Observed, Plan
from hydra.model.values import Value, decode
from hydra.model.votes import Consensus, Vote

VERSION = 1
GENESIS = "0" * 64
"""What the first event of the first segment names as the hash before it."""


class SegmentOpened(Value, frozen=True, kw_only=True):
    """The first line of every segment: all that is needed to replay it alone. ``wall`` is wall-clock time.

    ``isolation`` is what keeps the bots apart; absent for a command that asks none.
    """

    segment: int
    wall: datetime
    command: str
    host: str
    pid: int
    version: str
    code_hash: str
    policy_hash: str
    policy: Mapping[str, Any]
    seed: int
    market: str
    practice: bool
    ledger: Ledger
    isolation: Isolation | None = None


class Recovered(Value, frozen=True, kw_only=True):
    """What happened while nobody was looking, as told by the venue, one note a fact.

    The first one ever takes the account as it is: ``baseline_cash``, ``foreign`` positions and ``foreign_orders`` (venue ids of
    open orders) are what Hydra found. ``day`` is the exchange's: what happened meanwhile counts for it.
    """

    at: datetime
    orders: tuple[VenueOrder, ...] = ()
    not_received: tuple[str, ...] = ()
    fills: tuple[Fill, ...] = ()
    fill_cursor: str | None = None
    activities: tuple[Activity, ...] = ()
    activity_cursor: str | None = None
    withheld: tuple[Withheld, ...] = ()
    baseline_cash: Decimal | None = None
    foreign: tuple[Position, ...] = ()
    foreign_orders: tuple[str, ...] = ()
    day: date | None = None
    notes: tuple[str, ...] = ()


class Answered(Value, frozen=True, kw_only=True):
    """What the bots answered this cycle. Bots that were asked and had nothing to say are named in ``quiet``."""

    cycle: int
    answers: tuple[Answer, ...] = ()
    quiet: tuple[str, ...] = ()


class Decided(Value, frozen=True, kw_only=True):
    """The plan of a cycle."""

    plan: Plan


class Mark(Value, frozen=True, kw_only=True):
    """The account's equity at a time, and the prices of what was held then, by symbol."""

    at: datetime
    equity: Decimal
    prices: Mapping[str, Decimal] = {}


class Passed(Value, frozen=True, kw_only=True):
    """Cycles in which nothing could happen, passed over: ``count`` of them, the last one ``cycle``, at ``at``.

    ``equity`` is the account's at ``at``, ``peak`` the highest on the way. ``best`` is the best price on the way of each holding, by its key;
    ``marks`` are equities on the way, by time: enough for the deepest fall of the account and of each bot; the last one is at ``at``.
    ``average`` is the mean equity of all instants (``None``: as at the end), ``exposed`` what each bot had in the market on average, as a fraction of equity. ``woken`` says what may happen next.
    """

    cycle: int
    count: int
    since: datetime
    at: datetime
    equity: Decimal | None = None
    peak: Decimal | None = None
    best: Mapping[str, Decimal] = {}
    marks: tuple[Mark, ...] = ()
    average: float | None = None
    exposed: Mapping[str, float] = {}
    woken: str = ""


class Sitter(Value, frozen=True, kw_only=True):
    """What sits in a seat of the tournament for a whole run. ``cutoff``: the last day its training may have seen; empty: not known.

    ``shadow``: a challenger, which votes and is not counted; ``against`` is the seat that it would replace, and ``calls`` after how many
    shared calls the test is that was announced (0: none was).
    """

    engine: str
    model: str = ""
    role: str = ""
    cutoff: str = ""
    shadow: bool = False
    against: str = ""
    calls: int = 0


class Seated(Value, frozen=True, kw_only=True):
    """What was settled before the first vote of a run of the tournament: who sits where, and by what they will be scored.

    ``started`` is wall-clock time, ``granularity`` in seconds, ``horizon`` in candles; ``hold_band`` and ``cost`` (a side's fee, half
    spread and slippage) are fractions. ``control`` names how briefs are changed before anybody is asked; empty: not at all.
    """

    started: datetime
    assets: tuple[str, ...]
    granularity: int
    market: str
    horizon: int
    hold_band: float
    cost: float
    hold_counts: bool
    needed: int
    seed: int
    seats: Mapping[str, Sitter]
    control: str = ""


class Voted(Value, frozen=True, kw_only=True):
    """An iteration of the tournament: how everybody voted on an asset and what they agree on, or why nobody was asked (``skipped``).

    ``at`` is the time of the look, ``closed`` the close of the brief's last candle, ``brief`` its hash. It is written before the bot of
    that name answers, and is its memory.
    """

    bot: str
    iteration: int
    asset: str
    at: datetime
    closed: datetime | None = None
    brief: str = ""
    regime: str = ""
    votes: tuple[Vote, ...] = ()
    consensus: Consensus | None = None
    skipped: str = ""


class OrderSent(Value, frozen=True, kw_only=True):
    """Written and synced before the order leaves."""

    order: Order


class OrderAccepted(Value, frozen=True, kw_only=True):
    """The venue has the order."""

    client_id: str
    order: VenueOrder


class OrderRejected(Value, frozen=True, kw_only=True):
    """The venue definitely refused the order; nothing of it exists there."""

    client_id: str
    reason: str


class OrderUnknown(Value, frozen=True, kw_only=True):
    """The venue's answer was not understood or did not come: the order may exist. It is looked up, never sent again."""

    client_id: str
    reason: str


class CancelSent(Value, frozen=True, kw_only=True):
    """A cancellation is asked for."""

    client_id: str
    venue_id: str
    reason: str


class CancelHeard(Value, frozen=True, kw_only=True):
    """What the venue said to a cancellation; ``order`` is ``None`` when it said nothing intelligible."""

    client_id: str
    order: VenueOrder | None
    reason: str


class OrderWithheld(Value, frozen=True, kw_only=True):
    """A planned order was not sent, and why: what reserves its quantity is not gone, or another order's outcome is unknown."""

    client_id: str
    reason: str


class Flattened(Value, frozen=True, kw_only=True):
    """An operator wants a bot's holdings closed and nothing new entered; ``bot`` empty: every bot's, with a halt."""

    by: str
    reason: str
    bot: str = ""


class ForeignAccepted(Value, frozen=True, kw_only=True):
    """An operator accepted what ledger and venue disagreed on. From here on ``foreign``, ``foreign_orders``, ``cash`` and
    ``equity`` are the baseline; ``given_up`` are units by holding that the ledger had and the venue does not."""

    by: str
    reason: str
    cash: Decimal
    foreign: Mapping[str, Decimal] = {}
    foreign_orders: tuple[str, ...] = ()
    given_up: Mapping[str, Decimal] = {}
    equity: Decimal | None = None
    notes: tuple[str, ...] = ()


class Halted(Value, frozen=True, kw_only=True):
    """A halt was latched."""

    halt: Halt


class Resumed(Value, frozen=True, kw_only=True):
    """An operator lifted every latched halt."""

    by: str
    reason: str
    forced: bool = False


class Released(Value, frozen=True, kw_only=True):
    """An operator let a bot out of quarantine: its strikes are forgotten, and its memory too if ``forget``."""

    by: str
    reason: str
    bot: str
    forget: bool = False


class Certified(Value, frozen=True, kw_only=True):
    """A preflight passed."""

    certificate: Certificate


class Mended(Value, frozen=True, kw_only=True):
    """The doctor repaired something."""

    what: str
    note: str


class CycleClosed(Value, frozen=True, kw_only=True):
    """The end of a cycle. ``micros`` is the time each stage took, in microseconds, in the order they ran."""

    cycle: int
    micros: Mapping[str, int]


class RunClosed(Value, frozen=True, kw_only=True):
    """The end of a run. A journal whose last run lacks it has an open tail."""

    reason: str
    exit_code: int
    cycles: int


KINDS: dict[str, type[Value]] = {
    "segment_opened": SegmentOpened,
    "recovered": Recovered,
    "observed": Observed,
    "seated": Seated,
    "voted": Voted,
    "answered": Answered,
    "decided": Decided,
    "order_sent": OrderSent,
    "order_accepted": OrderAccepted,
    "order_rejected": OrderRejected,
    "order_unknown": OrderUnknown,
    "cancel_sent": CancelSent,
    "cancel_heard": CancelHeard,
    "order_withheld": OrderWithheld,
    "flattened": Flattened,
    "foreign_accepted": ForeignAccepted,
    "halted": Halted,
    "resumed": Resumed,
    "released": Released,
    "certified": Certified,
    "mended": Mended,
    "cycle_closed": CycleClosed,
    "passed": Passed,
    "run_closed": RunClosed,
}
KIND_OF: dict[type[Value], str] = {payload: kind for kind, payload in KINDS.items()}


class Event(Value, frozen=True, kw_only=True, omit_defaults=False):
    """One line of the journal. ``prev`` is the hash of the line before, ``hash`` of this one."""

    v: int
    seq: int
    ts: datetime
    run: str
    kind: str
    data: Value
    prev: str
    hash: str


class RawEvent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The envelope with its payload still in bytes."""

    v: int
    seq: int
    ts: datetime
    run: str
    kind: str
    data: msgspec.Raw
    prev: str
    hash: str


def payload_of(raw: RawEvent) -> Value:
    """The typed payload of an envelope. Raises ``Invalid`` naming the kind and the field."""
    kind = KINDS.get(raw.kind)
    if kind is None:
        raise Invalid(f"unknown event kind {raw.kind!r}")
    try:
        return decode(bytes(raw.data), kind)
    except Invalid as error:
        raise Invalid(f"{raw.kind}: {error}") from error
