"""Loading reads what is in the ledger, however long the history has become."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Index the rows that are in the ledger."""
    here = sa.text("place IS NOT NULL")
    for table in ("orders", "fills", "trades"):
        op.create_index(f"{table}_in_ledger", table, ["place"], sqlite_where=here, postgresql_where=here)
