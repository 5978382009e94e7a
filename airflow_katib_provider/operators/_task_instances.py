"""What trial tasks ask of Airflow about themselves and their mapped siblings.

Everything here that is not a documented interface of Airflow is kept in this one module, with its test.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from airflow.sdk import Context

_LABEL_LENGTH = 250
"""The width of Airflow's column for the label of a mapped task instance."""

_ENDED = frozenset({"success", "failed", "skipped", "upstream_failed", "removed"})


def will_retry(context: Context) -> bool:
    """Return whether Airflow will run this task instance again if it fails now."""
    ti = context["ti"]
    return bool(ti.max_tries) and (ti.try_number or 0) <= ti.max_tries


def show_label(context: Context, label: str) -> None:
    """Show what a mapped task instance is about, from now on and after it has ended."""
    if len(label) > _LABEL_LENGTH:
        label = label[: _LABEL_LENGTH - 1] + "…"
    context["katib_trial"] = label  # type: ignore[typeddict-unknown-key]
    if _is_mapped(context):
        from airflow.sdk.execution_time.comms import SetRenderedMapIndex
        from airflow.sdk.execution_time.task_runner import SUPERVISOR_COMMS

        SUPERVISOR_COMMS.send(SetRenderedMapIndex(rendered_map_index=label))


def skip_unstarted(context: Context, started: Collection[int]) -> None:
    """Skip the mapped siblings of this task instance whose slots have no trial.

    Instances that run or have ended are left alone by Airflow. The message is the one behind
    ``DownstreamTasksSkipped``; sent by itself it leaves this task instance its own state and result.

    :param started: the map indexes to keep.
    """
    if not _is_mapped(context):
        return
    from airflow.sdk.execution_time.comms import SkipDownstreamTasks
    from airflow.sdk.execution_time.task_runner import SUPERVISOR_COMMS

    ti = context["ti"]
    count = ti.get_ti_count(dag_id=ti.dag_id, task_ids=[ti.task_id], run_ids=[ti.run_id])
    unstarted = [(ti.task_id, index) for index in range(count) if index not in started]
    if unstarted:
        SUPERVISOR_COMMS.send(SkipDownstreamTasks(tasks=unstarted))


def ended_map_indexes(context: Context) -> dict[int, str]:
    """Return the state of each mapped sibling that has ended, by map index."""
    ti = context["ti"]
    states = ti.get_task_states(dag_id=ti.dag_id, task_ids=[ti.task_id], run_ids=[ti.run_id])
    prefix = f"{ti.task_id}_"
    return {
        int(key.removeprefix(prefix)): str(state)
        for key, state in states.get(ti.run_id, {}).items()
        if key.startswith(prefix) and str(state) in _ENDED
    }


def _is_mapped(context: Context) -> bool:
    map_index = context["ti"].map_index
    return map_index is not None and map_index >= 0
