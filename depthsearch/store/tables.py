"""Our own tables, beside Optuna's in the same database, with metadata and a version table of their own."""

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Float,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

METADATA = MetaData()
VERSION_TABLE = "ds_alembic_version"

STUDIES = Table(
    "ds_studies",
    METADATA,
    Column("study_id", Integer, primary_key=True, autoincrement=False),  # Optuna's
    Column("identity", String(64), nullable=False, index=True),
    Column("fingerprint", String(64), nullable=False),
    Column("problem", Text, nullable=False),  # canonical JSON
    Column("settings", Text, nullable=False),  # canonical JSON
    Column("created", DateTime(timezone=True), nullable=False),
    Column("version", String(32)),  # of the depthsearch that began it; null where none was recorded
)

RUNS = Table(
    "ds_runs",
    METADATA,
    Column("study_id", Integer, primary_key=True),
    Column("trial_number", Integer, primary_key=True),
    Column("run", Integer, primary_key=True),  # from 0, in the order of the trial's seeds
    Column("depth", Integer, nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("verdict", String(32), nullable=False),
    Column("settled", Integer, nullable=False),  # entry of the verdict
    Column("epochs", Integer, nullable=False),  # entries of the trace: epochs, or parts of a budget in steps
    Column("train_accuracy", Float),  # of the last entry; null where none was trained
    Column("test_accuracy", Float, nullable=False),
    Column("sentence", Text, nullable=False),
    Column("evidence", Text, nullable=False),  # JSON
    Column("trace", LargeBinary, nullable=False),  # see traces.py
    Column("engine", String(16)),  # what trained it; null where that was not recorded
    Column("final_score", Float),  # what the criterion holds against its bar; null for the kind `held`
    Column("seconds", Float),  # of searching, since the run that finished before it; null where not recorded
    ForeignKeyConstraint(["study_id"], ["ds_studies.study_id"], name="ds_runs_study"),
)
