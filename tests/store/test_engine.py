"""Engines: which URLs are taken, what is said of others, and conflicts that are repeated."""

from __future__ import annotations

import sys
import threading

import pytest
from sqlalchemy import text, update

from airflow_katib_provider.exceptions import MissingExtraError, StoreError
from airflow_katib_provider.store import tables
from airflow_katib_provider.store.engine import open_engine
from airflow_katib_provider.store.records import ExperimentKey
from airflow_katib_provider.store.store import KatibStore
from tests.store.samples import create


@pytest.mark.parametrize(
    ("url", "driver"),
    [
        ("sqlite:////tmp/katib.db", "sqlite"),
        ("postgresql://user:secret@host/katib", "postgresql+psycopg"),
        ("postgres://user:secret@host/katib", "postgresql+psycopg"),
        ("postgresql+psycopg://host/katib", "postgresql+psycopg"),
        ("mysql://host/katib", "mysql+pymysql"),
        ("mariadb://host/katib", "mysql+pymysql"),
        ("mariadb+pymysql://host/katib", "mysql+pymysql"),
    ],
)
def test_driver_of_a_url(url, driver):
    assert open_engine(url).url.drivername == driver


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("katib.db", "cannot be read"),
        ("oracle://host/katib", "'oracle'; it must be one of sqlite, postgres"),
        ("sqlite://", "memory"),
        ("sqlite:///:memory:", "memory"),
    ],
)
def test_refused_url(url, message):
    with pytest.raises(StoreError, match=message):
        KatibStore(url)


def test_missing_driver_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "pymysql", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'airflow-provider-katib\[mysql\]'"):
        KatibStore("mysql://host/katib")


@pytest.mark.parametrize("dialect", ["postgresql", "mysql"])
def test_unreachable_server_is_named_without_its_password(dialect):
    store = KatibStore(f"{dialect}://user:secret@127.0.0.1:1/katib")
    with pytest.raises(StoreError, match=r"user:\*\*\*@127\.0\.0\.1:1") as caught:
        store.ping()
    assert "secret" not in str(caught.value)


def test_opening_does_nothing_and_first_use_makes_the_folder(tmp_path):
    path = tmp_path / "new" / "folder" / "katib.db"
    store = KatibStore(f"sqlite:///{path}")
    assert not path.parent.exists()
    assert store.ping().startswith("SQLite 3")
    assert path.exists()


def test_path_that_is_no_database(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("not a database " * 100)
    with pytest.raises(StoreError, match=r"notes\.txt: file is not a database"):
        KatibStore(f"sqlite:///{path}").migrate()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_sqlite_watches_over_references(store, experiment):
    with pytest.raises(StoreError, match="FOREIGN KEY"), store._database.writing() as connection:
        connection.execute(text("UPDATE katib_condition SET experiment_id = 42"))


@pytest.mark.parametrize("database_url", ["postgres", "mysql"], indirect=True)
def test_deadlocked_work_is_repeated(store):
    ids = [create(store, ExperimentKey("dag", str(number), "task")).id for number in range(2)]
    both_hold_one = threading.Barrier(2)
    attempts = []

    def work(order, first_time, connection):
        attempts.append(order)
        for experiment_id in order:
            name = f"by {order[0]}"
            connection.execute(
                update(tables.experiment).where(tables.experiment.c.id == experiment_id).values(name=name)
            )
            if first_time.pop():
                both_hold_one.wait(60)
            first_time.append(False)

    def run(order):
        first_time = [False, True]
        store._database.repeat(lambda connection: work(order, first_time, connection))

    threads = [threading.Thread(target=run, args=(order,)) for order in (ids, ids[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(attempts) == 3
    names = {store.experiment(experiment_id).name for experiment_id in ids}
    assert len(names) == 1
