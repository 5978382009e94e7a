"""A real Airflow, its metadata and the store on SQLite or on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
from airflow_katib_provider.store.store import KatibStore

from devtools.airflow import LocalAirflow

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
                if word in " ".join(process.cmdline()) and process.environ().get("AIRFLOW_HOME") == str(self.home):
                    return process.pid
        return None

    @staticmethod
    def kill_task_of(pid: int) -> None:
        """Kill, as the kernel does when memory runs out, the task process that started a trial's process."""
        parent = psutil.Process(pid).parent()
        assert parent is not None
        parent.kill()


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def airflow(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlowAirflow]:
    from devtools.databases import fresh_database, postgres_server
    home = tmp_path_factory.mktemp(f"airflow-{request.param}")
    env = {}
    database = None
    store_url = f"sqlite:///{home}/katib.db"
    if request.param == "postgresql":
        database = fresh_database(request, "postgresql")
        store_url = fresh_database(request, "postgresql")
        parts = urlsplit(store_url)
        env["AIRFLOW_CONN_KATIB_DEFAULT"] = (
            f"katib://{parts.username}:{parts.password or ''}@{parts.hostname}:{parts.port}{parts.path}"
            "?dialect=postgresql"
        )
    airflow = FlowAirflow(
        home,
        dags=HERE / "dags",
        database=database,
        env=env,
        preload="airflow_katib_provider.preload",
    )
    with airflow:
        airflow.store = KatibStore(store_url)
        yield airflow
        airflow.store.dispose()
