"""Where a store is: one URL and, for SQLite, the file that it names."""

import os
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from depthsearch.errors import InvalidValue, StoreUnavailable
from depthsearch.search.optuna_internals import OPTUNA_TABLE
from depthsearch.store.migrations import raise_if_newer
from depthsearch.store.tables import VERSION_TABLE

ENVIRONMENT = "DEPTHSEARCH_STORAGE"
DEFAULT = "sqlite:///depthsearch.db"
DRIVERS = {
    "sqlite": "sqlite",
    "sqlite+pysqlite": "sqlite",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}
ACCEPTED = "accepted: sqlite:///FILE.db, postgresql+psycopg://USER:PASSWORD@HOST/DATABASE"
SQLITE_HEADER = b"SQLite format 3\x00"

BUSY_SECONDS = 60
"""How long a transaction waits for SQLite's write lock."""


def resolve_url(url: str | None) -> URL:
    """`url`, or else the environment's DEPTHSEARCH_STORAGE, or else depthsearch.db in the working directory.

    Raises:
        InvalidValue: It is not a URL, or of a scheme that is not accepted, or names no file.
    """
    text = url if url is not None else os.environ.get(ENVIRONMENT) or DEFAULT
    shown = repr(_hidden(text))
    try:
        text.encode()
        parsed = make_url(text)
    except UnicodeEncodeError:
        raise InvalidValue(f"storage {shown} is not UTF-8 text: {ACCEPTED}") from None
    except (ArgumentError, ValueError):
        raise InvalidValue(f"storage {shown} is not a URL: {ACCEPTED}") from None
    if parsed.drivername not in DRIVERS:
        raise InvalidValue(f"storage {shown} has the unknown scheme {parsed.drivername!r}: {ACCEPTED}")
    if parsed.query and parsed.get_backend_name() == "sqlite":
        raise InvalidValue(f"storage {shown} has options after a question mark, which are not understood: {ACCEPTED}")
    parsed = parsed.set(drivername=DRIVERS[parsed.drivername])
    no_file = not parsed.database or parsed.database == ":memory:" or parsed.host
    if parsed.drivername == "sqlite" and no_file:
        raise InvalidValue(f"storage {shown} names no file, and a search must outlive its process: {ACCEPTED}")
    return parsed


def _hidden(text: str) -> str:
    """A text that is no URL of a store, without what may be a password in it."""
    return re.sub(r"(://[^:/@]*):.*@", r"\1:***@", text, flags=re.DOTALL)


def sqlite_file(url: URL) -> Path | None:
    """The database file of a SQLite URL; None for a server's."""
    return Path(url.database or "") if url.get_backend_name() == "sqlite" else None


def absolute_url(url: URL) -> URL:
    """The same store, wherever the process moves to: the file of SQLite by its absolute path."""
    file = sqlite_file(url)
    return url if file is None else url.set(database=str(file.absolute()))


def shown_url(url: str | None) -> str:
    """The URL that `url` resolves to, without a password."""
    return resolve_url(url).render_as_string(hide_password=True)


def checkpoint_folder(url: str | None) -> Path:
    """The folder for the states of long runs of a store's studies: next to a SQLite file, else in the working folder.

    Nothing is created.

    Raises:
        InvalidValue: The URL cannot be used.
    """
    file = sqlite_file(resolve_url(url))
    if file is None:
        return Path.cwd() / "depthsearch-checkpoints"
    file = file.resolve()  # one folder for one database, by whatever links it is reached
    return file.parent / f"{file.name}-checkpoints"


def lock_folder(file: Path) -> Path:
    """The folder of lock files next to a database; it is created if it is missing.

    Raises:
        StoreUnavailable: It cannot be created.
    """
    # One folder for one database, by whatever links it is reached.
    file = file.resolve()
    folder = file.parent / f".{file.name}.locks"
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise StoreUnavailable(
            f"storage 'sqlite:///{file}' cannot be written: {error.strerror}; choose a file in another folder"
        ) from None
    return folder


def file_key(file: Path) -> tuple[int, int] | None:
    """What distinguishes a file from others that take its place: its device and inode; None if there is none."""
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def check_file(file: Path, shown: str, *, exists: bool = False) -> None:
    """Check that a SQLite file can be used as a store, without writing to it.

    Args:
        file: The database file.
        shown: The store's URL, for messages.
        exists: Whether it must exist and hold our tables already.

    Raises:
        StoreUnavailable: It is no database, or cannot be written.
        NewerStore: It was written by a newer depthsearch.
        sqlite3.Error: It is damaged or locked.
    """
    if not file.parent.is_dir():
        raise StoreUnavailable(
            f"storage {shown!r} cannot be opened: {str(file.parent)!r} is not a folder; create it first"
        )
    if file.is_dir():
        raise StoreUnavailable(f"storage {shown!r} is a folder: expected the path of a database file")
    if not file.exists():
        if exists:
            raise StoreUnavailable(f"storage {shown!r} does not exist yet: `depthsearch find` creates it")
        return
    if not file.is_file():
        raise StoreUnavailable(f"storage {shown!r} is not an ordinary file: choose another one")
    _check_header(file, shown)
    uri = f"file:{quote(str(file))}?mode=rw"
    with closing(sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None)) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if VERSION_TABLE in tables:
            row = connection.execute(f"SELECT version_num FROM {VERSION_TABLE}").fetchone()
            raise_if_newer(row[0] if row else None, shown)
        elif exists:
            raise StoreUnavailable(f"storage {shown!r} holds no studies of depthsearch: `depthsearch find` begins one")
        elif tables and OPTUNA_TABLE not in tables:
            # Nothing is written into a file that another program made.
            raise StoreUnavailable(
                f"storage {shown!r} holds tables of another program, such as {min(tables)!r}: choose another file"
            )
        # Taking and releasing the write lock changes nothing, and fails if the file cannot be written.
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")


def _check_header(file: Path, shown: str) -> None:
    try:
        with file.open("rb") as opened:
            header = opened.read(len(SQLITE_HEADER))
    except OSError as error:
        raise StoreUnavailable(f"storage {shown!r} cannot be read: {error.strerror}; choose another file") from None
    if header and header != SQLITE_HEADER:
        raise StoreUnavailable(
            f"storage {shown!r} is not a SQLite database: choose another file, or move this one away"
        )
