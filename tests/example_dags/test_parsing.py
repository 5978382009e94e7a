"""Every example as the DAG processor sees it, and the pods that one of them would run."""

from __future__ import annotations

import ast
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG, Context
from airflow.serialization.serialized_objects import DagSerialization

from airflow_katib_provider import Experiment
from airflow_katib_provider.experiment.trial import Trial, TrialCondition
from airflow_katib_provider.hooks.katib import KatibHook
from airflow_katib_provider.operators._trial_run import TrialRun
from airflow_katib_provider.store.records import TrialRecord
from tests.example_dags.conftest import EXAMPLES, RUN_HERE

DAG_FILES = sorted(path for path in EXAMPLES.glob("*.py") if path.name != "train.py")
KUBECONFIG = """
apiVersion: v1
kind: Config
clusters: [{name: none, cluster: {server: "https://127.0.0.1:1"}}]
contexts: [{name: none, context: {cluster: none, user: none}}]
users: [{name: none, user: {token: none}}]
current-context: none
"""
RECORD = TrialRecord(
    id=1,
    experiment_id=1,
    slot=0,
    trial=Trial("random-x7", 0, TrialCondition.RUNNING, {"learning-rate": "0.1", "hidden-units": "8"}),
    reason="TrialRunning",
    message="Trial is running",
    attempt=1,
    handle=None,
    created_at=datetime.now(UTC),
    started_at=None,
    finished_at=None,
)
GROUP = ("random.suggest", "random.trial", "random.metrics")


@pytest.fixture(scope="module")
def dags() -> dict[str, DAG]:
    bag = DagBag(EXAMPLES)
    assert bag.import_errors == {}
    return bag.dags


def test_every_file_is_a_dag_of_its_name(dags: dict[str, DAG]) -> None:
    assert {path.stem for path in DAG_FILES} == set(dags) == {*RUN_HERE, "pods"}
    assert {Path(dag.fileloc) for dag in dags.values()} == set(DAG_FILES)


@pytest.mark.parametrize("path", DAG_FILES, ids=lambda path: path.stem)
def test_every_file_says_what_why_and_what_it_needs(path: Path) -> None:
    parts = (ast.get_docstring(ast.parse(path.read_text())) or "").split("\n\n")[1:]
    assert [part.partition(":")[0] for part in parts] == ["What", "Why", "Prerequisites"]


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_yaml_is_an_experiment_of_its_name(path: Path) -> None:
    experiment = Experiment.from_yaml(path)
    assert experiment.name == path.stem
    assert Experiment.from_yaml(experiment.to_yaml()) == experiment


def test_dags_survive_serialisation(dags: dict[str, DAG]) -> None:
    for dag in dags.values():
        read = DagSerialization.from_json(DagSerialization.to_json(dag))
        assert set(read.task_dict) == set(dag.task_dict)
        for task_id, task in dag.task_dict.items():
            again = read.task_dict[task_id]
            assert (again.downstream_task_ids, again.is_mapped) == (task.downstream_task_ids, task.is_mapped)
            assert (again.task_type, again.trigger_rule) == (task.task_type, task.trigger_rule)


def test_an_experiment_stands_between_other_tasks(dags: dict[str, DAG]) -> None:
    tasks = dags["katib_yaml"].task_dict
    assert tasks["prepare"].downstream_task_ids == {"random.trial"}
    assert tasks["random.metrics"].downstream_task_ids == {"deploy"}


def test_written_out_is_what_the_function_builds(dags: dict[str, DAG]) -> None:
    by_hand = dags["three_classes"].task_dict
    by_function = [dags["katib_yaml"].task_dict[task_id] for task_id in GROUP]
    for task, other in zip(
        (by_hand[name] for name in ("experiment", "trial", "metrics")), by_function, strict=True
    ):
        assert (task.task_type, task.is_mapped, task.trigger_rule) == (
            other.task_type,
            other.is_mapped,
            other.trigger_rule,
        )
    assert by_hand["trial"].max_active_tis_per_dagrun == by_function[1].max_active_tis_per_dagrun == 2


def test_the_pods_of_trials(dags: dict[str, DAG], tmp_path: Path) -> None:
    pod = trial_pod(dags["pods"], tmp_path)
    assert pod.metadata.namespace == "default"
    assert pod.metadata.labels["katib.kubeflow.org/experiment"] == "random"
    assert pod.metadata.labels["katib.kubeflow.org/trial"] == "random-x7"
    assert pod.spec.node_selector == {"example.com/pool": "training"}
    assert pod.spec.service_account_name == "trainer"
    assert pod.spec.restart_policy == "Never"
    (container,) = pod.spec.containers
    assert (container.name, container.image) == ("training", "registry.example.com/spirals:1")
    assert container.command == ["python", "train.py", "--learning-rate=0.1", "--hidden-units=8"]
    env = {variable.name: variable.value for variable in container.env}
    assert env == {"OMP_NUM_THREADS": "1", "KATIB_TRIAL_NAME": "random-x7"}


def trial_pod(dag: DAG, directory: Path) -> Any:
    """Return the pod of a trial as KubernetesPodOperator would create it. No cluster is asked."""
    (directory / "config").write_text(KUBECONFIG)
    operator = dag.task_dict["random.trial"].unmap({"experiment_id": 1, "slot": 0})
    operator.config_file = str(directory / "config")
    operator.prepare(TrialRun(KatibHook(), RECORD, Experiment.from_yaml(EXAMPLES / "random.yaml"), Context()))
    return operator.build_pod_request_obj()
