"""What is owned, by whom, and under which restrictions: the account, the positions, and Hydra's own ledger.

The ``Ledger`` is the fold of the journal. It never holds anything that did not come out of an event, so it can be thrown
away and rebuilt. The account belongs to the venue; the holdings belong to the bots; reconciliation compares the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Any

from hydra.model.activities import Unposted
from hydra.model.errors import Invalid
from hydra.model.isolation import Isolation
from hydra.model.market import multiplier_of
from hydra.model.money import ZERO
from hydra.model.orders import Fill, Order, Protection
from hydra.model.values import Value, aware_utc, finite, named, not_negative, positive


class Mode(StrEnum):
    """What may be sent: anything, only what reduces, or nothing."""

    ACTIVE = "active"
    REDUCING = "reducing"
    HALTED = "halted"


class Account(Value, frozen=True, kw_only=True):
    """The venue's word on the account, in dollars. Money that is not finite cannot be built."""

    account_id: str
    status: str
    equity: Decimal
    cash: Decimal
    buying_power: Decimal
    blocked: bool = False

    def __post_init__(self) -> None:
        named("account.account_id", self.account_id)
        finite("account.equity", self.equity)
        finite("account.cash", self.cash)
        finite("account.buying_power", self.buying_power)


class Position(Value, frozen=True, kw_only=True):
    """What the venue says is held of a symbol; a short has a negative quantity."""

    symbol: str
    quantity: Decimal
    average_price: Decimal

    def __post_init__(self) -> None:
        finite("position.quantity", self.quantity)
        positive("position.average_price", self.average_price)


class Holding(Value, frozen=True, kw_only=True):
    """What one bot holds of one symbol, with the protection it was entered under.

    ``entered`` is the quantity bought so far, ``exited_value`` the dollars that sales have brought in, ``realized`` their
    profit before ``fees``. ``withheld`` is what the venue has kept of the purchases as its fee in coin (``quantity`` is
    without it), ``withheld_most`` the most it may keep. ``exit_refused`` is the cycle in which the venue last refused an exit.
    ``leaving`` says why it was decided to close it (``cause`` is the exit's name), until the order for it is sent: its stop may
    be gone by then. ``opened_on`` is the exchange day it was opened on. ``best`` is
    the best price seen since it was opened: the highest for a long one, the lowest for a short one. ``structure`` is the
    client id of the entry of which this contract is a leg; a leg has no protection of its own (``hydra.model.structures``).
    """

    bot: str
    symbol: str
    quantity: Decimal
    average_price: Decimal
    protection: Protection | None
    entry: str
    opened_at: datetime
    opened_cycle: int
    entered: Decimal
    exited_value: Decimal = ZERO
    fees: Decimal = ZERO
    realized: Decimal = ZERO
    withheld: Decimal = ZERO
    withheld_most: Decimal = ZERO
    exit_refused: int = 0
    leaving: str = ""
    cause: str = ""
    opened_on: date | None = None
    unprotected_since: datetime | None = None
    best: Decimal | None = None
    structure: str = ""

    def __post_init__(self) -> None:
        finite("holding.quantity", self.quantity)
        if self.quantity == 0:
            raise Invalid(f"a holding of {self.symbol} by {self.bot} cannot be of size 0")
        positive("holding.average_price", self.average_price)
        aware_utc("holding.opened_at", self.opened_at)

    @property
    def key(self) -> str:
        """The ledger's key: one bot may hold a symbol once."""
        return holding_key(self.bot, self.symbol)

    @property
    def open_risk(self) -> Decimal:
        """Dollars lost if the stop fills at its price; never below zero, and zero for a leg: its structure has the risk."""
        if self.protection is None:
            return ZERO
        return max(ZERO, (self.average_price - self.protection.stop) * self.quantity * multiplier_of(self.symbol))


def holding_key(bot: str, symbol: str) -> str:
    """The key of a bot's holding of a symbol."""
    return f"{bot}|{symbol}"


