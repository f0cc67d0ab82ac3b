"""What keeps the bots apart: which guards are held around them, and which are open."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the column; of what was asked before nothing is known."""
    op.add_column("position", sa.Column("isolation", sa.Text, nullable=True))
