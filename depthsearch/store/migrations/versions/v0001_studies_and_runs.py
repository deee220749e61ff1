"""Studies and runs."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create both tables."""
    op.create_table(
        "ds_studies",
        sa.Column("study_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("identity", sa.String(64), nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("problem", sa.Text, nullable=False),
        sa.Column("settings", sa.Text, nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_ds_studies_identity", "ds_studies", ["identity"])
    op.create_table(
        "ds_runs",
        sa.Column("study_id", sa.Integer, primary_key=True),
        sa.Column("trial_number", sa.Integer, primary_key=True),
        sa.Column("run", sa.Integer, primary_key=True),
        sa.Column("depth", sa.Integer, nullable=False),
        sa.Column("seed", sa.BigInteger, nullable=False),
        sa.Column("verdict", sa.String(32), nullable=False),
        sa.Column("settled", sa.Integer, nullable=False),
        sa.Column("epochs", sa.Integer, nullable=False),
        sa.Column("train_accuracy", sa.Float),
        sa.Column("test_accuracy", sa.Float, nullable=False),
        sa.Column("sentence", sa.Text, nullable=False),
        sa.Column("evidence", sa.Text, nullable=False),
        sa.Column("trace", sa.LargeBinary, nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["ds_studies.study_id"], name="ds_runs_study"),
    )


def downgrade() -> None:
    """Drop both tables."""
    op.drop_table("ds_runs")
    op.drop_table("ds_studies")
