"""Tune a classifier of handwritten digits: by random search, then by TPE; and keep the better of the two."""

from __future__ import annotations

from typing import Any

from airflow.sdk import dag, task

from airflow_katib_provider import katib_experiment


@dag(schedule=None, max_active_runs=1)
def quickstart() -> None:
    """Two experiments, one after the other; a task after them uses both results."""
    at_random = katib_experiment("digits.yaml", runner="process")
    by_tpe = katib_experiment("digits-tpe.yaml", runner="process")

    @task
    def choose(*optimal: dict[str, Any]) -> dict[str, Any]:
        return max(optimal, key=lambda trial: trial["metrics"]["accuracy"])

    at_random >> by_tpe
    choose(at_random.optimal_trial, by_tpe.optimal_trial)


quickstart()
