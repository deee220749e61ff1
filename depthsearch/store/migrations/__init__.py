"""Alembic's migrations of our tables, and the functions that apply them."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from depthsearch.errors import NewerStore
from depthsearch.store.tables import VERSION_TABLE

UPGRADE_LOCK = 0x64735F7570677264
"""Key of the PostgreSQL advisory lock of an upgrade."""


def stored_revision(connection: Connection) -> str | None:
    """The revision of our tables in this database; None if there are none."""
    context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
    return context.get_current_revision()


def raise_if_newer(revision: str | None, url: str) -> None:
    """Raise NewerStore if this version does not know the revision."""
    known = [script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()]
    if revision is not None and revision not in known:
        raise NewerStore(
            f"storage {url!r} was written by a newer depthsearch (its tables are of revision {revision!r}, this one "
            f"knows up to {known[0]!r}): upgrade depthsearch, or choose another store"
        )


def upgrade(connection: Connection) -> None:
    """Bring our tables up to the newest revision; does nothing if they are."""
    if _is_newest(connection):
        return
    if connection.dialect.name == "postgresql":  # on SQLite, the transaction holds the write lock
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": UPGRADE_LOCK})
        if _is_newest(connection):
            return
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _is_newest(connection: Connection) -> bool:
    return stored_revision(connection) == ScriptDirectory.from_config(_config()).get_current_head()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
