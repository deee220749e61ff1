"""The final score of a run, and its part of the time that the search took."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add two columns; null for all that was written before."""
    op.add_column("ds_runs", sa.Column("final_score", sa.Float))
    op.add_column("ds_runs", sa.Column("seconds", sa.Float))


def downgrade() -> None:
    """Drop both columns."""
    op.drop_column("ds_runs", "seconds")
    op.drop_column("ds_runs", "final_score")
