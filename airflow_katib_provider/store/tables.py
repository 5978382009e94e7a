"""The tables of the store, as the newest migration leaves them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    UniqueConstraint,
)

from airflow_katib_provider.store.types import Json, UtcDateTime, Words

METRIC_LENGTH = 255
"""The longest metric name, in characters."""

metadata = MetaData()

# Case-sensitive names and all of Unicode, whatever the database's own default is.
_MYSQL: dict[str, Any] = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
}


def _id() -> Column[int]:
    return Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True)


def _reference(name: str, target: str, **options: Any) -> Column[int]:
    return Column(name, BigInteger, ForeignKey(f"{target}.id", ondelete="CASCADE"), **options)


experiment = Table(
    "katib_experiment",
    metadata,
    _id(),
    Column("dag_id", String(250), nullable=False),
    Column("run_id", String(250), nullable=False),
    Column("task_id", String(250), nullable=False),
    Column("map_index", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("name", String(255), nullable=False),
    Column("namespace", String(255), nullable=False),
    Column("document", Json, nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("condition", String(32), nullable=False),
    Column("reason", Words(255), nullable=False),
    Column("message", Words(), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("started_at", UtcDateTime),
    Column("completed_at", UtcDateTime),
    Column("suggestions_exhausted", Boolean, nullable=False),
    Column("lease_owner", String(255)),
    Column("lease_expires_at", UtcDateTime),
    UniqueConstraint("dag_id", "run_id", "task_id", "map_index", "attempt", name="katib_experiment_of_task"),
    **_MYSQL,
)

trial = Table(
    "katib_trial",
    metadata,
    _id(),
    _reference("experiment_id", "katib_experiment", nullable=False),
    Column("slot", Integer, nullable=False),
    Column("number", Integer, nullable=False),
    Column("name", String(255), nullable=False),
    Column("condition", String(32), nullable=False),
    Column("reason", Words(255), nullable=False),
    Column("message", Words(), nullable=False),
    Column("assignments", Json, nullable=False),
    Column("labels", Json, nullable=False),
    Column("observation", Json),
    Column("value", Double),
    Column("attempt", Integer, nullable=False),
    Column("handle", Json),
    Column("created_at", UtcDateTime, nullable=False),
    Column("started_at", UtcDateTime),
    Column("finished_at", UtcDateTime),
    UniqueConstraint("name", name="katib_trial_name"),
    UniqueConstraint("experiment_id", "slot", name="katib_trial_slot"),
    UniqueConstraint("experiment_id", "number", name="katib_trial_number"),
    **_MYSQL,
)

# Rows are unique by trial, metric and step: reading a log a second time adds nothing. The second key is the
# order in which they are read: streaming a long log page by page needs no sorting.
observation_log = Table(
    "katib_observation_log",
    metadata,
    _reference("trial_id", "katib_trial", nullable=False),
    Column("metric", Words(METRIC_LENGTH), nullable=False),
    Column("step", Integer, nullable=False),
    Column("value", Words(), nullable=False),
    Column("timestamp", UtcDateTime, nullable=False),
    PrimaryKeyConstraint("trial_id", "metric", "step", name="katib_observation_log_pkey"),
    UniqueConstraint("trial_id", "timestamp", "step", "metric", name="katib_observation_log_time"),
    sqlite_with_rowid=False,
    **_MYSQL,
)

condition = Table(
    "katib_condition",
    metadata,
    _id(),
    _reference("experiment_id", "katib_experiment", nullable=False),
    _reference("trial_id", "katib_trial"),
    Column("condition", String(32), nullable=False),
    Column("reason", Words(255), nullable=False),
    Column("message", Words(), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    UniqueConstraint("experiment_id", "id", name="katib_condition_of_experiment"),
    UniqueConstraint("trial_id", "id", name="katib_condition_of_trial"),
    **_MYSQL,
)
