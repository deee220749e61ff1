"""Who may write to a study: one process at a time, until it lets go or dies."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout
from sqlalchemy import Engine, text
from sqlalchemy.engine import URL

from depthsearch.errors import StoreUnavailable, StudyBusy
from depthsearch.store.urls import sqlite_file


@contextmanager
def claim(engine: Engine, url: URL, study: str) -> Iterator[None]:
    """Hold the study's lock for the block. The system lets it go when the process dies, however it dies.

    On SQLite it is a file beside the database; on PostgreSQL an advisory lock of one connection.

    Raises:
        StudyBusy: Another process holds it.
    """
    busy = StudyBusy(
        f"study {study!r} is being searched by another process: wait for it, or give --fresh or another --study"
    )
    digest = hashlib.sha256(study.encode()).digest()
    file = sqlite_file(url)
    if file is not None:
        lock = FileLock(lock_folder(file) / f"{digest.hex()[:16]}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise busy from None
        try:
            yield
        finally:
            lock.release()
        return
    key = int.from_bytes(digest[:8], "big", signed=True)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if not connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": key}).scalar():
            raise busy
        try:
            yield
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": key})


@contextmanager
def opening(url: URL) -> Iterator[None]:
    """Hold the store's own lock while its tables are made, so that two first openings do not collide."""
    file = sqlite_file(url)
    if file is None:
        yield
        return
    with FileLock(lock_folder(file) / "open.lock"):
        yield


def lock_folder(file: Path) -> Path:
    """The folder of lock files beside a database; it is created where it is missing."""
    # One folder for one database, by whatever links it is reached.
    file = file.resolve()
    folder = file.parent / f".{file.name}.locks"
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise StoreUnavailable(
            f"storage 'sqlite:///{file}' cannot be written: {error.strerror}; choose a file in a folder that can be"
        ) from None
    return folder
