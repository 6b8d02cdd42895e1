"""Blocks: equity points and quiet decisions of replays, many to a row."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the tables of blocks."""
    op.create_table(
        "decision_blocks",
        sa.Column("account", sa.String(64), primary_key=True),
        sa.Column("symbol", sa.String(32), primary_key=True),
        sa.Column("first", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("last", sa.BigInteger, nullable=False),
        sa.Column("header", sa.Text, nullable=False),
        sa.Column("numbers", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "equity_blocks",
        sa.Column("account", sa.String(64), primary_key=True),
        sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("points", sa.LargeBinary, nullable=False),
    )


def downgrade() -> None:
    """Drop them, and what they hold."""
    op.drop_table("equity_blocks")
    op.drop_table("decision_blocks")
