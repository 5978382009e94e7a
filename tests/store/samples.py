"""Small experiments and trials for the tests of the store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow_katib_provider.experiment.trial import MetricLog
from airflow_katib_provider.store.records import ExperimentKey

if TYPE_CHECKING:
    from airflow_katib_provider.store.records import ExperimentRecord, TrialRecord
    from airflow_katib_provider.store.store import KatibStore

KEY = ExperimentKey("retune", "manual__2025-01-01", "experiment")
START = datetime(2025, 1, 1, tzinfo=UTC)


def create(store: KatibStore, key: ExperimentKey = KEY, **changes: Any) -> ExperimentRecord:
    document = changes.pop("document", {"kind": "Experiment", "metadata": {"name": "random"}})
    values = {"name": "random", "namespace": "default", "seed": 1} | changes
    return store.create_experiment(key, document, **values)


def add_trial(store: KatibStore, experiment_id: int, slot: int = 0, name: str | None = None) -> TrialRecord:
    with store.lease(experiment_id) as lease, store.locked(experiment_id) as transaction:
        return transaction.add_trial(
            lease,
            slot=slot,
            name=name or f"random-{experiment_id}-{slot}",
            assignments={"lr": "0.1", "layers": "3"},
            labels={},
        )


def reports(count: int, metric: str = "loss") -> list[MetricLog]:
    """Rows a second apart."""
    return [
        MetricLog(metric, str(1 / step), START + timedelta(seconds=step), step)
        for step in range(1, count + 1)
    ]
