"""The venue's books: one SQLite file of its own, written before an answer is given.

Each request and each advance is one transaction of exactly the rows it touched, committed with ``synchronous=FULL`` in WAL
mode: what the venue has answered survives a loss of power, and what it has not answered is there whole or not at all.

The books have one owner. Loading takes them over by raising ``epoch``; every commit names the epoch it was opened under,
so a venue that was thought dead cannot write over its successor. The file is always SQLite and always local, hence the
standard library's driver: nothing to import, and a quiet advance costs one row and one sync.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hydra.adapters.exchange.model import AccountState, Activity, Execution, Ticket
from hydra.adapters.exchange.standing import Change, FeedClock, Standing
from hydra.model.errors import Barred, Corrupt, Invalid, Unreachable
from hydra.model.portfolio import Position
from hydra.model.values import decode, encode

SCHEMA = 2
_TABLES = """
CREATE TABLE venue (
    one INTEGER PRIMARY KEY CHECK (one = 1), epoch INTEGER NOT NULL, account TEXT NOT NULL, current TEXT NOT NULL);
CREATE TABLE clocks (fingerprint TEXT PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE orders (
    number INTEGER PRIMARY KEY, client_id TEXT NOT NULL UNIQUE, symbol TEXT NOT NULL, status TEXT NOT NULL,
    body TEXT NOT NULL);
CREATE TABLE positions (symbol TEXT PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE executions (number INTEGER PRIMARY KEY, client_id TEXT NOT NULL, body TEXT NOT NULL);
CREATE TABLE activities (number INTEGER PRIMARY KEY, kind TEXT NOT NULL, body TEXT NOT NULL);
"""
_BUSY_SECONDS = 5.0


class SqliteBooks:
    """``Books`` in the file at ``path``, created when missing. Close it, or leave it to the end of the process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._epoch = 0
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Threads of one venue share the connection; the venue's lock keeps them apart.
            self._db = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        except (OSError, sqlite3.Error) as error:
            raise Unreachable(f"the exchange's books {path} cannot be opened: {error}") from error
        with self._reading():
            self._prepare()

    @property
    def name(self) -> str:
        """The path."""
        return str(self._path)

    def load(self) -> Standing | None:
        """All the books hold, taken over from any earlier owner; ``None`` for new books.

        Raises ``Corrupt`` naming the file when a row cannot be read.
        """
        with self._reading(), self._transaction():
            if self._db.execute("UPDATE venue SET epoch = epoch + 1").rowcount == 0:
                return None
            epoch, account, current = self._db.execute("SELECT epoch, account, current FROM venue").fetchone()
            if self._epoch not in (0, epoch - 1):
                raise self._taken_over()
            self._epoch = epoch
            clocks = [decode(row[0], FeedClock) for row in self._db.execute("SELECT body FROM clocks")]
            return Standing(
                account=decode(account, AccountState),
                current=current,
                clocks={clock.fingerprint: clock for clock in clocks},
                positions=self._rows("positions", "symbol", Position),
                orders=self._rows("orders", "number", Ticket),
                executions=self._rows("executions", "number", Execution),
                activities=self._rows("activities", "number", Activity),
            )

    def open(self, standing: Standing) -> None:
        """Write the first entry. The books must be new."""
        with self._writing(), self._transaction():
            self._db.execute(
                "INSERT INTO venue VALUES (1, 1, ?, ?)",
                (_json(standing.account), standing.current),
            )
        self._epoch = 1

    def commit(self, change: Change) -> None:
        """Write a change; durable on return. Raises ``Unreachable`` or ``Barred`` (see the port)."""
        with self._writing(), self._transaction():
            owned = self._db.execute(
                "UPDATE venue SET account = coalesce(?, account), current = ? WHERE epoch = ?",
                (
                    None if change.account is None else _json(change.account),
                    change.clock.fingerprint,
                    self._epoch,
                ),
            ).rowcount
            if owned == 0:
                raise self._taken_over()
            self._write(change)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _taken_over(self) -> Barred:
        return Barred(f"the exchange's books {self._path} were opened by another venue, which owns them now")

    def _write(self, change: Change) -> None:
        db, clock = self._db, change.clock
        db.execute("INSERT OR REPLACE INTO clocks VALUES (?, ?)", (clock.fingerprint, _json(clock)))
        if change.orders:
            rows = [(t.number, t.client_id, t.symbol, t.status.value, _json(t)) for t in change.orders]
            db.executemany(
                "INSERT INTO orders VALUES (?, ?, ?, ?, ?) "
                "ON CONFLICT (number) DO UPDATE SET status = excluded.status, body = excluded.body",
                rows,
            )
        if change.positions:
            db.executemany(
                "INSERT OR REPLACE INTO positions VALUES (?, ?)", [(p.symbol, _json(p)) for p in change.positions]
            )
        if change.gone:
            db.executemany("DELETE FROM positions WHERE symbol = ?", [(symbol,) for symbol in change.gone])
        if change.executions:
            db.executemany(
                "INSERT INTO executions VALUES (?, ?, ?)",
                [(e.number, e.client_id, _json(e)) for e in change.executions],
            )
        if change.activities:
            db.executemany(
                "INSERT INTO activities VALUES (?, ?, ?)",
                [(a.number, a.kind.value, _json(a)) for a in change.activities],
            )

    def _prepare(self) -> None:
        db = self._db
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        with self._transaction():
            version = db.execute("PRAGMA user_version").fetchone()[0]
            if version == 0:
                for statement in _TABLES.split(";")[:-1]:
                    db.execute(statement)
                db.execute(f"PRAGMA user_version = {SCHEMA}")
            elif version != SCHEMA:
                raise Barred(
                    f"the exchange's books {self._path} have schema {version}; this program reads {SCHEMA}. "
                    f"Use the program that wrote them, or another --state-dir"
                )

    def _rows(self, table: str, order: str, kind: type) -> tuple:  # type: ignore[type-arg]  # of the kind asked for
        query = f"SELECT body FROM {table} ORDER BY {order}"  # noqa: S608  # names from this file
        return tuple(decode(row[0], kind) for row in self._db.execute(query))

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        done = False
        try:
            yield
            self._db.execute("COMMIT")
            done = True
        finally:
            if not done and self._db.in_transaction:
                self._db.execute("ROLLBACK")

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            raise Unreachable(f"the exchange's books {self._path} do not open: {error}") from error
        except (sqlite3.DatabaseError, Invalid) as error:
            raise Corrupt(f"the exchange's books {self._path} cannot be read: {error}") from error

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise Unreachable(f"the exchange's books {self._path} cannot be written: {error}") from error


def _json(value: object) -> str:
    return encode(value).decode()
