"""One trial as a local process, from its slot to its result, against a real store."""

from __future__ import annotations

import json
import os
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowSkipException, TaskDeferred

from airflow_katib_provider import Experiment
from airflow_katib_provider.exceptions import MetricsUnavailableError, TrialFailedError
from airflow_katib_provider.experiment.trial import TrialCondition
from airflow_katib_provider.operators.process import ProcessTrialOperator
from airflow_katib_provider.store.records import ExperimentKey, TrialRecord
from tests.flow.experiments import experiment

if TYPE_CHECKING:
    from pathlib import Path

    from airflow_katib_provider.hooks.katib import KatibHook


def document(*command: str, **spec: Any) -> dict[str, Any]:
    built = experiment("process", **spec)
    job = built["spec"]["trialTemplate"]["trialSpec"]["spec"]
    job["template"]["spec"]["containers"][0].update(command=[*command, "${trialParameters.x}"])
    return built


def execute(hook: KatibHook, built: dict[str, Any], cwd: Path, **arguments: Any) -> dict[str, Any]:
    """Run slot 0, outside of any mapping and without retries."""
    record = hook.create_experiment(Experiment.from_dict(built), ExperimentKey("dag", "run", "suggest"))
    with DAG("dag") as dag:
        operator = ProcessTrialOperator(
            task_id="trial", experiment_id=record.id, slot=0, cwd=str(cwd), **arguments
        )
    context = {"ti": SimpleNamespace(map_index=-1, max_tries=0, try_number=1), "dag": dag}
    return operator.execute(context)  # type: ignore[arg-type]


def trial(hook: KatibHook) -> TrialRecord:
    (record,) = hook.store.trial_records(hook.find_experiment(ExperimentKey("dag", "run", "suggest")).id)
    return record


def test_environment_directory_and_result(hook: KatibHook, tmp_path: Path) -> None:
    script = 'echo "loss=$1"; echo "$KATIB_TRIAL_NAME $MINE $PWD" > seen'
    result = execute(hook, document("sh", "-c", script, "sh"), tmp_path, env={"MINE": "yes"})
    found = trial(hook)
    x = int(found.trial.assignments["x"])
    assert result == {
        "status": "Succeeded",
        "trial": found.name,
        "assignments": {"x": x},
        "metrics": {"loss": x, "accuracy": None},
    }
    assert (tmp_path / "seen").read_text() == f"{found.name} yes {tmp_path}\n"


def test_a_json_file_in_a_directory_of_the_trials_own(hook: KatibHook, tmp_path: Path) -> None:
    source = {"fileSystemPath": {"path": "/katib/metrics.json", "kind": "File", "format": "JSON"}}
    collector = {"collector": {"kind": "File"}, "source": source}
    line = json.dumps({"loss": 0.25, "accuracy": "0.75"})
    script = f"echo '{line}' > \"$0\"; echo loss=9; echo $0 > where"
    built = document("sh", "-c", script, "/katib/metrics.json", metricsCollectorSpec=collector)
    assert execute(hook, built, tmp_path)["metrics"] == {"loss": 0.25, "accuracy": 0.75}
    where = (tmp_path / "where").read_text().strip()
    assert where.endswith("/katib/metrics.json")
    assert not os.path.exists(where)


def test_a_template_from_a_config_map(hook: KatibHook, tmp_path: Path) -> None:
    built = document("sh", "-c", "echo loss=$0")
    template = built["spec"]["trialTemplate"]
    text = yaml.safe_dump(template.pop("trialSpec"))
    template.update(
        configMap={"configMapName": "jobs", "configMapNamespace": "ns", "templatePath": "job.yaml"},
        successCondition='status.conditions.#(type=="Complete")#',
        failureCondition='status.conditions.#(type=="Failed")#',
    )
    manifest = tmp_path / "jobs.yaml"
    manifest.write_text(yaml.safe_dump({"metadata": {"name": "jobs"}, "data": {"job.yaml": text}}))
    result = execute(hook, built, tmp_path, config_map=str(manifest))
    assert result["metrics"]["loss"] == result["assignments"]["x"]


@pytest.mark.parametrize(
    ("config_map", "message"),
    [(None, "give the path of its manifest"), ("nowhere.yaml", "nowhere.yaml")],
)
def test_a_config_map_that_is_not_there_fails_the_trial(
    hook: KatibHook, tmp_path: Path, config_map: str | None, message: str
) -> None:
    built = document("true")
    template = built["spec"]["trialTemplate"]
    del template["trialSpec"]
    template.update(
        configMap={"configMapName": "jobs", "configMapNamespace": "ns", "templatePath": "job.yaml"},
        successCondition="status.x",
        failureCondition="status.y",
    )
    with pytest.raises(TrialFailedError, match=message):
        execute(hook, built, tmp_path, config_map=config_map)
    assert trial(hook).trial.condition is TrialCondition.FAILED
    assert message in trial(hook).message


@pytest.mark.parametrize(
    ("command", "reason", "parts"),
    [
        (
            ("sh", "-c", "echo last words; exit 7"),
            "TrialCommandFailed",
            ["exit code 7", "last words", "sh -c"],
        ),
        (("sh", "-c", "kill -9 $$$$"), "TrialCommandFailed", ["SIGKILL"]),  # $$ is one dollar sign
        (("no-such-program",), "TrialCommandFailed", ["exit code 127", "No such file"]),
    ],
)
def test_failures_say_what_happened(
    hook: KatibHook, tmp_path: Path, command: tuple[str, ...], reason: str, parts: list[str]
) -> None:
    with pytest.raises(TrialFailedError) as error:
        execute(hook, document(*command), tmp_path)
    assert (trial(hook).trial.condition, trial(hook).reason) == (TrialCondition.FAILED, reason)
    for part in parts:
        assert part in str(error.value)
        assert part in trial(hook).message


def test_a_working_directory_that_is_not_there(hook: KatibHook, tmp_path: Path) -> None:
    with pytest.raises(TrialFailedError, match="could not be started"):
        execute(hook, document("true"), tmp_path / "nowhere")
    assert trial(hook).reason == "TrialCommandNotStarted"


def test_no_metrics(hook: KatibHook, tmp_path: Path) -> None:
    with pytest.raises(MetricsUnavailableError, match=r"'loss' .* was never reported"):
        execute(hook, document("true"), tmp_path)
    assert trial(hook).trial.condition is TrialCondition.METRICS_UNAVAILABLE


def test_a_slot_without_need_is_skipped_and_one_without_room_waits(hook: KatibHook, tmp_path: Path) -> None:
    built = document("true", parallelTrialCount=1, maxTrialCount=2)
    record = hook.create_experiment(Experiment.from_dict(built), ExperimentKey("dag", "run", "suggest"))
    hook.next_trial(record.id, 0)
    with DAG("dag") as dag:
        operator = ProcessTrialOperator(task_id="trial", experiment_id=record.id, slot=1)
    ti = SimpleNamespace(
        dag_id="dag",
        run_id="run",
        task_id="trial",
        map_index=1,
        get_task_states=lambda **_: {"run": {"trial_0": "running"}},
    )
    with pytest.raises(TaskDeferred) as deferred:
        operator.execute({"ti": ti, "dag": dag})  # type: ignore[arg-type]
    assert deferred.value.method_name == "take_turn"
    hook.close_silent_trials(record.id, "gone")
    hook.conclude(record.id)
    with pytest.raises(AirflowSkipException, match="needs no further trial"):
        operator.take_turn({"ti": ti, "dag": dag}, {})  # type: ignore[arg-type]
