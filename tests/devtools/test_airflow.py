"""A private Airflow: what it runs, what it survives, and that nothing of it is left."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from devtools import processes
from devtools.airflow import LocalAirflow
from devtools.airflow_client import AirflowError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DAG_FILE = """
import time
from airflow.sdk import dag, task

@dag(schedule=None)
def squares():
    @task
    def numbers():
        return [1, 2, 3]

    @task
    def square(x):
        print("the number is", x)
        if x == 2:
            raise ValueError("two is not welcome")
        return x * x

    @task(trigger_rule="all_done")
    def total(values):
        return sum(values)

    total(square.expand(x=numbers()))

@dag(schedule=None)
def sleeper():
    @task.bash
    def sleep():
        return "exec sleep 300"

    sleep()

squares()
sleeper()
"""


@pytest.fixture(scope="module")
def dags(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dags")
    (folder / "squares.py").write_text(DAG_FILE)
    return folder


@pytest.fixture(scope="module")
def airflow(dags: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAirflow]:
    with LocalAirflow(tmp_path_factory.mktemp("home"), dags=dags, parallelism=2) as airflow:
        yield airflow
    assert processes.marked(str(airflow.home)) == []


def test_a_run_and_what_can_be_asked_about_it(airflow: LocalAirflow) -> None:
    airflow.unpause("squares")
    run_id = airflow.trigger("squares", conf={"a": 1})
    assert airflow.wait_for_run("squares", run_id) == "success"
    states = {ti["map_index"]: ti["state"] for ti in airflow.task_instances("squares", run_id, "square")}
    assert states == {0: "success", 1: "failed", 2: "success"}
    assert airflow.xcom("squares", run_id, "total") == 10
    assert airflow.xcom("squares", run_id, "square", map_index=2) == 9
    log = airflow.log("squares", run_id, "square", map_index=1)
    assert "the number is 2" in log
    assert "ValueError: two is not welcome" in log

    airflow.clear("squares", run_id, [("square", 1)])
    assert airflow.wait_for_task("squares", run_id, "square", 1) == "failed"
    [again] = [ti for ti in airflow.task_instances("squares", run_id, "square") if ti["map_index"] == 1]
    assert again["try_number"] == 2


def test_a_killed_scheduler_takes_its_tasks_along_and_comes_back(airflow: LocalAirflow) -> None:
    airflow.unpause("sleeper")
    run_id = airflow.trigger("sleeper")
    airflow.wait_for_task("sleeper", run_id, "sleep", states=["running"])
    airflow.kill("scheduler")
    assert not [process for process in processes.marked(str(airflow.home)) if process.name() == "sleep"]
    airflow.restart("scheduler")
    airflow.stop_runs("sleeper")
    assert airflow.run_state("sleeper", run_id) == "failed"
    assert airflow.health()["scheduler"]["status"] == "healthy"


def test_what_cannot_be_imported_is_said(airflow: LocalAirflow, dags: Path) -> None:
    broken = dags / "broken.py"
    broken.write_text("from airflow.sdk import dag\nimport no_such_module_of_ours\n")
    try:
        with pytest.raises(AirflowError, match="no_such_module_of_ours"):
            airflow.wait_for_dag("broken")
    finally:
        broken.unlink()


def test_a_component_that_ends_is_reported_with_its_log(tmp_path: Path) -> None:
    dags = tmp_path / "dags"
    dags.mkdir()
    airflow = LocalAirflow(tmp_path / "home", dags=dags, settings={"core": {"executor": "no.such.Executor"}})
    with pytest.raises(AirflowError, match=r"airflow scheduler ended:(.|\n)*no\.such"):
        airflow.start()
    assert processes.marked(str(airflow.home)) == []
