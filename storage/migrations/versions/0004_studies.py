"""Studies: journals of parameter searches."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create the table of journals."""
    op.create_table(
        "study_journal",
        sa.Column("study", sa.String(64), primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("entry", sa.Text, nullable=False),
    )


def downgrade() -> None:
    """Drop it, and what it holds."""
    op.drop_table("study_journal")
