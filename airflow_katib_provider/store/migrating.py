"""Bring the tables up to date, once, however many processes try at the same time."""

from __future__ import annotations

import random
import sqlite3
import time
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import String, column, func, inspect, select, table

from airflow_katib_provider.exceptions import StoreError
from airflow_katib_provider.store.engine import READ_ONLY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Engine

MIGRATIONS = Path(__file__).parent / "migrations"
REVISIONS = ("0001",)
"""Every revision this code knows, oldest first. A store that is at the last one needs no Alembic."""

VERSION_TABLE = "katib_alembic_version"

_ADVISORY_LOCK = int.from_bytes(sha256(VERSION_TABLE.encode()).digest()[:8], signed=True)
_WAIT_SECONDS = 120


def ensure_current(engine: Engine) -> None:
    """Create the tables, or bring them up to date; a look at the version table if they are.

    :raises StoreError: if the store was written by a newer version of the provider.
    """
    with engine.connect() as connection:
        if _revision(connection.execution_options(**READ_ONLY)) == REVISIONS[-1]:
            return
    upgrade(engine)


def upgrade(engine: Engine) -> None:
    """Run the migrations that are missing, while no other process can.

    :raises StoreError: if the store was written by a newer version of the provider.
    """
    with _alone(engine) as connection:
        if _revision(connection) != REVISIONS[-1]:
            _run_migrations(connection)


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    version = column("version_num", String)
    found: str | None = connection.scalar(select(version).select_from(table(VERSION_TABLE, version)))
    if found is not None and found not in REVISIONS:
        raise StoreError(
            f"the store's tables are at revision {found!r}, and this version of airflow-provider-katib knows "
            f"none after {REVISIONS[-1]!r}: upgrade airflow-provider-katib here, or use another database"
        )
    return found


def _run_migrations(connection: Connection) -> None:
    from alembic.command import upgrade as run
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    run(config, "head")


@contextmanager
def _alone(engine: Engine) -> Iterator[Connection]:
    """Begin a transaction that no other migration runs beside."""
    if engine.dialect.name == "mysql":
        with _mysql_lock(engine), engine.begin() as connection:
            yield connection
        return
    if engine.dialect.name == "sqlite":
        _use_write_ahead_log(engine)
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(select(func.pg_advisory_xact_lock(_ADVISORY_LOCK)))
        yield connection


@contextmanager
def _mysql_lock(engine: Engine) -> Iterator[None]:
    # MySQL commits at every CREATE TABLE, so a lock of the transaction would be gone too early.
    name = f"katib-{sha256(str(engine.url.database).encode()).hexdigest()[:32]}"
    with engine.connect() as connection:
        if connection.scalar(select(func.get_lock(name, _WAIT_SECONDS))) != 1:
            raise StoreError(
                f"another process has been migrating the store for {_WAIT_SECONDS} s; try again later"
            )
        try:
            yield
        finally:
            connection.execute(select(func.release_lock(name)))


def _use_write_ahead_log(engine: Engine) -> None:
    # The mode stays with the file. Turning it on fails at once, without waiting, while others use the file.
    deadline = time.monotonic() + _WAIT_SECONDS
    connection = engine.raw_connection()
    try:
        while True:
            try:
                connection.cursor().execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(random.uniform(0.01, 0.1))
    finally:
        connection.close()
