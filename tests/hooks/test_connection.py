"""From an Airflow connection to the store's database URL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowNotFoundException

from airflow_katib_provider.exceptions import StoreError
from airflow_katib_provider.hooks.connection import store_url, url_of
from airflow_katib_provider.hooks.katib import KatibHook

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("fields", "extra", "url"),
    [
        (
            {"host": "db", "port": 5433, "login": "ann", "password": "a/b@c", "schema": "katib"},
            '{"dialect": "postgresql", "sslmode": "require"}',
            "postgresql+psycopg://ann:a%2Fb%40c@db:5433/katib?sslmode=require",
        ),
        ({"host": "db", "schema": "katib"}, None, "postgresql+psycopg://db/katib"),
        (
            {"host": "db", "login": "ann", "schema": "katib"},
            '{"dialect": "mysql", "ssl_ca": "/ca.pem"}',
            "mysql+pymysql://ann@db/katib?ssl_ca=%2Fca.pem",
        ),
        ({"schema": "/data/katib.db"}, '{"dialect": "sqlite"}', "sqlite:////data/katib.db"),
        (
            {"host": "db", "schema": "katib"},
            '{"dialect": "postgresql", "options": "-c all=on", "creator": "os.system"}',
            "postgresql+psycopg://db/katib",
        ),
    ],
)
def test_url_of(fields: dict[str, object], extra: str | None, url: str) -> None:
    assert url_of(Connection(conn_id="x", conn_type="katib", extra=extra, **fields)) == url


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"conn_type": "postgres"}, "conn_type is 'postgres'; it must be 'katib'"),
        ({"conn_type": "katib", "extra": '{"dialect": "oracle"}'}, "dialect is 'oracle'; it must be one of"),
        ({"conn_type": "katib", "host": "db"}, "schema is empty"),
    ],
)
def test_bad_connections(fields: dict[str, str], message: str) -> None:
    with pytest.raises(StoreError, match=message):
        url_of(Connection(conn_id="x", **fields))


def test_the_default_is_a_file_in_airflow_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    assert store_url("katib_default") == f"sqlite:///{tmp_path}/katib.db"
    with pytest.raises(AirflowNotFoundException):
        store_url("katib_elsewhere")


def test_the_test_button(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "AIRFLOW_CONN_KATIB_GOOD", f"katib:///{tmp_path}/good.db?dialect=sqlite".replace("///", "///%2F", 1)
    )
    monkeypatch.setenv("AIRFLOW_CONN_KATIB_BAD", "katib://localhost:1/katib?dialect=postgresql")
    ok, message = KatibHook("katib_good").test_connection()
    assert ok, message
    assert "sqlite" in message.lower()
    ok, message = KatibHook("katib_bad").test_connection()
    assert not ok
    assert "connection" in message.lower()
