"""The ``Store`` port on SQLAlchemy Core: SQLite in a file by default, PostgreSQL by URL.

Committing follows the difference between the last committed ledger and the new one, in one transaction; a quiet cycle is
one prepared ``UPDATE`` of one row. Every commit says which event it builds on, so two writers cannot interleave. The
journal carries durability: losing the last commits in a power cut loses nothing, they are folded again.

The oddity: one connection stays open in the driver's autocommit mode, and a commit speaks to the driver's cursor with SQL
that SQLAlchemy compiled once, because the general way costs more than the write. After any failure the connection and
all that was believed about the database are dropped, and read anew before the next commit.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Table, delete, select
from sqlalchemy.exc import SQLAlchemyError

from hydra.adapters.store import schema
from hydra.adapters.store.address import BUSY_SECONDS, Address
from hydra.adapters.store.changes import PartChange, differences, rest_is_same
from hydra.adapters.store.faults import fault_of
from hydra.adapters.store.loading import ledger_of
from hydra.adapters.store.revision import check
from hydra.adapters.store.rows import Row
from hydra.adapters.store.statements import BLANK, Sql, position_row
from hydra.adapters.store.tables import metadata, position
from hydra.model.errors import Corrupt, Invalid, Refused
from hydra.model.portfolio import Ledger
from hydra.ports import Head

_BEGIN_WRITE = {"sqlite": "BEGIN IMMEDIATE", "postgresql": "BEGIN"}
_BEGIN_READ = {"sqlite": "BEGIN", "postgresql": "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"}


class SqlStore:
    """A state store at ``url`` (``sqlite:////absolute/path/trading_state.db`` or ``postgresql://…``).

    Opening creates or upgrades the schema; ``read_only`` does neither, takes no lock, and sees the last commit of a
    writer in another process. A locked database is waited for ``busy_seconds``. Every method, the constructor included,
    raises ``Unreachable`` (locked, not answering), ``Refused`` (read-only, no permission, another schema, no such file),
    ``Corrupt`` (damage) or ``OSError`` (disk full, input/output error), naming the store; never anything of SQLAlchemy's.
    """

    def __init__(self, url: str, *, read_only: bool = False, busy_seconds: float = BUSY_SECONDS) -> None:
        self._address = Address(url)
        self._where = self._address.where
        self._read_only = read_only
        self._engine = self._address.engine(read_only=read_only, busy_seconds=busy_seconds)
        self._sql = Sql(self._engine.dialect)
        # A health probe may ask from its own thread, and must not drop the connection under a commit.
        self._lock = threading.RLock()
        self._connection: Connection | None = None
        self._cursor: Any = None
        self._last: tuple[Ledger, Head] | None = None
        with self._faults():
            self._connected()

    # The port.

    def load(self) -> tuple[Ledger, Head]:
        """The ledger as last committed, and the event it was folded to (``seq`` 0 for an empty store)."""
        with self._faults(), self._transaction(_BEGIN_READ) as connection:
            found = ledger_of(self._where, lambda table: _in_ledger(connection, metadata.tables[table.name]))
        self._last = found
        return found

    def commit(self, ledger: Ledger, head: Head) -> None:
        """Record what changed since the last commit, in one transaction.

        Raises ``Corrupt`` when ``head`` lies before the last commit, or somebody else has committed meanwhile.
        """
        last, last_head = self._last or self.load()
        if head.seq <= last_head.seq and head != last_head:
            raise Corrupt(
                f"state store {self._where} stands at event {last_head.seq} ({last_head.hash[:12]}) "
                f"and cannot go back to {head.seq} ({head.hash[:12]})"
            )
        try:
            changes = differences(last, ledger)
            whole = not rest_is_same(last, ledger)
            row = position_row(ledger, head, last_head, whole=whole)
        except (Invalid, Corrupt) as error:
            raise Corrupt(f"state store {self._where}: {error}") from error
        with self._faults():
            self._write(self._sql.position(whole=whole), row, changes)
        self._last = ledger, head

    def reset(self) -> None:
        """Empty it, history included, to be filled again from the journal."""
        with self._faults(), self._transaction(_BEGIN_WRITE) as connection:
            for table in metadata.sorted_tables:
                connection.execute(delete(table))
            connection.execute(position.insert(), BLANK)
        self._last = None

    def close(self) -> None:
        """Let go of the database. Closing twice is fine; any other call opens it again."""
        self._last = None
        with self._faults():
            self._disconnect()

    # Beside the port: for checks, the doctor and the tests.

    def ping(self) -> int:
        """The sequence number in the tables, by one small read: whether the database answers."""
        with self._faults():
            return int(self._connected().execute(select(position.c.seq)).scalar_one())

    def schema_version(self) -> str | None:
        """The schema version in the database."""
        with self._faults():
            return schema.version_of(self._connected())

    def integrity(self) -> str | None:
        """What is wrong with the store, or ``None``. Reads all of it: not for every cycle."""
        try:
            with self._faults():
                connection = self._connected()
                if self._address.file is not None:
                    findings = connection.exec_driver_sql("PRAGMA quick_check(3)").scalars().all()
                    if findings != ["ok"]:
                        return f"state store {self._where} is damaged: {'; '.join(map(str, findings))}"
            self.load()
        except Corrupt as error:
            return str(error)
        return None

    def dump(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of every table, by table, in the order of the primary key."""
        with self._faults(), self._transaction(_BEGIN_READ) as connection:
            return {name: _rows_of(connection, table) for name, table in sorted(metadata.tables.items())}

    # Writing.

    def _write(self, update_position: str, row: Row, changes: list[PartChange]) -> None:
        if not changes:
            self._update_position(update_position, row)
            return
        with self._transaction(_BEGIN_WRITE):
            cursor = self._driver()
            self._update_position(update_position, row)
            for change in changes:
                sql = self._sql.part(change.part)
                for text, rows in ((sql.gone, change.gone), (sql.moved, change.moved), (sql.written, change.written)):
                    if rows:
                        cursor.executemany(text, rows)

    def _update_position(self, update_position: str, row: Row) -> None:
        cursor = self._driver()
        cursor.execute(update_position, row)
        if cursor.rowcount != 1:
            raise Corrupt(
                f"state store {self._where} no longer stands at event {row['built_on']}: somebody else has written to it"
            )

    # Connecting.

    def _connected(self) -> Connection:
        if self._connection is not None:
            return self._connection
        if self._read_only:
            self._address.demand()
        connection = self._connection = self._engine.connect()
        if self._address.file is not None and not self._read_only:
            mode = connection.exec_driver_sql("PRAGMA journal_mode = WAL").scalar_one()
            # Without the write-ahead log (some network file systems) NORMAL could damage the file in a power cut.
            connection.exec_driver_sql(f"PRAGMA synchronous = {'NORMAL' if mode == 'wal' else 'FULL'}")
        try:
            outdated = check(schema.version_of(connection), may_upgrade=not self._read_only)
        except Refused as error:
            raise type(error)(f"state store {self._where}: {error}") from error
        if outdated:
            self._upgrade(connection)
        return connection

    def _driver(self) -> Any:
        """The driver's own cursor on the one connection."""
        if self._cursor is None:
            self._cursor = self._connected().connection.cursor()
        return self._cursor

    def _upgrade(self, connection: Connection) -> None:
        with self._transaction(_BEGIN_WRITE):
            schema.upgrade(connection)
            if connection.execute(select(position.c.id)).first() is None:
                connection.execute(position.insert(), BLANK)

    def _disconnect(self) -> None:
        connection, self._connection, self._cursor = self._connection, None, None
        if connection is not None:
            # Closing the driver's connection as well: what is left open would keep its locks.
            connection.invalidate()
            connection.close()

    @contextmanager
    def _transaction(self, begin: Mapping[str, str]) -> Iterator[Connection]:
        """A transaction on the driver's connection; left open by a failure, since that drops the connection."""
        connection, cursor = self._connected(), self._driver()
        cursor.execute(begin[self._engine.dialect.name])
        yield connection
        cursor.execute("COMMIT")

    @contextmanager
    def _faults(self) -> Iterator[None]:
        """Turn what the database raises into our faults; after any failure, forget the connection and what was known."""
        done = False
        with self._lock:
            try:
                yield
                done = True
            except (SQLAlchemyError, self._engine.dialect.loaded_dbapi.Error) as error:
                raise fault_of(self._where, error) from error
            finally:
                if not done:
                    self._last = None
                    self._disconnect()


def _in_ledger(connection: Connection, table: Table) -> list[Row]:
    """The rows of a table that are in the ledger, in its order."""
    query = select(table)
    if table is not position:
        query = query.where(table.c.place.is_not(None)).order_by(table.c.place)
    return [dict(row) for row in connection.execute(query).mappings()]


def _rows_of(connection: Connection, table: Table) -> list[tuple[Any, ...]]:
    """Every row, sorted here: databases disagree about the order of texts."""
    names = [column.name for column in table.columns]
    keys = [names.index(column.name) for column in table.primary_key.columns]
    rows = [tuple(row) for row in connection.execute(select(table))]
    return sorted(rows, key=lambda row: [row[key] for key in keys])
