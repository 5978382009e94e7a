"""Every example that needs no cluster, run on a real Airflow."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_katib_provider import Experiment
from airflow_katib_provider.experiment.trial import ExperimentCondition, TrialCondition
from airflow_katib_provider.store.records import ExperimentKey, ExperimentRecord, TrialRecord
from tests.example_dags.conftest import EXAMPLES, ExampleAirflow

if TYPE_CHECKING:
    from collections.abc import Mapping


def experiment(airflow: ExampleAirflow, dag_id: str, run_id: str, task_id: str) -> ExperimentRecord:
    record = airflow.store.find_experiment(ExperimentKey(dag_id, run_id, task_id))
    assert record is not None
    return record


def succeeded(airflow: ExampleAirflow, record: ExperimentRecord, count: int) -> list[TrialRecord]:
    """Return the trials of an experiment of which all have succeeded, the best one first."""
    assert record.condition is ExperimentCondition.SUCCEEDED
    trials = airflow.store.trial_records(record.id)
    assert [trial.trial.condition for trial in trials] == [TrialCondition.SUCCEEDED] * count
    objective = Experiment.from_dict(record.document).objective
    return sorted(trials, key=lambda trial: trial.trial.value or 0, reverse=objective.is_maximize)


def reports(airflow: ExampleAirflow, trial: TrialRecord, metric: str) -> list[float]:
    return [float(row.value) for row in airflow.store.get_observation_log(trial.name, metric=metric)]


def train(assignments: Mapping[str, Any], data: Path) -> dict[str, float]:
    """Run the training program by hand and return the smallest loss and the largest accuracy it reports."""
    arguments = [f"--{name}={value}" for name, value in assignments.items()]
    env = {**os.environ, "DATA": str(data), "OMP_NUM_THREADS": "1"}
    program = [sys.executable, EXAMPLES / "train.py", *arguments]
    output = subprocess.run(program, env=env, check=True, capture_output=True, text=True).stdout
    return {
        "loss": min(map(float, re.findall(r"loss=(\S+)", output))),
        "accuracy": max(map(float, re.findall(r"accuracy=(\S+)", output))),
    }


def test_katib_yaml(airflow: ExampleAirflow, runs: dict[str, str]) -> None:
    run_id = runs["katib_yaml"]
    assert airflow.wait_for_run("katib_yaml", run_id) == "success"
    assert airflow.states("katib_yaml", run_id, "random.trial") == dict.fromkeys(range(6), "success")
    best = succeeded(airflow, experiment(airflow, "katib_yaml", run_id, "random.suggest"), 6)[0]
    optimal = airflow.xcom("katib_yaml", run_id, "random.metrics")
    assert optimal["trial"] == best.name
    assert {name: str(value) for name, value in optimal["assignments"].items()} == best.trial.assignments
    assert optimal["metrics"] == train(best.trial.assignments, airflow.storage / "points.npz")
    assert json.loads((airflow.storage / "deployed.json").read_text()) == optimal


def test_three_classes(airflow: ExampleAirflow, runs: dict[str, str]) -> None:
    run_id = runs["three_classes"]
    assert airflow.wait_for_run("three_classes", run_id) == "success"
    best = succeeded(airflow, experiment(airflow, "three_classes", run_id, "experiment"), 6)[0]
    assert airflow.xcom("three_classes", run_id, "metrics")["trial"] == best.name
    assert airflow.xcom("three_classes", run_id, "trial", best.slot)["metrics"]["loss"] == best.trial.value


def test_explicit_rounds(airflow: ExampleAirflow, runs: dict[str, str]) -> None:
    run_id = runs["explicit_rounds"]
    assert airflow.wait_for_run("explicit_rounds", run_id) == "success"
    trials = succeeded(airflow, experiment(airflow, "explicit_rounds", run_id, "random.suggest_1"), 6)
    announced = [
        slot for k in (1, 2, 3) for slot in airflow.xcom("explicit_rounds", run_id, f"random.suggest_{k}")
    ]
    assert {
        slot["trial_name"]: {k: str(v) for k, v in slot["assignments"].items()} for slot in announced
    } == {trial.name: trial.trial.assignments for trial in trials}
    assert airflow.xcom("explicit_rounds", run_id, "random.metrics_3")["trial"] == trials[0].name


def test_python_experiment(airflow: ExampleAirflow, runs: dict[str, str]) -> None:
    run_id = runs["python_experiment"]
    assert airflow.wait_for_run("python_experiment", run_id) == "success"
    best = succeeded(airflow, experiment(airflow, "python_experiment", run_id, "python-tpe.suggest"), 8)[0]
    optimal = airflow.xcom("python_experiment", run_id, "python-tpe.metrics")
    assert {name: type(value) for name, value in optimal["assignments"].items()} == {
        "learning-rate": float,
        "hidden-units": int,
        "batch-size": int,
        "activation": str,
    }
    assert optimal["assignments"]["hidden-units"] % 4 == 0
    assert optimal["metrics"] == {
        "loss": min(reports(airflow, best, "loss")),
        "accuracy": max(reports(airflow, best, "accuracy")),
    }
    described = airflow.xcom("python_experiment", run_id, "describe")
    assert described.startswith(f"{optimal['assignments']['hidden-units']} units")


def test_error_budget_and_retries(airflow: ExampleAirflow, runs: dict[str, str]) -> None:
    run_id = runs["error_budget_and_retries"]
    assert airflow.wait_for_run("error_budget_and_retries", run_id) == "success"
    record = experiment(airflow, "error_budget_and_retries", run_id, "diverging.suggest")
    assert (record.condition, record.reason) == (ExperimentCondition.SUCCEEDED, "ExperimentMaxTrialsReached")
    trials = airflow.store.trial_records(record.id)
    diverged = {t.name for t in trials if float(t.trial.assignments["learning-rate"]) >= 10}
    unlucky = trials[0].name
    assert trials[0].slot == 0
    assert unlucky not in diverged
    failed = [trial for trial in trials if trial.trial.condition is TrialCondition.FAILED]
    assert {trial.name for trial in failed} == diverged
    assert len(failed) == 2
    assert all("diverged in epoch 1" in trial.message for trial in failed)
    assert {trial.name for trial in trials if trial.attempt == 2} == {unlucky, *diverged}
    assert Counter(airflow.states("error_budget_and_retries", run_id, "diverging.trial").values()) == {
        "success": 4,
        "failed": 2,
    }
    reasons = [row.reason for row in airflow.store.conditions(record.id, unlucky)]
    assert reasons.count("TrialRetrying") == 1
    log = airflow.log("error_budget_and_retries", run_id, "diverging.trial", 0, try_number=1)
    assert "the machine was taken away" in log
    assert "exit code 75" in log


def test_metrics_file(airflow: ExampleAirflow, runs: dict[str, str]) -> None:
    run_id = runs["metrics_file"]
    assert airflow.wait_for_run("metrics_file", run_id) == "success"
    for name, metrics in {"metrics-json": {"loss", "accuracy"}, "metrics-text": {"accuracy"}}.items():
        trials = succeeded(airflow, experiment(airflow, "metrics_file", run_id, f"{name}.suggest"), 4)
        optimal = airflow.xcom("metrics_file", run_id, f"{name}.metrics")
        assert optimal["trial"] == trials[0].name
        assert set(optimal["metrics"]) == metrics
        for trial in trials:
            assert all(len(reports(airflow, trial, metric)) == 10 for metric in metrics)
            assert not list(Path(tempfile.gettempdir()).glob(f"{trial.name}-*"))
        last = reports(airflow, trials[0], "accuracy")[-1 if name == "metrics-json" else slice(None)]
        assert optimal["metrics"]["accuracy"] == (last if name == "metrics-json" else max(last))
