"""What changed between two ledgers, as rows to write.

Values never change in place, so whatever is the same object is unchanged: a quiet cycle is recognised by a dozen identity
tests. Equality would be no shortcut: ``1.0`` and ``1.00`` are equal, and the store keeps which one was said.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from hydra.adapters.store.rows import PARTS, Part, Row, entries
from hydra.model.portfolio import Ledger

_EVERY_CYCLE = ("cycle", "at", "equity")
_REST = tuple(
    name for name in Ledger.__struct_fields__ if name not in _EVERY_CYCLE and name not in {part.field for part in PARTS}
)


class PartChange(NamedTuple):
    """The rows of one table to write, to put in another place, and to take out of the ledger."""

    part: Part
    written: list[Row]
    moved: list[Row]
    gone: list[Row]


def rest_is_same(old: Ledger, new: Ledger) -> bool:
    """True when nothing but the cycle, its time, the equity and the collections can have changed."""
    return all(getattr(new, name) is getattr(old, name) for name in _REST)


def differences(old: Ledger, new: Ledger) -> list[PartChange]:
    """The changes of the collections; empty for a quiet cycle. Raises ``Corrupt`` for a wrong or doubled key."""
    changes = []
    for part in PARTS:
        if getattr(new, part.field) is not getattr(old, part.field):
            change = _difference(part, entries(part, old), entries(part, new))
            if change.written or change.moved or change.gone:
                changes.append(change)
    return changes


def _difference(part: Part, old: dict[Any, Any], new: dict[Any, Any]) -> PartChange:
    places = {key: place for place, key in enumerate(old)}
    change = PartChange(part, [], [], [])
    for place, (key, value) in enumerate(new.items()):
        if old.get(key) is not value:
            change.written.append({**part.shape.row(value), "place": place})
        elif places[key] != place:
            change.moved.append({**_identity(part, key, value), "place": place})
    change.gone.extend(_identity(part, key, value) for key, value in old.items() if key not in new)
    return change


def _identity(part: Part, key: Any, value: Any) -> Row:
    """The primary key of an entry's row, as the parameters of an update or a delete."""
    if part.key is None:
        return {"key_place": key}
    return {f"key_{name}": getattr(value, name) for name in part.shape.table.keys}
