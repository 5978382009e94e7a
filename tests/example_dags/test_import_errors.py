"""What a person reads in Airflow when an experiment's YAML is wrong."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.example_dags.conftest import EXAMPLES, ExampleAirflow

if TYPE_CHECKING:
    from collections.abc import Iterator

DAG_FILE = """
from airflow.sdk import dag
from airflow_katib_provider import katib_experiment

@dag(schedule=None)
def {name}():
    katib_experiment("{name}.yaml", runner="process")

{name}()
"""

# The name of a case; what is changed in a good YAML; what the message says of it.
CASES: dict[str, tuple[dict[str, str], list[str]]] = {
    "unknown_field": (
        {"maxTrialCount:": "maxTrialsCount:"},
        ["spec.maxTrialsCount: unknown field; did you mean maxTrialCount?"],
    ),
    "objective_type": (
        {"type: minimize": "type: minimise"},
        ["spec.objective.type: 'minimise' is not supported; write minimize or maximize"],
    ),
    "placeholder": (
        {"${trialParameters.hiddenUnits}": "32"},
        [
            "spec.trialTemplate.trialParameters[1].name: 'hiddenUnits' is not used: "
            "${trialParameters.hiddenUnits} does not occur in trialSpec"
        ],
    ),
    "algorithm_setting": (
        {'value: "7"': 'value: "-7"'},
        [
            "spec.algorithm.algorithmSettings[0].value: "
            "setting 'random_state' must be an integer >= 0, not '-7'"
        ],
    ),
    "v1alpha3": (
        {"v1beta1": "v1alpha3", "trialSpec:": "goTemplate: {rawTemplate: ''}\n    trialSpec:"},
        [
            "apiVersion: 'kubeflow.org/v1alpha3' is not supported; write kubeflow.org/v1beta1",
            "spec.trialTemplate.goTemplate: Go templates ended with v1alpha3; write the manifest itself",
        ],
    ),
    "syntax": ({'max: "1"': 'max: "1'}, ["line 32, column 15: not valid YAML"]),
    "runner": (
        {"  algorithm:": "  metricsCollectorSpec: {collector: {kind: TensorFlowEvent}}\n  algorithm:"},
        ["spec.metricsCollectorSpec.collector.kind: TensorFlowEvent needs a pod"],
    ),
    "several": (
        {
            "type: minimize": "type: minimise",
            'min: "0.001"': 'min: "0"',
            "algorithmName: random": "algorithmName: rnadom",
            "reference: hidden-units": "reference: hidden-unit",
            "parallelTrialCount: 2": "parallelTrialCount: 8",
        },
        [
            "Experiment 'random' has 5 problems:",
            "spec.parameters[0].feasibleSpace.min: '0' is not above 0, which logUniform needs",
            "spec.objective.type: 'minimise' is not supported; write minimize or maximize",
            "spec.algorithm.algorithmName: unknown algorithm 'rnadom' (did you mean 'random'?)",
            "spec.trialTemplate.trialParameters[1].reference: 'hidden-unit' is not the name of a search "
            "parameter; did you mean hidden-units?",
            "spec.parallelTrialCount: 8 is more than spec.maxTrialCount, which is 6",
        ],
    ),
}


def broken_yaml(changes: dict[str, str]) -> str:
    text = (EXAMPLES / "random.yaml").read_text()
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    return text


@pytest.fixture(scope="module")
def messages(airflow: ExampleAirflow) -> Iterator[dict[str, str]]:
    """The import error of each case, as Airflow's pages show it."""
    files = []
    for name, (changes, _) in CASES.items():
        files += [airflow.broken / f"{name}.yaml", airflow.broken / f"{name}.py"]
        files[-2].write_text(broken_yaml(changes))
        files[-1].write_text(DAG_FILE.format(name=name))
    deadline = time.monotonic() + 90
    found: dict[str, str] = {}
    while found.keys() != CASES.keys() and time.monotonic() < deadline:
        time.sleep(0.5)
        found = {name.removesuffix(".py"): text for name, text in airflow.import_errors().items()}
    yield found
    for file in files:
        file.unlink()


@pytest.mark.parametrize("case", CASES)
def test_the_message_names_every_problem(messages: dict[str, str], case: str) -> None:
    for line in CASES[case][1]:
        assert line in messages[case]


@pytest.mark.parametrize("case", CASES)
def test_the_message_leads_to_the_line_of_the_dag_file(messages: dict[str, str], case: str) -> None:
    assert f'katib_experiment("{case}.yaml", runner="process")' in messages[case]
