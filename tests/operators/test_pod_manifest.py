"""The pod that a trial becomes, as KubernetesPodOperator would send it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk import DAG

from airflow_katib_provider import Experiment
from airflow_katib_provider.exceptions import RenderingError
from airflow_katib_provider.experiment.trial import TrialCondition
from airflow_katib_provider.hooks.answers import Bound
from airflow_katib_provider.operators._pod_manifest import check_pod, pod_manifest
from airflow_katib_provider.operators._trial_run import TrialRun, config_map_text
from airflow_katib_provider.operators.trial import KubernetesTrialOperator
from airflow_katib_provider.store.records import ExperimentKey
from tests.flow.experiments import experiment

if TYPE_CHECKING:
    from pathlib import Path

    from kubernetes.client import V1Pod

    from airflow_katib_provider.hooks.katib import KatibHook


def document(**changes: Any) -> dict[str, Any]:
    built = experiment("pods")
    built["metadata"]["namespace"] = "team-a"
    template = built["spec"]["trialTemplate"]
    template["trialParameters"].append({"name": "trial", "reference": "${trialSpec.Name}"})
    job = template["trialSpec"]
    job["metadata"] = {
        "labels": {"team": "a", "tier": "job"},
        "annotations": {"note": "${trialParameters.trial}"},
    }
    job["spec"]["activeDeadlineSeconds"] = 600
    job["spec"]["template"]["metadata"] = {"labels": {"tier": "pod"}}
    pod = job["spec"]["template"]["spec"]
    pod["restartPolicy"] = "OnFailure"
    pod["activeDeadlineSeconds"] = 900
    pod["nodeSelector"] = {"disk": "ssd"}
    pod["containers"].append({"name": "helper", "image": "helper:1"})
    pod["containers"][0]["env"] = [
        {"name": "LEVEL", "value": "1"},
        {"name": "KATIB_TRIAL_NAME", "value": "mine"},
    ]
    pod["containers"][0]["resources"] = {"limits": {"cpu": "2", "memory": "1Gi"}}
    built["spec"].update(changes)
    return built


KUBECONFIG = """
apiVersion: v1
kind: Config
clusters: [{name: none, cluster: {server: "https://127.0.0.1:1"}}]
contexts: [{name: none, context: {cluster: none, user: none}}]
users: [{name: none, user: {}}]
current-context: none
"""


@pytest.fixture(autouse=True)
def _kubeconfig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the operator make its client, which is never asked to connect."""
    (tmp_path / "kubeconfig").write_text(KUBECONFIG)
    monkeypatch.setattr(
        "kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(tmp_path / "kubeconfig")
    )


@pytest.fixture
def run(hook: KatibHook) -> TrialRun:
    parsed = Experiment.from_dict(document())
    record = hook.create_experiment(parsed, ExperimentKey("dag", "run", "suggest"))
    answer = hook.next_trial(record.id, 0)
    assert isinstance(answer, Bound)
    return TrialRun(hook, answer.trial, parsed, {})  # type: ignore[typeddict-item]


def built(run: TrialRun, **arguments: Any) -> V1Pod:
    with DAG("dag"):
        operator = KubernetesTrialOperator(task_id="trial", experiment_id=1, slot=0, **arguments)
    operator.prepare(run)
    return operator.build_pod_request_obj()


def test_the_pod_of_a_job(run: TrialRun) -> None:
    pod = built(run)
    x = run.record.trial.assignments["x"]
    assert pod.metadata.name.startswith(run.name)
    assert pod.metadata.namespace == "team-a"
    labels = pod.metadata.labels
    assert (labels["team"], labels["tier"]) == ("a", "pod")
    assert labels["katib.kubeflow.org/experiment"] == "pods"
    assert labels["katib.kubeflow.org/trial"] == run.name
    assert pod.metadata.annotations["note"] == run.name
    assert (pod.spec.restart_policy, pod.spec.active_deadline_seconds) == ("Never", 600)
    assert pod.spec.node_selector == {"disk": "ssd"}
    main, helper = pod.spec.containers
    assert (main.name, helper.name) == ("main", "helper")
    assert main.command == ["python", "train.py", f"--x={x}"]
    assert {variable.name: variable.value for variable in main.env} == {
        "LEVEL": "1",
        "KATIB_TRIAL_NAME": run.name,
    }
    assert helper.env in (None, [])
    assert main.resources.limits == {"cpu": "2", "memory": "1Gi"}


def test_arguments_of_the_operator_win(run: TrialRun) -> None:
    pod = built(
        run,
        namespace="team-b",
        node_selector={"gpu": "yes"},
        service_account_name="trainer",
        priority_class_name="low",
        labels={"cost": "42"},
        env_vars={"LEVEL": "2", "MORE": "x"},
    )
    assert pod.metadata.namespace == "team-b"
    assert pod.metadata.labels["cost"] == "42"
    assert pod.metadata.labels["katib.kubeflow.org/trial"] == run.name
    assert pod.spec.node_selector == {"gpu": "yes"}
    assert (pod.spec.service_account_name, pod.spec.priority_class_name) == ("trainer", "low")
    env = {variable.name: variable.value for variable in pod.spec.containers[0].env}
    assert (env["LEVEL"], env["MORE"], env["KATIB_TRIAL_NAME"]) == ("2", "x", run.name)


def test_a_pod_template_is_taken_as_it_is() -> None:
    parsed = Experiment.from_dict(document())
    job = parsed.trial_template.trial_spec
    assert job is not None
    pod = {"apiVersion": "v1", "kind": "Pod", "spec": job["spec"]["template"]["spec"]}
    made = pod_manifest(parsed, pod, "pods-x")
    assert made["spec"]["activeDeadlineSeconds"] == 900
    assert made["spec"]["restartPolicy"] == "Never"
    assert pod["spec"]["restartPolicy"] == "OnFailure"
    assert made["metadata"]["labels"] == {
        "katib.kubeflow.org/experiment": "pods",
        "katib.kubeflow.org/trial": "pods-x",
    }


def test_other_kinds_and_collectors_are_refused_by_name() -> None:
    collector = {"collector": {"kind": "File"}}
    built = document(metricsCollectorSpec=collector)
    assert [problem.path for problem in check_pod(Experiment.from_dict(built))] == [
        "spec.metricsCollectorSpec.collector.kind"
    ]


def test_a_template_that_cannot_be_rendered_fails_the_trial(run: TrialRun) -> None:
    source = {"configMapName": "templates", "configMapNamespace": "ns", "templatePath": "job.yaml"}
    built = document()
    template = built["spec"]["trialTemplate"]
    del template["trialSpec"]
    template.update(
        configMap=source,
        successCondition='status.conditions.#(type=="Complete")#',
        failureCondition='status.conditions.#(type=="Failed")#',
    )
    parsed = Experiment.from_dict(built)
    manifest = {"metadata": {"name": "templates"}, "data": {"other.yaml": ""}}
    with pytest.raises(RenderingError, match=r"templatePath: 'job.yaml' is not in ConfigMap .* other.yaml"):
        config_map_text(manifest, parsed.trial_template.config_map)  # type: ignore[arg-type]
    manifest["metadata"]["name"] = "wrong"
    with pytest.raises(RenderingError, match="'templates' is wanted"):
        config_map_text(manifest, parsed.trial_template.config_map)  # type: ignore[arg-type]
    assert run.record.trial.condition is TrialCondition.RUNNING
