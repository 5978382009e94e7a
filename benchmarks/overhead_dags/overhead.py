"""The same work as bare mapped tasks, as a sliding window of trials, and as explicit rounds."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import Any

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

from airflow_katib_provider import katib_experiment

TRIALS = len(os.environ["BENCHMARK_DURATIONS"].split())
PARALLEL = int(os.environ["BENCHMARK_PARALLEL"])
WORK = [sys.executable, str(Path(__file__).with_name("work.py"))]
TICKETS = Path(os.environ["AIRFLOW_HOME"], "tickets")


def experiment(name: str, algorithm: str) -> dict[str, Any]:
    names = ("x", "y", "z")
    placeholders = [f"${{trialParameters.{parameter}}}" for parameter in names]
    container = {
        "name": "main",
        "image": "python:3.11-slim",
        "command": [*WORK, str(TICKETS / name), *placeholders],
    }
    return {
        "apiVersion": "kubeflow.org/v1beta1",
        "kind": "Experiment",
        "metadata": {"name": name},
        "spec": {
            "objective": {"type": "minimize", "objectiveMetricName": "loss"},
            "algorithm": {"algorithmName": algorithm},
            "parallelTrialCount": PARALLEL,
            "maxTrialCount": TRIALS,
            "parameters": [
                {"name": parameter, "parameterType": "double", "feasibleSpace": {"min": -1, "max": 1}}
                for parameter in names
            ],
            "trialTemplate": {
                "primaryContainerName": "main",
                "trialParameters": [{"name": parameter, "reference": parameter} for parameter in names],
                "trialSpec": {
                    "apiVersion": "batch/v1",
                    "kind": "Job",
                    "spec": {"template": {"spec": {"containers": [container], "restartPolicy": "Never"}}},
                },
            },
        },
    }


with DAG("bare", schedule=None) as bare:
    command = shlex.join([*WORK, str(TICKETS / "bare"), "0", "0", "0"])
    BashOperator.partial(task_id="trial", max_active_tis_per_dagrun=PARALLEL, append_env=True).expand(
        bash_command=[command] * TRIALS
    )

for dag_id, algorithm, rounds in [
    ("window-random", "random", False),
    ("window-tpe", "tpe", False),
    ("rounds-random", "random", True),
]:
    with DAG(dag_id, schedule=None) as dag:
        katib_experiment(experiment(dag_id, algorithm), runner="process", rounds=rounds, group_id="tune")
    globals()[dag_id] = dag
