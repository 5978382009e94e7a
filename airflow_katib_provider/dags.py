"""A whole experiment as one task group of a DAG."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, TypeVar

from airflow.sdk import TaskGroup, XComArg
from airflow.sdk.definitions._internal.contextmanager import DagContext

from airflow_katib_provider.exceptions import InvalidExperimentError, Problem
from airflow_katib_provider.experiment.parsing import is_text
from airflow_katib_provider.hooks.katib import KatibHook
from airflow_katib_provider.hooks.slots import slot_count
from airflow_katib_provider.operators.experiment import ExperimentOperator, as_experiment, dag_directory
from airflow_katib_provider.sensors.metrics import MetricsSensor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from airflow.sdk import BaseOperator

    from airflow_katib_provider.experiment.experiment import Experiment

Runner = Literal["process", "kubernetes"]
P = ParamSpec("P")
T = TypeVar("T")


class ExperimentTaskGroup(TaskGroup):
    """The task group of one experiment: ``suggest >> trial[...] >> metrics``.

    :ivar optimal_trial: what the last task returns, as an XComArg for the tasks after the group:
        ``{"trial", "assignments", "metrics"}``.
    """

    optimal_trial: XComArg


def _raised_at_the_call(build: Callable[P, T]) -> Callable[P, T]:
    """Let an invalid experiment be an error of the line that calls ``build``.

    Of an import error Airflow shows the last two frames: so the DAG file's line is one of them.
    """

    @wraps(build)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return build(*args, **kwargs)
        except InvalidExperimentError as error:
            raise error.with_traceback(None) from None

    return call


@_raised_at_the_call
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
    directory = dag_directory(DagContext.get_current())
    parsed = as_experiment(experiment, directory)
    if runner == "process":
        is_file = isinstance(experiment, (str, Path)) and not is_text(experiment)
        cwd = Path(directory, str(experiment)).parent if is_file else directory
        trial_arguments.setdefault("cwd", str(cwd))
    trial_arguments.setdefault("max_active_tis_per_dagrun", parsed.parallel_trial_count)
    sensor_arguments: dict[str, Any] = {"timeout": metrics_timeout}
    if deferrable is not None:
        sensor_arguments["deferrable"] = deferrable
    tasks = _Tasks(
        parsed,
        slot_count(parsed),
        _trial_operator(parsed, runner),
        katib_conn_id,
        trial_arguments,
        sensor_arguments,
    )
    group = ExperimentTaskGroup(group_id or parsed.name)
    with group:
        group.optimal_trial = XComArg(tasks.rounds() if rounds else tasks.window())
    return group


@dataclass(frozen=True)
class _Tasks:
    """Makes the tasks of one experiment in the current task group."""

    experiment: Experiment
    slots: int
    operator: type[BaseOperator]
    katib_conn_id: str
    trial_arguments: Mapping[str, Any]
    sensor_arguments: Mapping[str, Any]

    def window(self) -> MetricsSensor:
        """Make three tasks, however many trials there are."""
        suggest = ExperimentOperator(
            task_id="suggest", experiment=self.experiment, katib_conn_id=self.katib_conn_id
        )
        return self._run_and_gather(suggest, "", suggest.task_id)

    def rounds(self) -> MetricsSensor:
        """Unroll the rounds: each suggests, runs and gathers before the next one suggests."""
        if self.experiment.max_trial_count is None:
            problem = Problem(
                "spec.maxTrialCount", "missing; rounds=True needs it to know the number of rounds"
            )
            raise InvalidExperimentError(self.experiment.name, [problem])
        count = math.ceil(self.slots / self.experiment.parallel_trial_count)
        first = self._round(0, None)
        last = self._run_and_gather(first, "_1", first.task_id, conclude=count == 1)
        for index in range(1, count):
            suggest = self._round(index, first.task_id)
            last >> suggest
            suffix = f"_{index + 1}"
            last = self._run_and_gather(suggest, suffix, first.task_id, conclude=index == count - 1)
        return last

    def _round(self, index: int, experiment_task_id: str | None) -> ExperimentOperator:
        return ExperimentOperator(
            task_id=f"suggest_{index + 1}",
            experiment=self.experiment,
            katib_conn_id=self.katib_conn_id,
            round_index=index,
            experiment_task_id=experiment_task_id,
        )

    def _run_and_gather(
        self, suggest: ExperimentOperator, suffix: str, experiment_task_id: str, *, conclude: bool = True
    ) -> MetricsSensor:
        trials = self.operator.partial(
            task_id=f"trial{suffix}", katib_conn_id=self.katib_conn_id, **self.trial_arguments
        ).expand_kwargs(suggest.output)
        metrics = MetricsSensor(
            task_id=f"metrics{suffix}",
            experiment_task_id=experiment_task_id,
            katib_conn_id=self.katib_conn_id,
            conclude=conclude,
            **self.sensor_arguments,
        )
        trials >> metrics
        return metrics


def _trial_operator(experiment: Experiment, runner: str) -> type[BaseOperator]:
    """Return the operator of a runner, or say what the runner cannot do with this experiment."""
    operator: type[BaseOperator]
    if runner == "process":
        from airflow_katib_provider.operators import _local_command, process

        operator, problems = process.ProcessTrialOperator, _local_command.check_local(experiment)
    elif runner == "kubernetes":
        from airflow_katib_provider.operators import _pod_manifest, trial

        operator, problems = trial.KubernetesTrialOperator, _pod_manifest.check_pod(experiment)
    else:
        raise ValueError(f"runner is {runner!r}; it must be 'process' or 'kubernetes'")
    if found := list(problems):
        raise InvalidExperimentError(experiment.name, found)
    return operator
