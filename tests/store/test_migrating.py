"""Migrations: once, by whoever comes first, beside other tables, never backwards."""

from __future__ import annotations

import subprocess
import sys

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect, text

from airflow_katib_provider.exceptions import StoreError
from airflow_katib_provider.store.migrating import MIGRATIONS, REVISIONS, VERSION_TABLE
from airflow_katib_provider.store.store import KatibStore
from airflow_katib_provider.store.tables import metadata
from tests.store import workers
from tests.store.samples import create
from tests.store.workers import Workers

OURS = {*metadata.tables, VERSION_TABLE}


@pytest.fixture
def connection(database_url):
    engine = create_engine(database_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def version(connection):
    return connection.scalar(text(f"SELECT version_num FROM {VERSION_TABLE}"))


def test_known_revisions_are_those_of_the_migrations():
    revisions = [script.revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions()]
    assert tuple(reversed(revisions)) == REVISIONS


def test_migrations_make_the_tables_that_the_code_uses(store, connection):
    store.migrate()
    options = {"compare_type": True, "compare_server_default": True, "version_table": VERSION_TABLE}
    assert compare_metadata(MigrationContext.configure(connection, opts=options), metadata) == []
    assert version(connection) == REVISIONS[-1]
    assert set(inspect(connection).get_table_names()) == OURS


def test_processes_migrate_an_empty_database_once(database_url, connection):
    url = database_url.render_as_string(hide_password=False)
    with Workers(workers.migrate, url, 8) as processes:
        assert processes.results() == [None] * 8
    assert connection.execute(text(f"SELECT * FROM {VERSION_TABLE}")).all() == [(REVISIONS[-1],)]
    assert create(KatibStore(url)).attempt == 1


def test_first_use_migrates(store, connection):
    assert store.ping().split()[0] in {"SQLite", "PostgreSQL", "MariaDB"}
    assert inspect(connection).get_table_names() == []
    assert store.list_experiments(limit=1, offset=0) == []
    assert set(inspect(connection).get_table_names()) == OURS


def test_other_tables_are_left_alone(store, connection):
    connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
    connection.execute(text("INSERT INTO alembic_version VALUES ('theirs')"))
    connection.execute(text("CREATE TABLE trial (id INTEGER PRIMARY KEY)"))
    store.migrate()
    assert connection.scalar(text("SELECT version_num FROM alembic_version")) == "theirs"
    assert set(inspect(connection).get_table_names()) == {*OURS, "alembic_version", "trial"}


def test_migration_that_was_cut_short_is_completed(store, connection):
    """MySQL keeps what a killed migration has made so far."""
    store.migrate()
    for table in ("katib_condition", "katib_observation_log", VERSION_TABLE):
        connection.execute(text(f"DROP TABLE {table}"))
    again = KatibStore(connection.engine.url)
    assert create(again).attempt == 1
    assert set(inspect(connection).get_table_names()) == OURS
    again.dispose()


def test_newer_store_is_refused(store, connection):
    store.migrate()
    connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
    newer = KatibStore(connection.engine.url)
    with pytest.raises(StoreError, match=r"revision '9999'.* upgrade airflow-provider-katib"):
        newer.list_experiments(limit=1, offset=0)
    newer.dispose()
    assert version(connection) == "9999"


def test_current_store_needs_no_alembic(store, database_url):
    create(store)
    program = (
        "import sys\n"
        "from airflow_katib_provider.store.store import KatibStore\n"
        "store = KatibStore(sys.argv[1])\n"
        "assert len(store.list_experiments(limit=9, offset=0)) == 1\n"
        "print([name for name in sys.modules if name.split('.')[0] == 'alembic'])"
    )
    url = database_url.render_as_string(hide_password=False)
    done = subprocess.run([sys.executable, "-c", program, url], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_sqlite_keeps_a_write_ahead_log(store, connection):
    store.migrate()
    assert connection.scalar(text("PRAGMA journal_mode")) == "wal"
