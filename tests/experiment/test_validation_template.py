"""Every rule about the trial template: a change to a valid experiment, and exactly its problems."""

from __future__ import annotations

import math
from typing import Any

import pytest

from tests.experiment.documents import ABSENT, Case, assert_problems

P = "spec.parameters"
T = "spec.trialTemplate"
POD = f"{T}.trialSpec.spec.template.spec"
MAIN = f"{POD}.containers[0]"

CONFIG_MAP = {"configMapName": "trials", "configMapNamespace": "kubeflow", "templatePath": "job.yaml"}

TEMPLATE: list[Case] = [
    ("rule 17", {T: ABSENT}, {T: "must be specified"}),
    ("rule 18", {f"{T}.primaryContainerName": ""}, {f"{T}.primaryContainerName": "must be specified"}),
    (
        "rule 19",
        {f"{T}.trialSpec.kind": "Workflow", f"{T}.trialSpec.apiVersion": "argoproj.io/v1alpha1"},
        {f"{T}.successCondition": "must be specified", f"{T}.failureCondition": "must be specified"},
    ),
    ("rule 20", {f"{T}.trialParameters": ABSENT}, {f"{T}.trialParameters": "must be specified; write []"}),
    (
        "rule 21, neither",
        {f"{T}.trialSpec": ABSENT, f"{T}.successCondition": "s", f"{T}.failureCondition": "f"},
        {T: "neither trialSpec nor configMap"},
    ),
    ("rule 21, both", {f"{T}.configMap": CONFIG_MAP}, {T: "both trialSpec and configMap"}),
    (
        "rule 22",
        {
            f"{T}.trialSpec": ABSENT,
            f"{T}.configMap": {"configMapName": "trials"},
            f"{T}.successCondition": "s",
            f"{T}.failureCondition": "f",
        },
        {
            f"{T}.configMap.configMapNamespace": "must be specified",
            f"{T}.configMap.templatePath": "must be specified",
        },
    ),
    (
        "rule 24, no name",
        {f"{T}.trialParameters[4]": {"name": "", "reference": "${trialSpec.Name}"}},
        {f"{T}.trialParameters[4].name": "must be specified"},
    ),
    (
        "rule 24, no reference",
        {f"{T}.trialParameters[0].reference": ""},
        {f"{T}.trialParameters[0].reference": "must be specified"},
    ),
    (
        "rule 24, braces",
        {f"{T}.trialParameters[0].name": "{lr}", f"{MAIN}.command": ["${trialParameters.{lr}}"]},
        {f"{T}.trialParameters[0].name": "'{lr}' must not contain braces"},
    ),
    (
        "rule 25, name",
        {f"{T}.trialParameters[4]": {"name": "layers", "reference": "${trialSpec.Name}"}},
        {f"{T}.trialParameters[4].name": "'layers' is the name of entry 1 already"},
    ),
    (
        "rule 25, reference",
        {
            f"{T}.trialParameters[4]": {"name": "rate", "reference": "lr"},
            f"{MAIN}.image": "${trialParameters.rate}",
        },
        {f"{T}.trialParameters[4].reference": "'lr' is the reference of entry 0 already"},
    ),
    (
        "rule 26",
        {f"{T}.trialParameters[1].reference": "layer"},
        {f"{T}.trialParameters[1].reference": "is not the name of a search parameter; did you mean layers?"},
    ),
    (
        "rule 26, nothing near",
        {
            f"{T}.trialParameters[4]": {"name": "x", "reference": "???"},
            f"{MAIN}.image": "${trialParameters.x}",
        },
        {f"{T}.trialParameters[4].reference": "there is lr, layers, optimizer, batch"},
    ),
    (
        "rule 26, metadata",
        {
            f"{T}.trialParameters[4]": {"name": "x", "reference": "${trialSpec.Uid}"},
            f"{MAIN}.image": "${trialParameters.x}",
        },
        {f"{T}.trialParameters[4].reference": "'${trialSpec.Uid}' refers to no metadata; there is Name"},
    ),
    (
        "rule 26, label",
        {
            f"{T}.trialParameters[4]": {"name": "x", "reference": "${trialSpec.Labels[app]}"},
            f"{MAIN}.image": "${trialParameters.x}",
        },
        {f"{T}.trialParameters[4].reference": "metadata.labels lack 'app'; there is team"},
    ),
    (
        "rule 27",
        {f"{MAIN}.command": ["python"]},
        {f"{T}.trialParameters[0].name": "${trialParameters.learningRate} does not occur in trialSpec"},
    ),
    (
        "rule 28",
        {f"{MAIN}.image": "${trialParameters.tag}"},
        {f"{MAIN}.image": "${trialParameters.tag} is not in trialParameters; add an entry"},
    ),
    (
        "rules 27 and 28 by one typing error",
        {f"{MAIN}.command": ["--lr=${trialParameters.learningrate}"]},
        {f"{MAIN}.command[0]": "is not in trialParameters; did you mean learningRate?"},
    ),
    (
        "rule 28, in a key",
        {f"{POD}.nodeSelector": {"${trialParameters.zone}": "a"}},
        {f"{POD}.nodeSelector": "${trialParameters.zone} is not in trialParameters"},
    ),
    (
        "rule 29",
        {f"{POD}.activeDeadlineSeconds": math.inf},
        {f"{POD}.activeDeadlineSeconds": "Infinity is not a number that JSON has"},
    ),
    (
        "rule 30, name",
        {f"{T}.trialSpec.metadata.name": "x"},
        {f"{T}.trialSpec.metadata.name": "must be left out"},
    ),
    (
        "rule 30, namespace",
        {f"{T}.trialSpec.metadata.namespace": "x"},
        {f"{T}.trialSpec.metadata.namespace": "must be left out"},
    ),
    (
        "rule 31, apiVersion",
        {f"{T}.trialSpec.apiVersion": ABSENT},
        {f"{T}.trialSpec.apiVersion": "must be specified"},
    ),
    (
        "rule 31, kind",
        {f"{T}.trialSpec.kind": ABSENT, f"{T}.successCondition": "s", f"{T}.failureCondition": "f"},
        {f"{T}.trialSpec.kind": "must be specified"},
    ),
    (
        "rule 32, unknown field",
        {f"{POD}.container": [], f"{MAIN}.imagePullPolice": "Always"},
        {
            f"{MAIN}.imagePullPolice": "unknown field; did you mean imagePullPolicy?",
            f"{POD}.container": "unknown field; did you mean containers?",
        },
    ),
    (
        "rule 32, text",
        {f"{MAIN}.command": "python"},
        {
            f"{MAIN}.command": "expected a list, found 'python'",
            f"{T}.trialParameters[0].name": "does not occur",
        },
    ),
    (
        "rule 32, number",
        {f"{MAIN}.env[0].value": 3},
        {
            f"{MAIN}.env[0].value": "expected text, found 3; put it in quotes",
            f"{T}.trialParameters[3].name": "does not occur",
        },
    ),
    (
        "rule 32, whole number",
        {f"{POD}.activeDeadlineSeconds": "60"},
        {f"{POD}.activeDeadlineSeconds": "expected a whole number, found '60'"},
    ),
    ("rule 32, truth", {f"{MAIN}.tty": "yes"}, {f"{MAIN}.tty": "expected true or false, found 'yes'"}),
    (
        "rule 32, mapping",
        {f"{POD}.securityContext": []},
        {f"{POD}.securityContext": "expected a mapping, found a list"},
    ),
    (
        "rule 32, labels",
        {f"{T}.trialSpec.metadata.labels": {"run": 1}},
        {f"{T}.trialSpec.metadata.labels.run": "expected text, found 1; put it in quotes"},
    ),
    (
        "primary container",
        {f"{T}.primaryContainerName": "train"},
        {f"{T}.primaryContainerName": "'train' is no container of trialSpec, which has main"},
    ),
    (
        "unreferenced parameter",
        {
            f"{P}[4]": {
                "name": "dropout",
                "parameterType": "double",
                "feasibleSpace": {"min": "0", "max": "1"},
            }
        },
        {f"{P}[4]": "'dropout' reaches no trial"},
    ),
]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [pytest.param(changes, expected, id=name) for name, changes, expected in TEMPLATE],
)
def test_a_rule(changes: dict[str, Any], expected: dict[str, str]) -> None:
    assert_problems(changes, expected)
