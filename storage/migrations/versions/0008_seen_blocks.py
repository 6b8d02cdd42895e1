"""Bars as an account saw them, packed a day to a row."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Create the table of packed bars."""
    op.create_table(
        "seen_blocks",
        sa.Column("account", sa.String(64), primary_key=True),
        sa.Column("symbol", sa.String(32), primary_key=True),
        sa.Column("first", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("last", sa.BigInteger, nullable=False),
        sa.Column("bars", sa.LargeBinary, nullable=False),
    )


def downgrade() -> None:
    """Drop it, and what it holds."""
    op.drop_table("seen_blocks")
