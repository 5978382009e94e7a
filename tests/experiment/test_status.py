from __future__ import annotations

from typing import Any

import pytest

from airflow_katib_provider.experiment.experiment import Experiment
from airflow_katib_provider.experiment.spec import Objective, ObjectiveType
from airflow_katib_provider.experiment.status import TrialCounts, Verdict, judge, optimal_trial
from airflow_katib_provider.experiment.trial import (
    ExperimentCondition,
    Metric,
    Observation,
    Trial,
    TrialCondition,
)

CONDITIONS = {
    "created": TrialCondition.CREATED,
    "running": TrialCondition.RUNNING,
    "failed": TrialCondition.FAILED,
    "killed": TrialCondition.KILLED,
    "unavailable": TrialCondition.METRICS_UNAVAILABLE,
    "stopped": TrialCondition.EARLY_STOPPED,
    "succeeded": TrialCondition.SUCCEEDED,
}


def trials(text: str) -> list[Trial]:
    """Read trials from words: ``0.5`` has succeeded, ``stopped:0.5``, ``failed``, ``text:abc``."""
    return [trial(number, word) for number, word in enumerate(text.split())]


def trial(number: int, word: str) -> Trial:
    condition, _, value = word.rpartition(":")
    if not condition and word in CONDITIONS:
        condition, value = word, ""
    name = f"t{number}"
    if condition == "text":
        observation = Observation((Metric("loss", latest=value),))
        return Trial(name, number, TrialCondition.SUCCEEDED, {}, observation=observation)
    return Trial(
        name, number, CONDITIONS[condition or "succeeded"], {}, value=float(value) if value else None
    )


def experiment(**spec: Any) -> Experiment:
    objective = {"objectiveMetricName": "loss", "type": spec.pop("type", "minimize")}
    if "goal" in spec:
        objective["goal"] = spec.pop("goal")
    return Experiment.from_dict(
        {
            "metadata": {"name": "example"},
            "spec": {
                "objective": objective,
                "algorithm": {"algorithmName": "random"},
                "parallelTrialCount": 1,
                "parameters": [
                    {"name": "lr", "parameterType": "double", "feasibleSpace": {"min": "0.1", "max": "1"}}
                ],
                "trialTemplate": {
                    "primaryContainerName": "main",
                    "trialParameters": [{"name": "lr", "reference": "lr"}],
                    "trialSpec": {
                        "apiVersion": "batch/v1",
                        "kind": "Job",
                        "spec": {
                            "template": {
                                "spec": {
                                    "restartPolicy": "Never",
                                    "containers": [
                                        {
                                            "name": "main",
                                            "image": "train",
                                            "command": ["${trialParameters.lr}"],
                                        }
                                    ],
                                }
                            }
                        },
                    },
                },
                **spec,
            },
        }
    )


@pytest.mark.parametrize(
    ("text", "active", "completed", "failed"),
    [
        ("", 0, 0, 0),
        ("created running running", 3, 0, 0),
        ("1 stopped:2 failed killed unavailable running", 1, 5, 2),
        ("killed killed", 0, 2, 0),
        ("failed unavailable unavailable", 0, 3, 3),
    ],
)
def test_counts(text: str, active: int, completed: int, failed: int) -> None:
    counts = TrialCounts.of(trials(text))
    assert (counts.active, counts.completed, counts.failed) == (active, completed, failed)
    assert counts.total == len(text.split()) == active + completed


def test_counts_by_condition() -> None:
    counts = TrialCounts.of(trials("1 2 failed running"))
    assert [counts[condition] for condition in TrialCondition] == [0, 1, 2, 1, 0, 0, 0]
    assert str(counts) == "1 Running, 2 Succeeded, 1 Failed"
    assert str(TrialCounts.of([])) == "no trials"


@pytest.mark.parametrize(
    ("type", "text", "best"),
    [
        ("minimize", "", None),
        ("minimize", "running failed:0.1 killed:0.1 unavailable:0.1 running:0.1", None),
        ("minimize", "3 1 2", "t1"),
        ("maximize", "1 3 2", "t1"),
        ("minimize", "2 1 1", "t1"),
        ("maximize", "0 0", "t0"),
        ("maximize", "-2 -1", "t1"),
        ("minimize", "3 stopped:1", "t1"),
        ("minimize", "failed:0 3", "t1"),
        ("minimize", "text:a text:b running", "t1"),
        ("minimize", "text:a text:", "t0"),
        ("minimize", "text:", None),
        ("minimize", "succeeded", None),
        ("minimize", "text:a 5 text:b", "t1"),
    ],
)
def test_the_optimal_trial(type: str, text: str, best: str | None) -> None:
    objective = Objective(type=ObjectiveType(type), objective_metric_name="loss")
    candidates = trials(text)
    for order in (candidates, candidates[::-1]):
        found = optimal_trial(objective, order)
        assert (found and found.name) == best


SUCCEEDED, FAILED = ExperimentCondition.SUCCEEDED, ExperimentCondition.FAILED


