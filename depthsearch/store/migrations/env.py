"""Alembic's entry point: runs our migrations on the connection of `migrations.upgrade`."""

from alembic import context

from depthsearch.store.tables import METADATA, VERSION_TABLE

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=METADATA, version_table=VERSION_TABLE)
with context.begin_transaction():
    context.run_migrations()
