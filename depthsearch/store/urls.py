"""Where a store is: one URL."""

import os
from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from depthsearch.errors import InvalidValue

ENVIRONMENT = "DEPTHSEARCH_STORAGE"


DEFAULT = "sqlite:///depthsearch.db"


DRIVERS = {
    "sqlite": "sqlite",
    "sqlite+pysqlite": "sqlite",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}


ACCEPTED = "accepted: sqlite:///FILE.db, postgresql+psycopg://USER:PASSWORD@HOST/DATABASE"


def resolve_url(url: str | None) -> URL:
    """`url`, or else the environment's DEPTHSEARCH_STORAGE, or else depthsearch.db in the working folder.

    Raises:
        InvalidValue: It is not a URL, or of a scheme that is not accepted, or names no file.
    """
    text = url if url is not None else os.environ.get(ENVIRONMENT) or DEFAULT
    try:
        text.encode()
        parsed = make_url(text)
    except UnicodeEncodeError:
        raise InvalidValue(f"storage {text!r} is not UTF-8 text: {ACCEPTED}") from None
    except (ArgumentError, ValueError):
        raise InvalidValue(f"storage {text!r} is not a URL: {ACCEPTED}") from None
    if parsed.drivername not in DRIVERS:
        raise InvalidValue(f"storage {text!r} has the unknown scheme {parsed.drivername!r}: {ACCEPTED}")
    if parsed.query and parsed.get_backend_name() == "sqlite":
        raise InvalidValue(f"storage {text!r} has options after a question mark, which are not understood: {ACCEPTED}")
    parsed = parsed.set(drivername=DRIVERS[parsed.drivername])
    no_file = not parsed.database or parsed.database == ":memory:" or parsed.host
    if parsed.drivername == "sqlite" and no_file:
        raise InvalidValue(f"storage {text!r} names no file, and a search must outlive its process: {ACCEPTED}")
    return parsed


def sqlite_file(url: URL) -> Path | None:
    """The database file of a SQLite URL; None for a server's."""
    return Path(url.database or "") if url.get_backend_name() == "sqlite" else None


def shown_url(url: str | None) -> str:
    """The URL that `url` resolves to, without a password."""
    return resolve_url(url).render_as_string(hide_password=True)
