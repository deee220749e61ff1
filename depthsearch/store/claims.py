"""The claim on a study: one process at a time writes to it.

A claim is a lock and a token. The lock keeps other processes out, and the system releases it when the process dies.
Locks can be lost: a lock file is deleted, a connection breaks. So each claim increments the study's token, and every
write transaction checks it: a process whose claim was taken over writes nothing more.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from filelock import FileLock, Timeout
from sqlalchemy import Connection, Engine, event, insert, select, text, update
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from depthsearch.errors import ClaimLost, StudyBusy
from depthsearch.store.database import is_reading, reading
from depthsearch.store.location import file_key, lock_folder, sqlite_file
from depthsearch.store.tables import CLAIMS


class StudyLock(Protocol):
    """A lock on the name of a study, held by one process at a time."""

    def acquire(self) -> bool:
        """Acquire the lock, again if it was lost; False if another process holds it."""

    def is_held(self, connection: Connection) -> bool:
        """Whether the lock is held still; `connection` is in a transaction."""

    def release(self) -> None:
        """Release the lock, if it is held."""


class Claim:
    """The right to write to a study. It is made by `claim`, and ends with it.

    Attributes:
        study: Name of the study.
    """

    def __init__(self, study: str, engine: Engine, lock: StudyLock) -> None:
        self.study = study
        self._engine, self._lock = engine, lock
        self._study_id = self._token = 0

    def take(self, study_id: int) -> None:
        """Increment the study's token, and check it from now on in every write transaction of this engine.

        Processes that claimed the study before fail at their next write.
        """
        this = CLAIMS.c.study_id == study_id
        with self._engine.begin() as connection:
            if not connection.execute(update(CLAIMS).where(this).values(token=CLAIMS.c.token + 1)).rowcount:
                connection.execute(insert(CLAIMS).values(study_id=study_id, token=1))
            self._token = connection.execute(select(CLAIMS.c.token).where(this)).scalar_one()
        self._study_id = study_id
        event.listen(self._engine, "begin", self._check)

    def end(self) -> None:
        """Stop checking, and release the lock. The token stays: numbers of deleted studies are used again."""
        if event.contains(self._engine, "begin", self._check):
            event.remove(self._engine, "begin", self._check)
        self._lock.release()

    def _check(self, connection: Connection) -> None:
        """Raise ClaimLost if another process has claimed the study.

        On SQLite the transaction holds the write lock, and on PostgreSQL it locks the token's row: nobody increments
        the token before the transaction ends. A lock that was lost is acquired again if nobody else holds it.
        """
        if is_reading():
            return
        query = select(CLAIMS.c.token).where(CLAIMS.c.study_id == self._study_id).with_for_update(read=True)
        token = connection.execute(query).scalar_one_or_none()
        if token == self._token and (self._lock.is_held(connection) or self._lock.acquire()):
            return
        raise ClaimLost(
            f"study {self.study!r} was taken over by another process: this one has stopped, and what it finished "
            "before is kept"
        )


class FileStudyLock:
    """An exclusive lock on a file next to the SQLite database.

    Args:
        path: The lock file.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._lock = path, FileLock(path)
        self._locked: tuple[int, int] | None = None

    def acquire(self) -> bool:
        """Lock the file, or the one that has taken its place; False if another process has locked that."""
        self.release()
        self._path.parent.mkdir(exist_ok=True)
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            return False
        self._locked = file_key(self._path)
        return True

    def is_held(self, connection: Connection) -> bool:
        """Whether the file that was locked is still there: otherwise others lock another one."""
        return self._locked is not None and self._locked == file_key(self._path)

    def release(self) -> None:
        """Unlock the file."""
        self._lock.release()
        self._locked = None


class AdvisoryStudyLock:
    """An advisory lock of one PostgreSQL session, which keeps a connection for it.

    Args:
        engine: Of the database.
        key: The lock's key, a signed integer of 64 bits.
    """

    def __init__(self, engine: Engine, key: int) -> None:
        self._engine, self._key = engine, key
        self._connection: Connection | None = None
        self._pid = 0

    def acquire(self) -> bool:
        """Lock the key in a new session; False if another session has locked it."""
        self.release()
        with reading():  # no claim is checked: nothing is written
            connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            try:
                if not connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": self._key}).scalar_one():
                    connection.close()
                    return False
                self._pid = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
            except BaseException:
                connection.invalidate()
                connection.close()
                raise
        self._connection = connection
        return True

    def is_held(self, connection: Connection) -> bool:
        """Whether the session is alive and has the lock, as the server sees it."""
        query = text(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted AND pid = :pid "
            "AND objsubid = 1 AND (classid::bigint << 32) | objid::bigint = :key "
            "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))"
        )
        return bool(connection.execute(query, {"pid": self._pid, "key": self._key}).scalar_one())

    def release(self) -> None:
        """Unlock the key; a session that is dead has lost it already."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            with reading():
                connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": self._key})
        except DBAPIError:
            connection.invalidate()
        connection.close()


@contextmanager
def claim(engine: Engine, url: URL, study: str) -> Iterator[Claim]:
    """Hold the lock on a study's name for the block.

    Before anything is written to the study, its number is to be given to `Claim.take`.

    Raises:
        StudyBusy: Another process holds the lock.
    """
    digest = hashlib.sha256(study.encode()).digest()
    file = sqlite_file(url)
    lock: StudyLock
    if file is not None:
        lock = FileStudyLock(lock_folder(file) / f"{digest.hex()[:16]}.lock")
    else:
        lock = AdvisoryStudyLock(engine, int.from_bytes(digest[:8], "big", signed=True))
    if not lock.acquire():
        raise StudyBusy(
            f"study {study!r} is being searched by another process: wait for it, or start a fresh study or another one"
        )
    held = Claim(study, engine, lock)
    try:
        yield held
    finally:
        held.end()


@contextmanager
def hold_opening_lock(url: URL) -> Iterator[None]:
    """Hold the store's lock while its tables are made, so that two first openings do not collide."""
    file = sqlite_file(url)
    if file is None:
        yield
        return
    with FileLock(lock_folder(file) / "open.lock"):
        yield
