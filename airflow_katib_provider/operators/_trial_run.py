"""What every way to run a trial shares: bind it, record what it reports, tell how it ended."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.sdk.exceptions import AirflowSkipException

from airflow_katib_provider.collectors import parser_for
from airflow_katib_provider.exceptions import MetricsUnavailableError, RenderingError, TrialFailedError
from airflow_katib_provider.experiment.rendering import render
from airflow_katib_provider.experiment.results import trial_result
from airflow_katib_provider.experiment.trial import TrialCondition
from airflow_katib_provider.hooks.answers import Bound, Decided, Waiting
from airflow_katib_provider.hooks.katib import KatibHook
from airflow_katib_provider.operators._task_instances import (
    ended_map_indexes,
    show_label,
    skip_unstarted,
    will_retry,
)
from airflow_katib_provider.triggers.store import TurnTrigger

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from airflow.sdk import BaseOperator, Context

    from airflow_katib_provider.collectors import Parser
    from airflow_katib_provider.experiment.experiment import Experiment
    from airflow_katib_provider.experiment.spec import ConfigMapSource
    from airflow_katib_provider.store.records import TrialRecord

MAP_INDEX_TEMPLATE = "{{ katib_trial | default('') }}"
"""The label of a trial's task instance; the name is put into the context when the trial is bound."""

_RECHECK_SECONDS = 60
"""How long a slot waits before it looks whether a trial that counts as active has lost its task."""


@dataclass
class TrialRun:
    """One attempt of one trial, inside one task instance.

    :param hook: the door to the store.
    :param record: the trial, in condition Running.
    :param experiment: its experiment.
    :param context: Airflow's context of the task instance.
    """

    hook: KatibHook
    record: TrialRecord
    experiment: Experiment
    context: Context

    @property
    def name(self) -> str:
        """The trial's name."""
        return self.record.name

    @cached_property
    def parser(self) -> Parser:
        """What finds metrics in the trial's output."""
        return parser_for(self.experiment)

    def render(self, config_map_text: str | None = None) -> dict[str, Any]:
        """Return the manifest of this trial.

        :param config_map_text: the template's text, where it stands in a ConfigMap.
        :raises RenderingError: after the trial has been recorded as failed.
        """
        try:
            return render(
                self.experiment.trial_template,
                trial_name=self.name,
                namespace=self.experiment.namespace,
                assignments=self.record.trial.assignments,
                config_map_text=config_map_text,
            )
        except RenderingError as error:
            self.fail("TrialRenderingFailed", str(error))

    @contextmanager
    def recorded(self) -> Iterator[None]:
        """Record the trial as failed if anything unforeseen ends its task, so that it is not waited for.

        :raises TrialFailedError: in place of any exception that is not about the trial itself.
        """
        try:
            yield
        except (TrialFailedError, MetricsUnavailableError):
            raise
        except Exception as error:  # whatever it was, the trial has ended
            self.fail("TrialTaskFailed", f"{type(error).__name__}: {error}")

    def succeed(self, message: str) -> dict[str, Any]:
        """Record that the run ended well and return what the task hands on.

        :raises MetricsUnavailableError: if no usable objective value was observed.
        """
        ended = self._finish(TrialCondition.SUCCEEDED, "TrialSucceeded", message)
        if not ended.trial.condition.is_observed:
            raise MetricsUnavailableError(f"Trial {self.name}: {ended.message}")
        return {"status": ended.trial.condition.value, **trial_result(self.experiment, ended.trial)}

    def fail(self, reason: str, message: str) -> NoReturn:
        """Record that the run failed.

        :raises TrialFailedError: always.
        """
        self._finish(TrialCondition.FAILED, reason, message)
        raise TrialFailedError(f"Trial {self.name} failed: {message}")

    def kill(self, message: str) -> NoReturn:
        """Record that the run was ended from outside.

        :raises TrialFailedError: always.
        """
        self._finish(TrialCondition.KILLED, "TrialKilled", message)
        raise TrialFailedError(f"Trial {self.name} was killed: {message}")

    def _finish(self, condition: TrialCondition, reason: str, message: str) -> TrialRecord:
        sought = ""
        if condition.is_observed:
            sought = "; ".join([self.parser.sought, *self.parser.problems])
        finished = self.hook.finish_trial(
            self.name,
            condition,
            reason,
            message,
            will_retry=will_retry(self.context),
            sought=sought,
        )
        if finished.decided is not None:
            skip_unstarted(self.context, self.hook.started_slots(self.record.experiment_id))
        return finished.trial


def bind(
    operator: BaseOperator, context: Context, *, experiment_id: int, slot: int, conn_id: str
) -> TrialRun:
    """Give a task instance its trial.

    :raises AirflowSkipException: if the experiment needs no further trial.
    :raises TaskDeferred: if the slot has to wait; the operator's ``take_turn`` is called when it may ask again.
    """
    hook = KatibHook(conn_id)
    answer = hook.next_trial(experiment_id, slot)
    if isinstance(answer, Waiting) and _close_lost_trials(hook, context, experiment_id):
        answer = hook.next_trial(experiment_id, slot)
    if isinstance(answer, Decided):
        raise AirflowSkipException(
            f"The experiment needs no further trial: {answer.message} ({answer.reason})"
        )
    if isinstance(answer, Waiting):
        operator.log.info("The trial waits: %s", answer.reason)
        operator.defer(
            trigger=TurnTrigger(
                katib_conn_id=conn_id,
                experiment_id=experiment_id,
                deadline=time.time() + _RECHECK_SECONDS,
                finished=hook.finished_trials(experiment_id),
            ),
            method_name="take_turn",
        )
    return _announce(operator, context, hook, answer)


def _announce(operator: BaseOperator, context: Context, hook: KatibHook, bound: Bound) -> TrialRun:
    record = bound.trial
    experiment = hook.experiment(hook.store.experiment(record.experiment_id))
    assignments = ", ".join(f"{name}={value}" for name, value in record.trial.assignments.items())
    operator.log.info(
        "Trial %s%s: %s", record.name, f", attempt {record.attempt}" if bound.is_rerun else "", assignments
    )
    show_label(context, f"{record.name}: {assignments}")
    return TrialRun(hook, record, experiment, context)


def _close_lost_trials(hook: KatibHook, context: Context, experiment_id: int) -> bool:
    """Record active trials whose task instance has ended as failed, so that they free their place."""
    ended = ended_map_indexes(context)
    lost = [
        record
        for record in hook.store.trial_records(experiment_id)
        if record.trial.is_pending and record.slot in ended
    ]
    for record in lost:
        message = f"its task instance ended as {ended[record.slot]} without a result"
        hook.finish_trial(record.name, TrialCondition.FAILED, "TrialTaskEnded", message)
    return bool(lost)


def config_map_text(manifest: dict[str, Any], source: ConfigMapSource) -> str:
    """Return a trial template's text from a ConfigMap manifest.

    :raises RenderingError: if the ConfigMap is another one or has no such entry.
    """
    metadata, data = manifest.get("metadata") or {}, manifest.get("data") or {}
    if metadata.get("name") != source.config_map_name:
        raise RenderingError(
            f"spec.trialTemplate.configMap.configMapName: {source.config_map_name!r} is wanted, "
            f"but the ConfigMap that was found is {metadata.get('name')!r}"
        )
    if source.template_path not in data:
        raise RenderingError(
            f"spec.trialTemplate.configMap.templatePath: {source.template_path!r} is not in ConfigMap "
            f"{source.config_map_name!r}, which has {_listed(data)}"
        )
    return str(data[source.template_path])


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "no entries"
