"""Databases of earlier versions are brought up to date, and keep all that they hold."""

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from depthsearch.detection.verdict import VerdictKind
from depthsearch.problem.problem import Problem
from depthsearch.search.settings import ResolvedSettings
from depthsearch.store import open_store
from depthsearch.store.migrations.versions import v0004_question_and_claims as v0004
from depthsearch.store.tables import METADATA, VERSION_TABLE
from tests.store.old_stores import HELD, REVISIONS, execute, restore

SETTINGS = ResolvedSettings()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "studies.db"


def rows(file: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute(query).fetchall()


def flat(problem: dict[str, Any]) -> dict[str, Any]:
    """A problem of today in the form of revision 0003."""
    return {**problem["network"], **{name: inner for name, inner in problem.items() if name != "network"}}


def test_the_migrations_make_exactly_our_tables(file: Path) -> None:
    open_store(f"sqlite:///{file}")
    engine = create_engine(f"sqlite:///{file}")
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "include_name": lambda name, kind, _: (
                    kind != "table" or (name.startswith("ds_") and name != VERSION_TABLE)
                )
            },
        )
        assert compare_metadata(context, METADATA) == []
    engine.dispose()


def test_every_revision_has_its_database() -> None:
    versions = Path(v0004.__file__).parent
    numbers = {match[1] for path in versions.glob("v*.py") if (match := re.match(r"v(\d+)_", path.name))}
    assert set(REVISIONS) == numbers


@pytest.mark.parametrize("revision", REVISIONS)
def test_a_database_of_every_revision_opens(revision: str, file: Path) -> None:
    store = open_store(restore(revision, file))
    (summary,) = store.studies()
    study = store.read_study(summary.name)
    runs = study.runs()
    assert runs
    for run in runs:
        trace = study.trace(run.trial_number, run.run)
        assert (trace.depth, trace.seed, trace.epochs) == (run.depth, run.seed, run.epochs)
    assert {run.engine for run in runs} == ({None} if revision == "0001" else {"dense"})
    assert (summary.version is None) == (revision == "0001")
    assert (summary.problem.criterion.kind == "held") == (revision in HELD)
    assert all((run.final_score is None) == (revision in HELD) for run in runs)


@pytest.mark.parametrize("revision", REVISIONS)
def test_what_describes_a_study_is_what_todays_code_would_write(revision: str, file: Path) -> None:
    (summary,) = open_store(restore(revision, file)).studies()
    problem, settings = summary.problem, summary.settings
    assert (summary.question, summary.code) == (problem.question(), "")
    assert summary.identity == settings.identity(problem.question(), problem.code())
    assert rows(file, "SELECT problem FROM ds_studies") == [(problem.canonical_json(),)]


@pytest.mark.parametrize("revision", REVISIONS)
def test_names_seeds_and_verdicts_stay(revision: str, file: Path) -> None:
    url = restore(revision, file)
    kept = (
        "SELECT study_name FROM studies",
        "SELECT trial_number, run, depth, seed, verdict, sentence, evidence, trace FROM ds_runs",
        "SELECT trial_id, key, value_json FROM trial_user_attributes",
        "SELECT settings, created FROM ds_studies",
    )
    before = [rows(file, query) for query in kept]
    open_store(url)
    assert [rows(file, query) for query in kept] == before


