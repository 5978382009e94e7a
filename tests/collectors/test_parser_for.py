from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from airflow_katib_provider.collectors import parser_for
from airflow_katib_provider.exceptions import KatibError, UnsupportedCollectorError
from airflow_katib_provider.experiment.experiment import Experiment

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


def experiment(collector: dict[str, Any] | None) -> Experiment:
    return Experiment.from_dict(
        {
            "metadata": {"name": "example"},
            "spec": {
                "objective": {
                    "type": "minimize",
                    "objectiveMetricName": "loss",
                    "additionalMetricNames": ["accuracy"],
                },
                "algorithm": {"algorithmName": "random"},
                "parameters": [
                    {"name": "lr", "parameterType": "double", "feasibleSpace": {"min": "0.1", "max": "1"}}
                ],
                "trialTemplate": {
                    "primaryContainerName": "main",
                    "trialParameters": [{"name": "lr", "reference": "lr"}],
                    "trialSpec": {
                        "apiVersion": "v1",
                        "kind": "Pod",
                        "spec": {
                            "containers": [
                                {"name": "main", "image": "train", "command": ["${trialParameters.lr}"]}
                            ]
                        },
                    },
                    "successCondition": 'status.[@this].#(phase=="Succeeded")#',
                    "failureCondition": 'status.[@this].#(phase=="Failed")#',
                },
                **({"metricsCollectorSpec": collector} if collector else {}),
            },
        }
    )


def file(**path: str) -> dict[str, Any]:
    source = {"fileSystemPath": {"kind": "File", "path": "/logs/metrics", **path}}
    return {"collector": {"kind": "File"}, "source": source}


def filtered(collector: dict[str, Any], pattern: str) -> dict[str, Any]:
    source = {**collector.get("source", {}), "filter": {"metricsFormat": [pattern]}}
    return {**collector, "source": source}


@pytest.mark.parametrize(
    ("collector", "line"),
    [
        (None, "loss=0.5 accuracy=1"),
        ({"collector": {"kind": "StdOut"}}, "loss=0.5 accuracy=1"),
        (filtered({"collector": {"kind": "StdOut"}}, r"(\w+): (\S+)"), "loss: 0.5 accuracy: 1 lr=2"),
        ({"collector": {"kind": "File"}}, "loss=0.5 accuracy=1"),
        (file(format="TEXT"), "loss=0.5 accuracy=1"),
        (filtered(file(format="TEXT"), r"(\w+): (\S+)"), "loss: 0.5 accuracy: 1 lr=2"),
        (file(format="JSON"), '{"accuracy": 1, "loss": "0.5", "lr": 2}'),
    ],
)
def test_objective_and_additional_metrics_are_read_as_the_collector_says(
    collector: dict[str, Any] | None, line: str
) -> None:
    parser = parser_for(experiment(collector))
    assert [(log.metric, log.value) for log in parser.feed(line, NOW)] == [("loss", "0.5"), ("accuracy", "1")]
    assert not parser.problems
    assert "loss" in parser.sought or "(\\w+)" in parser.sought


def test_each_trial_has_a_parser_of_its_own() -> None:
    search = experiment(None)
    assert [parser_for(search).feed("loss=1", NOW)[0].step for _ in range(2)] == [1, 1]


@pytest.mark.parametrize(
    ("kind", "source"),
    [
        ("TensorFlowEvent", {"fileSystemPath": {"kind": "Directory", "path": "/events"}}),
        ("PrometheusMetric", {"httpGet": {"path": "/metrics", "port": 8080}}),
        ("Push", None),
    ],
)
def test_other_kinds_are_refused_with_those_that_work(kind: str, source: dict[str, Any] | None) -> None:
    collector = {"collector": {"kind": kind}, **({"source": source} if source else {})}
    with pytest.raises(UnsupportedCollectorError) as error:
        parser_for(experiment(collector))
    assert isinstance(error.value, KatibError)
    assert str(error.value) == (
        f"spec.metricsCollectorSpec.collector.kind: {kind} works with trials that run as pods; "
        "the metrics of any trial are read by StdOut or File"
    )
