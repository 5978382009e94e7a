"""Experiments and trials for the tests of the algorithms."""

from __future__ import annotations

import heapq
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING, Any

from airflow_katib_provider.algorithms import suggest
from airflow_katib_provider.experiment.experiment import Experiment
from airflow_katib_provider.experiment.trial import Trial, TrialCondition

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from airflow_katib_provider.experiment.space import Value

Parameter = dict[str, Any]


def double(name: str, low: float, high: float, **more: Any) -> Parameter:
    return {"name": name, "parameterType": "double", "feasibleSpace": {"min": low, "max": high, **more}}


def integer(name: str, low: int, high: int, **more: Any) -> Parameter:
    return {"name": name, "parameterType": "int", "feasibleSpace": {"min": low, "max": high, **more}}


def discrete(name: str, *values: float) -> Parameter:
    return {"name": name, "parameterType": "discrete", "feasibleSpace": {"list": list(values)}}


def categorical(name: str, *values: str) -> Parameter:
    return {"name": name, "parameterType": "categorical", "feasibleSpace": {"list": list(values)}}


def document(
    algorithm: str,
    parameters: Sequence[Parameter],
    settings: Mapping[str, object] | None = None,
    goal: str = "minimize",
    **spec: Any,
) -> dict[str, Any]:
    """Write an Experiment whose template is of no concern."""
    placeholders = [f"${{trialParameters.p{index}}}" for index, _ in enumerate(parameters)]
    container = {"name": "main", "image": "none", "command": ["true", *placeholders]}
    return {
        "apiVersion": "kubeflow.org/v1beta1",
        "kind": "Experiment",
        "metadata": {"name": "tune"},
        "spec": {
            "objective": {"type": goal, "objectiveMetricName": "loss"},
            "algorithm": {
                "algorithmName": algorithm,
                "algorithmSettings": [
                    {"name": name, "value": str(value)} for name, value in (settings or {}).items()
                ],
            },
            "parameters": list(parameters),
            "trialTemplate": {
                "primaryContainerName": "main",
                "trialParameters": [
                    {"name": f"p{index}", "reference": parameter["name"]}
                    for index, parameter in enumerate(parameters)
                ],
                "trialSpec": {
                    "apiVersion": "batch/v1",
                    "kind": "Job",
                    "spec": {"template": {"spec": {"containers": [container], "restartPolicy": "Never"}}},
                },
            },
            **spec,
        },
    }


def experiment(
    algorithm: str,
    parameters: Sequence[Parameter],
    settings: Mapping[str, object] | None = None,
    goal: str = "minimize",
    **spec: Any,
) -> Experiment:
    return Experiment.from_dict(document(algorithm, parameters, settings, goal, **spec))


def trial(
    number: int,
    assignments: Mapping[str, str],
    value: float | None = None,
    condition: TrialCondition = TrialCondition.SUCCEEDED,
    labels: Mapping[str, str] | None = None,
) -> Trial:
    return Trial(
        f"tune-{number}",
        number,
        condition,
        dict(assignments),
        value,
        labels=labels or {},
        duration=1.0 + number % 3,
    )


def drive(
    tuned: Experiment,
    objective: Callable[[dict[str, Value]], float],
    count: int,
    parallel: int = 1,
    seed: int = 0,
) -> list[Trial]:
    """Run trials of uneven length in a sliding window, as a DAG would; stop where nothing is left to suggest."""
    lengths = Random(seed)
    trials: list[Trial] = []
    running: list[tuple[float, int]] = []
    clock, is_exhausted = 0.0, False
    while running or (len(trials) < count and not is_exhausted):
        while len(running) < parallel and len(trials) < count and not is_exhausted:
            answer = suggest(tuned, trials, 1, seed)
            is_exhausted = answer.exhausted
            for suggestion in answer.items:
                heapq.heappush(running, (clock + lengths.uniform(0.5, 1.5), len(trials)))
                started = trial(len(trials), suggestion.assignments, labels=suggestion.labels)
                trials.append(replace(started, condition=TrialCondition.RUNNING, duration=None))
        if running:
            clock, number = heapq.heappop(running)
            value = objective(tuned.space.parse(trials[number].assignments))
            trials[number] = replace(
                trials[number], condition=TrialCondition.SUCCEEDED, value=value, duration=1.0 + number % 3
            )
    return trials


def drive_in_rounds(
    tuned: Experiment,
    objective: Callable[[dict[str, Value]], float],
    count: int,
    size: int,
    seed: int = 0,
) -> list[Trial]:
    """Run rounds of trials; each begins when all trials of the one before have ended."""
    trials: list[Trial] = []
    while len(trials) < count:
        for suggestion in suggest(tuned, tuple(trials), size, seed).items:
            value = objective(tuned.space.parse(suggestion.assignments))
            trials.append(trial(len(trials), suggestion.assignments, value, labels=suggestion.labels))
    return trials


def best(trials: Sequence[Trial]) -> float:
    """Return the smallest value that was observed."""
    return min(trial.value for trial in trials if trial.value is not None)
