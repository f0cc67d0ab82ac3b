"""In what two ledgers differ first, to the last field: the words of everybody who holds one against another."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from hydra.engine.replay import differences
from hydra.model.portfolio import Ledger

FACTS = frozenset({"fills", "trades"})
"""What the store takes over as history and the ledger then forgets: a ledger that was loaded has none of them."""


class Difference(NamedTuple):
    """A field, and what it is in the one and in the other."""

    field: str
    one: str
    other: str


def difference(one: Ledger, other: Ledger, apart_from: frozenset[str] = frozenset()) -> Difference | None:
    """The first field in which they are not the same; ``None`` when there is none."""
    for name in Ledger.__struct_fields__:
        mine, theirs = getattr(one, name), getattr(other, name)
        if name not in apart_from and mine != theirs:
            documents = (msgspec.to_builtins(mine, str_keys=True), msgspec.to_builtins(theirs, str_keys=True))
            # Two that differ and are written alike differ all the same.
            return Difference(*next(differences(*documents, name), (name, "?", "?")))
    return None
