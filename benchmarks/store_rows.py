"""Rows a second that the store's observation log takes and gives: ``python -m benchmarks.store_rows``."""

from __future__ import annotations

import tempfile
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from airflow_katib_provider.experiment.trial import MetricLog
from airflow_katib_provider.store.records import ExperimentKey
from airflow_katib_provider.store.store import KatibStore
from devtools.databases import mysql_server, postgres_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import URL

METRICS = ("loss", "accuracy", "val_loss", "val_accuracy")
ROWS = 200_000


class Rates(NamedTuple):
    """Rows a second: added for the first time, registered again (nothing is added), and streamed back."""

    added: float
    repeated: float
    read: float


def rows_per_second(url: str | URL, rows: int = ROWS) -> Rates:
    """Measure a store by one trial that reports four metrics, one process writing."""
    store = KatibStore(url)
    key = ExperimentKey("benchmark", "run", "experiment")
    experiment_id = store.create_experiment(key, {}, name="benchmark", namespace="default", seed=0).id
    with store.lease(experiment_id) as lease, store.locked(experiment_id) as transaction:
        name = f"benchmark-{time.time_ns()}"
        slot = len(transaction.trials())
        transaction.add_trial(lease, slot=slot, name=name, assignments={}, labels={})
    logs = list(_logs(rows))
    started = time.perf_counter()
    added = store.register_observation_log(name, logs)
    after_adding = time.perf_counter()
    repeated = store.register_observation_log(name, logs)
    after_repeating = time.perf_counter()
    read = sum(1 for _ in store.get_observation_log(name))
    ended = time.perf_counter()
    store.dispose()
    if (added, repeated, read) != (rows, 0, rows):
        raise RuntimeError(f"{rows} rows were added as {added}, then {repeated}, and read as {read}")
    seconds = (after_adding - started, after_repeating - after_adding, ended - after_repeating)
    return Rates(*(rows / duration for duration in seconds))


def _logs(rows: int) -> Iterator[MetricLog]:
    start = datetime(2025, 1, 1, tzinfo=UTC)
    for row in range(rows):
        step, metric = divmod(row, len(METRICS))
        moment = start + timedelta(milliseconds=row)
        yield MetricLog(METRICS[metric], f"{1 / (row + 1):.6f}", moment, step + 1)


def main() -> None:
    print(f"{ROWS:,} rows, rows a second  {'added':>10} {'repeated':>10} {'read':>10}")
    with tempfile.TemporaryDirectory() as folder:
        _print("SQLite", rows_per_second(f"sqlite:///{folder}/katib.db"))
    with postgres_server(durable=True) as url:
        _print("PostgreSQL", rows_per_second(url))
    with mysql_server(durable=True) as url:
        _print("MariaDB", rows_per_second(url))


def _print(name: str, rates: Rates) -> None:
    print(f"{name:<28}", *(f"{rate:>10,.0f}" for rate in rates))


if __name__ == "__main__":
    main()
