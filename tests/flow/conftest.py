"""A real Airflow, its metadata and the store on SQLite or on PostgreSQL."""

from __future__ import annotations

import json
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
from sqlalchemy import URL

from airflow_katib_provider.store.store import KatibStore
from devtools.airflow import LocalAirflow
from devtools.databases import fresh_database

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent


class FlowAirflow(LocalAirflow):
    """An Airflow together with the store that its tasks use."""

    store: KatibStore

    def run(self, dag_id: str) -> str:
        """Trigger a DAG and return the id of the run."""
        self.unpause(dag_id)
        return self.trigger(dag_id)

    def states(self, dag_id: str, run_id: str, task_id: str) -> dict[int, str]:
        """Return the state of each instance of a task, by map index."""
        return {ti["map_index"]: ti["state"] for ti in self.task_instances(dag_id, run_id, task_id)}

    def find_process(self, word: str) -> int | None:
        """Return the process that was started with ``word`` in its command by a task of this Airflow."""
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if word in " ".join(process.cmdline()) and process.environ().get("AIRFLOW_HOME") == str(
                    self.home
                ):
                    return process.pid
        return None

    @staticmethod
    def kill_task_of(pid: int) -> None:
        """Kill, as the kernel does when memory runs out, the task process that started a trial's process."""
        parent = psutil.Process(pid).parent()
        assert parent is not None
        parent.kill()


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def airflow(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[FlowAirflow]:
    """An Airflow on embedded defaults, or with metadata and store on a PostgreSQL server."""
    home = tmp_path_factory.mktemp(f"airflow-{request.param}")
    with ExitStack() as stack:
        metadata, store_url, env = None, URL.create("sqlite", database=str(home / "katib.db")), {}
        if request.param == "postgres":
            server = request.getfixturevalue("postgres")
            metadata = stack.enter_context(fresh_database(server)).render_as_string(hide_password=False)
            store_url = stack.enter_context(fresh_database(server))
            env["AIRFLOW_CONN_KATIB_DEFAULT"] = katib_connection(store_url)
        airflow = FlowAirflow(
            home, dags=HERE / "dags", database=metadata, env=env, preload="airflow_katib_provider.preload"
        )
        airflow.store = KatibStore(store_url)
        stack.callback(airflow.store.dispose)
        yield stack.enter_context(airflow)


def katib_connection(url: URL) -> str:
    """Return an Airflow connection of type ``katib`` to a database."""
    return json.dumps(
        {
            "conn_type": "katib",
            "host": url.host,
            "port": url.port,
            "login": url.username,
            "password": url.password,
            "schema": url.database,
            "extra": {"dialect": url.get_backend_name()},
        }
    )
