"""The seams to the outside. Everything that is not a pure function of its arguments is reached through one of these.

A port states a contract; the contract suites in ``tests/contracts`` run it against every adapter and its fake. Common to
all of them: an empty answer means *there is none*; a failure must raise; nothing blocks longer than its deadline.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, runtime_checkable

from hydra.model.activities import Activity
from hydra.model.events import Event, Voted
from hydra.model.isolation import Isolation
from hydra.model.market import Bar, Instrument, OptionQuote, Quote
from hydra.model.orders import Fill, Intent, Order, VenueOrder
from hydra.model.portfolio import Account, Ledger, Position
from hydra.model.rows import Rows
from hydra.model.snapshot import Answer, Command, Probe, Sessions, View
from hydra.model.values import Value
from hydra.policy import BotPolicy, OptionsPolicy

if TYPE_CHECKING:
    from hydra.model.rows import Ints


class Clock(Protocol):
    """Where *now* comes from. Read once a cycle."""

    def now(self) -> datetime:
        """The time, aware UTC."""
        ...

    def wait(self, seconds: float) -> bool:
        """Let ``seconds`` pass until the next cycle; a simulated venue moves its market on instead.

        False when there is no next cycle: the simulated market has come to its end.
        """
        ...


class Calendar(Protocol):
    """The exchange's sessions."""

    def sessions(self, at: datetime) -> Sessions:
        """Day, minute of the day and session of every asset class at ``at``."""
        ...


class MarketData(Value, frozen=True, kw_only=True):
    """What the market answered: the latest quote of each symbol that has one, and bars that have closed."""

    quotes: tuple[Quote, ...] = ()
    bars: tuple[Bar, ...] = ()


class Market(Protocol):
    """Prices. Never shows a bar before it has closed."""

    def describe(self) -> str:
        """Which market this is, in one line, for the journal and the screen."""
        ...

    def history(self, symbols: Sequence[str], count: int) -> tuple[Bar, ...]:
        """The last ``count`` closed bars of each symbol, oldest first within a symbol."""
        ...

    def poll(self, symbols: Sequence[str], after: Mapping[str, datetime]) -> MarketData:
        """Latest quotes, and the closed bars of each symbol that opened later than ``after[symbol]``, oldest first.

        A symbol that is not in ``after`` gets its latest closed bar only.
        """
        ...

    def chain(self, underlying: str) -> tuple[OptionQuote, ...]:
        """Every listed contract of an equity, by symbol, as it is quoted now. What the venue does not deliver is ``None``.

        Empty: it has none.
        """
        ...


class Foresight(Protocol):
    """A market whose history lies there as a whole, and the account in it: for passing over what nothing can happen in.

    Only whoever turns the clock may have it. What decides never sees it.
    """

    def instants(self) -> Ints:
        """Every moment at which something becomes known, in microseconds since 1970."""
        ...

    def rows(self, symbol: str) -> Rows | None:
        """All bars of a symbol; ``None`` when bars are not all there is to know of it."""
        ...

    def contracts_on(self, underlying: str) -> bool:
        """Whether there is, or ever comes to be, an option contract on a share."""
        ...

    def untouched_until(self, last: int) -> int:
        """The first moment after now at which the venue may do something to the account, or to an order, as far as ``last``.

        It may name one too early, and none too late. One after ``last`` when nothing can happen up to then.
        """
        ...

    def standing(self) -> tuple[Decimal, Mapping[str, Decimal]]:
        """Cash, and what is held by symbol (a short below zero)."""
        ...

    def pass_to(self, at: datetime) -> None:
        """Move the clock to ``at``, up to which nothing happens."""
        ...


class VenueIdentity(Value, frozen=True, kw_only=True):
    """Which account at which venue. ``url`` is the effective one; ``mode`` is sim, paper or live."""

    name: str
    url: str
    account_id: str
    mode: str


