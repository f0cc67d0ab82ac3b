"""Holdings without protection of their own, and what rules and exits remember: best prices, stopped symbols, losing streaks, day trades."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_COLUMNS = (  # table, column, what a row from before has
    ("position", "day_trades", "[]"),
    ("orders", "cause", ""),
    ("holdings", "cause", ""),
    ("holdings", "structure", ""),
    ("trades", "structure", ""),
    ("bots", "stopped", "{}"),
    ("bots", "entered", "{}"),
)


def upgrade() -> None:
    """Add the columns; what was there before has nothing of the kind. A holding's stop may be missing from now on."""
    with op.batch_alter_table("holdings") as holdings:
        # SQLite cannot take NOT NULL away: there the table is made anew and its rows are carried over.
        holdings.alter_column("protection_stop", existing_type=sa.Text, nullable=True)
    for table, column, before in _COLUMNS:
        op.add_column(table, sa.Column(column, sa.Text, nullable=False, server_default=before))
    for table, column in (
        ("position", "day_before"),
        ("position", "counted_on"),
        ("holdings", "opened_on"),
        ("holdings", "best"),
    ):
        op.add_column(table, sa.Column(column, sa.Text, nullable=True))
    op.add_column("bots", sa.Column("loss_streak", sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("halts", sa.Column("flatten", sa.Integer, nullable=False, server_default="0"))
