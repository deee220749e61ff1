"""One line of a list of studies, as it is stored."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Row, Text, select, type_coerce

from depthsearch.errors import StudyDamaged
from depthsearch.problem.problem import Problem
from depthsearch.search.settings import ResolvedSettings
from depthsearch.store.errors import damage_said
from depthsearch.store.tables import STUDIES

# The date as the driver gives it: one that is none must not keep anybody from the other rows.
DESCRIPTIONS = select(
    *(column for column in STUDIES.columns if column.name != "created"),
    type_coerce(STUDIES.c.created, Text).label("created"),
).order_by(STUDIES.c.study_id)


@dataclass(frozen=True)
class StudySummary:
    """One line of a list of studies."""

    name: str
    study_id: int
    identity: str
    problem: Problem
    settings: ResolvedSettings
    created: datetime
    version: str | None = None


def summary_of(row: Row, name: str) -> StudySummary | StudyDamaged:  # type: ignore[type-arg]
    """One row as a summary, or as the error that says why it cannot be read."""
    try:
        with damage_said(name):
            return _read_summary(row, name)
    except StudyDamaged as error:
        return error


def _read_summary(row: Row, name: str) -> StudySummary:  # type: ignore[type-arg]
    created = row.created if isinstance(row.created, datetime) else datetime.fromisoformat(row.created)
    return StudySummary(
        name=name,
        study_id=row.study_id,
        identity=row.identity,
        problem=Problem.model_validate(json.loads(row.problem)),
        settings=ResolvedSettings.model_validate(json.loads(row.settings)),
        created=created if created.tzinfo else created.replace(tzinfo=UTC),
        version=row.version,
    )


def differences(found: StudySummary, problem: Problem, settings: ResolvedSettings) -> str:
    """What tells a stored study from the one asked for, field by field: "width 5, not 6"."""
    stored = _flat(found.problem.model_dump(mode="json")) | {
        "seed": found.settings.seed,
        "reliability": found.settings.reliability,
    }
    asked = _flat(problem.model_dump(mode="json")) | {"seed": settings.seed, "reliability": settings.reliability}
    return ", ".join(
        f"its {key} is {stored.get(key)!r}, not {asked[key]!r}" for key in asked if asked[key] != stored.get(key)
    )


def _flat(value: dict[str, object], prefix: str = "") -> dict[str, object]:
    flat: dict[str, object] = {}
    for key, inner in value.items():
        flat |= _flat(inner, f"{prefix}{key}.") if isinstance(inner, dict) else {f"{prefix}{key}": inner}
    return flat
