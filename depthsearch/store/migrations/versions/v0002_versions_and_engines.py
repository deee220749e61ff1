"""Which depthsearch began a study, and which engine trained a run."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add a column to each table; null for all that was written before."""
    op.add_column("ds_studies", sa.Column("version", sa.String(32)))
    op.add_column("ds_runs", sa.Column("engine", sa.String(16)))


def downgrade() -> None:
    """Drop both columns."""
    op.drop_column("ds_runs", "engine")
    op.drop_column("ds_studies", "version")
