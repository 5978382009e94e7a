"""Reading documents: what does not fit is named, and the rest is judged all the same."""

from __future__ import annotations

import json
import math
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from airflow_katib_provider.exceptions import InvalidExperimentError
from airflow_katib_provider.experiment.experiment import Experiment
from airflow_katib_provider.experiment.parsing import parse_document, read_yaml
from airflow_katib_provider.experiment.spec import ExperimentSpec, ParameterType
from tests.experiment.documents import ABSENT, YAML, Case, assert_problems, document

if TYPE_CHECKING:
    from collections.abc import Iterator

P = "spec.parameters"
T = "spec.trialTemplate"

MISFITS: list[Case] = [
    (
        "a count that is text",
        {"spec.maxTrialCount": "6"},
        {"spec.maxTrialCount": "a whole number, found '6'"},
    ),
    (
        "a count that is true",
        {"spec.maxTrialCount": True},
        {"spec.maxTrialCount": "a whole number, found true"},
    ),
    ("a count with a fraction", {"spec.maxTrialCount": 2.5}, {"spec.maxTrialCount": "found 2.5"}),
    ("a goal that is text", {"spec.objective.goal": "low"}, {"spec.objective.goal": "a number, found 'low'"}),
    ("a flag that is text", {f"{T}.retain": "yes"}, {f"{T}.retain": "expected true or false, found 'yes'"}),
    (
        "a name that is a number",
        {f"{T}.primaryContainerName": 1},
        {f"{T}.primaryContainerName": "put it in quotes"},
    ),
    ("a list that is a mapping", {P: {}}, {P: "expected a list, found a mapping"}),
    ("a mapping that is a list", {T: []}, {T: "expected a mapping, found a list"}),
    ("an entry that is text", {f"{P}[1]": "layers"}, {f"{P}[1]": "expected a mapping, found 'layers'"}),
    (
        "a value that is a list",
        {f"{P}[2].feasibleSpace.list[1]": []},
        {f"{P}[2].feasibleSpace.list[1]": "text"},
    ),
    (
        "a value that is null",
        {f"{P}[2].feasibleSpace.list[1]": None},
        {f"{P}[2].feasibleSpace.list[1]": "null"},
    ),
    ("spec is a list", {"spec": []}, {"spec": "expected a mapping, found a list"}),
    ("no spec", {"spec": ABSENT}, {"spec": "must be specified"}),
    (
        "settings without a value",
        {"spec.algorithm.algorithmSettings": [{"name": "random_state"}]},
        {"spec.algorithm.algorithmSettings[0].value": "must be specified"},
    ),
    (
        "a port that is a list",
        {"spec.metricsCollectorSpec": {"source": {"httpGet": {"port": []}}}},
        {"spec.metricsCollectorSpec.source.httpGet.port": "found a list"},
    ),
    ("a long value is cut", {"spec.maxTrialCount": "x" * 99}, {"spec.maxTrialCount": "x...'"}),
]

UNKNOWN: list[Case] = [
    (
        "misspelt",
        {"spec.paralelTrialCount": 3, "spec.parallelTrialCount": ABSENT},
        {"spec.paralelTrialCount": "unknown field; did you mean parallelTrialCount?"},
    ),
    (
        "misspelt beside the right one",
        {"spec.objectives": []},
        {"spec.objectives": "did you mean objective?"},
    ),
    (
        "misspelt, required",
        {"spec.objective": ABSENT, "spec.objectiv": {"type": "minimize", "objectiveMetricName": "loss"}},
        {"spec.objectiv": "did you mean objective?"},
    ),
    ("in a list", {f"{P}[0].feasiblespace": {}}, {f"{P}[0].feasiblespace": "did you mean feasibleSpace?"}),
    (
        "in a list, deeper",
        {f"{P}[0].feasibleSpace.maximum": "1"},
        {f"{P}[0].feasibleSpace.maximum": "did you mean max?"},
    ),
    (
        "like nothing",
        {"spec.algorithm.zzz": 1},
        {"spec.algorithm.zzz": "unknown field; known here: algorithmName, algorithmSettings"},
    ),
    ("at the top", {"foo": 1}, {"foo": "unknown field; known here: apiVersion, kind, metadata, spec"}),
    ("at the top, of spec", {"maxTrialCount": 1}, {"maxTrialCount": "it belongs under spec"}),
    (
        "apiVersion",
        {"apiVersion": "batch/v1"},
        {"apiVersion": "'batch/v1' is not supported; write kubeflow.org/v1beta1"},
    ),
    ("kind", {"kind": "Trial"}, {"kind": "'Trial' is not supported; write Experiment"}),
    (
        "v1alpha3",
        {
            "apiVersion": "kubeflow.org/v1alpha3",
            T: {"goTemplate": {"rawTemplate": "apiVersion: batch/v1\n"}},
        },
        {
            "apiVersion": "write kubeflow.org/v1beta1 (and trialSpec with trialParameters in place of",
            f"{T}.goTemplate": "write the manifest itself under trialSpec",
        },
    ),
]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [pytest.param(changes, expected, id=name) for name, changes, expected in (*MISFITS, *UNKNOWN)],
)
def test_what_does_not_fit(changes: dict[str, Any], expected: dict[str, str]) -> None:
    assert_problems(changes, expected)


