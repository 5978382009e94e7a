"""The operator that opens an experiment and hands out its trial slots."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from airflow_katib_provider.experiment.experiment import Experiment
from airflow_katib_provider.experiment.parsing import is_text
from airflow_katib_provider.hooks.katib import KatibHook
from airflow_katib_provider.hooks.slots import slot_count

if TYPE_CHECKING:
    from airflow.sdk import DAG, Context

    from airflow_katib_provider.store.records import ExperimentRecord


class ExperimentOperator(BaseOperator):
    """Creates the experiment of this DAG run and returns one small dictionary a trial slot.

    Map a trial operator over the result: ``TrialOperator.partial(...).expand_kwargs(experiment.output)``.
    The same task of the same DAG run always finds the same experiment, so a retry changes nothing. When the
    task is run again after trials were started (it was cleared), a new attempt of the experiment begins.

    :param experiment: an :class:`~airflow_katib_provider.experiment.experiment.Experiment`, a mapping in Katib's
        camelCase, YAML text, or the path of a YAML file; a relative path starts at the DAG file's directory.
        It is checked here, while the DAG file is parsed.
    :param katib_conn_id: the connection of the store.
    :param round_index: which explicit round this is, from 0. ``None``, the default, is the sliding window: a
        trial gets its assignments when it starts. With a number, the trials of the round are bound here and
        their assignments are part of what is returned; nothing is returned once the experiment is decided.
    :param experiment_task_id: the task of round 0, whose experiment the later rounds go on with.
    :raises InvalidExperimentError: with every problem at once.
    """

    template_fields = ("katib_conn_id",)
    ui_color = "#d6e8fa"

    def __init__(
        self,
        *,
        experiment: Experiment | Mapping[str, Any] | str | Path,
        katib_conn_id: str = KatibHook.default_conn_name,
        round_index: int | None = None,
        experiment_task_id: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.experiment = as_experiment(experiment, dag_directory(self.get_dag()))
        self.katib_conn_id = katib_conn_id
        self.round_index = round_index
        self.experiment_task_id = experiment_task_id

    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Create or find the experiment and return its slots."""
        hook = KatibHook(self.katib_conn_id)
        record = self._experiment_record(hook, context)
        if self.round_index is not None:
            return self._round(hook, record, self.round_index)
        if self.experiment.spec.early_stopping is not None:
            self.log.warning(
                "spec.earlyStopping (%s) is checked, but not applied yet: every trial runs to its own end",
                self.experiment.spec.early_stopping.algorithm_name,
            )
        slots = slot_count(self.experiment)
        if self.experiment.max_trial_count is None:
            self.log.info(
                "maxTrialCount is not set: at most %s trials can start, which is Airflow's [core] max_map_length "
                "or the size of the search space",
                slots,
            )
        self.log.info(
            "Experiment %s (id %s, attempt %s): %s trial slots, %s at a time, algorithm %s",
            record.name,
            record.id,
            record.attempt,
            slots,
            self.experiment.parallel_trial_count,
            self.experiment.algorithm.algorithm_name,
        )
        return [{"experiment_id": record.id, "slot": slot} for slot in range(slots)]

    def _experiment_record(self, hook: KatibHook, context: Context) -> ExperimentRecord:
        from airflow_katib_provider.store.records import ExperimentKey

        ti = context["ti"]
        if self.round_index:
            return hook.find_experiment(
                ExperimentKey(ti.dag_id, ti.run_id, self.experiment_task_id or ti.task_id)
            )
        return hook.create_experiment(self.experiment, ExperimentKey(ti.dag_id, ti.run_id, ti.task_id))

    def _round(self, hook: KatibHook, record: ExperimentRecord, index: int) -> list[dict[str, Any]]:
        parallel = self.experiment.parallel_trial_count
        if decided := hook.decision(record):
            self.log.info("No round %s: %s", index, decided.message)
            return []
        end = min((index + 1) * parallel, slot_count(self.experiment))
        trials = hook.bind_round(record.id, range(index * parallel, end))
        self.log.info("Experiment %s, round %s: %s trials", record.name, index, len(trials))
        return [
            {
                "experiment_id": record.id,
                "slot": trial.slot,
                "trial_name": trial.name,
                "assignments": self.experiment.space.parse(trial.trial.assignments),
            }
            for trial in trials
        ]


def as_experiment(source: Experiment | Mapping[str, Any] | str | Path, directory: str) -> Experiment:
    """Return the experiment that a mapping, a path or a YAML text describes.

    :param directory: where a relative path starts.
    """
    if isinstance(source, Experiment):
        return source
    if isinstance(source, Mapping):
        return Experiment.from_dict(source)
    return Experiment.from_yaml(source if is_text(source) else Path(directory, source))


def dag_directory(dag: DAG | None) -> str:
    """Return the directory of a DAG's file; the working directory where there is no DAG."""
    return os.path.dirname(os.path.abspath(dag.fileloc)) if dag is not None else os.getcwd()
