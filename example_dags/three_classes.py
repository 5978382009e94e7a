"""Write an experiment out: its three classes, one task each.

What: ExperimentOperator opens the experiment and returns its trial slots; ProcessTrialOperator is
mapped over them, one task instance a trial; MetricsSensor waits for every observation and returns
the optimal trial. This is what ``katib_experiment`` builds.

Why: every argument of every task is at hand: other tasks can stand between them, and each can have
a pool, a queue, callbacks or a trigger rule of its own.

Prerequisites: none.
"""

from __future__ import annotations

from airflow.sdk import dag

from airflow_katib_provider.operators.experiment import ExperimentOperator
from airflow_katib_provider.operators.process import ProcessTrialOperator
from airflow_katib_provider.sensors.metrics import MetricsSensor


@dag(schedule=None, catchup=False, tags=["katib", "example"])
def three_classes() -> None:
    experiment = ExperimentOperator(task_id="experiment", experiment="random.yaml")
    trials = ProcessTrialOperator.partial(
        task_id="trial",
        max_active_tis_per_dagrun=experiment.experiment.parallel_trial_count,
    ).expand_kwargs(experiment.output)
    metrics = MetricsSensor(task_id="metrics", experiment_task_id=experiment.task_id, deferrable=True)
    trials >> metrics


three_classes()
