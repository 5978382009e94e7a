"""The questions that both the store and a transaction ask, over a connection that is given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from airflow_katib_provider.exceptions import NotFoundError
from airflow_katib_provider.store import tables
from airflow_katib_provider.store.rows import TRIAL_COLUMNS, to_trial, to_trial_record

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Row

    from airflow_katib_provider.experiment.trial import Trial
    from airflow_katib_provider.store.records import ExperimentKey, TrialRecord

_experiment, _trial = tables.experiment, tables.trial
_all_of_trial = (*TRIAL_COLUMNS, *(column for column in _trial.c if column not in set(TRIAL_COLUMNS)))


def experiment_row(connection: Connection, experiment_id: int, *, lock: bool = False) -> Row[Any]:
    """Return an experiment's row.

    :param lock: keep every other transaction from locking or changing this row.
    :raises NotFoundError: if there is none.
    """
    query = select(_experiment).where(_experiment.c.id == experiment_id)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise NotFoundError(f"the store has no experiment with id {experiment_id}")
    return row


def latest_attempt(connection: Connection, key: ExperimentKey, *, lock: bool = False) -> Row[Any] | None:
    """Return the row of the latest attempt under a key, ``None`` if there is none."""
    query = (
        select(_experiment)
        .where(
            _experiment.c.dag_id == key.dag_id,
            _experiment.c.run_id == key.run_id,
            _experiment.c.task_id == key.task_id,
            _experiment.c.map_index == key.map_index,
        )
        .order_by(_experiment.c.attempt.desc())
        .limit(1)
    )
    return connection.execute(query.with_for_update() if lock else query).one_or_none()


def trials(connection: Connection, experiment_id: int) -> list[Trial]:
    """Return an experiment's trials by number."""
    query = select(*TRIAL_COLUMNS).where(_trial.c.experiment_id == experiment_id).order_by(_trial.c.number)
    return [to_trial(row) for row in connection.execute(query).all()]


def trial_records(connection: Connection, experiment_id: int) -> list[TrialRecord]:
    """Return an experiment's trials by number, with what running them needs."""
    query = select(*_all_of_trial).where(_trial.c.experiment_id == experiment_id).order_by(_trial.c.number)
    return [to_trial_record(row) for row in connection.execute(query).all()]


def trial_at(connection: Connection, experiment_id: int, slot: int) -> TrialRecord | None:
    """Return the trial of a slot, ``None`` if it has none."""
    return _one_trial(connection, _trial.c.experiment_id == experiment_id, _trial.c.slot == slot)


def trial_named(connection: Connection, name: str, experiment_id: int | None = None) -> TrialRecord:
    """Return a trial by its name.

    :param experiment_id: the experiment that the trial must be of; ``None`` for any.
    :raises NotFoundError: if there is none.
    """
    found = _one_trial(connection, _trial.c.name == name)
    if found is None:
        raise NotFoundError(f"the store has no trial named {name!r}")
    if experiment_id not in {None, found.experiment_id}:
        raise NotFoundError(
            f"trial {name!r} is of experiment {found.experiment_id}, not of experiment {experiment_id}"
        )
    return found


def _one_trial(connection: Connection, *conditions: ColumnElement[bool]) -> TrialRecord | None:
    row = connection.execute(select(*_all_of_trial).where(*conditions)).one_or_none()
    return None if row is None else to_trial_record(row)
