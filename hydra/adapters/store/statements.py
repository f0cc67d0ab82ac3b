"""The SQL that commits, built from the tables and compiled once for a database's dialect.

Parameters are named everywhere; ``key_<column>`` finds a row, ``built_on`` is the event the last commit stood at.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import Dialect, Executable, bindparam, delete, literal_column, null, update

from hydra.adapters.store.rows import POSITION, Part, Row, time_text
from hydra.adapters.store.tables import metadata, position
from hydra.model.events import GENESIS
from hydra.model.portfolio import Ledger
from hydra.ports import Head

_QUIET = ("seq", "hash", "cycle", "at", "equity")

BLANK: Row = {"id": 1, "seq": 0, "hash": GENESIS, **POSITION.row(Ledger())}
"""The position of an empty store."""


def position_row(ledger: Ledger, head: Head, built_on: Head, *, whole: bool) -> Row:
    """The parameters of the update of ``position``: all of the ledger's scalars, or what changes every cycle."""
    row: Row = {"seq": head.seq, "hash": head.hash, "built_on": built_on.seq}
    if whole:
        return {**POSITION.row(ledger), **row}
    row["cycle"] = ledger.cycle
    row["at"] = None if ledger.at is None else time_text(ledger.at)
    row["equity"] = None if ledger.equity is None else str(ledger.equity)
    return row


class PartSql(NamedTuple):
    """How entries of a part are written, put in another place, and taken out."""

    written: str
    moved: str
    gone: str


class Sql:
    """The statements for one dialect, each compiled on first use."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._positions: dict[bool, str] = {}
        self._parts: dict[str, PartSql] = {}

    def position(self, *, whole: bool) -> str:
        """The update of the one row of ``position``."""
        if whole not in self._positions:
            names = [column.name for column in position.columns if column.name != "id"] if whole else _QUIET
            values: dict[str, Any] = {name: bindparam(name) for name in names}
            here = position.c.id == literal_column("1"), position.c.seq == bindparam("built_on")
            self._positions[whole] = self._text(update(position).where(*here).values(values))
        return self._positions[whole]

    def part(self, part: Part) -> PartSql:
        """The statements of a part."""
        if part.field not in self._parts:
            self._parts[part.field] = PartSql(*map(self._text, self._part_statements(part)))
        return self._parts[part.field]

    def _text(self, statement: Executable) -> str:
        return str(statement.compile(dialect=self._dialect))  # type: ignore[attr-defined]  # every statement here compiles

    def _part_statements(self, part: Part) -> tuple[Executable, Executable, Executable]:
        table = metadata.tables[part.shape.table.name]
        keys = list(table.primary_key.columns)
        here = [column == bindparam(f"key_{column.name}") for column in keys]
        insert = self._insert()(table).values({column.name: bindparam(column.name) for column in table.columns})
        rest = {column.name: insert.excluded[column.name] for column in table.columns if not column.primary_key}
        written = insert.on_conflict_do_update(index_elements=keys, set_=rest)
        if part.key is None:
            # Known by its place, such an entry is written over and never moved.
            return written, delete(table).where(*here), delete(table).where(*here)
        moved = update(table).where(*here).values(place=bindparam("place"))
        gone = update(table).where(*here).values(place=null()) if part.history else delete(table).where(*here)
        return written, moved, gone

    def _insert(self) -> Any:
        """The dialect's own ``insert``: the general one has no ON CONFLICT."""
        if self._dialect.name == "sqlite":
            from sqlalchemy.dialects.sqlite import insert as sqlite_insert

            return sqlite_insert
        from sqlalchemy.dialects.postgresql import insert as postgresql_insert

        return postgresql_insert
