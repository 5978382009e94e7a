"""Tell a trial that cannot succeed from one that was unlucky.

What: in ``diverging.yaml`` two of six learning rates let the training diverge: these trials fail,
and ``maxFailedTrialCount: 3`` says that the experiment goes on in spite of them; with a third one
it would end as Failed, skip the trials that have not started, and fail the DAG run. Besides, the
machine under the first trial goes away once. ``retries=1`` lets Airflow run a failed trial a second
time, with the same assignments.

Why: a retry and the error budget answer different questions. While Airflow will still run a trial's
task again, its failure does not count; only what remains failed does.

Prerequisites: none.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import dag

from airflow_katib_provider import katib_experiment

BAD_LUCK = "{{ 'gone' if ti.map_index == 0 and ti.try_number == 1 else 'fine' }}"


@dag(schedule=None, catchup=False, tags=["katib", "example"])
def error_budget_and_retries() -> None:
    katib_experiment(
        "diverging.yaml",
        runner="process",
        retries=1,
        retry_delay=timedelta(seconds=1),
        env={"MACHINE": BAD_LUCK},
    )


error_budget_and_retries()
