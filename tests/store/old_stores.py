"""Databases that earlier versions left behind: each file in `assets` was written by one, named after its revision."""

import sqlite3
from contextlib import closing
from pathlib import Path

ASSETS = Path(__file__).parent / "assets"
REVISIONS = sorted(path.stem for path in ASSETS.glob("*.sql"))
HELD = ("0001", "0002")
"""Revisions whose runs were judged by the rule that a run has trained once it held the accuracy for a while."""


def restore(revision: str, file: Path) -> str:
    """Make the database of a revision in a file; returns the URL of the store."""
    execute(file, (ASSETS / f"{revision}.sql").read_text())
    return f"sqlite:///{file}"


def execute(file: Path, script: str) -> None:
    """Run statements of SQL on a database, as other programs would."""
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.executescript(script)
