"""Engines that are safe with many processes, for SQLite, PostgreSQL and MySQL alike."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from sqlalchemy import create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from airflow_katib_provider.exceptions import MissingExtraError, StoreError

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection, Engine

READ_ONLY = {"katib_read_only": True}
"""Execution options of a connection that does not write: on SQLite it then waits for no writer."""

_BUSY_SECONDS = 60
_DRIVERS = {
    "sqlite": ("sqlite", None),
    "postgres": ("postgresql+psycopg", "postgres"),
    "postgresql": ("postgresql+psycopg", "postgres"),
    "mysql": ("mysql+pymysql", "mysql"),
    "mariadb": ("mysql+pymysql", "mysql"),
}
"""By database: the driver where the URL names none, and the extra that brings it."""

_engines: WeakSet[Engine] = WeakSet()


def open_engine(url: str | URL) -> Engine:
    """Return an engine for a database URL. Nothing is connected yet.

    Every writing transaction on SQLite begins as IMMEDIATE: it waits for the writer before it, up to a
    minute, and never fails half-way. Servers run at READ COMMITTED, where a row lock shows the newest row.

    :param url: SQLAlchemy's; ``sqlite:////path/to/file``, ``postgresql://...`` or ``mysql://...``.
    :raises StoreError: if the URL cannot be read, or is not one of these databases.
    :raises MissingExtraError: if the database's driver is not installed.
    """
    parsed = _with_driver(url)
    try:
        if parsed.get_backend_name() == "sqlite":
            engine = _open_sqlite(parsed)
        else:
            engine = create_engine(
                parsed, pool_pre_ping=True, isolation_level="READ COMMITTED", hide_parameters=True
            )
    except ImportError as error:
        extra = _DRIVERS[parsed.get_backend_name()][1]
        raise MissingExtraError(
            f"{parsed.drivername} needs the package {error.name!r}: "
            f"pip install 'airflow-provider-katib[{extra}]'"
        ) from error
    _engines.add(engine)
    return engine


def _with_driver(url: str | URL) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise StoreError(
            "the store's URL cannot be read; write dialect://user:password@host/database"
        ) from error
    database, _, driver = parsed.drivername.partition("+")
    if database not in _DRIVERS:
        raise StoreError(
            f"the store's URL names the database {database!r}; it must be one of {', '.join(_DRIVERS)}"
        )
    standard, _ = _DRIVERS[database]
    return parsed.set(drivername=f"{standard.partition('+')[0]}+{driver}" if driver else standard)


def _open_sqlite(url: URL) -> Engine:
    if url.database in {None, "", ":memory:"}:
        raise StoreError("the store cannot live in memory, because processes share it: write sqlite:////path")
    engine = create_engine(url, connect_args={"timeout": _BUSY_SECONDS}, hide_parameters=True)
    event.listen(engine, "do_connect", _make_folder)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _make_folder(_dialect: Any, _record: Any, arguments: list[str], _options: Any) -> None:
    Path(arguments[0]).parent.mkdir(parents=True, exist_ok=True)


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # The driver must not begin transactions: _begin_sqlite does.
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = NORMAL")


def _begin_sqlite(connection: Connection) -> None:
    read_only = READ_ONLY.keys() <= connection.get_execution_options().keys()
    connection.exec_driver_sql("BEGIN DEFERRED" if read_only else "BEGIN IMMEDIATE")


def _forget_connections_of_parent() -> None:
    for engine in _engines:
        engine.dispose(close=False)


os.register_at_fork(after_in_child=_forget_connections_of_parent)
