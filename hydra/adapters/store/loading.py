"""From the store's rows to the ledger, whoever has fetched them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from hydra.adapters.store.layout import Table, position
from hydra.adapters.store.rows import PARTS, POSITION, Part, Row, collect
from hydra.model.errors import Corrupt, Invalid
from hydra.model.portfolio import Ledger
from hydra.model.values import replace
from hydra.ports import Head

Fetch = Callable[[Table], Sequence[Row]]
"""The rows of a table that are in the ledger, by column and in the order of their place; of ``position``, all."""


def ledger_of(where: str, fetch: Fetch) -> tuple[Ledger, Head]:
    """The ledger, and the event it was folded to. Raises ``Corrupt`` naming the store, the table, the row and the field."""
    try:
        row = _one(fetch(position))
        parts = {part.field: _collection(part, fetch(part.shape.table)) for part in PARTS}
        return replace(POSITION.read(row, Ledger), **parts), _head(row)
    except (Corrupt, Invalid, ValueError) as error:
        raise Corrupt(f"state store {where}: {error}") from error


def _one(rows: Sequence[Row]) -> Row:
    if len(rows) != 1:
        found = f"has {len(rows)} rows" if rows else "is empty"
        raise Corrupt(f"the table position {found}, expected its one row")
    return rows[0]


def _head(row: Row) -> Head:
    """The event in the row of ``position``, of which the ledger knows nothing."""
    try:
        return msgspec.convert({"seq": row["seq"], "hash": row["hash"]}, Head)
    except msgspec.MsgspecError as error:
        raise Corrupt(f"table {position.name}: {error}") from error


def _collection(part: Part, rows: Sequence[Row]) -> Any:
    """A collection as the ledger holds it."""
    table = part.shape.table
    places = [row["place"] for row in rows]
    if places != list(range(len(rows))):
        raise Corrupt(f"table {table.name}: expected the places 0 to {len(rows) - 1}, found {places[:20]}")
    return collect(part, [part.shape.read(row, part.shape.value) for row in rows])