class Trade(Value, frozen=True, kw_only=True):
    """A closed round trip: in and out again, after fees, in dollars. ``structure``: the entry of which it was a leg."""

    trade_id: str
    bot: str
    symbol: str
    quantity: Decimal
    entry_price: Decimal
    exit_price: Decimal
    opened_at: datetime
    closed_at: datetime
    fees: Decimal
    profit: Decimal
    reason: str
    structure: str = ""


class BotRecord(Value, frozen=True, kw_only=True):
    """What the ledger keeps of a bot: its memory, its conduct and its day.

    ``loss_streak`` counts the trades lost in a row today; ``stopped`` is when a stop last closed a holding, by symbol, today,
    and ``entered`` when an entry was last sent, by symbol and side (``SPY buy``).
    """

    bot: str
    memory: Mapping[str, Any] = {}
    strikes: int = 0
    trades_today: int = 0
    realized_today: Decimal = ZERO
    realized: Decimal = ZERO
    fees: Decimal = ZERO
    loss_streak: int = 0
    stopped: Mapping[str, datetime] = {}
    entered: Mapping[str, datetime] = {}


class Halt(Value, frozen=True, kw_only=True):
    """A latched stop. Nothing lifts it but an operator; an automatic one not before ``cool_off_until`` without force.

    ``flatten``: everything is closed as well, as the policy asks for halts of this kind.
    """

    kind: str
    reason: str
    at: datetime
    by: str
    automatic: bool
    cool_off_until: datetime | None = None
    flatten: bool = False

    def __post_init__(self) -> None:
        named("halt.kind", self.kind)
        named("halt.reason", self.reason)
        aware_utc("halt.at", self.at)


class Day(Value, frozen=True, kw_only=True):
    """An exchange day and the equity it began with. ``before`` is what was last seen of the day before, if anything was."""

    date: date
    start_equity: Decimal
    before: Decimal | None = None

    def __post_init__(self) -> None:
        positive("day.start_equity", self.start_equity)


class Certificate(Value, frozen=True, kw_only=True):
    """What a passed ``qc`` leaves. ``wall`` is wall-clock time; the rest binds it to this very set-up.

    ``head`` and ``seq`` are the hash and the number of the journal's last event then; ``seq`` is 0 in an old one. ``practice``: made
    for practice, and good for nothing else. ``changed`` is always empty: while something changes, nothing is certified.
    """

    wall: datetime
    minutes: int
    policy_hash: str
    code_hash: str
    account_id: str
    url: str
    mode: str
    host: str
    head: str
    seq: int = 0
    practice: bool = False
    changed: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        aware_utc("certificate.wall", self.wall)


class Binding(Value, frozen=True, kw_only=True):
    """What the running system is, to be held against what its certificate was made for.

    ``policy_hash`` is that of the configuration as it lies on the disk now, empty when it cannot be read; ``code_hash`` is that of the
    sources. ``changed`` says what is no longer as it was when this process began: files, and keys with their values.
    """

    policy_hash: str
    code_hash: str
    account_id: str
    url: str
    mode: str
    host: str
    practice: bool = False
    changed: tuple[str, ...] = ()

    def differences(self, certificate: Certificate) -> tuple[str, ...]:
        """The names of what no longer matches the certificate."""
        return tuple(name for name in self.__struct_fields__ if getattr(self, name) != getattr(certificate, name))

    def misfit(self, certificate: Certificate) -> str | None:
        """Why the certificate does not fit, in a sentence that names what differs and what has changed; ``None`` when it fits."""
        differences = self.differences(certificate)
        if not differences:
            return None
        others = ", ".join(name for name in differences if name != "changed")
        told = f"the certificate was made for another {others}" if others else "what was certified has changed"
        return f"{told} ({'; '.join(self.changed)})" if self.changed else told


FLATTEN_ALL = "*"
"""In ``Ledger.flatten``: every bot. No bot can be called so."""


