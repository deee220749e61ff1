"""Where a store is: one URL."""

import os
from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from depthsearch.core.errors import InvalidValue

ENVIRONMENT = "DEPTHSEARCH_STORAGE"
DEFAULT = "sqlite:///depthsearch.db"
ACCEPTED = "accepted: sqlite:///FILE.db, postgresql+psycopg://USER:PASSWORD@HOST/DATABASE"


def resolve_url(url: str | None) -> URL:
    """`url`, or else the environment's DEPTHSEARCH_STORAGE, or else depthsearch.db in the working folder.

    Raises:
        InvalidValue: It is not a URL, or of a scheme that is not accepted, or names no file.
    """
    text = url or os.environ.get(ENVIRONMENT) or DEFAULT
    try:
        parsed = make_url(text)
    except ArgumentError:
        raise InvalidValue(f"storage {text!r} is not a URL: {ACCEPTED}") from None
    backend = parsed.get_backend_name()
    if backend not in ("sqlite", "postgresql"):
        raise InvalidValue(f"storage {text!r} has the unknown scheme {parsed.drivername!r}: {ACCEPTED}")
    if backend == "sqlite" and (not parsed.database or parsed.database == ":memory:" or parsed.host):
        raise InvalidValue(f"storage {text!r} names no file, and a search must outlive its process: {ACCEPTED}")
    if backend == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    return parsed.set(drivername="sqlite")


def sqlite_file(url: URL) -> Path | None:
    """The database file of a SQLite URL; None for a server's."""
    return Path(url.database or "") if url.get_backend_name() == "sqlite" else None


def shown_url(url: str | None) -> str:
    """The URL that `url` resolves to, without a password."""
    return resolve_url(url).render_as_string(hide_password=True)
