"""What an account saw: every bar as its feed brought it, to be compared with the stored candles later."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Create the table of seen bars."""
    op.create_table(
        "seen_bars",
        sa.Column("account", sa.String(64), primary_key=True),
        sa.Column("symbol", sa.String(32), primary_key=True),
        sa.Column("open_time", sa.BigInteger, primary_key=True, autoincrement=False),
        *(sa.Column(name, sa.Float, nullable=False) for name in ("open", "high", "low", "close", "volume")),
        sa.Column("live", sa.Integer, nullable=False),
    )


def downgrade() -> None:
    """Drop it, and what it holds."""
    op.drop_table("seen_bars")
