"""The journal: what the user writes about trades, and trade logs from elsewhere."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Create the tables of notes and of imported trades."""
    op.create_table(
        "trade_notes",
        sa.Column("account", sa.String(64), primary_key=True),
        sa.Column("trade", sa.String(96), primary_key=True),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("tags", sa.Text, nullable=False),
        sa.Column("changed", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "imported_trades",
        sa.Column("account", sa.String(64), primary_key=True),
        sa.Column("trade", sa.String(96), primary_key=True),
        sa.Column("symbol", sa.String(32), nullable=False),
        sa.Column("exit_time", sa.BigInteger, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("imported", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    """Drop them, and what they hold."""
    op.drop_table("imported_trades")
    op.drop_table("trade_notes")
