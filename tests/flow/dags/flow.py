"""One DAG for each way an experiment can go; see ``test_flow.py``."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from airflow.sdk import DAG, task

from airflow_katib_provider import katib_experiment

sys.path.insert(0, str(Path(__file__).parents[1]))
from experiments import experiment

MARKER = os.path.join(os.environ["AIRFLOW_HOME"], "hung-once")
MANY = [{"name": "x", "parameterType": "int", "feasibleSpace": {"min": "1", "max": "100"}}]


def goal(value: float) -> dict[str, Any]:
    return {"type": "minimize", "objectiveMetricName": "loss", "goal": value}


EXPERIMENTS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "window": (experiment("window"), {}),
    "rounds": (experiment("rounds", maxTrialCount=5), {"rounds": True}),
    "rounds_goal": (experiment("rounds-goal", maxTrialCount=8, objective=goal(1e6)), {"rounds": True}),
    "goal": (experiment("goal", parameters=MANY, maxTrialCount=40, objective=goal(1e6)), {}),
    "over_budget": (
        experiment("over-budget", "--fail-above=0", parameters=MANY, maxTrialCount=40, maxFailedTrialCount=3),
        {},
    ),
    "within_budget": (experiment("within-budget", "--fail-above=6", maxFailedTrialCount=3), {}),
    "unavailable": (experiment("unavailable", "--nan-above=6", maxFailedTrialCount=3), {"deferrable": True}),
    "killed": (
        experiment("killed", f"--hang-once={MARKER}", parallelTrialCount=1, maxTrialCount=2),
        {"retries": 1, "retry_delay": 0.1},
    ),
    "lost": (
        experiment("lost", "--seconds=60", parallelTrialCount=1, maxTrialCount=1),
        {"metrics_timeout": 5, "deferrable": True},
    ),
    "deadline": (
        experiment("deadline", "--seconds=62", parallelTrialCount=1, maxTrialCount=1, maxFailedTrialCount=1),
        {"process_timeout": 2},
    ),
    "stopped": (experiment("stopped", "--seconds=61", parallelTrialCount=1, maxTrialCount=1), {}),
    "crowded": (experiment("crowded"), {"max_active_tis_per_dagrun": 8}),
}

for name, (spec, arguments) in EXPERIMENTS.items():
    with DAG(name, schedule=None, catchup=False) as dag:
        tuned = katib_experiment(spec, runner="process", group_id="tune", **arguments)

        @task
        def deploy(optimal: dict[str, Any]) -> dict[str, Any]:
            return optimal

        deploy(tuned.optimal_trial)
    globals()[name] = dag
