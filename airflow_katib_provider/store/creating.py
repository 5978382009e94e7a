"""Find or create the experiment of a task instance."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import exists, insert, select, update

from airflow_katib_provider.experiment.trial import ExperimentCondition
from airflow_katib_provider.store import queries, tables
from airflow_katib_provider.store.rows import to_experiment_record

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from airflow_katib_provider.store.records import ExperimentKey, ExperimentRecord

_experiment, _trial, _condition = tables.experiment, tables.trial, tables.condition


def create_experiment(
    key: ExperimentKey, content: dict[str, Any], connection: Connection
) -> ExperimentRecord:
    """Return the latest attempt if it has no trial, else a new one. See :meth:`KatibStore.create_experiment`.

    :param content: the columns document, name, namespace and seed.
    """
    latest = queries.latest_attempt(connection, key, lock=True)
    if latest is None or _has_trials(connection, latest.id):
        experiment_id = _insert(connection, key, content, attempt=latest.attempt + 1 if latest else 1)
    else:
        experiment_id = latest.id
        _begin_again(connection, latest, content)
    return to_experiment_record(queries.experiment_row(connection, experiment_id))


def _has_trials(connection: Connection, experiment_id: int) -> bool:
    return bool(connection.scalar(select(exists().where(_trial.c.experiment_id == experiment_id))))


def _insert(connection: Connection, key: ExperimentKey, content: dict[str, Any], attempt: int) -> int:
    row = {
        "dag_id": key.dag_id,
        "run_id": key.run_id,
        "task_id": key.task_id,
        "map_index": key.map_index,
        "attempt": attempt,
        "created_at": datetime.now(UTC),
    }
    inserted = connection.execute(insert(_experiment).values(row | content | _created()))
    primary_key: Any = inserted.inserted_primary_key
    _record(connection, primary_key.id)
    return int(primary_key.id)


def _begin_again(connection: Connection, row: Any, content: dict[str, Any]) -> None:
    decided = ExperimentCondition(row.condition).is_finished
    changes = content | _created() if decided else content
    connection.execute(update(_experiment).where(_experiment.c.id == row.id).values(changes))
    if decided:
        _record(connection, row.id)


def _created() -> dict[str, Any]:
    return {
        "condition": ExperimentCondition.CREATED.value,
        "reason": "ExperimentCreated",
        "message": "Experiment is created",
        "started_at": None,
        "completed_at": None,
        "suggestions_exhausted": False,
    }


def _record(connection: Connection, experiment_id: int) -> None:
    created = _created()
    entry = {name: created[name] for name in ("condition", "reason", "message")}
    connection.execute(insert(_condition).values(experiment_id=experiment_id, at=datetime.now(UTC), **entry))
