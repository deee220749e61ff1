"""A database that cannot be used is reported in one line and left as it was."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from depthsearch.errors import DepthsearchError, NewerStore, StoreUnavailable
from depthsearch.problem.problem import Problem
from depthsearch.search.settings import ResolvedSettings
from depthsearch.store import open_store
from depthsearch.store.tables import VERSION_TABLE


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "studies.db"


def assert_refused(file: Path, error: type[DepthsearchError], message: str) -> None:
    """Opening raises one line that matches, and changes no byte."""
    before = file.read_bytes() if file.is_file() else None
    with pytest.raises(error, match=message) as caught:
        open_store(f"sqlite:///{file}")
    assert "\n" not in str(caught.value)
    assert str(file) in str(caught.value)
    if before is not None:
        assert file.read_bytes() == before


def test_a_file_that_is_no_database(file: Path) -> None:
    file.write_text("depth,trained\n1,3\n")
    assert_refused(file, StoreUnavailable, "is not a SQLite database: choose another file")


def test_a_database_that_is_damaged(file: Path) -> None:
    open_store(f"sqlite:///{file}")
    content = file.read_bytes()
    file.write_bytes(content[:100] + b"\xff" * (len(content) - 100))
    for suffix in ("-wal", "-shm"):
        Path(f"{file}{suffix}").unlink(missing_ok=True)
    assert_refused(file, StoreUnavailable, r"is damaged \(.*\): restore it from a copy|cannot be used: disk I/O error")


def test_a_database_that_was_cut_off(file: Path) -> None:
    open_store(f"sqlite:///{file}")
    file.write_bytes(file.read_bytes()[:5000])
    for suffix in ("-wal", "-shm"):
        Path(f"{file}{suffix}").unlink(missing_ok=True)
    assert_refused(file, StoreUnavailable, "is damaged|cannot be used")


def test_a_database_that_another_process_writes_to(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_store(f"sqlite:///{file}")
    monkeypatch.setattr("depthsearch.store.location.BUSY_SECONDS", 0.1)
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        message = r"is in use \(database is locked\): another process is writing to it; try again when it is done"
        assert_refused(file, StoreUnavailable, message)


def test_a_folder(tmp_path: Path) -> None:
    assert_refused(tmp_path, StoreUnavailable, "is a folder: expected the path of a database file")


def test_a_folder_that_does_not_exist(tmp_path: Path) -> None:
    assert_refused(tmp_path / "none" / "studies.db", StoreUnavailable, "is not a folder; create it first")
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written() -> None:
    assert_refused(Path("/proc/studies.db"), StoreUnavailable, "cannot be opened|cannot be written")


def test_a_newer_depthsearch(file: Path) -> None:
    open_store(f"sqlite:///{file}")
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(f"UPDATE {VERSION_TABLE} SET version_num = '9999'")
        connection.execute("CREATE TABLE ds_of_the_future (x)")
    assert_refused(file, NewerStore, "was written by a newer depthsearch .*'9999'.*: upgrade depthsearch")


def test_another_version_of_optuna(file: Path) -> None:
    open_store(f"sqlite:///{file}")
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = 'v99.0.0.a'")
    assert_refused(file, NewerStore, "is of another version of Optuna: .*no longer compatible")


def test_an_empty_file_becomes_a_store(file: Path) -> None:
    file.touch()
    assert open_store(f"sqlite:///{file}").studies() == []


def test_a_path_with_odd_characters(tmp_path: Path) -> None:
    file = tmp_path / "a % b#c é.db"
    with open_store(f"sqlite:///{file}").open_study(Problem(), ResolvedSettings(), name="mine"):
        pass
    assert [study.name for study in open_store(f"sqlite:///{file}", create=False).studies()] == ["mine"]


def test_the_file_is_in_write_ahead_mode(file: Path) -> None:
    open_store(f"sqlite:///{file}")
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


@pytest.mark.parametrize("table", ["users", "studies", "alembic_version"])
def test_a_database_of_another_program_is_left_as_it_is(file: Path, table: str) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(f"CREATE TABLE {table} (id INTEGER)")

    assert_refused(file, StoreUnavailable, f"holds tables of another program, such as '{table}': choose another file")
