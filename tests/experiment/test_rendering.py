"""Trial templates: typing, metadata references, and values that would break text substitution."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from airflow_katib_provider.exceptions import RenderingError
from airflow_katib_provider.experiment.rendering import containers, primary_container, render
from airflow_katib_provider.experiment.spec import TrialTemplate
from airflow_katib_provider.experiment.yaml_text import dump_document

SPEC: dict[str, Any] = {
    "apiVersion": "batch/v1",
    "kind": "Job",
    "metadata": {"labels": {"team": "vision"}, "annotations": {"example.org/owner": "ada"}},
    "spec": {"args": ["--x=${trialParameters.x}"], "count": "${trialParameters.x}", "left": 1},
}


def template(**fields: Any) -> TrialTemplate:
    fields.setdefault("trialParameters", [{"name": "x", "reference": "x"}])
    if "configMap" not in fields:
        fields.setdefault("trialSpec", SPEC)
    return TrialTemplate.model_validate({"primaryContainerName": "main", **fields})


def rendered(trial_template: TrialTemplate, text: str | None = None, **assignments: str) -> dict[str, Any]:
    return render(
        trial_template,
        trial_name="tune-1",
        namespace="lab",
        assignments=assignments,
        config_map_text=text,
    )


CONFIG_MAP = {"configMap": {"configMapName": "c", "configMapNamespace": "n", "templatePath": "t.yaml"}}

AWKWARD = [
    'a "quoted" word',
    "back\\slash \\n",
    "two\nlines: [x",
    "a: b",
    "# no comment",
    "- item",
    "{brace}",
    "[[0, 1]]",
    "'single'",
    "*alias",
    "!tag",
    "%",
    "@",
    " padded ",
    "${trialParameters.x}",
    "${trialParameters.other}",
    r"\g<0>\1",
    "é",
]


def test_a_trial_spec_keeps_text() -> None:
    manifest = rendered(template(), x="3")
    assert manifest["spec"] == {"args": ["--x=3"], "count": "3", "left": 1}
    assert manifest["metadata"] == {**SPEC["metadata"], "name": "tune-1", "namespace": "lab"}
    assert SPEC["spec"]["count"] == "${trialParameters.x}"


@pytest.mark.parametrize("value", AWKWARD)
def test_a_value_stays_within_its_text_in_a_trial_spec(value: str) -> None:
    assert rendered(template(), x=value)["spec"] == {"args": [f"--x={value}"], "count": value, "left": 1}


def test_keys_and_several_placeholders() -> None:
    spec = {
        "kind": "Pod",
        "${trialParameters.a}-${trialParameters.b}": ["${trialParameters.b}${trialParameters.a}"],
    }
    entries = [{"name": "a", "reference": "a"}, {"name": "b", "reference": "b"}]
    manifest = rendered(template(trialSpec=spec, trialParameters=entries), a="${trialParameters.b}", b="2")
    assert manifest["${trialParameters.b}-2"] == ["2${trialParameters.b}"]


@pytest.mark.parametrize("name", ["learning rate", "a.b", "a-b", "ключ"])
def test_names_of_trial_parameters(name: str) -> None:
    spec = {"kind": "Pod", "value": f"${{trialParameters.{name}}}"}
    entries = [{"name": name, "reference": "lr"}]
    assert rendered(template(trialSpec=spec, trialParameters=entries), lr="0.1")["value"] == "0.1"


LABELLED = {**SPEC, "spec": {}, "value": "${trialParameters.m}"}
METADATA = {
    "${trialSpec.Name}": "tune-1",
    "${trialSpec.Namespace}": "lab",
    "${trialSpec.Kind}": "Job",
    "${trialSpec.APIVersion}": "batch/v1",
    "${trialSpec.Annotations[example.org/owner]}": "ada",
    "${trialSpec.Labels[team]}": "vision",
}


@pytest.mark.parametrize("in_text", [False, True])
@pytest.mark.parametrize(("reference", "value"), METADATA.items())
def test_a_metadata_reference(reference: str, value: str, in_text: bool) -> None:
    entries = [{"name": "m", "reference": reference}]
    if in_text:
        manifest = rendered(template(**CONFIG_MAP, trialParameters=entries), dump_document(LABELLED))
    else:
        manifest = rendered(template(trialSpec=LABELLED, trialParameters=entries))
    assert manifest["value"] == value


TEXT = """
apiVersion: batch/v1
kind: Job
whole: ${trialParameters.x}
quoted: "${trialParameters.x}"
part: --x=${trialParameters.x}
number: 1${trialParameters.x}
script: |
  run ${trialParameters.x}
