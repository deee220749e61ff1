"""Our tables, in the same database as Optuna's, and the form of a stored trace."""

import io
import json
from dataclasses import asdict, fields
from typing import Any

import numpy as np
from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Float,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

from depthsearch.problem.optimizers import DEFAULT_NUMBERS
from depthsearch.problem.problem import Problem
from depthsearch.training.trace import Snapshot, Trace, TrainingFacts

METADATA = MetaData()
VERSION_TABLE = "ds_alembic_version"

STUDIES = Table(
    "ds_studies",
    METADATA,
    Column("study_id", Integer, primary_key=True, autoincrement=False),  # Optuna's
    Column("identity", String(64), nullable=False, index=True),
    Column("question", String(64), nullable=False),
    Column("code", Text, nullable=False, server_default=""),
    Column("problem", Text, nullable=False),  # canonical JSON
    Column("settings", Text, nullable=False),  # canonical JSON
    Column("created", DateTime(timezone=True), nullable=False),
    Column("version", String(32)),  # of the depthsearch that began it; null if none was recorded
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
    Column("trace", LargeBinary, nullable=False),  # see encode_trace
    Column("engine", String(16)),  # what trained it; null where that was not recorded
    Column("final_score", Float),  # what the criterion holds against its bar; null for the kind `held`
    Column("seconds", Float),  # of searching, since the run that finished before it; null where not recorded
    ForeignKeyConstraint(["study_id"], ["ds_studies.study_id"], name="ds_runs_study"),
    Index("ix_ds_runs_seed", "study_id", "depth", "seed", unique=True),
)

CLAIMS = Table(
    "ds_claims",
    METADATA,
    Column("study_id", Integer, primary_key=True, autoincrement=False),
    Column("token", BigInteger, nullable=False),  # how often the study was claimed
)

_ARRAYS = ("loss", "score")
_SNAPSHOT = tuple(field.name for field in fields(Snapshot))
_PLAIN = tuple(field.name for field in fields(Trace) if field.name not in (*_ARRAYS, "facts", "snapshots", "detail"))
_EARLIER_NAMES = {"train_loss": "loss", "train_accuracy": "score", "majority_rate": "baseline"}
"""What earlier versions called fields of a trace."""


def encode_trace(trace: Trace) -> bytes:
    """The trace as bytes: a compressed NumPy archive of its arrays, with its other fields as JSON. No pickles."""
    plain = json.dumps({name: getattr(trace, name) for name in _PLAIN} | {"facts": asdict(trace.facts)})
    arrays = {name: getattr(trace, name) for name in _ARRAYS}
    arrays |= {f"snapshots.{name}": getattr(trace.snapshots, name) for name in _SNAPSHOT}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, plain=np.frombuffer(plain.encode(), dtype=np.uint8), **arrays)
    return buffer.getvalue()


def decode_trace(data: bytes, problem: Problem) -> Trace:
    """The trace that `encode_trace` wrote, of the study that asks `problem`; those of earlier versions too."""
    with np.load(io.BytesIO(data), allow_pickle=False) as archive:
        arrays = {_EARLIER_NAMES.get(name, name): archive[name] for name in archive.files if name != "plain"}
        plain = json.loads(archive["plain"].tobytes().decode())
    plain = {_EARLIER_NAMES.get(name, name): value for name, value in plain.items() if name != "features"}
    facts = plain.pop("facts", None)
    return Trace(
        facts=_facts(facts) if facts else TrainingFacts.of(problem, points=plain["points"]),
        **{name: arrays[name] for name in _ARRAYS},
        **(plain | {"layers": tuple(plain["layers"])}),
        snapshots=Snapshot(**{name: arrays[f"snapshots.{name}"] for name in _SNAPSHOT}),
    )


def _facts(stored: dict[str, Any]) -> TrainingFacts:
    """JSON has lists for tuples; earlier versions left out the epsilon of optimizers, which was the usual one."""
    usual = {"epsilon": DEFAULT_NUMBERS["epsilon"].get(stored["optimizer"])}
    return TrainingFacts(**(usual | stored | {"unseen": tuple(stored.get("unseen", ()))}))
