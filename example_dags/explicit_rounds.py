"""Run an experiment in rounds whose trials are known before they start.

What: with ``rounds=True`` each round is three tasks of its own: ``suggest_k`` binds
``parallelTrialCount`` trials and returns them with their assignments, ``trial_k`` runs them,
``metrics_k`` waits for all of them.

Why: somebody, or something, wants to see what will be tried before it is: the assignments are in
the XCom of ``suggest_k``. It costs time, because each round waits for its slowest trial; the
sliding window, which is the default, does not.

Prerequisites: none. The experiment needs a ``maxTrialCount``.
"""

from __future__ import annotations

from airflow.sdk import dag

from airflow_katib_provider import katib_experiment


@dag(schedule=None, catchup=False, tags=["katib", "example"])
def explicit_rounds() -> None:
    katib_experiment("random.yaml", runner="process", rounds=True)


explicit_rounds()
