"""Which schema a database has, and how it is brought to this program's.

The version is read from Alembic's own table, so a database that is current never imports Alembic.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, text

from hydra.adapters.store.tables import SCHEMA, VERSION_TABLE, metadata
from hydra.model.errors import Refused

_FOLDER = Path(__file__).parent / "migrations"


def version_of(connection: Connection) -> str | None:
    """The schema version of the database; ``None`` when it is empty. Raises ``Refused`` when it is somebody else's."""
    if connection.dialect.has_table(connection, VERSION_TABLE):
        versions = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalars().all()  # noqa: S608  # our constant
        if len(versions) == 1:
            return str(versions[0])
        raise Refused(f"it names {len(versions)} schema versions in {VERSION_TABLE}, expected 1")
    ours = [name for name in metadata.tables if connection.dialect.has_table(connection, name)]
    if ours:
        raise Refused(f"it has a table {ours[0]!r} but no schema version: not a state store of this program")
    return None


def check(found: str | None, *, may_upgrade: bool) -> bool:
    """True when the database has to be upgraded. Raises ``Refused``, naming both versions, when that cannot be."""
    if found == SCHEMA:
        return False
    if found is None:
        wrong = "it is empty"
    elif not found.isdecimal():
        wrong = f"it has the schema {found!r}, which is none of this program's"
    elif int(found) > int(SCHEMA):
        raise Refused(
            f"its schema is {found}, newer than {SCHEMA}, the newest this program knows; use the newer program"
        )
    else:
        wrong = f"its schema is {found}, this program reads {SCHEMA}"
    if may_upgrade and (found is None or found.isdecimal()):
        return True
    advice = "; a command that writes (hydra qc, hydra run) brings it up to date" if not may_upgrade else ""
    raise Refused(f"{wrong}{advice}")


def upgrade(connection: Connection, target: str = SCHEMA) -> None:
    """Run the migrations up to ``target`` on this connection, within the caller's transaction."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, target)
