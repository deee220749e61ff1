"""Studies and runs as plain rows, for tables, CSV and JSON."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

from depthsearch.core.answer import Answer
from depthsearch.core.errors import StudyDamaged
from depthsearch.core.model import FrozenModel
from depthsearch.finder import answer_of, read_checked
from depthsearch.search.trials import purpose_of
from depthsearch.store import Store, StoredStudy


class StudyRow(FrozenModel):
    """One line of the list of studies."""

    study: str
    family: str
    activation: str
    data: str
    outcome: str
    max_depth: int | None
    reliability: float
    trials: int
    runs: int
    seconds: float
    seed: int
    created: str
    fingerprint: str


def study_rows(store: Store) -> tuple[list[StudyRow], list[StudyDamaged]]:
    """Every study in the store that can be read, oldest first, and what is wrong with each of the others."""
    rows, damaged = [], list(store.damaged().values())
    for summary in store.studies():
        try:
            answer = answer_of(store.read_study(summary.name))
        except StudyDamaged as error:
            damaged.append(error)
        else:
            rows.append(_row(answer, created=summary.created.isoformat(timespec="seconds")))
    return rows, damaged


def run_rows(stored: StoredStudy) -> list[dict[str, Any]]:
    """Every run of a study's finished trials, with its verdict and evidence.

    Raises:
        StudyDamaged: They cannot be read.
    """
    trials, runs = read_checked(stored)
    purposes = {trial.number: purpose_of(trial).value for trial in trials}
    return [
        {
            "study": stored.name,
            "trial": run.trial_number,
            "purpose": purposes[run.trial_number],
            "depth": run.depth,
            "run": run.run,
            "seed": run.seed,
            "verdict": run.verdict.kind.value,
            "settled_at_epoch": run.verdict.epoch,
            "epochs": run.epochs,
            "engine": run.engine,
            "final_score": None if run.final_score is None else round(run.final_score, 6),
            "train_accuracy": None if run.train_accuracy is None else round(run.train_accuracy, 6),
            "test_accuracy": round(run.test_accuracy, 6),
            "sentence": run.verdict.sentence,
            "evidence": run.verdict.evidence.model_dump(mode="json"),
        }
        for run in runs
    ]


def to_csv(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> str:
    """Rows as CSV with a header line; nested values as JSON."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, fieldnames=columns, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({key: json.dumps(value) if isinstance(value, dict) else value for key, value in row.items()})
    return buffer.getvalue()


RUN_COLUMNS = (
    "study",
    "trial",
    "purpose",
    "depth",
    "run",
    "seed",
    "verdict",
    "settled_at_epoch",
    "epochs",
    "engine",
    "final_score",
    "train_accuracy",
    "test_accuracy",
    "sentence",
    "evidence",
)


def _row(answer: Answer, *, created: str) -> StudyRow:
    return StudyRow(
        study=answer.study,
        family=answer.problem.family,
        activation=answer.problem.activation,
        data=answer.problem.data.name,
        outcome=answer.outcome.value,
        max_depth=answer.max_depth,
        reliability=answer.reliability,
        trials=answer.cost.trials,
        runs=answer.cost.runs,
        seconds=answer.cost.seconds,
        seed=answer.seed,
        created=created,
        fingerprint=answer.fingerprint,
    )
