"""``spec.objective``: what is optimised."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_katib_provider.exceptions import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_katib_provider.experiment.spec import ExperimentSpec

_PATH = "spec.objective"


def check_objective(spec: ExperimentSpec) -> Iterator[Problem]:
    """Check that there is a direction and a metric, and that no metric is named twice."""
    objective = spec.objective
    if objective is None:
        yield Problem(_PATH, "must be specified")
        return
    if objective.type is None:
        yield Problem(f"{_PATH}.type", "must be specified: minimize or maximize")
    if not objective.objective_metric_name:
        yield Problem(f"{_PATH}.objectiveMetricName", "must be specified")
    for index, name in enumerate(objective.additional_metric_names):
        path = f"{_PATH}.additionalMetricNames[{index}]"
        if not name:
            yield Problem(path, "must not be empty")
        elif name == objective.objective_metric_name:
            yield Problem(path, f"{name!r} is objectiveMetricName already; remove it here")
