"""The tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=nullable)


def _whole(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=nullable)


def _small(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=nullable)


def upgrade() -> None:
    """Create them."""
    op.create_table(
        "position",
        _small("id"),
        _whole("seq"),
        _text("hash"),
        _text("run"),
        _whole("cycle"),
        _text("at", nullable=True),
        _text("day_date", nullable=True),
        _text("day_start_equity", nullable=True),
        _text("equity", nullable=True),
        _text("peak_equity"),
        _text("cash", nullable=True),
        _text("fill_cursor"),
        _text("foreign_quantities"),
        _text("sent_at"),
        _text("failed_at"),
        _whole("residual_cycles"),
        _text("certificate", nullable=True),
        _text("obeyed"),
        sa.CheckConstraint("id = 1", name="position_is_one_row"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "orders",
        _text("client_id"),
        _small("place", nullable=True),
        _text("run"),
        _whole("cycle"),
        _text("bot"),
        _text("symbol"),
        _text("side"),
        _text("quantity"),
        _text("order_type"),
        _text("purpose"),
        _text("time_in_force"),
        _text("limit_price", nullable=True),
        _text("stop_price", nullable=True),
        _text("protection_stop", nullable=True),
        _text("protection_target", nullable=True),
        _text("reference", nullable=True),
        _text("thesis"),
        _text("status"),
        _text("venue_id"),
        _text("parent"),
        _text("filled"),
        _text("venue_filled"),
        _text("average_price", nullable=True),
        _text("fees"),
        _text("sent_at", nullable=True),
        _text("updated_at", nullable=True),
        _text("reason"),
        sa.PrimaryKeyConstraint("client_id"),
    )
    op.create_table(
        "fills",
        _text("fill_id"),
        _small("place", nullable=True),
        _text("venue_id"),
        _text("client_id"),
        _text("symbol"),
        _text("side"),
        _text("quantity"),
        _text("price"),
        _text("at"),
        _text("fee"),
        sa.PrimaryKeyConstraint("fill_id"),
    )
    op.create_table(
        "holdings",
        _text("bot"),
        _text("symbol"),
        _small("place"),
        _text("quantity"),
        _text("average_price"),
        _text("protection_stop"),
        _text("protection_target", nullable=True),
        _text("entry"),
        _text("opened_at"),
        _whole("opened_cycle"),
        _text("entered"),
        _text("exited_value"),
        _text("fees"),
        _text("realized"),
        _text("unprotected_since", nullable=True),
        sa.PrimaryKeyConstraint("bot", "symbol"),
    )
    op.create_table(
        "trades",
        _text("trade_id"),
        _small("place", nullable=True),
        _text("bot"),
        _text("symbol"),
        _text("quantity"),
        _text("entry_price"),
        _text("exit_price"),
        _text("opened_at"),
        _text("closed_at"),
        _text("fees"),
        _text("profit"),
        _text("reason"),
        sa.PrimaryKeyConstraint("trade_id"),
    )
    op.create_table(
        "bots",
        _text("bot"),
        _small("place"),
        _text("memory"),
        _whole("strikes"),
        _whole("trades_today"),
        _text("realized_today"),
        _text("realized"),
        _text("fees"),
        sa.PrimaryKeyConstraint("bot"),
    )
    op.create_table(
        "halts",
        _small("place"),
        _text("kind"),
        _text("reason"),
        _text("at"),
        _text("by"),
        _small("automatic"),
        _text("cool_off_until", nullable=True),
        sa.PrimaryKeyConstraint("place"),
    )
