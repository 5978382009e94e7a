"""What a trial hands on to the tasks after it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow_katib_provider.experiment.experiment import Experiment
    from airflow_katib_provider.experiment.trial import Trial


def trial_result(experiment: Experiment, trial: Trial) -> dict[str, Any]:
    """Return ``{"trial", "assignments", "metrics"}`` of a trial, as plain values that pass through XCom.

    Assignments have their Python types. Each metric is its value by its strategy, or the latest where that one
    has none; a number where it reads as one.
    """
    metrics: dict[str, Any] = {}
    for metric in trial.observation.metrics if trial.observation else ():
        text = getattr(metric, experiment.objective.strategy(metric.name).value)
        metrics[metric.name] = _number(text if text is not None else metric.latest)
    return {"trial": trial.name, "assignments": experiment.space.parse(trial.assignments), "metrics": metrics}


def _number(text: str | None) -> float | str | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return text
