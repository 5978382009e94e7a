"""Every code block of the README and the manual can be used as it stands."""

from __future__ import annotations

import shutil
import textwrap
from copy import deepcopy
from itertools import groupby
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG

from airflow_katib_provider import Experiment
from airflow_katib_provider.exceptions import InvalidExperimentError
from tests.docs.blocks import ROOT, Block, blocks

if TYPE_CHECKING:
    from pathlib import Path

ALL = blocks()
DAGS = [block for block in ALL if block.is_dag]
YAML = [block for block in ALL if block.language == "yaml"]
CODE = {
    page.relative_to(ROOT).as_posix(): list(found)
    for page, found in groupby(
        (block for block in ALL if block.language == "python" and not block.is_dag and not block.title),
        key=lambda block: block.page,
    )
}

PRELUDE = """
from airflow.sdk import task
from airflow_katib_provider import Experiment, katib_experiment
from airflow_katib_provider.operators.experiment import ExperimentOperator
from airflow_katib_provider.operators.process import ProcessTrialOperator
from airflow_katib_provider.operators.trial import KubernetesTrialOperator
from airflow_katib_provider.sensors.metrics import MetricsSensor

EXPERIMENT = Experiment.from_yaml("random.yaml")

@task
def deploy(optimal): ...
"""
"""What a fragment may use without a word: the public names, an experiment and a task that follows."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the experiments that pages speak of, as the working directory."""
    for file in [*ROOT.glob("example_dags/*.yaml"), *ROOT.glob("quickstart/dags/*.yaml")]:
        shutil.copy(file, tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_blocks_are_found() -> None:
    assert len(DAGS) >= 5
    assert len(YAML) >= 6
    assert {"README.md", "docs/experiments.md", "docs/algorithms.md"} <= CODE.keys()
    fences = sum(page.read_text().count("\n```") for page in {block.page for block in ALL})
    plain = sum(page.read_text().count("\n```\n") for page in {block.page for block in ALL})
    assert fences - plain == len(ALL)


@pytest.mark.parametrize("block", DAGS, ids=str)
def test_a_dag_is_one(block: Block, folder: Path) -> None:
    for other in blocks(block.page):
        if other.title and other.language == "yaml":
            (folder / other.title).write_text(other.text)
    (folder / "the_dag.py").write_text(dag_file(block.text))
    bag = DagBag(folder)
    assert bag.import_errors == {}
    (dag,) = bag.dags.values()
    assert any(task.task_type == "MetricsSensor" for task in dag.tasks)


def dag_file(text: str) -> str:
    """Return a DAG file; to a sketch, which nobody calls, the prelude and the call are added."""
    name = text.partition("@dag(")[2].partition("def ")[2].partition("(")[0]
    return text if f"\n{name}()\n" in text else f"{PRELUDE}\n{text}\n{name}()\n"


@pytest.mark.parametrize("page", CODE)
def test_code_runs(page: str, folder: Path) -> None:
    """The blocks of a page follow one another, as a reader would type them."""
    namespace: dict[str, Any] = {}
    exec(PRELUDE, namespace)
    for block in CODE[page]:
        source = "\n" * block.line + block.text
        with DAG(f"block-{block.line}", schedule=None):
            exec(compile(source, str(block.page), "exec"), namespace)


@pytest.mark.parametrize("block", YAML, ids=str)
def test_yaml_is_valid(block: Block) -> None:
    """A whole experiment by itself; fields of one as part of an experiment that is complete."""
    document = yaml.safe_load(block.text)
    if document.get("kind") != "Experiment":
        assert Experiment.from_dict(completed(document))
        return
    template = document["spec"]["trialTemplate"]
    if template["trialSpec"] == "...":
        template["trialSpec"] = job(template["trialParameters"])
        document["spec"]["trialTemplate"]["primaryContainerName"] = "training"
    experiment = Experiment.from_dict(document)
    assert Experiment.from_yaml(experiment.to_yaml()) == experiment


def test_what_is_no_experiment_is_noticed() -> None:
    with pytest.raises(InvalidExperimentError, match="unknown field"):
        Experiment.from_dict(completed({"objective": {"type": "minimize", "metric": "loss"}}))


def completed(fields: dict[str, Any]) -> dict[str, Any]:
    """Return an experiment with these fields of ``spec``; its template fits the parameters unless it is given."""
    document = deepcopy(Experiment.from_yaml(ROOT / "example_dags" / "random.yaml").to_dict())
    document["spec"].update(fields)
    template = document["spec"]["trialTemplate"]
    if "trialTemplate" in fields:
        references = [entry["reference"] for entry in template["trialParameters"]]
        document["spec"]["parameters"] = [
            parameter for parameter in document["spec"]["parameters"] if parameter["name"] in references
        ]
    else:
        names = [parameter["name"] for parameter in document["spec"]["parameters"]]
        template["trialParameters"] = [{"name": name, "reference": name} for name in names]
        template["trialSpec"] = job(template["trialParameters"])
    return document


def job(parameters: list[dict[str, str]]) -> dict[str, Any]:
    """Return a Job that uses every trial parameter."""
    text = """
        apiVersion: batch/v1
        kind: Job
        spec:
          template:
            spec:
              restartPolicy: Never
              containers:
                - name: training
                  image: registry.example.com/train:1
                  command: [python, train.py]
    """
    manifest: dict[str, Any] = yaml.safe_load(textwrap.dedent(text))
    container = manifest["spec"]["template"]["spec"]["containers"][0]
    container["args"] = [f"${{trialParameters.{parameter['name']}}}" for parameter in parameters]
    return manifest
