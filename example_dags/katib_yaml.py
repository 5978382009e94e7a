"""Tune a model between preparing its data and deploying it.

What: ``random.yaml`` is a Katib Experiment as it would be applied to a cluster. Three lines make it
a step of a DAG: data comes from the task before it, the optimal trial goes to the task after it.

Why: the search is scheduled, retried, alerted on and shown like everything else that Airflow runs.

Prerequisites: none. The store is an SQLite file in ``AIRFLOW_HOME`` unless there is a connection
``katib_default``.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from airflow.sdk import dag, task

from airflow_katib_provider import katib_experiment

STORAGE = Path(os.environ.get("EXAMPLE_STORAGE", tempfile.gettempdir()))


@task
def prepare() -> str:
    """Write the training data and return its path; a real task would fetch it from a warehouse."""
    import numpy as np

    random = np.random.default_rng(0)
    points = random.uniform(-1, 1, (600, 2))
    labels = (points[:, 0] * points[:, 1] > 0).astype(int)
    path = STORAGE / "points.npz"
    np.savez(path, points=np.insert(points, 2, 1, axis=1), labels=labels)
    return str(path)


@task
def deploy(optimal: dict[str, Any]) -> None:
    """Keep the best hyperparameters; a real task would train with them on all data."""
    (STORAGE / "deployed.json").write_text(json.dumps(optimal))


@dag(schedule="@weekly", catchup=False, max_active_runs=1, tags=["katib", "example"])
def katib_yaml() -> None:
    data = prepare()
    tuned = katib_experiment("random.yaml", runner="process", env={"DATA": data})
    deploy(tuned.optimal_trial)


tuning = katib_yaml()

if __name__ == "__main__":
    tuning.test()