folded: 'x ${trialParameters.x}'
list: ["${trialParameters.x}"]
"${trialParameters.x}": key
shared: &shared {value: "${trialParameters.x}"}
again: *shared
"""


@pytest.mark.parametrize(
    ("value", "whole", "number"),
    [
        ("3", 3, 13),
        ("0.5", 0.5, 10.5),
        ("1e-3", 0.001, 11e-3),
        ("true", True, "1true"),
        ("null", "null", "1null"),
        ("", "", 1),
        ("no", "no", "1no"),
        ("12:30", "12:30", "112:30"),
        ("adam", "adam", "1adam"),
        *((value, value, f"1{value}") for value in AWKWARD),
    ],
)
def test_a_config_map_gives_scalars_the_type_of_yaml(value: str, whole: object, number: object) -> None:
    manifest = rendered(template(**CONFIG_MAP), TEXT, x=value)
    metadata = manifest.pop("metadata")
    assert metadata == {"name": "tune-1", "namespace": "lab"}
    assert manifest == {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "whole": whole,
        "quoted": value,
        "part": f"--x={value}",
        "number": number,
        "script": f"run {value}\n",
        "folded": f"x {value}",
        "list": [value],
        value: "key",
        "shared": {"value": value},
        "again": {"value": value},
    }
    assert type(manifest["whole"]) is type(whole)


IN_TEXT = template(**CONFIG_MAP)
UNKNOWN_LABEL = [{"name": "x", "reference": "${trialSpec.Labels[app]}"}]


@pytest.mark.parametrize(
    ("trial_template", "text", "assignments", "message"),
    [
        (template(), None, {}, r"trialParameters\[0\]\.reference: 'x' has no assignment; assigned are none"),
        (template(), None, {"x": "1", "y": "2"}, r"trialParameters: nothing refers to the assigned y; add"),
        (
            template(trialParameters=UNKNOWN_LABEL),
            None,
            {},
            r"\[0\]\.reference: .*labels lack 'app'; there is team",
        ),
        (
            template(trialParameters=[{"name": "x", "reference": "${trialSpec.Labels}"}]),
            None,
            {},
            r"'\$\{trialSpec\.Labels\}' refers to no metadata; there is Name, Namespace",
        ),
        (
            template(trialParameters=[]),
            None,
            {},
            r"\$\{trialParameters\.x\} is not in trialParameters; there is none",
        ),
        (
            template(trialSpec={**SPEC, "metadata": "x"}),
            None,
            {"x": "1"},
            r"metadata is 'x'; write a mapping",
        ),
        (IN_TEXT, None, {"x": "1"}, r"configMap: the text of the ConfigMap is needed"),
        (IN_TEXT, "a: [", {"x": "1"}, r"configMap: 't\.yaml' is not valid YAML: line 2, column 1"),
        (IN_TEXT, "a: 1\n---\nb: 1", {"x": "1"}, r"'t\.yaml' is not valid YAML: line 2"),
        (IN_TEXT, "- 1", {"x": "1"}, r"'t\.yaml' is a list; write one Kubernetes object"),
        (IN_TEXT, "", {"x": "1"}, r"'t\.yaml' is null; write one Kubernetes object"),
        (IN_TEXT, "kind: Job", {"x": "1"}, r"'t\.yaml' lacks apiVersion"),
        (
            IN_TEXT,
            TEXT + "more: ${trialParameters.xx}\n",
            {"x": "1"},
            r"trialParameters\.xx\} is not in .* mean x\?",
        ),
    ],
)
def test_what_cannot_be_rendered(
    trial_template: TrialTemplate, text: str | None, assignments: dict[str, str], message: str
) -> None:
    with pytest.raises(RenderingError, match=message):
        rendered(trial_template, text, **assignments)


def job(*names: str) -> dict[str, Any]:
    return {"kind": "Job", "spec": {"template": {"spec": {"containers": [{"name": name} for name in names]}}}}


def test_the_primary_container() -> None:
    pod = {"kind": "Pod", "spec": {"containers": [{"name": "side"}, {"name": "main", "image": "x"}]}}
    assert primary_container(job("side", "main"), template()) == {"name": "main"}
    assert primary_container(pod, template())["image"] == "x"
    primary_container(pod, template())["image"] = "y"
    assert pod["spec"]["containers"][1]["image"] == "y"


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        (job("side", "other"), "there is no container 'main'; the template has side, other"),
        ({"kind": "Job", "spec": {}}, "there is no container 'main'; the template has none"),
        ({"kind": "Workflow", "spec": {}}, "kind 'Workflow' is neither a Job nor a Pod"),
    ],
)
def test_there_is_no_primary_container(manifest: dict[str, Any], message: str) -> None:
    with pytest.raises(RenderingError, match=rf"spec\.trialTemplate\.primaryContainerName: {message}"):
        primary_container(manifest, template())


def test_containers_of_other_kinds_are_not_known() -> None:
    assert containers({"kind": "Workflow", "spec": {"containers": []}}) is None


def test_neighbour_templates_do_not_share_state() -> None:
    one = template()
    before = deepcopy(one.trial_spec)
    rendered(one, x="1")["spec"]["args"].append("more")
    assert one.trial_spec == before