@pytest.mark.parametrize(
    ("spec", "text", "exhausted", "slots_left", "verdict"),
    [
        # nothing decides
        ({}, "", False, True, None),
        ({"maxTrialCount": 3}, "1 running 2", False, True, None),
        ({"goal": 0.5}, "0.6", False, True, None),
        ({"maxFailedTrialCount": 2}, "failed 1 killed running", False, True, None),
        ({"maxFailedTrialCount": 0}, "1 2 3", False, True, None),
        ({}, "failed failed failed failed", False, True, None),
        ({}, "1 running", True, True, None),
        ({}, "1 created", False, False, None),
        # the goal
        ({"goal": 0.5}, "0.5", False, True, (SUCCEEDED, "ExperimentGoalReached")),
        ({"goal": 0.5}, "0.4", False, True, (SUCCEEDED, "ExperimentGoalReached")),
        ({"goal": 0.0}, "-1", False, True, (SUCCEEDED, "ExperimentGoalReached")),
        ({"goal": 0.5}, "stopped:0.4 running", False, True, (SUCCEEDED, "ExperimentGoalReached")),
        ({"goal": 0.5}, "failed:0.4 killed:0.4 running:0.4", False, True, None),
        ({"goal": 0.5, "type": "maximize"}, "0.5", False, True, (SUCCEEDED, "ExperimentGoalReached")),
        ({"goal": 0.5, "type": "maximize"}, "0.4", False, True, None),
        ({"goal": 0.5}, "text:a", False, True, None),
        # the error budget
        ({"maxFailedTrialCount": 2}, "failed 1 failed", False, True, (FAILED, "ExperimentFailed")),
        ({"maxFailedTrialCount": 2}, "failed unavailable running", False, True, (FAILED, "ExperimentFailed")),
        ({"maxFailedTrialCount": 2}, "failed failed failed", False, True, (FAILED, "ExperimentFailed")),
        ({"maxFailedTrialCount": 1}, "failed", False, True, (FAILED, "ExperimentFailed")),
        ({"maxFailedTrialCount": 0}, "failed", False, True, (FAILED, "ExperimentFailed")),
        ({"maxFailedTrialCount": 0}, "killed", False, True, None),
        # the trial budget
        ({"maxTrialCount": 2}, "1 2", False, True, (SUCCEEDED, "ExperimentMaxTrialsReached")),
        ({"maxTrialCount": 2}, "1 2 running", False, True, (SUCCEEDED, "ExperimentMaxTrialsReached")),
        (
            {"maxTrialCount": 5},
            "1 stopped:1 failed killed unavailable",
            False,
            True,
            (SUCCEEDED, "ExperimentMaxTrialsReached"),
        ),
        ({"maxTrialCount": 2}, "failed failed", False, True, (SUCCEEDED, "ExperimentMaxTrialsReached")),
        # the end of the suggestions, and of the slots
        ({}, "1 failed", True, True, (SUCCEEDED, "ExperimentSuggestionEndReached")),
        ({"maxTrialCount": 9}, "1", True, True, (SUCCEEDED, "ExperimentSuggestionEndReached")),
        ({}, "1 failed", False, False, (SUCCEEDED, "ExperimentTrialsEnded")),
        ({}, "text:a", False, False, (SUCCEEDED, "ExperimentTrialsEnded")),
        ({"maxTrialCount": 9}, "killed failed", False, False, (FAILED, "ExperimentTrialsEnded")),
        ({}, "", False, False, (FAILED, "ExperimentTrialsEnded")),
        # the order of the rules
        (
            {"goal": 1, "maxFailedTrialCount": 1, "maxTrialCount": 2},
            "failed 1",
            True,
            False,
            (SUCCEEDED, "ExperimentGoalReached"),
        ),
        (
            {"goal": 0, "maxFailedTrialCount": 1, "maxTrialCount": 2},
            "failed 1",
            True,
            False,
            (FAILED, "ExperimentFailed"),
        ),
        ({"maxTrialCount": 2}, "failed 1", True, False, (SUCCEEDED, "ExperimentMaxTrialsReached")),
        ({}, "failed 1", True, False, (SUCCEEDED, "ExperimentSuggestionEndReached")),
    ],
)
def test_the_rules(
    spec: dict[str, Any],
    text: str,
    exhausted: bool,
    slots_left: bool,
    verdict: tuple[ExperimentCondition, str] | None,
) -> None:
    found = judge(experiment(**spec), trials(text), exhausted=exhausted, slots_left=slots_left)
    assert (found and (found.condition, found.reason)) == verdict


@pytest.mark.parametrize(
    ("spec", "text", "exhausted", "message"),
    [
        (
            {"goal": 0.01},
            "0.5 failed 0.001 running",
            False,
            "The goal of at most 0.01 is reached: optimal is trial t2 with loss = 0.001; "
            "1 Running, 2 Succeeded, 1 Failed",
        ),
        (
            {"goal": 0.9, "type": "maximize"},
            "0.95",
            False,
            "The goal of at least 0.9 is reached: optimal is trial t0 with loss = 0.95; 1 Succeeded",
        ),
        (
            {"maxFailedTrialCount": 2},
            "failed unavailable 1",
            False,
            "2 trials have failed or left no metrics, and maxFailedTrialCount is 2: "
            "1 Succeeded, 1 Failed, 1 MetricsUnavailable",
        ),
        (
            {"maxFailedTrialCount": 0},
            "failed",
            False,
            "1 trial has failed or left no metrics, and maxFailedTrialCount is 0: 1 Failed",
        ),
        (
            {"maxTrialCount": 2},
            "0.5 0.25",
            False,
            "2 trials have ended, and maxTrialCount is 2: 2 Succeeded; optimal is trial t1 with loss = 0.25",
        ),
        (
            {"maxTrialCount": 2},
            "failed failed",
            False,
            "2 trials have ended, and maxTrialCount is 2: 2 Failed; "
            "no trial has an objective value, so there is no optimal trial",
        ),
        (
            {},
            "text:Genotype",
            True,
            "random has nothing left to suggest: 1 Succeeded; optimal is trial t0 with loss = 'Genotype'",
        ),
    ],
)
def test_the_message_has_the_figures(spec: dict[str, Any], text: str, exhausted: bool, message: str) -> None:
    found = judge(experiment(**spec), trials(text), exhausted=exhausted)
    assert isinstance(found, Verdict)
    assert found.message == message
