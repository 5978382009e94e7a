"""One short transaction on one experiment: trials are added and conditions change here, and nowhere else."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select, update

from airflow_katib_provider.exceptions import LeaseLostError, StoreError
from airflow_katib_provider.experiment.trial import ExperimentCondition, TrialCondition
from airflow_katib_provider.store import observations, queries, tables
from airflow_katib_provider.store.rows import from_observation, to_experiment_record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection

    from airflow_katib_provider.experiment.trial import Observation, Trial
    from airflow_katib_provider.store.records import ExperimentRecord, Lease, TrialRecord

_experiment, _trial, _condition = tables.experiment, tables.trial, tables.condition


class ExperimentTransaction:
    """A transaction that keeps every other one from this experiment, but not from others.

    :param connection: in a transaction that this object does not end.
    :raises NotFoundError: if there is no such experiment.
    """

    def __init__(self, connection: Connection, experiment_id: int) -> None:
        self._connection = connection
        self._row = queries.experiment_row(connection, experiment_id, lock=True)

    @property
    def experiment(self) -> ExperimentRecord:
        """The experiment, with what this transaction has changed."""
        return to_experiment_record(self._row)

    def trials(self) -> list[Trial]:
        """Return the experiment's trials by number."""
        return queries.trials(self._connection, self._row.id)

    def trial_at(self, slot: int) -> TrialRecord | None:
        """Return the trial of a slot, ``None`` if it has none."""
        return queries.trial_at(self._connection, self._row.id, slot)

    def trial(self, name: str) -> TrialRecord:
        """Return a trial of this experiment by its name.

        :raises NotFoundError: if it has none of that name.
        """
        return queries.trial_named(self._connection, name, self._row.id)

    def add_trial(
        self,
        lease: Lease,
        *,
        slot: int,
        name: str,
        assignments: Mapping[str, str],
        labels: Mapping[str, str],
    ) -> TrialRecord:
        """Add a trial in condition Created, with the next number.

        :param lease: under which the assignments were found. It is still held as long as nobody took it over:
            then nobody else can have added a trial meanwhile.
        :raises LeaseLostError: if another process holds, or held, the lease since.
        :raises StoreError: if the slot has a trial already, or the name is taken.
        """
        if (self._row.id, self._row.lease_owner) != (lease.experiment_id, lease.owner):
            raise LeaseLostError(
                f"the lease of experiment {self._row.id} is no longer held by {lease.owner}: it expired "
                "and was taken over; ask the algorithm again under a new lease"
            )
        if (present := self.trial_at(slot)) is not None:
            raise StoreError(f"slot {slot} of experiment {self._row.id} has a trial already: {present.name}")
        last = select(func.max(_trial.c.number)).where(_trial.c.experiment_id == self._row.id)
        number = self._connection.scalar(last)
        now = datetime.now(UTC)
        trial = {
            "experiment_id": self._row.id,
            "slot": slot,
            "number": 0 if number is None else number + 1,
            "name": name,
            "condition": TrialCondition.CREATED.value,
            "reason": "TrialCreated",
            "message": "Trial is created",
            "assignments": dict(assignments),
            "labels": dict(labels),
            "attempt": 0,
            "created_at": now,
        }
        self._connection.execute(insert(_trial).values(trial))
        record = self.trial(name)
        self._record(now, record.trial.condition, record.reason, record.message, record.id)
        return record

    def set_trial_condition(
        self,
        name: str,
        condition: TrialCondition,
        reason: str,
        message: str,
        *,
        observation: Observation | None = None,
        value: float | None = None,
    ) -> None:
        """Change a trial's condition, and add it to the history unless condition and reason are the same.

        :param observation: what was observed; ``None`` leaves observation and value as they are.
        :param value: the objective; it must be finite, and comes with an observation.
        :raises NotFoundError: if the experiment has no such trial.
        """
        present = self.trial(name)
        now = datetime.now(UTC)
        changes: dict[str, Any] = {"condition": condition.value, "reason": reason, "message": message}
        if condition is TrialCondition.RUNNING and present.started_at is None:
            changes |= {"started_at": now, "attempt": present.attempt + 1}
        if not condition.is_finished:
            changes["finished_at"] = None
        elif present.finished_at is None:
            changes["finished_at"] = now
        if observation is not None:
            changes |= {"observation": from_observation(observation), "value": _finite(name, value)}
        self._connection.execute(update(_trial).where(_trial.c.id == present.id).values(changes))
        if (condition, reason) != (present.trial.condition, present.reason):
            self._record(now, condition, reason, message, present.id)

    def restart_trial(self, name: str) -> TrialRecord:
        """Begin the next attempt of a trial: Running, with nothing observed and an empty observation log.

        :raises NotFoundError: if the experiment has no such trial.
        """
        trial_id = observations.lock_trial(self._connection, self.trial(name).name)
        observations.remove(self._connection, trial_id)
        now = datetime.now(UTC)
        changes = {
            "condition": TrialCondition.RUNNING.value,
            "reason": "TrialRunning",
            "message": "Trial is running",
            "attempt": _trial.c.attempt + 1,
            "observation": None,
            "value": None,
            "handle": None,
            "started_at": now,
            "finished_at": None,
        }
        self._connection.execute(update(_trial).where(_trial.c.id == trial_id).values(changes))
        record = self.trial(name)
        self._record(now, record.trial.condition, record.reason, record.message, trial_id)
        return record

    def set_experiment_condition(self, condition: ExperimentCondition, reason: str, message: str) -> None:
        """Change the experiment's condition.

        It is added to the history unless condition and reason are the same.
        """
        present = self.experiment
        now = datetime.now(UTC)
        changes: dict[str, Any] = {"condition": condition.value, "reason": reason, "message": message}
        if condition is ExperimentCondition.RUNNING and present.started_at is None:
            changes["started_at"] = now
        if not condition.is_finished:
            changes["completed_at"] = None
        elif present.completed_at is None:
            changes["completed_at"] = now
        self._change(changes)
        if (condition, reason) != (present.condition, present.reason):
            self._record(now, condition, reason, message)

    def set_suggestions_exhausted(self) -> None:
        """Remember that the algorithm has nothing left to suggest."""
        self._change({"suggestions_exhausted": True})

    def _change(self, changes: dict[str, Any]) -> None:
        self._connection.execute(update(_experiment).where(_experiment.c.id == self._row.id).values(changes))
        self._row = queries.experiment_row(self._connection, self._row.id)

    def _record(
        self,
        at: datetime,
        condition: ExperimentCondition | TrialCondition,
        reason: str,
        message: str,
        trial_id: int | None = None,
    ) -> None:
        self._connection.execute(
            insert(_condition).values(
                experiment_id=self._row.id,
                trial_id=trial_id,
                condition=condition.value,
                reason=reason,
                message=message,
                at=at,
            )
        )


def _finite(trial_name: str, value: float | None) -> float | None:
    if value is not None and not math.isfinite(value):
        raise StoreError(f"the value of trial {trial_name!r} is {value}; it must be a finite number or None")
    return value
