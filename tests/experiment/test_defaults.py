"""Katib's defaults, and what was written staying as it is."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_katib_provider.experiment.defaults import with_defaults
from airflow_katib_provider.experiment.spec import ExperimentSpec

COMPLETE = 'status.conditions.#(type=="Complete")#|#(status=="True")#'
SUCCEEDED = 'status.conditions.#(type=="Succeeded")#|#(status=="True")#'
FAILED = 'status.conditions.#(type=="Failed")#|#(status=="True")#'
MASTER = {"training.kubeflow.org/job-role": "master"}
NODE = {"jobset.sigs.k8s.io/replicatedjob-name": "node", "batch.kubernetes.io/job-completion-index": "0"}


def filled(**spec: Any) -> ExperimentSpec:
    return with_defaults(ExperimentSpec.model_validate(spec))


def written(spec: ExperimentSpec) -> dict[str, Any]:
    return spec.model_dump(mode="json", by_alias=True, exclude_none=True)


@pytest.mark.parametrize(
    ("spec", "parallel"),
    [
        ({}, 3),
        ({"maxTrialCount": 12}, 3),
        ({"maxTrialCount": 3}, 3),
        ({"maxTrialCount": 2}, 2),
        ({"maxTrialCount": 1}, 1),
        ({"maxTrialCount": 0}, 3),
        ({"maxTrialCount": 2, "parallelTrialCount": 4}, 4),
    ],
)
def test_parallel_trial_count(spec: dict[str, int], parallel: int) -> None:
    assert filled(**spec).parallel_trial_count == parallel


def test_resume_policy() -> None:
    assert filled().resume_policy == "Never"
    assert filled(resumePolicy="FromVolume").resume_policy == "FromVolume"


def test_distribution() -> None:
    spaces: list[Any] = [{"min": "0", "max": "1"}, {"list": ["a"]}, {"distribution": "normal"}, None]
    parameters = [{"name": "p", **({"feasibleSpace": space} if space else {})} for space in spaces]
    spec = filled(parameters=parameters, nasConfig={"operations": [{"parameters": parameters}]})
    expected = ["uniform", "uniform", "normal", None]
    for filled_ in (spec.parameters, spec.nas_config.operations[0].parameters if spec.nas_config else ()):
        assert [p.feasible_space and p.feasible_space.distribution for p in filled_] == expected


@pytest.mark.parametrize(("type_", "direction"), [("minimize", "min"), ("maximize", "max")])
def test_metric_strategies(type_: str, direction: str) -> None:
    names = {"objectiveMetricName": "loss", "additionalMetricNames": ["time", "f1"]}
    latest = [{"name": "f1", "value": "latest"}]
    objective = written(filled(objective={"type": type_, **names, "metricStrategies": latest}))["objective"]
    assert objective["metricStrategies"] == [
        {"name": "f1", "value": "latest"},
        {"name": "loss", "value": direction},
        {"name": "time", "value": direction},
    ]


@pytest.mark.parametrize(
    ("kind", "success", "failure", "labels"),
    [
        ("Job", COMPLETE, FAILED, {}),
        ("TFJob", SUCCEEDED, FAILED, MASTER),
        ("PyTorchJob", SUCCEEDED, FAILED, MASTER),
        ("XGBoostJob", SUCCEEDED, FAILED, MASTER),
        ("MPIJob", SUCCEEDED, FAILED, MASTER),
        ("TrainJob", COMPLETE, FAILED, NODE),
        ("Pod", 'status.[@this].#(phase=="Succeeded")#', 'status.[@this].#(phase=="Failed")#', {}),
        ("Workflow", "", "", {}),
    ],
)
def test_conditions_and_labels_by_kind(kind: str, success: str, failure: str, labels: dict[str, str]) -> None:
    template = written(filled(trialTemplate={"trialSpec": {"kind": kind}}))["trialTemplate"]
    assert template["successCondition"] == success
    assert template["failureCondition"] == failure
    assert template["primaryPodLabels"] == labels


def test_a_config_map_has_no_default_conditions() -> None:
    template = written(filled(trialTemplate={"configMap": {"configMapName": "c"}}))["trialTemplate"]
    assert template["successCondition"] == ""


@pytest.mark.parametrize(
    ("collector", "expected"),
    [
        ({}, {"collector": {"kind": "StdOut"}}),
        ({"collector": {"kind": "Push"}}, {"collector": {"kind": "Push"}}),
        (
            {"collector": {"kind": "File"}},
            {
                "collector": {"kind": "File"},
                "source": {
                    "fileSystemPath": {"path": "/var/log/katib/metrics.log", "kind": "File", "format": "TEXT"}
                },
            },
        ),
        (
            {"collector": {"kind": "File"}, "source": {"fileSystemPath": {"path": "/x", "format": "JSON"}}},
            {
                "collector": {"kind": "File"},
                "source": {"fileSystemPath": {"path": "/x", "kind": "File", "format": "JSON"}},
            },
        ),
        (
            {"collector": {"kind": "TensorFlowEvent"}},
            {
                "collector": {"kind": "TensorFlowEvent"},
                "source": {"fileSystemPath": {"path": "/var/log/katib/tfevent/", "kind": "Directory"}},
            },
        ),
        (
            {"collector": {"kind": "PrometheusMetric"}, "source": {"httpGet": {"port": 0, "host": "h"}}},
            {
                "collector": {"kind": "PrometheusMetric"},
                "source": {"httpGet": {"path": "/metrics", "port": 8080, "host": "h", "httpHeaders": []}},
            },
        ),
        (
            {"source": {"filter": {"metricsFormat": ["(a)=(b)"]}}},
            {"collector": {"kind": "StdOut"}, "source": {"filter": {"metricsFormat": ["(a)=(b)"]}}},
        ),
    ],
)
def test_metrics_collector(collector: dict[str, Any], expected: dict[str, Any]) -> None:
    assert written(filled(metricsCollectorSpec=collector))["metricsCollectorSpec"] == expected


def test_what_is_written_stays() -> None:
    template = {
        "trialSpec": {"kind": "TFJob"},
        "successCondition": "s",
        "failureCondition": "f",
        "primaryPodLabels": {"role": "worker"},
    }
    spec = ExperimentSpec.model_validate({"trialTemplate": template, "parallelTrialCount": 7})
    before = spec.model_dump()
    after = with_defaults(spec)
    assert spec.model_dump() == before
    assert after.trial_template == spec.trial_template
    assert with_defaults(after) == after
