"""What the store hands out. Nothing here needs a database, so tasks may import it freely."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    from airflow_katib_provider.experiment.trial import ExperimentCondition, Trial, TrialCondition


@dataclass(frozen=True, slots=True)
class ExperimentKey:
    """The task instance an experiment belongs to.

    :param dag_id: at most 250 characters, as in Airflow; so are ``run_id`` and ``task_id``.
    :param map_index: -1 for a task that is not mapped.
    """

    dag_id: str
    run_id: str
    task_id: str
    map_index: int = -1


@dataclass(frozen=True, slots=True)
class ExperimentRecord:
    """One attempt at an experiment. All times are UTC.

    :param attempt: how often the experiment was begun under its key, from 1.
    :param document: the experiment as it was written, in Katib's camelCase.
    :param seed: what every suggestion is derived from, 0 to 2**63 - 1.
    :param started_at: when it was first Running.
    :param completed_at: when it was decided; ``None`` until then.
    :param suggestions_exhausted: the algorithm has said that it has nothing left to suggest.
    """

    id: int
    key: ExperimentKey
    attempt: int
    name: str
    namespace: str
    document: dict[str, Any]
    seed: int
    condition: ExperimentCondition
    reason: str
    message: str
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    suggestions_exhausted: bool


@dataclass(frozen=True, slots=True)
class TrialRecord:
    """A trial with what running it needs. All times are UTC.

    :param slot: which of the experiment's task instances runs the trial.
    :param attempt: how often the trial was started; 0 before the first time.
    :param handle: what runs the trial: a process and its host, or the name of a pod.
    :param started_at: when the present attempt was first Running.
    :param finished_at: when the present attempt ended.
    """

    id: int
    experiment_id: int
    slot: int
    trial: Trial
    reason: str
    message: str
    attempt: int
    handle: dict[str, Any] | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @property
    def name(self) -> str:
        """The trial's name."""
        return self.trial.name


@dataclass(frozen=True, slots=True)
class ConditionRecord:
    """One entry in the history of an experiment or of one of its trials.

    :param trial_name: the trial whose condition changed; ``None`` if it was the experiment's.
    """

    condition: ExperimentCondition | TrialCondition
    reason: str
    message: str
    at: datetime
    trial_name: str | None = None


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to add trials to an experiment, held by one process at a time.

    :param owner: host, process and a random part: unique to this one lease.
    """

    experiment_id: int
    owner: str
