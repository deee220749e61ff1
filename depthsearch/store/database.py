"""Opening the database: Optuna's storage over it, shared safely, with our tables up to date."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from contextvars import ContextVar
from functools import wraps
from pathlib import Path
from typing import Any
from urllib.parse import quote

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from optuna.exceptions import StorageInternalError, UpdateFinishedTrialError
from optuna.storages import RDBStorage
from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, OperationalError

from depthsearch.errors import NewerStore, StoreUnavailable
from depthsearch.search.optuna_internals import READING_METHODS
from depthsearch.store.tables import VERSION_TABLE
from depthsearch.store.urls import sqlite_file

READ, WRITE = "BEGIN", "BEGIN IMMEDIATE"

_READS: ContextVar[bool] = ContextVar("reads", default=False)


@contextmanager
def reading() -> Iterator[None]:
    """A block whose transactions only read; they see what was committed when they began, and wait for nobody."""
    before = _READS.set(True)
    try:
        yield
    finally:
        _READS.reset(before)


def begin_statement() -> str:
    """How a transaction begins on SQLite: one that writes takes the lock at once, lest it fail half-way."""
    return READ if _READS.get() else WRITE


class SharedStorage(RDBStorage):
    """Optuna's own, of which the calls that only read are said to."""


def _read(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def read(*args: Any, **kwargs: Any) -> Any:
        with reading():
            return method(*args, **kwargs)

    return read


for _name in READING_METHODS:
    setattr(SharedStorage, _name, _read(getattr(RDBStorage, _name)))


def stored_revision(connection: Connection) -> str | None:
    """The revision of our tables in this database; None where there are none."""
    context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
    return context.get_current_revision()


def refuse_newer(revision: str | None, url: str) -> None:
    """Raise NewerStore where a revision is not one that this version knows."""
    known = [script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()]
    if revision is not None and revision not in known:
        raise NewerStore(
            f"storage {url!r} was written by a newer depthsearch (its tables are of revision {revision!r}, this one "
            f"knows up to {known[0]!r}): upgrade depthsearch, or choose another --storage"
        )


def upgrade(connection: Connection) -> None:
    """Bring our tables up to the newest revision; nothing is done where they are."""
    if stored_revision(connection) == ScriptDirectory.from_config(_config()).get_current_head():
        return
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


BUSY_SECONDS, ASK_AGAIN_SECONDS = 60, 0.0005


SQLITE_HEADER = b"SQLite format 3\x00"


def open_database(url: URL, *, writes: bool = True) -> RDBStorage:
    """Optuna's storage over the database, which is created or brought up to date where need be.

    Without `writes`, that is the last thing written: the database itself refuses every other write.

    A SQLite file is opened so that several processes can share it: write-ahead log, and every transaction that writes
    takes the write lock at its start, so that none fails half-way for having read before it wrote.

    Raises:
        StoreUnavailable: It cannot be opened or written, or is not a database.
        NewerStore: It was written by a newer depthsearch or Optuna.
    """
    shown = url.render_as_string(hide_password=True)
    with said_of(shown):
        file = sqlite_file(url)
        if file is not None:
            storage = _optuna_storage(url, {"connect_args": {"timeout": BUSY_SECONDS}})
            _share(storage.engine)
        else:
            storage = _optuna_storage(url, {"pool_pre_ping": True})
            with storage.engine.connect() as connection:
                refuse_newer(stored_revision(connection), shown)
        with storage.engine.begin() as connection:
            upgrade(connection)
        if not writes:
            _only_read(storage.engine)
    return storage


def check_file(file: Path, shown: str, *, ours: bool = False) -> None:
    """Look at a SQLite file without writing to it; where it must be `ours`, it must hold our tables already.

    Raises:
        StoreUnavailable: It is no database, or cannot be written.
        NewerStore: It was written by a newer depthsearch.
    """
    if not file.parent.is_dir():
        raise StoreUnavailable(
            f"storage {shown!r} cannot be opened: {str(file.parent)!r} is not a folder; create it first"
        )
    if file.is_dir():
        raise StoreUnavailable(f"storage {shown!r} is a folder: expected the path of a database file")
    if not file.exists():
        if ours:
            raise StoreUnavailable(f"storage {shown!r} does not exist yet: `depthsearch find` creates it")
        return
    if not file.is_file():
        raise StoreUnavailable(f"storage {shown!r} is not an ordinary file: choose another one")
    try:
        with file.open("rb") as opened:
            header = opened.read(len(SQLITE_HEADER))
    except OSError as error:
        raise StoreUnavailable(f"storage {shown!r} cannot be read: {error.strerror}; choose another file") from None
    if header and header != SQLITE_HEADER:
        raise StoreUnavailable(
            f"storage {shown!r} is not a SQLite database: choose another file, or move this one away"
        )
    with closing(
        sqlite3.connect(f"file:{quote(str(file))}?mode=rw", uri=True, timeout=BUSY_SECONDS, isolation_level=None)
    ) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if VERSION_TABLE in tables:
            row = connection.execute(f"SELECT version_num FROM {VERSION_TABLE}").fetchone()
            refuse_newer(row[0] if row else None, shown)
        elif ours:
            raise StoreUnavailable(f"storage {shown!r} holds no studies of depthsearch: `depthsearch find` begins one")
        # Taking the write lock and letting it go changes nothing, and fails where the file cannot be written.
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")


@contextmanager
def said_of(shown: str) -> Iterator[None]:
    """Errors of the database driver, said in one line about the store that was asked for."""
    try:
        yield
    except StorageInternalError as error:
        raise StoreUnavailable(_sentence(shown, error.__cause__ or error)) from error
    except UpdateFinishedTrialError as error:
        raise StoreUnavailable(
            f"storage {shown!r} was changed by another process during the search: run one search of a study at a time"
        ) from error
    except (DBAPIError, sqlite3.DatabaseError) as error:
        raise StoreUnavailable(_sentence(shown, error)) from error


def _sentence(shown: str, error: BaseException) -> str:
    reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
    if "malformed" in reason or "not a database" in reason:
        return f"storage {shown!r} is damaged ({reason}): restore it from a copy, or choose another file"
    if "full" in reason:
        return f"storage {shown!r} cannot be written ({reason}): make room, or choose a file on another disk"
    if "readonly" in reason:
        return f"storage {shown!r} cannot be written ({reason}): choose a file that can be"
    if "locked" in reason:
        return f"storage {shown!r} is in use ({reason}): another process is writing to it; try again when it is done"
    return f"storage {shown!r} cannot be used: {reason}"


def _optuna_storage(url: URL, engine_kwargs: dict[str, Any]) -> RDBStorage:
    try:
        return SharedStorage(url.render_as_string(hide_password=False), engine_kwargs=engine_kwargs)
    except ImportError:
        shown = url.render_as_string(hide_password=True)
        raise StoreUnavailable(
            f"storage {shown!r} needs the package 'psycopg': pip install 'depthsearch[postgresql]'"
        ) from None
    except RuntimeError as error:
        # Optuna's way of saying that the tables are not of its own version.
        shown = url.render_as_string(hide_password=True)
        raise NewerStore(f"storage {shown!r} is of another version of Optuna: {' '.join(str(error).split())}") from None


def _share(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _configure(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # transactions begin where SQLAlchemy says so, and not before
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")

    event.listen(engine, "begin", _begin_writing)
    engine.dispose()  # connections opened before the listeners stood


def _begin_writing(connection: Connection) -> None:
    """Begin as it is meant to go on, and wait for the write lock by asking for it often.

    SQLite's own way of waiting sleeps longer each time, up to a tenth of a second for a lock that is held for less than
    a thousandth.
    """
    begin = begin_statement()
    if begin == READ:
        connection.exec_driver_sql(begin)
        return
    until = time.monotonic() + BUSY_SECONDS
    connection.exec_driver_sql("PRAGMA busy_timeout = 0")
    try:
        while True:
            try:
                connection.exec_driver_sql(begin)
                return
            except OperationalError as error:
                if "locked" not in str(error.orig) or time.monotonic() > until:
                    raise
                time.sleep(ASK_AGAIN_SECONDS)
    finally:
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {1000 * BUSY_SECONDS}")


def _only_read(engine: Engine) -> None:
    if engine.dialect.name == "sqlite":
        event.remove(engine, "begin", _begin_writing)  # a reader waits for no writer, nor keeps one waiting

        @event.listens_for(engine, "connect")
        def _configure(connection: sqlite3.Connection, _record: object) -> None:
            connection.execute("PRAGMA query_only = ON")

        @event.listens_for(engine, "begin")
        def _begin(connection: Connection) -> None:
            connection.exec_driver_sql("BEGIN")
    else:

        @event.listens_for(engine, "begin")
        def _begin_reading(connection: Connection) -> None:
            connection.exec_driver_sql("SET TRANSACTION READ ONLY")

    engine.dispose()