@pytest.mark.parametrize(
    "problem",
    [
        {},
        {"family": "resnet", "activation": "relu", "normalization": "none"},
        {"initialization": "normal", "sigma_w2": 2, "data": "digits"},
        {"data": {"name": "xor", "points": 60, "noise": 0, "test_share": 0.25, "seed": 3}},
        {"recipe": {"optimizer": "adamw", "steps": 300, "batch_size": 8}},
        {"criterion": {"kind": "target", "target": 0.8, "last_epochs": 5}},
        {"criterion": "held"},
    ],
    ids=["default", "resnet", "normal-digits", "xor", "adamw-steps", "target", "held"],
)
@pytest.mark.parametrize(
    "settings", [{}, {"seed": 7, "reliability": 1, "sampler": "bisect"}], ids=["default", "bisect"]
)
def test_the_hashes_of_the_migration_are_those_of_the_model(problem: dict[str, Any], settings: dict[str, Any]) -> None:
    asked, searched = Problem.model_validate(problem), ResolvedSettings.model_validate(settings)
    stored = json.loads(asked.canonical_json())
    stored["data"] = {"noise": None, "points": None} | stored["data"]  # of every data set, in earlier versions
    assert v0004.study_values(flat(stored), json.loads(searched.canonical_json())) == {
        "problem": asked.canonical_json(),
        "question": asked.question(),
        "code": asked.code(),
        "identity": searched.identity(asked.question(), asked.code()),
    }


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ds_studies SET problem = '{'",
        "UPDATE ds_studies SET problem = '[]'",
        "UPDATE ds_studies SET problem = x'ff00'",
        "UPDATE ds_studies SET problem = CAST(x'ff' AS TEXT)",
        "UPDATE ds_studies SET settings = '7'",
        "UPDATE ds_studies SET problem = replace(problem, '\"data\"', '\"dada\"')",
    ],
)
def test_a_damaged_study_stays_as_it_is_and_stops_nothing(statement: str, file: Path) -> None:
    url = restore("0003", file)
    execute(file, statement)
    columns = "SELECT CAST(problem AS BLOB), settings FROM ds_studies"
    before = rows(file, columns)
    with open_store(url) as store:
        assert rows(file, columns) == before
        assert list(store.damaged()) == [name for (name,) in rows(file, "SELECT study_name FROM studies")]


def test_a_damaged_study_does_not_keep_the_others_from_being_rewritten(file: Path) -> None:
    url = restore("0003", file)
    execute(
        file,
        "INSERT INTO studies VALUES (2, 'damaged'); INSERT INTO ds_studies SELECT 2, identity, fingerprint, '{', "
        "settings, created, version FROM ds_studies;",
    )
    with open_store(url) as store:
        (summary,) = store.studies()
        assert summary.identity == summary.settings.identity(summary.problem.question())
        assert list(store.damaged()) == ["damaged"]


def repeat_run(file: Path, *, as_trial: int, state: str) -> None:
    """Store the first run of trial 0 again, as that of another trial."""
    columns = [name for _, name, *_ in rows(file, "PRAGMA table_info(ds_runs)") if name not in ("trial_number", "run")]
    execute(
        file,
        f"INSERT INTO ds_runs (trial_number, run, {', '.join(columns)}) "
        f"SELECT {as_trial}, 0, {', '.join(columns)} FROM ds_runs WHERE trial_number = 0 AND run = 0;"
        f"INSERT INTO trials (trial_id, number, study_id, state) VALUES (1000, {as_trial}, 1, '{state}');",
    )


@pytest.mark.parametrize("state", ["COMPLETE", "FAIL"])
def test_of_several_runs_with_one_seed_the_first_stays(state: str, file: Path) -> None:
    url = restore("0003", file)
    before = rows(file, "SELECT trial_number, run, seed FROM ds_runs ORDER BY 1, 2")
    repeat_run(file, as_trial=99, state=state)
    open_store(url)
    assert rows(file, "SELECT trial_number, run, seed FROM ds_runs ORDER BY 1, 2") == before


def test_a_run_of_a_finished_trial_stays_rather_than_one_of_a_failed_trial(file: Path) -> None:
    url = restore("0003", file)
    repeat_run(file, as_trial=99, state="COMPLETE")
    execute(file, "UPDATE trials SET state = 'FAIL' WHERE number = 0")
    open_store(url)
    assert rows(file, "SELECT trial_number FROM ds_runs WHERE run = 0 AND trial_number IN (0, 99)") == [(99,)]


@pytest.mark.parametrize("revision", [revision for revision in REVISIONS if revision not in HELD])
def test_the_same_search_goes_on_with_a_study_of_an_earlier_version(revision: str, file: Path) -> None:
    store = open_store(restore(revision, file))
    (summary,) = store.studies()
    runs = len(store.read_study(summary.name).runs())
    with store.open_study(summary.problem, summary.settings) as study:
        assert study.name == summary.name
        assert len(study.runs()) == runs
        assert {run.verdict.kind for run in study.runs()} >= {VerdictKind.TRAINED}
