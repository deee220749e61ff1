"""Context managers that translate errors of the database, and of what is stored in it, into StoreErrors."""

import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from zipfile import BadZipFile

from optuna.exceptions import StorageInternalError, UpdateFinishedTrialError
from sqlalchemy.exc import DBAPIError

from depthsearch.errors import InvalidValue, StoreUnavailable, StudyDamaged

DAMAGED, FULL, READ_ONLY, BUSY = "damaged", "full", "read-only", "busy"

SQLITE_NAMES = {
    "SQLITE_CORRUPT": DAMAGED,
    "SQLITE_NOTADB": DAMAGED,
    "SQLITE_FULL": FULL,
    "SQLITE_READONLY": READ_ONLY,
    "SQLITE_BUSY": BUSY,
    "SQLITE_LOCKED": BUSY,
}
"""What went wrong, by the first two words of `sqlite3.Error.sqlite_errorname`; more words are a special case of it."""

POSTGRESQL_STATES = {
    "53100": FULL,  # disk_full
    "25006": READ_ONLY,  # read_only_sql_transaction
    "42501": READ_ONLY,  # insufficient_privilege
    "55P03": BUSY,  # lock_not_available
    "XX001": DAMAGED,  # data_corrupted
    "XX002": DAMAGED,  # index_corrupted
}
"""What went wrong, by the SQLSTATE that psycopg reports."""

SENTENCES = {
    DAMAGED: "is damaged ({reason}): restore it from a copy, or choose another one",
    FULL: "cannot be written ({reason}): make room, or choose a store on another disk",
    READ_ONLY: "cannot be written ({reason}): choose another one",
    BUSY: "is in use ({reason}): another process is writing to it; try again when it is done",
    "": "cannot be used: {reason}",
}

UNREADABLE = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    BadZipFile,
    EOFError,
    InvalidValue,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
    zlib.error,
)
"""What readers of JSON, enumerations and archives raise if these were changed by hand."""


@contextmanager
def translate_database_errors(shown: str) -> Iterator[None]:
    """A block in which errors of the database driver become StoreUnavailable, in one line.

    Args:
        shown: The store's URL without a password.
    """
    try:
        yield
    except StorageInternalError as error:
        raise StoreUnavailable(_message(shown, error.__cause__ or error)) from error
    except UpdateFinishedTrialError as error:
        raise StoreUnavailable(
            f"storage {shown!r} was changed by another process during the search: run one search of a study at a time"
        ) from error
    except (DBAPIError, sqlite3.DatabaseError) as error:
        raise StoreUnavailable(_message(shown, error)) from error


def _message(shown: str, error: BaseException) -> str:
    lines = str(getattr(error, "orig", None) or error).strip().splitlines()
    reason = lines[0] if lines else type(error).__name__
    return f"storage {shown!r} {SENTENCES[kind_of(error)].format(reason=reason)}"


def kind_of(error: BaseException) -> str:
    """What went wrong in the database: DAMAGED, FULL, READ_ONLY, BUSY, or "" for anything else.

    Args:
        error: Of the driver, or SQLAlchemy's around it.
    """
    cause = getattr(error, "orig", None) or error
    name = str(getattr(cause, "sqlite_errorname", None) or "")
    state = str(getattr(cause, "sqlstate", None) or "")
    return SQLITE_NAMES.get("_".join(name.split("_")[:2]), "") or POSTGRESQL_STATES.get(state, "")


@contextmanager
def raise_study_damaged(study: str, where: str = "") -> Iterator[None]:
    """A block that reads what is stored of a study and does nothing else: its errors become StudyDamaged.

    Args:
        study: Its name.
        where: The part that is read; empty if the error names it.
    """
    try:
        yield
    except UNREADABLE as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise StudyDamaged(
            f"study {study!r} is damaged in the store ({where}{': ' if where else ''}{reason}): "
            "restore it from a copy, or delete it"
        ) from error