class AckOutcome(StrEnum):
    """What a venue said to a request that changes something."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"


class Ack(Value, frozen=True, kw_only=True):
    """A venue's definite answer. ``order`` is the order as it now stands; ``reason`` is the venue's own on a rejection."""

    outcome: AckOutcome
    order: VenueOrder | None = None
    reason: str = ""


class FillPage(Value, frozen=True, kw_only=True):
    """Executions in the venue's order, and the cursor to ask from next time."""

    fills: tuple[Fill, ...]
    cursor: str


class ActivityPage(Value, frozen=True, kw_only=True):
    """Activities, oldest first, and the cursor to ask from next time. A venue may post one late, with an earlier time."""

    activities: tuple[Activity, ...]
    cursor: str


class Cursors(Value, frozen=True, kw_only=True):
    """Where to go on from in the lists of fills and activities."""

    fills: str
    activities: str


class Broker(Protocol):
    """One account at one venue.

    ``submit`` and ``cancel`` return a definite answer or raise; whatever they raise, the outcome is unknown. They are
    called once. A submit with a ``client_id`` the venue already has is answered with a rejection and changes nothing.
    """

    def identity(self) -> VenueIdentity:
        """Which account this is; must not change while connected."""
        ...

    def now(self) -> datetime:
        """The venue's clock."""
        ...

    def account(self) -> Account:
        """The account as it stands."""
        ...

    def positions(self) -> tuple[Position, ...]:
        """Everything that is held."""
        ...

    def open_orders(self) -> tuple[VenueOrder, ...]:
        """Every order that is not done, all pages, bracket legs included (as orders with a ``parent``)."""
        ...

    def order(self, client_id: str) -> VenueOrder | None:
        """The order with this client id, done or not; ``None`` when the venue says that it has none."""
        ...

    def fills(self, cursor: str) -> FillPage:
        """Executions after ``cursor`` (empty: from the beginning), all pages, in the venue's order.

        Raises ``Refused`` for a cursor that was not given out. Every fill is given out once, however many share its time.
        """
        ...

    def activities(self, cursor: str) -> ActivityPage:
        """What changed the account and was no execution, after ``cursor`` (empty: from the beginning), all pages.

        Each is given out once. Raises ``Refused`` for a cursor that was not given out.
        """
        ...

    def cursors(self) -> Cursors:
        """The places after everything there is now, found without reading a long history."""
        ...

    def instruments(self, symbols: Sequence[str]) -> tuple[Instrument, ...]:
        """Increments and minimums. Raises ``Refused`` naming a symbol the venue does not trade."""
        ...

    def submit(self, order: Order) -> Ack:
        """Place an order with its protection, if it has one."""
        ...

    def cancel(self, venue_id: str) -> Ack:
        """Ask for an order to be taken back. Accepted with status PENDING_CANCEL means: not yet."""
        ...


class AppendFile(Protocol):
    """A file that only grows."""

    def write(self, data: bytes) -> None:
        """Append all of ``data``, or raise ``OSError``."""
        ...

    def sync(self) -> None:
        """Return when everything written so far survives a loss of power."""
        ...

    def close(self) -> None:
        """Close without syncing."""
        ...


class Files(Protocol):
    """The file system, as far as it carries what must not be lost. Failures raise ``OSError``."""

    def make_dir(self, path: Path) -> None:
        """Create a folder and its parents, durably; an existing one is fine."""
        ...

    def append_to(self, path: Path) -> AppendFile:
        """Open for appending; a file that is created here survives a loss of power once synced."""
        ...

    def write_whole(self, path: Path, data: bytes) -> None:
        """Replace a file's content so that a reader sees the old or the new, never a part; durable on return."""
        ...

    def chunks(self, path: Path, offset: int = 0) -> Iterator[bytes]:
        """The content from ``offset``, in pieces of bounded size."""
        ...

    def size(self, path: Path) -> int:
        """Bytes in the file."""
        ...

    def truncate(self, path: Path, size: int) -> None:
        """Cut the file to ``size`` bytes, durably."""
        ...

    def remove(self, path: Path) -> None:
        """Delete a file, durably; a missing one is fine."""
        ...

    def names(self, folder: Path) -> tuple[str, ...]:
        """The names in a folder, sorted; empty when the folder is missing."""
        ...


