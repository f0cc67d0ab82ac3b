"""Values as rows and back, by the table's own description of its columns.

Rows are plain text and whole numbers; reading one back goes through the value's own decoder, so a row that was damaged or
edited into nonsense is refused by table and field.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeVar

import msgspec

from hydra.adapters.store import layout
from hydra.adapters.store.layout import Kind, Table
from hydra.model.errors import Corrupt, Invalid
from hydra.model.orders import Fill, Order
from hydra.model.portfolio import BotRecord, Halt, Holding, Ledger, Trade
from hydra.model.values import Value, aware_utc, encode

Row = dict[str, Any]
V = TypeVar("V", bound=Value)


def time_text(at: datetime) -> str:
    """A time as text that sorts like the time itself. Raises ``Invalid`` unless it is aware UTC."""
    aware_utc("time", at)
    return at.isoformat() if at.tzinfo is UTC else at.astimezone(UTC).isoformat()


def _same(raw: Any) -> Any:
    return raw


def _yes_or_no(raw: Any) -> Any:
    return bool(raw) if raw in (0, 1) else raw


_WRITE: dict[Kind, Callable[[Any], Any]] = {
    Kind.TEXT: _same,
    Kind.WORD: lambda word: word.value,
    Kind.DECIMAL: str,
    Kind.TIME: time_text,
    Kind.DATE: lambda day: day.isoformat(),
    Kind.WHOLE: _same,
    Kind.YES_NO: int,
    Kind.JSON: lambda value: encode(value).decode(),
}
# What is not here is left to the value's decoder, which reads decimals, times and words from text.
_READ: dict[Kind, Callable[[Any], Any]] = {Kind.YES_NO: _yes_or_no, Kind.JSON: msgspec.json.decode}


class _Cell(NamedTuple):
    column: str
    path: tuple[str, ...]
    write: Callable[[Any], Any]
    read: Callable[[Any], Any]


def _cells(table: Table) -> tuple[_Cell, ...]:
    cells = []
    for column in table.columns:
        if column.field:
            read, write = _READ.get(column.kind, _same), _WRITE[column.kind]
            cells.append(_Cell(column.name, tuple(column.field.split(".")), write, read))
    return tuple(cells)


class Shape:
    """One table and the value its rows hold."""

    def __init__(self, table: Table, value: type[Value]) -> None:
        self.table = table
        self.value = value
        self._cells = _cells(table)

    def row(self, value: Value) -> Row:
        """The columns that hold the value. Raises ``Invalid`` naming the column that cannot be written."""
        row: Row = {}
        for column, path, write, _ in self._cells:
            raw: Any = value
            for name in path:
                raw = None if raw is None else getattr(raw, name)
            try:
                row[column] = None if raw is None else write(raw)
            except (TypeError, ValueError, msgspec.MsgspecError) as error:
                raise Invalid(f"{self.table.name}.{column} cannot be written: {error}") from error
        return row

    def fields(self, row: Mapping[str, Any]) -> Row:
        """The fields in a row, as their decoder wants them; a part all of whose columns are null is ``None``."""
        fields: Row = {}
        for column, path, _, read in self._cells:
            raw = None if row[column] is None else read(row[column])
            if len(path) == 1:
                fields[path[0]] = raw
            elif raw is not None:
                fields[path[0]] = {**(fields.get(path[0]) or {}), path[1]: raw}
            else:
                fields.setdefault(path[0], None)
        return fields

    def read(self, row: Mapping[str, Any], kind: type[V]) -> V:
        """The value in a row. Raises ``Corrupt`` naming the table, the row's key and the field."""
        try:
            return msgspec.convert(self.fields(row), kind)
        except (msgspec.MsgspecError, ValueError, TypeError) as error:
            key = ", ".join(f"{name} {row[name]!r}" for name in self.table.keys)
            raise Corrupt(f"table {self.table.name}, {key}: {error}") from error


POSITION = Shape(layout.position, Ledger)


class Part(NamedTuple):
    """A ledger's collection: its field, its table, and how it is kept.

    ``key`` tells an entry from the others; ``None``: only its place does. ``by_key``: the ledger holds a mapping by that
    key, not a tuple. ``history``: entries that leave the ledger stay in the table.
    """

    field: str
    shape: Shape
    key: Callable[[Any], str] | None
    by_key: bool
    history: bool


PARTS: tuple[Part, ...] = (
    Part("orders", Shape(layout.orders, Order), lambda order: order.client_id, by_key=True, history=True),
    Part("fills", Shape(layout.fills, Fill), lambda fill: fill.fill_id, by_key=False, history=True),
    Part("trades", Shape(layout.trades, Trade), lambda trade: trade.trade_id, by_key=False, history=True),
    Part("holdings", Shape(layout.holdings, Holding), lambda holding: holding.key, by_key=True, history=False),
    Part("bots", Shape(layout.bots, BotRecord), lambda record: record.bot, by_key=True, history=False),
    Part("halts", Shape(layout.halts, Halt), None, by_key=False, history=False),
)


def entries(part: Part, ledger: Ledger) -> dict[Any, Value]:
    """The entries of a part by key, in the ledger's order. Raises ``Corrupt`` for a wrong or doubled key."""
    collection = getattr(ledger, part.field)
    if part.key is None:
        return dict(enumerate(collection))
    if isinstance(collection, Mapping):
        for key, value in collection.items():
            if part.key(value) != key:
                raise Corrupt(f"the ledger's {part.field} has {part.key(value)!r} under the key {key!r}")
        return dict(collection)
    by_key = {part.key(value): value for value in collection}
    if len(by_key) != len(collection):
        raise Corrupt(f"the ledger's {part.field} has a key twice: {', '.join(map(part.key, collection))}")
    return by_key


def collect(part: Part, values: list[Any]) -> Any:
    """The ledger's collection of these values: a mapping by key, or a tuple."""
    if part.key is not None and part.by_key:
        return {part.key(value): value for value in values}
    return tuple(values)
