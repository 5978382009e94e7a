"""Katib's own examples load as they are, or are refused for exactly the reason that is known."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_katib_provider.algorithms.registry import available
from airflow_katib_provider.exceptions import InvalidExperimentError
from airflow_katib_provider.experiment.experiment import Experiment
from airflow_katib_provider.experiment.rendering import render
from airflow_katib_provider.experiment.yaml_text import dump_document
from tests.experiment.katib_examples import EXAMPLES

REFUSED = {
    "hp-tuning/simple-pbt": {
        "spec.maxFailedTrialCount": "3 is more than spec.maxTrialCount, which is 2",
    },
}
"""What Katib refuses too: the example's counts contradict one another until they are overridden."""


def reasons(path: str, example: dict[str, Any]) -> dict[str, str]:
    expected = dict(REFUSED.get(path, {}))
    algorithm = example["spec"]["algorithm"]["algorithmName"]
    if algorithm not in available():
        expected["spec.algorithm.algorithmName"] = f"unknown algorithm {algorithm!r}"
    return expected


def test_there_are_33() -> None:
    assert len(EXAMPLES) == 33
    assert {"random", "grid", "tpe", "multivariate-tpe", "bayesianoptimization", "cmaes", "sobol"} <= set(
        available()
    )


@pytest.mark.parametrize(("path", "example"), EXAMPLES.items(), ids=EXAMPLES)
def test_an_example(path: str, example: dict[str, Any]) -> None:
    expected = reasons(path, example)
    if not expected:
        experiment = Experiment.from_yaml(dump_document(example))
        assert experiment.to_dict() == example
        return
    with pytest.raises(InvalidExperimentError) as caught:
        Experiment.from_yaml(dump_document(example))
    problems = {problem.path: problem.message for problem in caught.value.problems}
    assert problems.keys() == expected.keys()
    for field, fragment in expected.items():
        assert fragment in problems[field]


def test_all_six_metadata_references_render() -> None:
    experiment = Experiment.from_dict(EXAMPLES["trial-template/trial-metadata-substitution"])
    manifest = render(
        experiment.trial_template,
        trial_name="random-abc",
        namespace=experiment.namespace,
        assignments={"lr": "0.02", "momentum": "0.6"},
    )
    assert manifest["spec"]["template"]["spec"]["containers"][0]["command"][3:] == [
        "--lr=0.02",
        "--momentum=0.6",
        "--name=random-abc",
        "--namespace=kubeflow",
        "--kind=Job",
        "--version=batch/v1",
        "--owner=ada",
        "--team=vision",
    ]
