"""Two hashes identify a study; a problem has a table for its network; a seed has one run; claims have tokens.

What the rewrite of problems needs to know of them is written out here, and stays as it was when this was written.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.exc import DBAPIError

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

QUESTION_FORMAT = 2
TABLES = ("network", "data", "recipe", "criterion")
CRITERION_FIELDS = ("kind", "min_gain", "target", "last_epochs", "hold_share", "hold_epochs")

STUDIES = sa.table("ds_studies", *map(sa.column, ("study_id", "identity", "question", "code", "problem", "settings")))
RUNS = sa.table("ds_runs", *map(sa.column, ("study_id", "trial_number", "run", "depth", "seed")))
TRIALS = sa.table("trials", *map(sa.column, ("study_id", "number", "state")))  # Optuna's


def upgrade() -> None:
    """Make the table of claims, rewrite what describes the studies, and keep one run of each seed."""
    op.create_table(
        "ds_claims",
        sa.Column("study_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("token", sa.BigInteger, nullable=False),
    )
    op.alter_column("ds_studies", "fingerprint", new_column_name="question")
    op.add_column("ds_studies", sa.Column("code", sa.Text, nullable=False, server_default=""))
    _rewrite_studies(op.get_bind())
    _delete_repeated_runs(op.get_bind())
    op.create_index("ix_ds_runs_seed", "ds_runs", ["study_id", "depth", "seed"], unique=True)


def downgrade() -> None:
    """Refused: earlier versions cannot read the problems of today."""
    raise NotImplementedError("problems are not rewritten to the form of earlier versions")


def _rewrite_studies(connection: sa.Connection) -> None:
    """Rewrite each study that can be read; a damaged one stays as it is, and is reported when it is read."""
    for study_id in connection.execute(sa.select(STUDIES.c.study_id)).scalars().all():
        query = sa.select(STUDIES.c.problem, STUDIES.c.settings).where(STUDIES.c.study_id == study_id)
        try:
            row = connection.execute(query).one()
            values = study_values(json.loads(row.problem), json.loads(row.settings))
        except (ValueError, TypeError, LookupError, AttributeError, DBAPIError):
            continue
        connection.execute(sa.update(STUDIES).where(STUDIES.c.study_id == study_id).values(values))


def study_values(problem: dict[str, Any], settings: Mapping[str, Any]) -> dict[str, str]:
    """The columns that describe a study, from its problem in any earlier form and its settings."""
    rewritten = rewritten_problem(problem)
    question = _hash({"format": QUESTION_FORMAT, "problem": _without_nulls(rewritten)})
    code = ""
    identity = _hash([question, code, settings["seed"], float(settings["reliability"]), settings["sampler"]])
    return {"problem": _canonical(rewritten), "question": question, "code": code, "identity": identity}


def rewritten_problem(problem: dict[str, Any]) -> dict[str, Any]:
    """The problem with a table `network`, data with only the options of their data set, and a kind of criterion."""
    network = problem.get("network") or {name: value for name, value in problem.items() if name not in TABLES}
    data = {"test_share": 0.5} | {name: value for name, value in problem["data"].items() if value is not None}
    if data["name"] != "digits":
        data = {"points": 1000} | data
    criterion = dict.fromkeys(CRITERION_FIELDS) | problem["criterion"]
    if criterion["kind"] is None:
        criterion["kind"] = "held"  # the only rule there was
    return {"network": network, "data": data, "recipe": problem["recipe"], "criterion": criterion}


def _delete_repeated_runs(connection: sa.Connection) -> None:
    """Of several runs with one seed at one depth, keep the first of those of finished trials, or else the first.

    A trial that failed leaves its runs behind, and a later one draws the same seeds; answers count finished trials.
    """
    key = (RUNS.c.study_id, RUNS.c.depth, RUNS.c.seed)
    for repeated in connection.execute(sa.select(*key).group_by(*key).having(sa.func.count() > 1)).all():
        same = [column == value for column, value in zip(key, repeated, strict=True)]
        order = (RUNS.c.trial_number, RUNS.c.run)
        runs = [tuple(row) for row in connection.execute(sa.select(*order).where(*same).order_by(*order))]
        finished = _finished_trials(connection, repeated.study_id)
        kept = min(runs, key=lambda run: (run[0] not in finished, run))
        for trial_number, run in runs:
            if (trial_number, run) != kept:
                place = (RUNS.c.trial_number == trial_number, RUNS.c.run == run)
                connection.execute(sa.delete(RUNS).where(RUNS.c.study_id == repeated.study_id, *place))


def _finished_trials(connection: sa.Connection, study_id: int) -> set[int]:
    query = sa.select(TRIALS.c.number, sa.cast(TRIALS.c.state, sa.String).label("state"))
    rows = connection.execute(query.where(TRIALS.c.study_id == study_id))
    return {row.number for row in rows if row.state == "COMPLETE"}


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(inner) for name, inner in value.items() if inner is not None}
    return value


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _hash(value: object) -> str:
    return hashlib.sha256(_canonical(value).encode()).hexdigest()
