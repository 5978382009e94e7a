"""A trial template's container as a local command."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from airflow_katib_provider import Experiment
from airflow_katib_provider.operators._local_command import LocalCommand, check_local
from tests.flow.experiments import experiment

if TYPE_CHECKING:
    from pathlib import Path


def document(container: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    built = experiment("local", **spec)
    main = built["spec"]["trialTemplate"]["trialSpec"]["spec"]["template"]["spec"]["containers"][0]
    main.update(container or {})
    return built


def command(document: dict[str, Any], directory: Path) -> LocalCommand:
    parsed = Experiment.from_dict(document)
    manifest = parsed.trial_template.trial_spec
    assert manifest is not None
    return LocalCommand.from_manifest(parsed, manifest, str(directory))


def test_command_arguments_and_environment(tmp_path: Path) -> None:
    container = {
        "command": ["python", "train.py", "${trialParameters.x}"],
        "args": ["--name=$(NAME)", "$$(NAME)", "$(UNKNOWN)"],
        "env": [{"name": "FIRST", "value": "a"}, {"name": "NAME", "value": "$(FIRST)b"}, {"name": "EMPTY"}],
    }
    found = command(document(container), tmp_path)
    assert found.arguments == (
        "python", "train.py", "${trialParameters.x}", "--name=ab", "$(NAME)", "$(UNKNOWN)",
    )  # fmt: skip
    assert found.env == {"FIRST": "a", "NAME": "ab", "EMPTY": ""}
    assert (found.timeout, found.metrics_file) == (None, None)


def test_a_mounted_metrics_file_moves_into_the_trials_directory(tmp_path: Path) -> None:
    container = {
        "command": ["python", "train.py", "${trialParameters.x}", "--log=/var/log/katib/metrics.log"],
        "args": ["/var/log/katib", "/var/log/katib2/x", "a/var/log/katib/x", "x:/var/log/katib/y"],
        "env": [{"name": "OUT", "value": "/var/log/katib/"}],
    }
    collector = {"collector": {"kind": "File"}}
    found = command(document(container, metricsCollectorSpec=collector), tmp_path)
    here = f"{tmp_path}/var/log/katib"
    assert found.arguments[3:] == (
        f"--log={here}/metrics.log", here, "/var/log/katib2/x", "a/var/log/katib/x", f"x:{here}/y",
    )  # fmt: skip
    assert found.env == {"OUT": f"{here}/"}
    assert found.metrics_file == f"{here}/metrics.log"
    assert os.path.isdir(here)


def test_the_shorter_deadline_counts(tmp_path: Path) -> None:
    built = document()
    job = built["spec"]["trialTemplate"]["trialSpec"]["spec"]
    job["activeDeadlineSeconds"] = 100
    assert command(built, tmp_path).timeout == 100
    job["template"]["spec"]["activeDeadlineSeconds"] = 50
    assert command(built, tmp_path).timeout == 50


@pytest.mark.parametrize(
    ("container", "spec", "path", "message"),
    [
        (
            {"command": None, "args": ["${trialParameters.x}"]},
            {},
            "trialSpec, container 'main'",
            "command is missing",
        ),
        (
            {"env": [{"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]},
            {},
            "env 'TOKEN'",
            "valueFrom is known to Kubernetes alone",
        ),
        (
            {},
            {"metricsCollectorSpec": {"collector": {"kind": "TensorFlowEvent"}}},
            "spec.metricsCollectorSpec.collector.kind",
            "a local process has StdOut or File",
        ),
    ],
)
def test_what_a_process_cannot_be(
    container: dict[str, Any], spec: dict[str, Any], path: str, message: str
) -> None:
    problems = list(check_local(Experiment.from_dict(document(container, **spec))))
    assert len(problems) == 1
    assert path in problems[0].path
    assert message in problems[0].message