class Ledger(Value, frozen=True, kw_only=True):
    """The fold of the journal. Mappings are replaced, never changed in place.

    ``orders`` holds every order that is not done, and those that became done since the last observation; ``fills`` and
    ``trades`` hold only what is new since the last observation (the store keeps the rest). ``sent_at`` are the sending
    times of the last minute, ``failed_at`` the times of failed reads within the failure window. ``cash`` is what the
    account must hold if fills explain everything; ``None`` until the account was first seen. ``equity`` is what the account
    was last seen with, ``None`` when it could not be read. ``foreign`` are the
    quantities that were in the account before Hydra's first cycle, or that an operator has accepted since, and
    ``foreign_orders`` the venue ids of open orders of that kind. ``obeyed`` are the ids of the last commands taken in, so
    that one whose file outlived a crash is not obeyed twice. ``unposted`` is what sales may still be charged. ``flatten``
    names the bots whose holdings an operator wants closed (``FLATTEN_ALL``: every bot's), until the next resume.
    ``counted_on`` is the exchange day that what is counted by day (of a bot: trades, losses, stops) belongs to.
    ``binding`` is what was running when last looked, ``None`` when that could not be told.
    ``isolation`` is what kept the bots apart when they were last asked. ``day_trades`` are the exchange days, one entry a trade, on which something was both opened and closed (the last weeks').
    """

    run: str = ""
    cycle: int = 0
    at: datetime | None = None
    day: Day | None = None
    equity: Decimal | None = None
    peak_equity: Decimal = ZERO
    cash: Decimal | None = None
    fill_cursor: str = ""
    activity_cursor: str = ""
    orders: Mapping[str, Order] = {}
    holdings: Mapping[str, Holding] = {}
    bots: Mapping[str, BotRecord] = {}
    halts: tuple[Halt, ...] = ()
    foreign: Mapping[str, Decimal] = {}
    foreign_orders: tuple[str, ...] = ()
    unposted: tuple[Unposted, ...] = ()
    flatten: tuple[str, ...] = ()
    counted_on: date | None = None
    day_trades: tuple[date, ...] = ()
    sent_at: tuple[datetime, ...] = ()
    failed_at: tuple[datetime, ...] = ()
    residual_cycles: int = 0
    certificate: Certificate | None = None
    binding: Binding | None = None
    isolation: Isolation | None = None
    obeyed: tuple[str, ...] = ()
    fills: tuple[Fill, ...] = ()
    trades: tuple[Trade, ...] = ()

    def __post_init__(self) -> None:
        not_negative("ledger.peak_equity", self.peak_equity)

    def bot(self, bot: str) -> BotRecord:
        """The record of a bot; a blank one before its first event."""
        return self.bots.get(bot) or _blank(bot)

    def working(self, *, bot: str, symbol: str) -> tuple[Order, ...]:
        """The orders of a bot on a symbol that are not done."""
        return by_owner(self.orders).get((bot, symbol), ())

    @property
    def unresolved(self) -> tuple[Order, ...]:
        """Orders of which the venue has not said whether it has them."""
        return tuple(o for o in self.orders.values() if o.status.unresolved)


@lru_cache(maxsize=4096)
def _blank(bot: str) -> BotRecord:
    return BotRecord(bot=bot)


_indexed: tuple[Mapping[str, Order], Mapping[tuple[str, str], tuple[Order, ...]]] = ({}, {})


def by_owner(orders: Mapping[str, Order]) -> Mapping[tuple[str, str], tuple[Order, ...]]:
    """The orders that are not done by bot and symbol. Kept for the mapping that was asked about last: one is never changed."""
    global _indexed  # noqa: PLW0603  # one tuple, replaced whole: a function of its argument all the same
    known, index = _indexed
    if known is not orders:
        found: dict[tuple[str, str], list[Order]] = {}
        for order in orders.values():
            if not order.status.terminal:
                found.setdefault((order.bot, order.symbol), []).append(order)
        index = {owner: tuple(working) for owner, working in found.items()}
        _indexed = (orders, index)
    return index
