"""The description of each study in a store: what it asks, how, and since when."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, LargeBinary, Row, Select, Text, cast, select, type_coerce

from depthsearch.errors import InvalidValue, StudyConflict, StudyDamaged
from depthsearch.problem.problem import Problem
from depthsearch.search.optuna_internals import study_names
from depthsearch.search.settings import ResolvedSettings
from depthsearch.store.errors import raise_study_damaged
from depthsearch.store.tables import STUDIES

LONGEST_NAME = 100


def check_name(name: str) -> None:
    """Refuse a study's name that is empty, too long or hard to type.

    Raises:
        InvalidValue: It is empty, longer than 100 characters, not printable, or begins as an option does.
    """
    if name.startswith("-"):
        raise InvalidValue(f"study must not begin with a dash, which commands take for an option, but got {name!r}")
    if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        shown = name if len(name) <= LONGEST_NAME else f"{name[:20]}..."
        raise InvalidValue(f"study must be named with 1 to {LONGEST_NAME} printable characters, but got {shown!r}")


@dataclass(frozen=True)
class StudySummary:
    """One line of a list of studies.

    Attributes:
        name: Name of the study.
        study_id: Its number in the database.
        identity: By which the same search finds it again: of question, code and some of the settings.
        question: Of the problem (see `Problem.question`).
        code: Of the problem (see `Problem.code`).
        problem: What is asked.
        settings: How it is searched.
        created: When it began.
        version: Of the depthsearch that began it; None if that was not recorded.
    """

    name: str
    study_id: int
    identity: str
    question: str
    code: str
    problem: Problem
    settings: ResolvedSettings
    created: datetime
    version: str | None = None


def read_summaries(connection: Connection) -> dict[str, StudySummary | StudyDamaged]:
    """Every study that depthsearch wrote, by name, oldest first; for a damaged one, the error that says why.

    Studies of other users of Optuna are left out. A damaged study does not hide the others.
    """
    names = study_names(connection)
    rows = connection.execute(_descriptions(connection.dialect.name)).all()
    return {names[row.study_id]: _summary(row, names[row.study_id]) for row in rows if row.study_id in names}


def _descriptions(dialect: str) -> Select[Any]:
    """The query of all rows, undecoded: one that is not a date, or not UTF-8, must not hide the other rows."""
    texts = {"problem": STUDIES.c.problem, "settings": STUDIES.c.settings}
    undecoded = [cast(column, LargeBinary).label(name) for name, column in texts.items()]
    created = type_coerce(STUDIES.c.created, Text).label("created")
    plain = [column for column in STUDIES.columns if column.name not in (*texts, "created")]
    decoded = list(texts.values())  # PostgreSQL holds no text that cannot be decoded
    return select(*plain, created, *(undecoded if dialect == "sqlite" else decoded)).order_by(STUDIES.c.study_id)


def _summary(row: Row, name: str) -> StudySummary | StudyDamaged:  # type: ignore[type-arg]
    try:
        with raise_study_damaged(name):
            created = row.created if isinstance(row.created, datetime) else datetime.fromisoformat(row.created)
            return StudySummary(
                name=name,
                study_id=row.study_id,
                identity=row.identity,
                question=row.question,
                code=row.code,
                problem=Problem.model_validate(json.loads(row.problem)),
                settings=ResolvedSettings.model_validate(json.loads(row.settings)),
                created=created if created.tzinfo else created.replace(tzinfo=UTC),
                version=row.version,
            )
    except StudyDamaged as error:
        return error


def check_resumable(found: StudySummary, problem: Problem, settings: ResolvedSettings) -> None:
    """Check that a search of this problem with these settings may go on with a study.

    Raises:
        StudyConflict: The study asks something else, or was searched or judged in another way.
    """
    name, remedy = found.name, "give another name, or none"
    if found.problem.criterion.kind == "held":
        raise StudyConflict(
            f"study {name!r} was judged by the rule of an earlier version and can be read, not resumed: {remedy}"
        )
    differing = _differences(found, problem, settings)
    if differing:
        raise StudyConflict(f"study {name!r} asks something else ({', '.join(differing)}): {remedy}")
    if found.settings.sampler != settings.sampler:
        raise StudyConflict(
            f"study {name!r} was searched with the sampler {found.settings.sampler!r} and cannot go on with "
            f"{settings.sampler!r}: {remedy}"
        )


def _differences(found: StudySummary, problem: Problem, settings: ResolvedSettings) -> list[str]:
    """How a stored study differs from the one asked for, field by field: "its width is 5, not 6"."""
    stored, asked = _searched(found.settings), _searched(settings)
    if found.question != problem.question():  # where the questions agree, only the paths of equal files may differ
        stored = _flat(found.problem.model_dump(mode="json")) | stored
        asked = _flat(problem.model_dump(mode="json")) | asked
    names = [name for name in {**asked, **stored} if asked.get(name) != stored.get(name)]
    if names:
        return [
            f"its {name.removeprefix('network.')} is {stored.get(name)!r}, not {asked.get(name)!r}" for name in names
        ]
    changed = [
        ("the content of its data", found.question != problem.question()),
        ("its code", found.code != problem.code()),
    ]
    return [f"{what} has changed" for what, differs in changed if differs]


def _searched(settings: ResolvedSettings) -> dict[str, object]:
    return {"seed": settings.seed, "reliability": settings.reliability}


def _flat(value: dict[str, object], prefix: str = "") -> dict[str, object]:
    flat: dict[str, object] = {}
    for key, inner in value.items():
        flat |= _flat(inner, f"{prefix}{key}.") if isinstance(inner, dict) else {f"{prefix}{key}": inner}
    return flat
