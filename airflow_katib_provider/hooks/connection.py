"""From an Airflow connection of type ``katib`` to the database URL of the store."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException

from airflow_katib_provider.exceptions import StoreError

if TYPE_CHECKING:
    from airflow.sdk import Connection

DEFAULT_CONN_ID = "katib_default"

_DRIVERS = {
    "sqlite": "sqlite",
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
}
_QUERY_OPTIONS = {
    "postgresql": ("sslmode", "sslrootcert", "sslcert", "sslkey"),
    "mysql": ("ssl_ca",),
    "sqlite": (),
}
"""The extras that reach the driver; nothing else of a connection's extra field does."""


def store_url(conn_id: str) -> str:
    """Return the database URL, password included, that a connection stands for.

    :param conn_id: a connection of type ``katib``. Its extra field ``dialect`` is ``postgresql``, ``mysql`` or
        ``sqlite``; for ``sqlite`` the schema is the path of the file. If the default connection does not
        exist, the store is ``katib.db`` in ``AIRFLOW_HOME``.
    :raises AirflowNotFoundException: if another connection does not exist.
    :raises StoreError: if the connection cannot be understood.
    """
    try:
        return url_of(BaseHook.get_connection(conn_id))
    except AirflowNotFoundException:
        if conn_id != DEFAULT_CONN_ID:
            raise
        return f"sqlite:///{os.path.join(_airflow_home(), 'katib.db')}"


def url_of(connection: Connection) -> str:
    """Return the database URL of a connection.

    :raises StoreError: if its type, dialect or schema is missing or unknown.
    """
    from sqlalchemy import URL

    where = f"connection {connection.conn_id!r}"
    if connection.conn_type != "katib":
        raise StoreError(f"{where}: conn_type is {connection.conn_type!r}; it must be 'katib'")
    extra = connection.extra_dejson
    dialect = extra.get("dialect") or ("postgresql" if connection.host else "sqlite")
    if dialect not in _DRIVERS:
        raise StoreError(
            f"{where}: extra field dialect is {dialect!r}; it must be one of {', '.join(_DRIVERS)}"
        )
    if dialect == "sqlite":
        path = connection.schema or os.path.join(_airflow_home(), "katib.db")
        return f"sqlite:///{os.path.abspath(os.path.expanduser(path))}"
    if not connection.schema:
        raise StoreError(f"{where}: schema is empty; it must name the database")
    return URL.create(
        _DRIVERS[dialect],
        username=connection.login or None,
        password=connection.password or None,
        host=connection.host or "localhost",
        port=connection.port,
        database=connection.schema,
        query={option: str(extra[option]) for option in _QUERY_OPTIONS[dialect] if extra.get(option)},
    ).render_as_string(hide_password=False)


def _airflow_home() -> str:
    return os.path.expanduser(os.environ.get("AIRFLOW_HOME", "~/airflow"))
