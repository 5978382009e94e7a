"""The one class that reads and writes experiments, trials and observation logs."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, text, update

from airflow_katib_provider.store import creating, leases, observations, queries, tables
from airflow_katib_provider.store.database import Database
from airflow_katib_provider.store.rows import to_condition_record, to_experiment_record
from airflow_katib_provider.store.transaction import ExperimentTransaction

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from datetime import datetime

    from sqlalchemy import URL, Connection

    from airflow_katib_provider.experiment.trial import MetricLog, Trial
    from airflow_katib_provider.store.records import (
        ConditionRecord,
        ExperimentKey,
        ExperimentRecord,
        Lease,
        TrialRecord,
    )

__all__ = ["ExperimentTransaction", "KatibStore"]

_experiment, _trial, _condition = tables.experiment, tables.trial, tables.condition


class KatibStore:
    """The store behind a database URL, shared by any number of threads and processes.

    Opening one connects to nothing. The tables are created or brought up to date when they are first used.
    Every method raises :class:`~airflow_katib_provider.exceptions.StoreError` when the database refuses.

    :param url: of an SQLite file, a PostgreSQL or a MySQL or MariaDB database, in SQLAlchemy's form.
    :raises StoreError: if the URL cannot be read.
    :raises MissingExtraError: if the database's driver is not installed.

    Example::

        store = KatibStore("sqlite:////tmp/katib.db")
        key = ExperimentKey("retune", "manual__1", "experiment")
        record = store.create_experiment(key, document, name="random", namespace="default", seed=1)
        with store.lease(record.id) as lease:
            assignments = think_about(store.trials(record.id))
            with store.locked(record.id) as transaction:
                transaction.add_trial(lease, slot=0, name="random-x", assignments=assignments, labels={})
    """

    def __init__(self, url: str | URL) -> None:
        self._database = Database(url)

    # ---- the database

    def migrate(self) -> None:
        """Create the tables or bring them up to date. Only the first call in a process looks.

        :raises StoreError: if a newer version of the provider wrote them.
        """
        self._database.migrate()

    def ping(self) -> str:
        """Reach the database, whatever tables it has, and return its name and version."""
        question, name = {
            "sqlite": ("SELECT sqlite_version()", "SQLite"),
            "postgresql": ("SHOW server_version", "PostgreSQL"),
            "mysql": ("SELECT version()", "MySQL"),
        }[self._database.dialect]
        with self._database.connected() as connection:
            version = str(connection.scalar(text(question)))
        return f"{'MariaDB' if 'MariaDB' in version else name} {version}"

    def dispose(self) -> None:
        """Close the connections that are not in use."""
        self._database.engine.dispose()

    # ---- experiments

    def create_experiment(
        self, key: ExperimentKey, document: Mapping[str, Any], *, name: str, namespace: str, seed: int
    ) -> ExperimentRecord:
        """Return the experiment to run under a key, however many processes ask at once.

        It is the latest attempt if that has no trial yet, with document, names and seed as given now, and in
        condition Created again if it was decided. Otherwise it is a new attempt; earlier ones stay.

        :param document: the experiment as it was written, in Katib's camelCase.
        :param seed: 0 to 2**63 - 1.
        """
        content = {"document": dict(document), "name": name, "namespace": namespace, "seed": seed}
        return self._database.repeat(partial(creating.create_experiment, key, content))

    def experiment(self, experiment_id: int) -> ExperimentRecord:
        """Return an experiment.

        :raises NotFoundError: if there is none.
        """
        with self._database.reading() as connection:
            return to_experiment_record(queries.experiment_row(connection, experiment_id))

    def find_experiment(self, key: ExperimentKey) -> ExperimentRecord | None:
        """Return the latest attempt under a key, ``None`` if there is none."""
        with self._database.reading() as connection:
            row = queries.latest_attempt(connection, key)
        return None if row is None else to_experiment_record(row)

    def list_experiments(
        self, *, limit: int, offset: int, dag_ids: Collection[str] | None = None
    ) -> list[ExperimentRecord]:
        """Return experiments, newest first.

        :param dag_ids: only those of these DAGs; ``None`` for all.
        """
        query = select(_experiment).order_by(_experiment.c.id.desc()).limit(limit).offset(offset)
        if dag_ids is not None:
            query = query.where(_experiment.c.dag_id.in_(dag_ids))
        with self._database.reading() as connection:
            return [to_experiment_record(row) for row in connection.execute(query)]

    # ---- trials

    def trials(self, experiment_id: int) -> list[Trial]:
        """Return an experiment's trials by number; none if there is no such experiment."""
        with self._database.reading() as connection:
            return queries.trials(connection, experiment_id)

    def trial_records(self, experiment_id: int) -> list[TrialRecord]:
        """Return an experiment's trials by number, with what running them needs."""
        with self._database.reading() as connection:
            return queries.trial_records(connection, experiment_id)

    def trial(self, name: str) -> TrialRecord:
        """Return a trial by its name.

        :raises NotFoundError: if there is none.
        """
        with self._database.reading() as connection:
            return queries.trial_named(connection, name)

    def trial_at(self, experiment_id: int, slot: int) -> TrialRecord | None:
        """Return the trial of a slot, ``None`` if it has none."""
        with self._database.reading() as connection:
            return queries.trial_at(connection, experiment_id, slot)

    def set_trial_handle(self, trial_name: str, handle: Mapping[str, Any] | None) -> None:
        """Remember what runs a trial, so that a retried task can find it.

        :raises NotFoundError: if there is no such trial.
        """

        def change(connection: Connection) -> None:
            trial_id = observations.lock_trial(connection, trial_name)
            value = None if handle is None else dict(handle)
            connection.execute(update(_trial).where(_trial.c.id == trial_id).values(handle=value))

        self._database.repeat(change)

    def conditions(self, experiment_id: int, trial_name: str | None = None) -> list[ConditionRecord]:
        """Return the history of conditions, oldest first.

        :param trial_name: only those of this trial; ``None`` for the experiment's and all of its trials'.
        """
        query = (
            select(_condition, _trial.c.name.label("trial_name"))
            .outerjoin(_trial, _condition.c.trial_id == _trial.c.id)
            .where(_condition.c.experiment_id == experiment_id)
            .order_by(_condition.c.id)
        )
        if trial_name is not None:
            query = query.where(_trial.c.name == trial_name)
        with self._database.reading() as connection:
            return [to_condition_record(row) for row in connection.execute(query)]

    # ---- binding suggestions

    def lease(
        self, experiment_id: int, *, seconds: float = 60, wait: float = 300
    ) -> AbstractContextManager[Lease]:
        """Hold the right to add trials to an experiment, for the length of a ``with`` block.

        It is no lock of the database: others read and write meanwhile, and wait only to add a trial too.
        It is renewed while the block runs; if the holder is killed, it expires.

        :param seconds: how long it outlives its holder.
        :param wait: how long to wait for it, in seconds.
        :raises StoreError: if it was not free in that time.
        :raises NotFoundError: if there is no such experiment.
        """
        return leases.lease(self._database, experiment_id, seconds=seconds, wait=wait)

    @contextmanager
    def locked(self, experiment_id: int) -> Iterator[ExperimentTransaction]:
        """Change an experiment and its trials in one short transaction that locks this experiment only.

        It is committed at the end of the ``with`` block; an exception undoes all of it.

        :raises NotFoundError: if there is no such experiment.
        """
        with self._database.writing() as connection:
            yield ExperimentTransaction(connection, experiment_id)

    # ---- observation logs

    def register_observation_log(
        self, trial_name: str, logs: Iterable[MetricLog], *, attempt: int | None = None
    ) -> int:
        """Add rows to a trial's log and return how many were new: a (metric, step) that is there stays.

        A transaction writes a few thousand rows, so a long log neither fills memory nor makes others wait.

        :param attempt: the trial's attempt that reports; rows of an earlier one are refused.
        :raises NotFoundError: if there is no such trial.
        :raises StoreError: if another attempt runs by now, or a metric's name is too long.
        """
        return observations.register(self._database, trial_name, logs, attempt)

    def append_observation_log(
        self,
        trial_name: str,
        reports: Iterable[tuple[str, str, datetime]],
        *,
        attempt: int | None = None,
    ) -> int:
        """Add reports of (metric, value, time) to a trial's log, each as the next step of its metric.

        :param attempt: the trial's attempt that reports; reports of an earlier one are refused.
        :return: how many rows were added.
        :raises NotFoundError: if there is no such trial.
        :raises StoreError: if another attempt runs by now, or a metric's name is too long.
        """
        return observations.append(self._database, trial_name, reports, attempt)

    def get_observation_log(
        self,
        trial_name: str,
        *,
        metric: str | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> Iterator[MetricLog]:
        """Stream a trial's log in the order of time, then step, then metric.

        It is read page by page, with nothing held open in between, so the reader may take its time.

        :param metric: only this metric.
        :param start: only from this moment on.
        :param end: only up to and with this moment.
        :raises NotFoundError: if there is no such trial.
        """
        return observations.read(self._database, trial_name, metric, start, end)

    def delete_observation_log(self, trial_name: str) -> int:
        """Delete a trial's log and return how many rows it had.

        :raises NotFoundError: if there is no such trial.
        """

        def delete(connection: Connection) -> int:
            return observations.remove(connection, observations.lock_trial(connection, trial_name))

        return self._database.repeat(delete)
