"""Observation logs: what trials reported, row by row."""

from __future__ import annotations

from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import (
    ARRAY,
    Integer,
    and_,
    bindparam,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite

from airflow_katib_provider.exceptions import NotFoundError, StoreError
from airflow_katib_provider.experiment.trial import MetricLog
from airflow_katib_provider.store import tables
from airflow_katib_provider.store.tables import METRIC_LENGTH
from airflow_katib_provider.store.types import UtcDateTime, Words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Executable

    from airflow_katib_provider.store.database import Database

Item = TypeVar("Item")

_BATCH = 5_000
"""Rows a transaction or a page: writers take turns in between, and memory stays bounded."""

_trial, _log = tables.trial, tables.observation_log
_READ_ORDER = (_log.c.timestamp, _log.c.step, _log.c.metric)


def register(database: Database, trial_name: str, logs: Iterable[MetricLog], attempt: int | None) -> int:
    """Add the rows that are not there yet. See :meth:`KatibStore.register_observation_log`."""
    return sum(
        database.repeat(partial(_register, trial_name, attempt, batch)) for batch in _batches(logs, _BATCH)
    )


def append(
    database: Database, trial_name: str, reports: Iterable[tuple[str, str, datetime]], attempt: int | None
) -> int:
    """Add reports as the next steps of their metrics. See :meth:`KatibStore.append_observation_log`."""
    return sum(
        database.repeat(partial(_append, trial_name, attempt, batch)) for batch in _batches(reports, _BATCH)
    )


def read(
    database: Database,
    trial_name: str,
    metric: str | None,
    start: datetime | None,
    end: datetime | None,
) -> Iterator[MetricLog]:
    """Read by time, step and metric. See :meth:`KatibStore.get_observation_log`."""
    with database.reading() as connection:
        conditions = [_log.c.trial_id == _trial_id(connection, trial_name)]
    if metric is not None:
        conditions.append(_log.c.metric == metric)
    if start is not None:
        conditions.append(_log.c.timestamp >= start)
    if end is not None:
        conditions.append(_log.c.timestamp <= end)
    return _pages(database, conditions)


def remove(connection: Connection, trial_id: int) -> int:
    """Delete a trial's rows and return how many there were."""
    return int(connection.execute(delete(_log).where(_log.c.trial_id == trial_id)).rowcount)


def lock_trial(connection: Connection, trial_name: str, attempt: int | None = None) -> int:
    """Keep every other writer from the trial's log until the end of the transaction. Return the trial's id.

    :param attempt: the attempt that reports, if it is known.
    :raises StoreError: if that attempt is not the trial's present one.
    """
    query = select(_trial.c.id, _trial.c.attempt).where(_trial.c.name == trial_name)
    row = connection.execute(query.with_for_update(key_share=True)).one_or_none()
    if row is None:
        raise NotFoundError(f"the store has no trial named {trial_name!r}")
    if attempt is not None and row.attempt != attempt:
        raise StoreError(
            f"trial {trial_name!r} was started over: attempt {row.attempt} runs, and reports of "
            f"attempt {attempt} are refused"
        )
    return int(row.id)


def _trial_id(connection: Connection, trial_name: str) -> int:
    trial_id = connection.scalar(select(_trial.c.id).where(_trial.c.name == trial_name))
    if trial_id is None:
        raise NotFoundError(f"the store has no trial named {trial_name!r}")
    return int(trial_id)


def _register(trial_name: str, attempt: int | None, logs: Sequence[MetricLog], connection: Connection) -> int:
    return _insert_new(connection, lock_trial(connection, trial_name, attempt), logs)


def _append(
    trial_name: str,
    attempt: int | None,
    reports: Sequence[tuple[str, str, datetime]],
    connection: Connection,
) -> int:
    trial_id = lock_trial(connection, trial_name, attempt)
    last = {metric: _last_step(connection, trial_id, metric) for metric, _, _ in reports}
    logs = []
    for metric, value, timestamp in reports:
        last[metric] += 1
        logs.append(MetricLog(metric, value, timestamp, last[metric]))
    return _insert_new(connection, trial_id, logs)


def _last_step(connection: Connection, trial_id: int, metric: str) -> int:
    query = select(func.max(_log.c.step)).where(_log.c.trial_id == trial_id, _log.c.metric == metric)
    return connection.scalar(query) or 0


def _insert_new(connection: Connection, trial_id: int, logs: Sequence[MetricLog]) -> int:
    for log in logs:
        if len(log.metric) > METRIC_LENGTH:
            raise StoreError(
                f"metric {log.metric[:40]!r}... has {len(log.metric)} characters; "
                f"give it at most {METRIC_LENGTH}"
            )
    if connection.dialect.name == "postgresql":
        return _insert_arrays(connection, trial_id, logs)
    rows = [
        {
            "trial_id": trial_id,
            "metric": log.metric,
            "step": log.step,
            "value": log.value,
            "timestamp": log.timestamp,
        }
        for log in logs
    ]
    return _count(connection, _insert_ignore(connection.dialect.name), rows)


def _insert_ignore(dialect: str) -> Executable:
    if dialect == "mysql":
        return insert(_log).prefix_with("IGNORE")
    return sqlite.insert(_log).on_conflict_do_nothing()


def _insert_arrays(connection: Connection, trial_id: int, logs: Sequence[MetricLog]) -> int:
    """Send four arrays instead of many rows: PostgreSQL takes twice as many a second, and counts them."""
    names = ("metric", "step", "value", "timestamp")
    incoming = (
        func.unnest(
            bindparam("metrics", [log.metric for log in logs], ARRAY(Words())),
            bindparam("steps", [log.step for log in logs], ARRAY(Integer())),
            bindparam("values", [log.value for log in logs], ARRAY(Words())),
            bindparam("timestamps", [log.timestamp for log in logs], ARRAY(UtcDateTime())),
        )
        .table_valued(*names)
        .render_derived()
    )
    rows = select(literal(trial_id), *(incoming.c[name] for name in names))
    statement = postgresql.insert(_log).from_select(["trial_id", *names], rows).on_conflict_do_nothing()
    return _count(connection, statement)


def _count(connection: Connection, insertion: Executable, rows: list[dict[str, Any]] | None = None) -> int:
    done = connection.execute(insertion, rows, execution_options={"preserve_rowcount": True})
    return int(done.rowcount)


def _pages(database: Database, conditions: Sequence[ColumnElement[bool]]) -> Iterator[MetricLog]:
    """Read page after page, each in a transaction of its own: nothing is held open while the reader works."""
    query = select(_log.c.metric, _log.c.value, _log.c.timestamp, _log.c.step).where(*conditions)
    query = query.order_by(*_READ_ORDER).limit(_BATCH)
    page = query
    while True:
        with database.reading() as connection:
            logs = [MetricLog(*row) for row in connection.execute(page)]
        yield from logs
        if len(logs) < _BATCH:
            return
        page = query.where(_is_after(logs[-1]))


def _is_after(last: MetricLog) -> ColumnElement[bool]:
    same_step = and_(_log.c.step == last.step, _log.c.metric > last.metric)
    return and_(
        _log.c.timestamp
        >= last.timestamp,  # implied by what follows; MySQL finds its place in the index by it
        or_(_log.c.timestamp > last.timestamp, _log.c.step > last.step, same_step),
    )


def _batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
