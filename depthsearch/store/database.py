"""Opening the database: Optuna's storage, shared safely between processes, with our tables up to date."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any

from optuna.storages import RDBStorage
from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import OperationalError

from depthsearch.errors import NewerStore, StoreUnavailable
from depthsearch.search.optuna_internals import READING_METHODS
from depthsearch.store.errors import BUSY, kind_of, translate_database_errors
from depthsearch.store.location import BUSY_SECONDS, sqlite_file
from depthsearch.store.migrations import raise_if_newer, stored_revision, upgrade

RETRY_SECONDS = 0.0005
"""How often a transaction asks for SQLite's write lock."""

KEEPALIVE_SECONDS, KEEPALIVE_PROBES = 10, 3
"""TCP keepalives of PostgreSQL, of both ends: a connection that is dead releases its locks soon."""

_READING: ContextVar[bool] = ContextVar("reading", default=False)


@contextmanager
def reading() -> Iterator[None]:
    """A block whose transactions only read; they see what was committed when they began, and wait for nobody."""
    before = _READING.set(True)
    try:
        yield
    finally:
        _READING.reset(before)


def is_reading() -> bool:
    """Whether a transaction that begins now only reads."""
    return _READING.get()


class SharedStorage(RDBStorage):
    """Optuna's storage; calls that only read do so in transactions that only read."""


def _read(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def read(*args: Any, **kwargs: Any) -> Any:
        with reading():
            return method(*args, **kwargs)

    return read


for _name in READING_METHODS:
    setattr(SharedStorage, _name, _read(getattr(RDBStorage, _name)))


def open_database(url: URL, *, writes: bool = True) -> RDBStorage:
    """Optuna's storage over the database, which is created or brought up to date if need be.

    Without `writes`, that is the last thing written: the database itself refuses every other write.

    A SQLite file is opened so that several processes can share it: write-ahead log, and every transaction that writes
    takes the write lock at its start, so that none fails half-way because it read before it wrote.

    Raises:
        StoreUnavailable: It cannot be opened or written, or is not a database.
        NewerStore: It was written by a newer depthsearch or Optuna.
    """
    shown = url.render_as_string(hide_password=True)
    with translate_database_errors(shown):
        if sqlite_file(url) is not None:
            storage = _optuna_storage(url, {"connect_args": {"timeout": BUSY_SECONDS}})
            _share(storage.engine)
        else:
            storage = _optuna_storage(url, {"pool_pre_ping": True, "connect_args": _keepalives(url)})
            _keep_alive(storage.engine)
            with storage.engine.connect() as connection:
                raise_if_newer(stored_revision(connection), shown)
        with storage.engine.begin() as connection:
            upgrade(connection)
        if not writes:
            _only_read(storage.engine)
    return storage


def _optuna_storage(url: URL, engine_kwargs: dict[str, Any]) -> RDBStorage:
    try:
        return SharedStorage(url.render_as_string(hide_password=False), engine_kwargs=engine_kwargs)
    except ImportError:
        shown = url.render_as_string(hide_password=True)
        raise StoreUnavailable(
            f"storage {shown!r} needs the package 'psycopg': pip install 'depthsearch[postgresql]'"
        ) from None
    except RuntimeError as error:
        # Optuna raises it if the tables are not of its version.
        shown = url.render_as_string(hide_password=True)
        raise NewerStore(f"storage {shown!r} is of another version of Optuna: {' '.join(str(error).split())}") from None


def _keepalives(url: URL) -> dict[str, int]:
    """The arguments by which libpq notices a dead server; those in the URL win."""
    arguments = {
        "keepalives": 1,
        "keepalives_idle": KEEPALIVE_SECONDS,
        "keepalives_interval": KEEPALIVE_SECONDS,
        "keepalives_count": KEEPALIVE_PROBES,
    }
    return {name: value for name, value in arguments.items() if name not in url.query}


def _keep_alive(engine: Engine) -> None:
    """Let the server notice a dead client too: until then it keeps the client's locks."""

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: object) -> None:
        connection.execute(f"SET tcp_keepalives_idle = {KEEPALIVE_SECONDS}")
        connection.execute(f"SET tcp_keepalives_interval = {KEEPALIVE_SECONDS}")
        connection.execute(f"SET tcp_keepalives_count = {KEEPALIVE_PROBES}")
        connection.commit()

    engine.dispose()  # connections that were opened before the listener was there


def _share(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _configure(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # transactions begin when SQLAlchemy begins them, not earlier
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")

    event.listen(engine, "begin", _begin)
    engine.dispose()  # connections that were opened before the listeners were there


def _begin(connection: Connection) -> None:
    """Begin a transaction; one that writes takes the write lock at once, so that it does not fail half-way.

    It asks for the lock often: SQLite's busy handler sleeps longer each time, up to a tenth of a second for a lock that
    is held for less than a thousandth.
    """
    if is_reading():
        connection.exec_driver_sql("BEGIN")
        return
    until = time.monotonic() + BUSY_SECONDS
    connection.exec_driver_sql("PRAGMA busy_timeout = 0")
    try:
        while True:
            try:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
                return
            except OperationalError as error:
                if kind_of(error) != BUSY or time.monotonic() > until:
                    raise
                time.sleep(RETRY_SECONDS)
    finally:
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {1000 * BUSY_SECONDS}")


def _only_read(engine: Engine) -> None:
    if engine.dialect.name == "sqlite":
        event.remove(engine, "begin", _begin)  # a reader waits for no writer, nor keeps one waiting

        @event.listens_for(engine, "connect")
        def _configure(connection: sqlite3.Connection, _record: object) -> None:
            connection.execute("PRAGMA query_only = ON")

        @event.listens_for(engine, "begin")
        def _begin_sqlite(connection: Connection) -> None:
            connection.exec_driver_sql("BEGIN")
    else:

        @event.listens_for(engine, "begin")
        def _begin_postgresql(connection: Connection) -> None:
            connection.exec_driver_sql("SET TRANSACTION READ ONLY")

    engine.dispose()
