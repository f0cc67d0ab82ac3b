"""The tables with their indexes: what the migrations have to come to.

They stand apart because an index on part of a table names every database it is for, and importing what SQLAlchemy knows of
all of them is a tenth of a command's start.
"""

from __future__ import annotations

from sqlalchemy import Index

from hydra.adapters.store.rows import PARTS
from hydra.adapters.store.tables import metadata

__all__ = ["metadata"]

# Loading reads what is in the ledger, however long the history has become.
for _history in (metadata.tables[part.shape.table.name] for part in PARTS if part.history):
    _in_ledger = _history.c.place.is_not(None)
    Index(f"{_history.name}_in_ledger", _history.c.place, sqlite_where=_in_ledger, postgresql_where=_in_ledger)
