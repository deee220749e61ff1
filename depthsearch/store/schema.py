"""Which version a database is of, and bringing it up to ours."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from depthsearch.core.errors import NewerStore
from depthsearch.store.tables import VERSION_TABLE


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
