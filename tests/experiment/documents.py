"""A small experiment as YAML, and changes to it by path."""

from __future__ import annotations

import re
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from airflow_katib_provider.exceptions import InvalidExperimentError
from airflow_katib_provider.experiment.experiment import Experiment
from airflow_katib_provider.experiment.yaml_text import dump_document

if TYPE_CHECKING:
    from collections.abc import Mapping

ABSENT = object()

Case = tuple[str, dict[str, Any], dict[str, str]]
"""What is tested, the changes by path, and the problems that they make: path to a part of the message."""

YAML = """\
apiVersion: kubeflow.org/v1beta1
kind: Experiment
metadata:
  name: tune
spec:
  objective: {type: minimize, goal: 0.01, objectiveMetricName: loss, additionalMetricNames: [accuracy]}
  algorithm: {algorithmName: random}
  parallelTrialCount: 2
  maxTrialCount: 6
  maxFailedTrialCount: 1
  parameters:
    - name: lr
      parameterType: double
      feasibleSpace: {min: "0.001", max: "0.1", distribution: logUniform}
    - name: layers
      parameterType: int
      feasibleSpace: {min: "1", max: "4"}
    - name: optimizer
      parameterType: categorical
      feasibleSpace: {list: [adam, sgd]}
    - name: batch
      parameterType: discrete
      feasibleSpace: {list: ["16", "32"]}
  trialTemplate:
    primaryContainerName: main
    trialParameters:
      - {name: learningRate, reference: lr}
      - {name: layers, reference: layers}
      - {name: optimizer, reference: optimizer}
      - {name: batch, reference: batch}
    trialSpec:
      apiVersion: batch/v1
      kind: Job
      metadata: {labels: {team: vision}}
      spec:
        template:
          spec:
            restartPolicy: Never
            containers:
              - name: main
                image: example/train
                command: [python, train.py, "--lr=${trialParameters.learningRate}"]
                args: ["--layers=${trialParameters.layers}", "${trialParameters.optimizer}"]
                env: [{name: BATCH, value: "${trialParameters.batch}"}]
"""
_DOCUMENT: dict[str, Any] = yaml.safe_load(YAML)


def document(changes: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the experiment above, each path in ``changes`` set to its value, or taken out if ``ABSENT``."""
    root = deepcopy(_DOCUMENT)
    for path, value in (changes or {}).items():
        *parents, last = [int(key) if key.isdigit() else key for key in re.findall(r"[^.\[\]]+", path)]
        node: Any = root
        for key in parents:
            node = node[key] if isinstance(node, list) else node.setdefault(key, {})
        if value is ABSENT:
            del node[last]
        elif isinstance(node, list) and last == len(node):
            node.append(value)
        else:
            node[last] = value
    return root


def assert_problems(changes: Mapping[str, Any], expected: Mapping[str, str]) -> None:
    """Check that the changed experiment has these problems and no other."""
    with pytest.raises(InvalidExperimentError) as caught:
        Experiment.from_yaml(dump_document(document(changes)))
    problems = {problem.path: problem.message for problem in caught.value.problems}
    assert problems.keys() == expected.keys()
    for path, fragment in expected.items():
        assert fragment in problems[path]
