"""The schema of a database that SQLAlchemy is connected to: which it is, and how it is brought to this program's."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, text

from hydra.adapters.store.layout import SCHEMA
from hydra.adapters.store.revision import VERSIONS, version_in

_FOLDER = Path(__file__).parent / "migrations"


def version_of(connection: Connection) -> str | None:
    """The schema version of the database; ``None`` when it is empty. Raises ``Refused`` when it is somebody else's."""
    return version_in(
        lambda name: connection.dialect.has_table(connection, name),
        lambda: connection.execute(text(VERSIONS)).scalars().all(),
    )


def upgrade(connection: Connection, target: str = SCHEMA) -> None:
    """Run the migrations up to ``target`` on this connection, within the caller's transaction."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, target)
