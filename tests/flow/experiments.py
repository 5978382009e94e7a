"""The experiments that the DAGs of these tests run."""

from __future__ import annotations

from typing import Any

POINTS = [1, 2, 3, 4, 5, 6, 7, 8]


def experiment(name: str, *arguments: str, **spec: Any) -> dict[str, Any]:
    """A search for the x that train.py likes best, which is 3; a grid of eight points unless told otherwise."""
    return {
        "apiVersion": "kubeflow.org/v1beta1",
        "kind": "Experiment",
        "metadata": {"name": name},
        "spec": {
            "objective": {
                "type": "minimize",
                "objectiveMetricName": "loss",
                "additionalMetricNames": ["accuracy"],
            },
            "algorithm": {
                "algorithmName": "grid",
                "algorithmSettings": [{"name": "random_state", "value": "1"}],
            },
            "parallelTrialCount": 2,
            "parameters": [
                {"name": "x", "parameterType": "int", "feasibleSpace": {"min": "1", "max": "8"}},
            ],
            "trialTemplate": {
                "primaryContainerName": "main",
                "trialParameters": [{"name": "x", "reference": "x"}],
                "trialSpec": {
                    "apiVersion": "batch/v1",
                    "kind": "Job",
                    "spec": {
                        "template": {
                            "spec": {
                                "containers": [
                                    {
                                        "name": "main",
                                        "image": "python:3.11-slim",
                                        "command": ["python", "train.py", "--x=${trialParameters.x}"],
                                        "args": list(arguments),
                                    }
                                ],
                                "restartPolicy": "Never",
                            }
                        }
                    },
                },
            },
            **spec,
        },
    }
