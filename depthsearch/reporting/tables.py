"""Studies and runs as plain rows, for tables, CSV and JSON."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any


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