def test_the_rest_is_judged_beside_a_misfit() -> None:
    assert_problems(
        {
            f"{P}[0].parameterType": "float",
            f"{P}[1].feasibleSpace.max": [4],
            f"{P}[1].feasibleSpace.step": "0",
            f"{P}[3].feasibleSpace.list": ["big"],
            "spec.maxFailedTrialCount": "one",
            "spec.parallelTrialCount": 9,
        },
        {
            f"{P}[0].parameterType": "'float'",
            f"{P}[1].feasibleSpace.max": "found a list",
            f"{P}[1].feasibleSpace.step": "'0' is not above 0",
            f"{P}[3].feasibleSpace.list[0]": "'big'",
            "spec.maxFailedTrialCount": "found 'one'",
            "spec.parallelTrialCount": "9 is more than",
        },
    )


def test_the_value_of_a_misspelt_field_counts_for_the_others() -> None:
    parsed = parse_document(document({"spec.maxTrialCount": ABSENT, "spec.maxTrialCounts": 6}))
    assert parsed.spec.max_trial_count == 6
    assert [problem.path for problem in parsed.problems] == ["spec.maxTrialCounts"]


def test_python_names_and_models() -> None:
    written = document()["spec"]
    parameter = ExperimentSpec.model_validate(written).parameters[0]
    container = {"name": "main", "args": ("${trialParameters.learningRate}",)}
    spec = {
        "objective": {"type": "minimize", "objective_metric_name": "loss"},
        "algorithm": {"algorithm_name": "random"},
        "max_trial_count": 6,
        "parameters": (parameter,),
        "trial_template": {
            "primary_container_name": "main",
            "trial_parameters": [{"name": "learningRate", "reference": "lr"}],
            "trial_spec": {
                "apiVersion": "batch/v1",
                "kind": "Job",
                "spec": {"template": {"spec": {"containers": (container,)}}},
            },
        },
    }
    experiment = Experiment(metadata={"name": "tune"}, spec=spec)
    assert experiment.spec.parameters[0].parameter_type is ParameterType.DOUBLE
    assert Experiment(metadata={"name": "tune"}, spec=experiment.spec).spec == experiment.spec
    assert Experiment.from_yaml(experiment.to_yaml()).spec == experiment.spec
    with pytest.raises(InvalidExperimentError, match=r"spec\.maxTrialCount: expected a whole number"):
        Experiment(metadata={"name": "tune"}, spec=spec | {"max_trial_count": "x"})
    with pytest.raises(InvalidExperimentError, match=r"spec\.paralelTrialCount: unknown field"):
        Experiment(metadata={"name": "tune"}, spec=spec | {"paralel_trial_count": 1})


def test_what_is_given_is_not_changed() -> None:
    given = document({"spec.paralelTrialCount": 3, "spec.objective.goal": [], "spec.resumePolicy": None})
    kept = json.dumps(given)
    parse_document(given)
    assert json.dumps(given) == kept
    valid = document()
    experiment = Experiment.from_dict(valid)
    kept = experiment.to_yaml()
    valid["spec"]["trialTemplate"]["trialSpec"]["kind"] = "Pod"
    valid["metadata"]["name"] = "other"
    assert experiment.to_yaml() == kept


ODD = (None, True, -1, 0.5, math.inf, "", "x", [], {}, [None], ["x", 1], {"x": 1}, [{"x": []}], [[[]]])


def paths(node: Any, path: str = "") -> Iterator[str]:
    for key, value in node.items() if isinstance(node, dict) else enumerate(node):
        here = f"{path}[{key}]" if isinstance(key, int) else f"{path}.{key}".lstrip(".")
        yield here
        if isinstance(value, (dict, list)):
            yield from paths(value, here)


@pytest.mark.parametrize("path", list(paths(document())))
def test_no_odd_value_breaks_the_reader(path: str) -> None:
    for value in ODD:
        with suppress(InvalidExperimentError):
            experiment = Experiment.from_dict(document({path: value}))
            assert Experiment.from_yaml(experiment.to_yaml()) == experiment


@pytest.mark.parametrize("as_path", [str, Path])
def test_a_file(tmp_path: Path, as_path: type) -> None:
    path = tmp_path / "tune.yaml"
    path.write_text(f"---\n{YAML}---\n", encoding="utf-8")
    assert Experiment.from_yaml(as_path(path)) == Experiment.from_yaml(YAML)


def test_json_on_one_line() -> None:
    assert Experiment.from_yaml(json.dumps(document())) == Experiment.from_yaml(YAML)


def test_a_file_that_is_missing() -> None:
    with pytest.raises(FileNotFoundError, match=r"no/such\.yaml"):
        Experiment.from_yaml("no/such.yaml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: [1, 2\n", r"line 3, column 1: not valid YAML: did not find expected ',' or ']'"),
        ("a: 1\na: 2\n", r"line 2, column 1: not valid YAML: the key 'a' is given twice"),
        ("a: !!python/name:os.system x\n", r"line 1, column 4: not valid YAML: could not determine"),
        (
            f"{YAML}---\nkind: ConfigMap\n",
            r"expected one Experiment, found 2 documents \(Experiment, ConfigMap\)",
        ),
        ("---\n", r"expected one Experiment, found 0 documents \(none\)"),
        ("- 1\n", r"expected one Experiment, found a list"),
        ("text\n", r"expected one Experiment, found 'text'"),
    ],
)
def test_text_that_is_not_one_document(text: str, message: str) -> None:
    with pytest.raises(InvalidExperimentError, match=message):
        read_yaml(text)
