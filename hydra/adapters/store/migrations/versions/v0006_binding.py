"""What was running when last looked, to be held against the certificate."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the column; of what was running before nothing is known."""
    op.add_column("position", sa.Column("binding", sa.Text, nullable=True))
