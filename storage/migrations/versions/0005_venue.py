"""A venue outside: what was sent to it, who trades an account, and what was proven on the way to live trading."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Create the tables of venue orders, leases and evidence."""
    op.create_table(
        "venue_orders",
        sa.Column("account", sa.String(64), primary_key=True),
        sa.Column("client_id", sa.String(36), primary_key=True),
        sa.Column("number", sa.BigInteger, nullable=False),
        *(sa.Column(name, sa.String(36), nullable=False) for name in ("order_id", "list_id")),
        sa.Column("symbol", sa.String(32), nullable=False),
        sa.Column("side", sa.String(4), nullable=False),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("timestamp", "venue_id")),
        *(sa.Column(name, sa.Text, nullable=False)
          for name in ("quantity", "price", "stop_price", "executed", "detail", "params")),
    )
    op.create_index("ix_venue_orders_state", "venue_orders", ["account", "state"])
    op.create_index("ix_venue_orders_order_id", "venue_orders", ["account", "order_id"])
    op.create_table(
        "leases",
        sa.Column("fingerprint", sa.String(64), primary_key=True),
        sa.Column("holder", sa.String(64), nullable=False),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("seen", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "evidence",
        sa.Column("account", sa.String(64), primary_key=True),
        sa.Column("kind", sa.String(32), primary_key=True),
        sa.Column("time", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("body", sa.Text, nullable=False),
    )


def downgrade() -> None:
    """Drop them, and what they hold."""
    for table in ("evidence", "leases", "venue_orders"):
        op.drop_table(table)
