"""A look into a store, for commands that change nothing.

A store in a file is read with nothing but the standard library, because it takes a person's command to start and be done
a fraction of the time that importing SQLAlchemy does. What the rows mean, what a version means and what an error means is
decided where ``SqlStore`` has it decided; a database server is left to ``SqlStore`` altogether.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from hydra.adapters.store.address import BUSY_SECONDS, Address
from hydra.adapters.store.faults import fault_of
from hydra.adapters.store.layout import Table, position
from hydra.adapters.store.loading import ledger_of
from hydra.adapters.store.revision import VERSIONS, check, version_in
from hydra.adapters.store.rows import Row
from hydra.model.errors import Refused
from hydra.model.portfolio import Ledger
from hydra.ports import Head


class StoreReader(Protocol):
    """A store that is only looked at. Faults are those of ``SqlStore``."""

    def load(self) -> tuple[Ledger, Head]:
        """The ledger as last committed, and the event it was folded to."""
        ...

    def close(self) -> None:
        """Let go of the database."""
        ...


def open_reader(url: str, *, busy_seconds: float = BUSY_SECONDS) -> StoreReader:
    """A reader of the store at ``url``. Raises like ``SqlStore(url, read_only=True)``, and reads the same."""
    address = Address(url)
    if address.file is not None:
        return FileReader(address, busy_seconds=busy_seconds)
    from hydra.adapters.store.store import SqlStore

    return SqlStore(url, read_only=True, busy_seconds=busy_seconds)


class FileReader:
    """A reader of a SQLite file: takes no lock, changes nothing, and sees the last commit of a writer elsewhere.

    Opening checks the schema. Raises ``Unreachable`` (locked), ``Refused`` (no such file, no permission, another schema),
    ``Corrupt`` (damage) or ``OSError``, naming the file.
    """

    def __init__(self, address: Address, *, busy_seconds: float = BUSY_SECONDS) -> None:
        self._address = address
        self._busy_seconds = busy_seconds
        self._connection: sqlite3.Connection | None = None
        with self._faults():
            self._connected()

    def load(self) -> tuple[Ledger, Head]:
        """The ledger as last committed, and the event it was folded to (``seq`` 0 for an empty store)."""
        with self._faults():
            connection = self._connected()
            # One transaction: every table as of the same commit.
            connection.execute("BEGIN")
            found = ledger_of(self._address.where, lambda table: _in_ledger(connection, table))
            connection.execute("COMMIT")
        return found

    def close(self) -> None:
        """Let go of the file. Closing twice is fine; ``load`` opens it again."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            self._address.demand()
            self._connection = sqlite3.connect(
                f"{self._address.reading_path}?mode=ro", uri=True, timeout=self._busy_seconds, isolation_level=None
            )
            try:
                check(_version(self._connection), may_upgrade=False)
            except Refused as error:
                raise type(error)(f"state store {self._address.where}: {error}") from error
        return self._connection

    @contextmanager
    def _faults(self) -> Iterator[None]:
        """Turn what SQLite raises into our faults; after any failure, forget the connection."""
        done = False
        try:
            yield
            done = True
        except sqlite3.Error as error:
            raise fault_of(self._address.where, error) from error
        finally:
            if not done:
                self.close()


def _version(connection: sqlite3.Connection) -> str | None:
    def has_table(name: str) -> bool:
        return bool(connection.execute("SELECT 1 FROM pragma_table_info(?)", (name,)).fetchall())

    return version_in(has_table, lambda: [version for (version,) in connection.execute(VERSIONS).fetchall()])


def _in_ledger(connection: sqlite3.Connection, table: Table) -> list[Row]:
    """The rows of a table that are in the ledger, in its order."""
    names = [column.name for column in table.columns]
    # Named with their table, because SQLite takes a quoted name that is no column for a text.
    columns = ", ".join(f'{table.name}."{name}"' for name in names)
    where = "" if table is position else " WHERE place IS NOT NULL ORDER BY place"
    rows = connection.execute(f"SELECT {columns} FROM {table.name}{where}").fetchall()  # noqa: S608  # our own names
    return [dict(zip(names, row, strict=True)) for row in rows]
