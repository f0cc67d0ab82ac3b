"""The tables as SQLAlchemy knows them, made of the layout."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Column, Integer, MetaData, Table, Text

from hydra.adapters.store import layout
from hydra.adapters.store.layout import Kind

# What is not here is text.
_SQL = {Kind.WHOLE: BigInteger, Kind.SMALL: Integer, Kind.YES_NO: Integer}

metadata = MetaData()


def _table(table: layout.Table) -> Table:
    return Table(table.name, metadata, *map(_column, table.columns))


def _column(column: layout.Column) -> Column[Any]:
    kind = _SQL.get(column.kind, Text)
    return Column(column.name, kind, nullable=column.nullable, primary_key=column.key, autoincrement=False)


for _each in layout.TABLES:
    _table(_each)

position = metadata.tables[layout.position.name]
position.append_constraint(CheckConstraint("id = 1", name="position_is_one_row"))
