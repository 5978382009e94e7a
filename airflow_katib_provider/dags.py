"""A whole experiment as one task group of a DAG."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from airflow.sdk import TaskGroup, XComArg
from airflow.sdk.definitions._internal.contextmanager import DagContext

from airflow_katib_provider.exceptions import InvalidExperimentError, Problem
from airflow_katib_provider.experiment.experiment import Experiment
from airflow_katib_provider.hooks.katib import KatibHook
from airflow_katib_provider.operators.experiment import ExperimentOperator, as_experiment, slot_count
from airflow_katib_provider.sensors.metrics import MetricsSensor

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator

Runner = Literal["process", "kubernetes"]


class ExperimentTaskGroup(TaskGroup):
    """The task group of one experiment: ``suggest >> trial[...] >> metrics``.

    :ivar optimal_trial: what the last task returns, as an XComArg for the tasks after the group:
        ``{"trial", "assignments", "metrics"}``.
    """

    optimal_trial: XComArg


def katib_experiment(
    experiment: Experiment | Mapping[str, Any] | str | Path,
    *,
    runner: Runner = "kubernetes",
    rounds: bool = False,
    group_id: str | None = None,
    katib_conn_id: str = KatibHook.default_conn_name,
    deferrable: bool | None = None,
    metrics_timeout: float = 60,
    **trial_arguments: Any,
) -> ExperimentTaskGroup:
    """Add an experiment to the DAG that is being defined.

    :param experiment: an :class:`~airflow_katib_provider.experiment.experiment.Experiment`, a mapping in Katib's
        camelCase, YAML text, or the path of a YAML file; a relative path starts at the DAG file's directory.
    :param runner: ``"process"`` runs each trial as a local process of the worker, ``"kubernetes"`` as a pod.
    :param rounds: run explicit rounds of ``parallelTrialCount`` trials, whose assignments are known before they
        start, instead of the sliding window, which starts the next trial as soon as one has ended.
    :param group_id: the task group's id; the experiment's name where none is given.
    :param katib_conn_id: the connection of the store.
    :param deferrable: whether the metrics sensor waits in the triggerer; Airflow's default where not given.
    :param metrics_timeout: seconds to wait for missing observations once every trial task is done.
    :param trial_arguments: further arguments of the trial operator, for example ``retries``, ``pool``, ``env``
        or ``cwd`` for processes, ``node_selector`` for pods. For processes ``cwd`` is the directory of the YAML
        file, or of the DAG file where the experiment is no file.
    :raises InvalidExperimentError: with every problem at once, so that the DAG file shows them as import error.
    """
    directory = _dag_directory()
    if isinstance(experiment, (str, Path)) and "\n" not in str(experiment):
        experiment = Path(directory, experiment)
    parsed = as_experiment(experiment)
    operator = _trial_operator(parsed, runner)
    if runner == "process":
        base = experiment.parent if isinstance(experiment, Path) else directory
        trial_arguments.setdefault("cwd", str(base))
    sensor_arguments: dict[str, Any] = {"timeout": metrics_timeout, "katib_conn_id": katib_conn_id}
    if deferrable is not None:
        sensor_arguments["deferrable"] = deferrable
    trial_arguments.setdefault("max_active_tis_per_dagrun", parsed.parallel_trial_count)
    trial_arguments["katib_conn_id"] = katib_conn_id

    group = ExperimentTaskGroup(group_id or parsed.name)
    with group:
        if rounds:
            last = _rounds(parsed, operator, katib_conn_id, trial_arguments, sensor_arguments)
        else:
            suggest = ExperimentOperator(task_id="suggest", experiment=parsed, katib_conn_id=katib_conn_id)
            last = _stage(suggest, "", operator, trial_arguments, sensor_arguments, suggest.task_id)
    group.optimal_trial = XComArg(last)
    return group


def _rounds(
    experiment: Experiment,
    operator: type[BaseOperator],
    katib_conn_id: str,
    trial_arguments: dict[str, Any],
    sensor_arguments: dict[str, Any],
) -> MetricsSensor:
    """Unroll the rounds: each suggests, runs and gathers before the next one suggests."""
    if experiment.max_trial_count is None:
        raise InvalidExperimentError(
            experiment.name, [Problem("spec.maxTrialCount", "missing; rounds=True needs it to know their number")]
        )
    count = -(-slot_count(experiment) // experiment.parallel_trial_count)
    first_task_id, last = None, None
    for index in range(count):
        suggest = ExperimentOperator(
            task_id=f"suggest_{index + 1}",
            experiment=experiment,
            katib_conn_id=katib_conn_id,
            round_index=index,
            experiment_task_id=first_task_id,
        )
        first_task_id = first_task_id or suggest.task_id
        if last is not None:
            last >> suggest
        arguments = {**sensor_arguments, "conclude": index == count - 1}
        last = _stage(suggest, f"_{index + 1}", operator, trial_arguments, arguments, first_task_id)
    if last is None:
        raise InvalidExperimentError(experiment.name, [Problem("spec.maxTrialCount", "there is no trial to run")])
    return last


def _stage(
    suggest: ExperimentOperator,
    suffix: str,
    operator: type[BaseOperator],
    trial_arguments: dict[str, Any],
    sensor_arguments: dict[str, Any],
    experiment_task_id: str,
) -> MetricsSensor:
    trials = operator.partial(task_id=f"trial{suffix}", **trial_arguments).expand_kwargs(suggest.output)
    metrics = MetricsSensor(
        task_id=f"metrics{suffix}", experiment_task_id=experiment_task_id, **sensor_arguments
    )
    trials >> metrics
    return metrics


def _trial_operator(experiment: Experiment, runner: str) -> type[BaseOperator]:
    """Return the operator of a runner, or say what the runner cannot do with this experiment."""
    operator: type[BaseOperator]
    if runner == "process":
        from airflow_katib_provider.operators._local_command import check_local as check
        from airflow_katib_provider.operators.process import ProcessTrialOperator as operator
    elif runner == "kubernetes":
        from airflow_katib_provider.operators._pod_manifest import check_pod as check
        from airflow_katib_provider.operators.trial import KubernetesTrialOperator as operator
    else:
        raise ValueError(f"runner is {runner!r}; it must be 'process' or 'kubernetes'")
    if problems := list(check(experiment)):
        raise InvalidExperimentError(experiment.name, problems)
    return operator


def _dag_directory() -> str:
    """Return the directory of the DAG file that is being parsed."""
    dag = DagContext.get_current()
    return os.path.dirname(dag.fileloc) if dag is not None else os.getcwd()