class Head(Value, frozen=True, kw_only=True):
    """Where the journal ends: the last sequence number and its hash."""

    seq: int
    hash: str


class Journal(Protocol):
    """The truth, append-only. One writer at a time."""

    def append(self, payload: Value) -> Event:
        """Add an event (not yet durable) and return it. Raises ``OSError`` when it cannot be written."""
        ...

    def sync(self) -> None:
        """Return when every appended event is durable. Raises ``OSError`` otherwise."""
        ...

    def head(self) -> Head:
        """The last appended event."""
        ...

    def turn(self, payload: Value) -> Event:
        """Close the segment durably and open the next one with ``payload`` as its first event."""
        ...

    def wants_turn(self) -> bool:
        """True when the segment has reached its size."""
        ...

    def close(self) -> None:
        """Sync and let go."""
        ...


class Store(Protocol):
    """The SQL projection of the journal."""

    def load(self) -> tuple[Ledger, Head]:
        """The ledger as last committed, and the event it was folded to (``seq`` 0 for an empty store).

        Raises ``Corrupt`` when it contradicts itself, ``Refused`` when its schema is newer than this program.
        """
        ...

    def commit(self, ledger: Ledger, head: Head) -> None:
        """Record what changed since the last commit, in one transaction."""
        ...

    def reset(self) -> None:
        """Empty it, to be filled again from the journal."""
        ...

    def close(self) -> None:
        """Let go of the database."""
        ...


class Inbox(Protocol):
    """What other commands want of a running engine."""

    def read(self) -> tuple[Command, ...]:
        """The commands that wait, oldest first. Raises nothing for a malformed one: it becomes a refused command."""
        ...

    def done(self, commands: Sequence[Command]) -> None:
        """Forget commands that are in the journal."""
        ...


class Probes(Protocol):
    """Health measurements beside the venue's: state folder, journal folder, disk, binding."""

    def read(self) -> Mapping[str, Probe]:
        """The latest measurement of each kind."""
        ...


class Question(Value, frozen=True, kw_only=True):
    """What a bot is asked: its view, and its memory."""

    bot: str
    view: View
    memory: Mapping[str, Any]


class BotHost(Protocol):
    """Where bots run. Always answers for every question, in the questions' order; a bot that fails abstains."""

    @property
    def isolation(self) -> Isolation:
        """What keeps the bots apart, as far as it was tried."""
        ...

    def ask(self, questions: Sequence[Question]) -> tuple[Answer, ...]:
        """Ask each bot once, each within its deadline."""
        ...

    def close(self) -> None:
        """End every worker."""
        ...


@runtime_checkable
class Hears(BotHost, Protocol):
    """A host of bots that decide on what was journaled before they answer."""

    def hear(self, recorded: Voted, questions: Sequence[Question]) -> Voted:
        """Take in the recorded votes for the question to come, and say what the record should have been."""
        ...


Bot: TypeAlias = Callable[[View, Mapping[str, Any]], tuple[Sequence[Intent], Mapping[str, Any]]]
"""A pure function: (view, memory) -> (intents, memory). Its memory must be JSON: strings, numbers, lists, mappings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What a bot is made from: its entry in the policy, how contracts are priced, and the signal it names, if it names one."""

    policy: BotPolicy
    options: OptionsPolicy
    signal: Any = None


BotFactory: TypeAlias = Callable[[Setting], Bot]
"""What an entry point of ``hydra.bots`` names. Raises ``BadConfig`` naming the key that does not fit."""
