"""The first tables."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from airflow_katib_provider.store.types import Json, UtcDateTime, Words

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# MySQL commits after every table: a migration that was killed is simply run again.
_OPTIONS: dict[str, Any] = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
    "if_not_exists": True,
}


def upgrade() -> None:
    """Create the tables for experiments, trials, observation logs and conditions."""
    _create_experiment()
    _create_trial()
    _create_observation_log()
    _create_condition()


def _id() -> sa.Column[int]:
    kind = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    return sa.Column("id", kind, primary_key=True, autoincrement=True)


def _reference(name: str, target: str, *, nullable: bool = False) -> sa.Column[int]:
    key = sa.ForeignKey(f"{target}.id", ondelete="CASCADE")
    return sa.Column(name, sa.BigInteger, key, nullable=nullable)


def _create_experiment() -> None:
    op.create_table(
        "katib_experiment",
        _id(),
        sa.Column("dag_id", sa.String(250), nullable=False),
        sa.Column("run_id", sa.String(250), nullable=False),
        sa.Column("task_id", sa.String(250), nullable=False),
        sa.Column("map_index", sa.Integer, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("namespace", sa.String(255), nullable=False),
        sa.Column("document", Json, nullable=False),
        sa.Column("seed", sa.BigInteger, nullable=False),
        sa.Column("condition", sa.String(32), nullable=False),
        sa.Column("reason", Words(255), nullable=False),
        sa.Column("message", Words(), nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("started_at", UtcDateTime),
        sa.Column("completed_at", UtcDateTime),
        sa.Column("suggestions_exhausted", sa.Boolean, nullable=False),
        sa.Column("lease_owner", sa.String(255)),
        sa.Column("lease_expires_at", UtcDateTime),
        sa.UniqueConstraint(
            "dag_id", "run_id", "task_id", "map_index", "attempt", name="katib_experiment_of_task"
        ),
        **_OPTIONS,
    )


def _create_trial() -> None:
    op.create_table(
        "katib_trial",
        _id(),
        _reference("experiment_id", "katib_experiment"),
        sa.Column("slot", sa.Integer, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("condition", sa.String(32), nullable=False),
        sa.Column("reason", Words(255), nullable=False),
        sa.Column("message", Words(), nullable=False),
        sa.Column("assignments", Json, nullable=False),
        sa.Column("labels", Json, nullable=False),
        sa.Column("observation", Json),
        sa.Column("value", sa.Double),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("handle", Json),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("started_at", UtcDateTime),
        sa.Column("finished_at", UtcDateTime),
        sa.UniqueConstraint("name", name="katib_trial_name"),
        sa.UniqueConstraint("experiment_id", "slot", name="katib_trial_slot"),
        sa.UniqueConstraint("experiment_id", "number", name="katib_trial_number"),
        **_OPTIONS,
    )


def _create_observation_log() -> None:
    op.create_table(
        "katib_observation_log",
        _reference("trial_id", "katib_trial"),
        sa.Column("metric", Words(255), nullable=False),
        sa.Column("step", sa.Integer, nullable=False),
        sa.Column("value", Words(), nullable=False),
        sa.Column("timestamp", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("trial_id", "metric", "step", name="katib_observation_log_pkey"),
        sa.UniqueConstraint("trial_id", "timestamp", "step", "metric", name="katib_observation_log_time"),
        sqlite_with_rowid=False,
        **_OPTIONS,
    )


def _create_condition() -> None:
    op.create_table(
        "katib_condition",
        _id(),
        _reference("experiment_id", "katib_experiment"),
        _reference("trial_id", "katib_trial", nullable=True),
        sa.Column("condition", sa.String(32), nullable=False),
        sa.Column("reason", Words(255), nullable=False),
        sa.Column("message", Words(), nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.UniqueConstraint("experiment_id", "id", name="katib_condition_of_experiment"),
        sa.UniqueConstraint("trial_id", "id", name="katib_condition_of_trial"),
        **_OPTIONS,
    )
