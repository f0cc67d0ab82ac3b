"""The simulated venue's own books, whole: read from its file, or kept in memory as in another company's safe."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path

from hydra.adapters.exchange.model import AccountState, Activity, Execution, FeeSchedule, Ticket
from hydra.adapters.exchange.standing import Change, FeedClock, Standing
from hydra.adapters.exchange.terms import Role
from hydra.model.errors import Corrupt
from hydra.model.market import AssetClass, asset_class_of
from hydra.model.orders import Fill
from hydra.model.portfolio import Position
from hydra.model.snapshot import Sessions
from hydra.model.values import decode, replace
from hydra.policy import Policy
from hydra.ports import Calendar
from hydra.qc.outages.claims import VenueBooks

_TIME_LEFT_UNTIL_MINUTE = 15 * 60 + 20


class MemoryBooks:
    """The venue's books, in another company's safe."""

    name = "elsewhere"

    def __init__(self) -> None:
        self._standing: Standing | None = None
        self.orders: dict[int, Ticket] = {}
        self.positions: dict[str, Position] = {}
        self.executions: list[Execution] = []
        self.activities: list[Activity] = []
        self.clocks: dict[str, FeedClock] = {}

    def load(self) -> Standing | None:
        """Everything, or nothing yet."""
        return self._standing

    def open(self, standing: Standing) -> None:
        """The first page."""
        self._standing = standing

    def commit(self, change: Change) -> None:
        """One request, or one advance."""
        assert self._standing is not None
        self.orders.update({ticket.number: ticket for ticket in change.orders})
        self.positions.update({position.symbol: position for position in change.positions})
        for symbol in change.gone:
            del self.positions[symbol]
        self.executions += change.executions
        self.activities += change.activities
        self.clocks[change.clock.fingerprint] = change.clock
        self._standing = Standing(
            account=change.account or self._standing.account,
            current=change.clock.fingerprint,
            clocks=dict(self.clocks),
            positions=tuple(self.positions.values()),
            orders=tuple(self.orders.values()),
            executions=tuple(self.executions),
            activities=tuple(self.activities),
        )

    def close(self) -> None:
        """Nothing to let go of."""


def books_in_memory(standing: Standing | None, policy: Policy, calendar: Callable[[], Calendar]) -> VenueBooks:
    """What the books in the safe say."""
    if standing is None:
        return VenueBooks(orders={}, fills=(), positions={}, cash=policy.broker.starting_cash)
    at = standing.clocks[standing.current].at
    orders = _by_client_id(standing.orders)
    return VenueBooks(
        orders=orders,
        fills=_fills(standing.executions, orders, policy),
        positions={position.symbol: position.quantity for position in standing.positions},
        cash=standing.account.cash,
        tradable=tradable(policy, at, calendar),
    )


def books_in_file(path: Path, policy: Policy, calendar: Callable[[], Calendar]) -> VenueBooks:
    """What the file of the simulated venue says, read row by row beside its owner. Raises ``Corrupt``."""
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
            db.execute("BEGIN")
            tickets = [decode(row[0], Ticket) for row in db.execute("SELECT body FROM orders ORDER BY number")]
            executed = [decode(row[0], Execution) for row in db.execute("SELECT body FROM executions ORDER BY number")]
            positions = [decode(row[0], Position) for row in db.execute("SELECT body FROM positions")]
            account, current = db.execute("SELECT account, current FROM venue").fetchone()
            body = db.execute("SELECT body FROM clocks WHERE fingerprint = ?", (current,)).fetchone()[0]
    except sqlite3.Error as error:
        raise Corrupt(f"the exchange's books {path} cannot be read: {error}") from error
    orders = _by_client_id(tickets)
    return VenueBooks(
        orders=orders,
        fills=_fills(executed, orders, policy),
        positions={position.symbol: position.quantity for position in positions},
        cash=decode(account, AccountState).cash,
        tradable=tradable(policy, decode(body, FeedClock).at, calendar),
    )


def tradable(policy: Policy, at: datetime, calendar: Callable[[], Calendar]) -> frozenset[str]:
    """The symbols whose session is open."""
    if policy.market.sessions == "always":
        return frozenset(policy.symbols)
    by_class = calendar().sessions(at).by_class
    open_classes = {kind for kind in AssetClass if (session := by_class.get(kind)) is not None and session.open}
    return frozenset(symbol for symbol in policy.symbols if asset_class_of(symbol) in open_classes)


def busy(sessions: Sessions) -> bool:
    """True while equities trade and will for a while."""
    session = sessions.by_class.get(AssetClass.EQUITY)
    return session is not None and session.open and sessions.minute < _TIME_LEFT_UNTIL_MINUTE


def _by_client_id(tickets: Iterable[Ticket]) -> Mapping[str, Ticket]:
    found: dict[str, Ticket] = {}
    for ticket in tickets:
        if ticket.client_id in found:
            raise Corrupt(f"{ticket.client_id} stands twice in the venue's books")
        found[ticket.client_id] = ticket
    return found


def _fills(executions: Iterable[Execution], orders: Mapping[str, Ticket], policy: Policy) -> tuple[Fill, ...]:
    """The executions as the engine is told of them: those of a leg of an order of several belong to the order."""
    fees = FeeSchedule.ALPACA if policy.broker.account == "alpaca" else FeeSchedule.FLAT
    found = []
    for execution in executions:
        fill, ticket = execution.report(fees), orders.get(execution.client_id)
        if ticket is not None and ticket.role is Role.LEG:
            whole = orders[ticket.parent]
            fill = replace(fill, client_id=whole.client_id, venue_id=whole.venue_id)
        found.append(fill)
    return tuple(found)
