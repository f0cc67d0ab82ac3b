"""What changes an account beside executions: activities read so far, fees to come and coin kept back, foreign orders, refused exits."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_COLUMNS = (  # table, column, what a row from before has
    ("position", "activity_cursor", ""),
    ("position", "foreign_orders", "[]"),
    ("position", "unposted", "[]"),
    ("position", "flatten", "[]"),
    ("orders", "legs", "[]"),
    ("fills", "cash_fee_most", "0"),
    ("fills", "coin_fee_most", "0"),
    ("holdings", "withheld", "0"),
    ("holdings", "withheld_most", "0"),
    ("holdings", "leaving", ""),
)


def upgrade() -> None:
    """Add the columns; what was there before has nothing of the kind."""
    for table, column, before in _COLUMNS:
        op.add_column(table, sa.Column(column, sa.Text, nullable=False, server_default=before))
    op.add_column("holdings", sa.Column("exit_refused", sa.BigInteger, nullable=False, server_default="0"))
