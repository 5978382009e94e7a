"""Between rows of the tables and the records that the store hands out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_katib_provider.experiment.trial import (
    ExperimentCondition,
    Metric,
    Observation,
    Trial,
    TrialCondition,
)
from airflow_katib_provider.store import tables
from airflow_katib_provider.store.records import (
    ConditionRecord,
    ExperimentKey,
    ExperimentRecord,
    TrialRecord,
)

if TYPE_CHECKING:
    from datetime import datetime

_trial = tables.trial.c

TRIAL_COLUMNS = (
    _trial.name,
    _trial.number,
    _trial.condition,
    _trial.assignments,
    _trial.value,
    _trial.observation,
    _trial.labels,
    _trial.started_at,
    _trial.finished_at,
)
"""What :func:`to_trial` reads, in its order."""


def to_trial(row: Any) -> Trial:
    """Make a trial of a row that begins with :data:`TRIAL_COLUMNS`."""
    name, number, condition, assignments, value, observation, labels, started_at, finished_at, *_ = row
    return Trial(
        name=name,
        number=number,
        condition=TrialCondition(condition),
        assignments=assignments,
        value=value,
        observation=to_observation(observation),
        labels=labels,
        duration=_seconds_between(started_at, finished_at),
    )


def to_trial_record(row: Any) -> TrialRecord:
    """Make a record of a row with all columns of a trial, :data:`TRIAL_COLUMNS` first."""
    return TrialRecord(
        id=row.id,
        experiment_id=row.experiment_id,
        slot=row.slot,
        trial=to_trial(row),
        reason=row.reason,
        message=row.message,
        attempt=row.attempt,
        handle=row.handle,
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
    )


def to_experiment_record(row: Any) -> ExperimentRecord:
    """Make a record of a row with all columns of an experiment."""
    return ExperimentRecord(
        id=row.id,
        key=ExperimentKey(row.dag_id, row.run_id, row.task_id, row.map_index),
        attempt=row.attempt,
        name=row.name,
        namespace=row.namespace,
        document=row.document,
        seed=row.seed,
        condition=ExperimentCondition(row.condition),
        reason=row.reason,
        message=row.message,
        created_at=row.created_at,
        started_at=row.started_at,
        completed_at=row.completed_at,
        suggestions_exhausted=row.suggestions_exhausted,
    )


def to_condition_record(row: Any) -> ConditionRecord:
    """Make a record of a row of the history that has the trial's name as ``trial_name``."""
    kind = ExperimentCondition if row.trial_name is None else TrialCondition
    return ConditionRecord(kind(row.condition), row.reason, row.message, row.at, row.trial_name)


def to_observation(document: list[dict[str, str | None]] | None) -> Observation | None:
    """Read an observation from its JSON form."""
    if document is None:
        return None
    return Observation(
        tuple(Metric(str(item["name"]), item["latest"], item["min"], item["max"]) for item in document)
    )


def from_observation(observation: Observation) -> list[dict[str, str | None]]:
    """Write an observation in its JSON form, which is Katib's."""
    return [
        {"name": metric.name, "latest": metric.latest, "min": metric.min, "max": metric.max}
        for metric in observation.metrics
    ]


def _seconds_between(start: datetime | None, end: datetime | None) -> float | None:
    return None if start is None or end is None else (end - start).total_seconds()
