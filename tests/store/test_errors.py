"""Errors of the database are classified by the driver's code, whatever the language of the message."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from depthsearch.errors import StoreUnavailable, StudyDamaged
from depthsearch.store.errors import kind_of, raise_study_damaged, translate_database_errors


def failed(file: Path, *statements: str) -> sqlite3.Error:
    """The error of the last statement."""
    with closing(sqlite3.connect(file, isolation_level=None, timeout=0)) as connection:
        for statement in statements[:-1]:
            connection.execute(statement)
        with pytest.raises(sqlite3.Error) as caught:
            connection.execute(statements[-1])
    return caught.value


@pytest.mark.parametrize(
    ("statements", "kind"),
    [
        (("CREATE TABLE a (x)", "PRAGMA max_page_count = 2", "INSERT INTO a VALUES (zeroblob(100000))"), "full"),
        (("CREATE TABLE a (x)", "PRAGMA query_only = ON", "INSERT INTO a VALUES (1)"), "read-only"),
        (("SELECT full, locked, malformed, readonly FROM a",), ""),
    ],
    ids=["full", "read-only", "words of other errors"],
)
def test_an_error_of_sqlite_is_classified_by_its_name(statements: tuple[str, ...], kind: str, tmp_path: Path) -> None:
    assert kind_of(failed(tmp_path / "a.db", *statements)) == kind


def test_a_locked_database_is_busy(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "a.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert kind_of(failed(tmp_path / "a.db", "BEGIN IMMEDIATE")) == "busy"


def test_a_file_that_is_no_database_is_damaged(tmp_path: Path) -> None:
    (tmp_path / "a.db").write_bytes(b"SQLite format 3\x00" + b"\xff" * 4096)
    assert kind_of(failed(tmp_path / "a.db", "SELECT * FROM sqlite_master")) == "damaged"


def test_an_error_without_a_code_or_a_message_is_one_line() -> None:
    with (
        pytest.raises(StoreUnavailable, match=r"^storage 'sqlite:///a.db' cannot be used: DatabaseError$"),
        translate_database_errors("sqlite:///a.db"),
    ):
        raise sqlite3.DatabaseError


def test_damage_names_the_study_and_the_part() -> None:
    with (
        pytest.raises(StudyDamaged, match=r"^study 'mine' is damaged in the store .run 3: no number.: restore it"),
        raise_study_damaged("mine", "run 3"),
    ):
        raise ValueError("no\nnumber")
