"""Which schema a database has, and whether this program can use it.

The version is read from Alembic's own table, so a database that is current never imports Alembic; the two questions that
takes are the caller's, who knows how to ask his database.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from hydra.adapters.store.layout import SCHEMA, TABLES, VERSION_TABLE
from hydra.model.errors import Blank, Outdated, Refused

VERSIONS = f"SELECT version_num FROM {VERSION_TABLE}"  # noqa: S608  # our constant
"""Asks for every version the database names; there should be one."""


def version_in(has_table: Callable[[str], bool], versions: Callable[[], Sequence[Any]]) -> str | None:
    """The schema version of the database; ``None`` when it is empty. Raises ``Refused`` when it is somebody else's."""
    if has_table(VERSION_TABLE):
        found = versions()
        if len(found) == 1:
            return str(found[0])
        raise Refused(f"it names {len(found)} schema versions in {VERSION_TABLE}, expected 1")
    ours = [table.name for table in TABLES if has_table(table.name)]
    if ours:
        raise Refused(f"it has a table {ours[0]!r} but no schema version: not a state store of this program")
    return None


def check(found: str | None, *, may_upgrade: bool) -> bool:
    """True when the database has to be upgraded. Raises ``Refused``, naming both versions, when that cannot be.

    Where nothing may be upgraded, an older schema is ``Outdated`` and an empty database ``Blank``.
    """
    if found == SCHEMA:
        return False
    advice = "; a command that writes (hydra qc, hydra run) brings it up to date"
    if found is None:
        if may_upgrade:
            return True
        raise Blank(f"it is empty{advice}")
    if not found.isdecimal():
        raise Refused(f"it has the schema {found!r}, which is none of this program's")
    if int(found) > int(SCHEMA):
        raise Refused(
            f"its schema is {found}, newer than {SCHEMA}, the newest this program knows; use the newer program"
        )
    if may_upgrade:
        return True
    raise Outdated(f"its schema is {found}, this program reads {SCHEMA}{advice}")
