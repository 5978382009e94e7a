"""Run by Alembic: migrates over the connection that it is given, inside that connection's transaction."""

from __future__ import annotations

from alembic import context

from airflow_katib_provider.store.migrating import VERSION_TABLE
from airflow_katib_provider.store.tables import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    transactional_ddl=connection.dialect.name != "mysql",
)
with context.begin_transaction():
    context.run_migrations()
