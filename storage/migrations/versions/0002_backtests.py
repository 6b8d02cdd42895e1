"""Stored backtests, and every parameter set that was ever tried on a stretch of candles."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the tables of backtests."""
    op.create_table(
        "backtests",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("question", sa.String(64), nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("seconds", sa.Float, nullable=False),
        sa.Column("request", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("hashes", sa.Text, nullable=False),
        sa.Column("summary", sa.Text, nullable=False),
        sa.Column("checks", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_index("ix_backtests_question", "backtests", ["question"])
    op.create_table(
        "trials",
        sa.Column("lineage", sa.String(64), primary_key=True),
        sa.Column("data_hash", sa.String(64), primary_key=True),
        sa.Column("parameters", sa.String(64), primary_key=True),
        sa.Column("market", sa.Text, nullable=False),
        sa.Column("first", sa.BigInteger, nullable=False),
        sa.Column("last", sa.BigInteger, nullable=False),
        sa.Column("sharpe", sa.Float, nullable=True),
        sa.Column("created", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("trials")
    op.drop_index("ix_backtests_question", "backtests")
    op.drop_table("backtests")
