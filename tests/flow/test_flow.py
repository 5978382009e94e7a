"""Experiments as DAG runs on a real Airflow: control flow, states, results."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, TypeVar

import psutil
import pytest

from airflow_katib_provider.experiment.trial import ExperimentCondition, TrialCondition
from airflow_katib_provider.store.records import ExperimentKey, ExperimentRecord, TrialRecord

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.flow.conftest import FlowAirflow

T = TypeVar("T")
TRIAL, METRICS = "tune.trial", "tune.metrics"


def wait_for(look: Callable[[], T | None], timeout: float = 60) -> T:
    deadline = time.monotonic() + timeout
    while (found := look()) is None:
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.2)
    return found


def experiment(
    airflow: FlowAirflow, dag_id: str, run_id: str, task_id: str = "tune.suggest"
) -> ExperimentRecord:
    record = airflow.store.find_experiment(ExperimentKey(dag_id, run_id, task_id))
    assert record is not None
    return record


def trials(airflow: FlowAirflow, record: ExperimentRecord) -> list[TrialRecord]:
    return airflow.store.trial_records(record.id)


def conditions(records: list[TrialRecord]) -> Counter[TrialCondition]:
    return Counter(record.trial.condition for record in records)


@pytest.fixture(scope="session")
def runs(airflow: FlowAirflow) -> dict[str, str]:
    """Start at once what does not disturb the others, so that they wait together."""
    names = [
        "window",
        "rounds",
        "rounds_goal",
        "goal",
        "over_budget",
        "within_budget",
        "unavailable",
        "crowded",
        "deadline",
    ]
    return {name: airflow.run(name) for name in names}


def test_sliding_window(airflow: FlowAirflow, runs: dict[str, str]) -> None:
    run_id = runs["window"]
    assert airflow.wait_for_run("window", run_id) == "success"
    assert airflow.states("window", run_id, TRIAL) == dict.fromkeys(range(8), "success")

    record = experiment(airflow, "window", run_id)
    assert (record.condition, record.reason) == (
        ExperimentCondition.SUCCEEDED,
        "ExperimentSuggestionEndReached",
    )
    found = trials(airflow, record)
    assert sorted(int(trial.trial.assignments["x"]) for trial in found) == [1, 2, 3, 4, 5, 6, 7, 8]
    for trial in found:
        x = float(trial.trial.assignments["x"])
        assert trial.trial.value == (x - 3) ** 2 + 0.5  # the smallest of two steps
        log = list(airflow.store.get_observation_log(trial.name))
        assert Counter((row.metric, row.step) for row in log) == Counter(
            [("loss", 1), ("loss", 2), ("accuracy", 1), ("accuracy", 2)]
        )

    best = next(trial for trial in found if trial.trial.assignments["x"] == "3")
    optimal = {"trial": best.name, "assignments": {"x": 3}, "metrics": {"loss": 0.5, "accuracy": 0.5}}
    assert airflow.xcom("window", run_id, METRICS) == optimal
    assert airflow.xcom("window", run_id, "deploy") == optimal
    labels = {
        ti["map_index"]: ti["rendered_map_index"] for ti in airflow.task_instances("window", run_id, TRIAL)
    }
    assert labels[best.slot] == f"{best.name}: x=3"
    assert "x=3.0" in airflow.log("window", run_id, TRIAL, best.slot)


def test_rounds(airflow: FlowAirflow, runs: dict[str, str]) -> None:
    run_id = runs["rounds"]
    assert airflow.wait_for_run("rounds", run_id) == "success"
    record = experiment(airflow, "rounds", run_id, "tune.suggest_1")
    found = trials(airflow, record)
    assert record.reason == "ExperimentMaxTrialsReached"
    for index, slots in enumerate([(0, 1), (2, 3), (4,)]):
        announced = airflow.xcom("rounds", run_id, f"tune.suggest_{index + 1}")
        assert [slot["slot"] for slot in announced] == list(slots)
        for slot in announced:
            trial = found[slot["slot"]]
            assert (slot["trial_name"], slot["assignments"]) == (
                trial.name,
                {"x": int(trial.trial.assignments["x"])},
            )
            earlier = [other for other in found if other.slot < slots[0]]
            assert all(other.finished_at < trial.started_at for other in earlier)  # type: ignore[operator]
    best = min(found, key=lambda trial: trial.trial.value or 0)
    assert airflow.xcom("rounds", run_id, "deploy")["trial"] == best.name


def test_rounds_end_with_the_goal(airflow: FlowAirflow, runs: dict[str, str]) -> None:
    run_id = runs["rounds_goal"]
    assert airflow.wait_for_run("rounds_goal", run_id) == "success"
    record = experiment(airflow, "rounds_goal", run_id, "tune.suggest_1")
    assert record.reason == "ExperimentGoalReached"
    assert len(trials(airflow, record)) == 2
    assert set(airflow.states("rounds_goal", run_id, "tune.trial_4").values()) == {"skipped"}
    assert airflow.xcom("rounds_goal", run_id, "deploy")["trial"]


def test_goal_skips_what_has_not_started(airflow: FlowAirflow, runs: dict[str, str]) -> None:
    run_id = runs["goal"]
    assert airflow.wait_for_run("goal", run_id) == "success"
    record = experiment(airflow, "goal", run_id)
    assert (record.condition, record.reason) == (ExperimentCondition.SUCCEEDED, "ExperimentGoalReached")
    started = {trial.slot for trial in trials(airflow, record)}
    states = airflow.states("goal", run_id, TRIAL)
    assert len(states) == 40
    assert {index for index, state in states.items() if state == "success"} == started
    assert {index for index, state in states.items() if state == "skipped"} == set(states) - started
    assert len(started) <= 3
    decider = min(trials(airflow, record), key=lambda trial: trial.finished_at)  # type: ignore[arg-type,return-value]
    assert airflow.xcom("goal", run_id, TRIAL, decider.slot)["trial"] == decider.name


def test_error_budget_fails_the_run(airflow: FlowAirflow, runs: dict[str, str]) -> None:
    run_id = runs["over_budget"]
    assert airflow.wait_for_run("over_budget", run_id) == "failed"
    record = experiment(airflow, "over_budget", run_id)
    assert (record.condition, record.reason) == (ExperimentCondition.FAILED, "ExperimentFailed")
    states = Counter(airflow.states("over_budget", run_id, TRIAL).values())
    assert 3 <= states["failed"] <= 4
    assert states["failed"] + states["skipped"] == 40
    assert airflow.states("over_budget", run_id, METRICS) == {-1: "failed"}
    assert record.message in airflow.log("over_budget", run_id, METRICS)
    failed = next(
        trial for trial in trials(airflow, record) if trial.trial.condition is TrialCondition.FAILED
    )
    log = airflow.log("over_budget", run_id, TRIAL, failed.slot)
    for part in ("python train.py", "exit code 3", "x is too large for this model"):
        assert part in log
        assert part in failed.message


def test_failures_within_the_budget(airflow: FlowAirflow, runs: dict[str, str]) -> None:
    run_id = runs["within_budget"]
    assert airflow.wait_for_run("within_budget", run_id) == "success"
    found = trials(airflow, experiment(airflow, "within_budget", run_id))
    assert conditions(found) == {TrialCondition.SUCCEEDED: 6, TrialCondition.FAILED: 2}
    states = airflow.states("within_budget", run_id, TRIAL)
    assert {states[trial.slot] for trial in found if int(trial.trial.assignments["x"]) > 6} == {"failed"}
    assert airflow.xcom("within_budget", run_id, "deploy")["assignments"] == {"x": 3}


def test_unavailable_metrics_count_as_failures(airflow: FlowAirflow, runs: dict[str, str]) -> None:
    run_id = runs["unavailable"]
    assert airflow.wait_for_run("unavailable", run_id) == "success"
    found = trials(airflow, experiment(airflow, "unavailable", run_id))
    assert conditions(found) == {TrialCondition.SUCCEEDED: 6, TrialCondition.METRICS_UNAVAILABLE: 2}
    unavailable = next(t for t in found if t.trial.condition is TrialCondition.METRICS_UNAVAILABLE)
    assert "nan" in unavailable.message
    assert unavailable.trial.value is None
    assert airflow.states("unavailable", run_id, TRIAL)[unavailable.slot] == "failed"


def test_parallelism_holds_without_airflows_help(airflow: FlowAirflow, runs: dict[str, str]) -> None:
    run_id = runs["crowded"]
    assert airflow.wait_for_run("crowded", run_id) == "success"
    found = trials(airflow, experiment(airflow, "crowded", run_id))
    assert conditions(found) == {TrialCondition.SUCCEEDED: 8}
    moments = sorted(
        moment
        for trial in found
        for moment in ((trial.created_at, 1, trial.slot), (trial.finished_at, -1, trial.slot))
    )
    active = peak = 0
    for _, change, _ in moments:
        active += change
        peak = max(peak, active)
    assert peak == 2


def test_killed_task_is_retried_with_the_same_trial(airflow: FlowAirflow, runs: dict[str, str]) -> None:
    marker = airflow.home / "hung-once"
    run_id = airflow.run("killed")
    pid = wait_for(lambda: int(marker.read_text()) if marker.exists() and marker.read_text() else None)
    record = experiment(airflow, "killed", run_id)
    before = trials(airflow, record)[0]
    airflow.kill_task_of(pid)
    assert airflow.wait_for_run("killed", run_id) == "success"
    after = trials(airflow, record)
    assert (after[0].name, after[0].trial.assignments) == (before.name, before.trial.assignments)
    assert conditions(after) == {TrialCondition.SUCCEEDED: 2}
    assert after[0].attempt == before.attempt + 1
    assert not psutil.pid_exists(pid)
    steps = Counter((row.metric, row.step) for row in airflow.store.get_observation_log(before.name))
    assert set(steps.values()) == {1}
    assert len(steps) == 4


def test_a_trial_over_its_deadline_fails(airflow: FlowAirflow, runs: dict[str, str]) -> None:
    run_id = runs["deadline"]
    assert airflow.wait_for_run("deadline", run_id) == "failed"
    (trial,) = trials(airflow, experiment(airflow, "deadline", run_id))
    assert (trial.trial.condition, trial.reason) == (TrialCondition.FAILED, "DeadlineExceeded")
    assert "was ended after 2 s" in trial.message
    assert airflow.find_process("--seconds=62") is None


def test_a_task_that_a_user_ends_takes_its_process_with_it(
    airflow: FlowAirflow, runs: dict[str, str]
) -> None:
    run_id = airflow.run("stopped")
    child = wait_for(lambda: airflow.find_process("--seconds=61"), timeout=90)
    airflow.set_task_state("stopped", run_id, TRIAL, "failed", 0)
    assert airflow.wait_for_run("stopped", run_id) == "success"
    (trial,) = trials(airflow, experiment(airflow, "stopped", run_id))
    assert (trial.trial.condition, trial.reason) == (TrialCondition.KILLED, "TrialKilled")
    assert not psutil.pid_exists(child)


def test_trial_without_a_word_becomes_unavailable(airflow: FlowAirflow, runs: dict[str, str]) -> None:
    run_id = airflow.run("lost")
    child = wait_for(lambda: airflow.find_process("--seconds=60"), timeout=90)
    airflow.kill_task_of(child)
    assert airflow.wait_for_run("lost", run_id) == "success"
    record = experiment(airflow, "lost", run_id)
    assert [trial.trial.condition for trial in trials(airflow, record)] == [
        TrialCondition.METRICS_UNAVAILABLE
    ]


def test_cleared_trial_runs_again(airflow: FlowAirflow, runs: dict[str, str]) -> None:
    run_id = runs["within_budget"]
    airflow.wait_for_run("within_budget", run_id)
    record = experiment(airflow, "within_budget", run_id)
    before = trials(airflow, record)
    chosen = next(trial for trial in before if trial.trial.condition is TrialCondition.SUCCEEDED)
    airflow.clear("within_budget", run_id, [(TRIAL, chosen.slot)], downstream=True)
    assert airflow.wait_for_run("within_budget", run_id) == "success"
    after = trials(airflow, record)
    assert [(trial.name, trial.trial.assignments) for trial in after] == [
        (trial.name, trial.trial.assignments) for trial in before
    ]
    assert [trial.attempt - old.attempt for trial, old in zip(after, before, strict=True)] == [
        int(trial.slot == chosen.slot) for trial in after
    ]
    assert conditions(after) == conditions(before)
    history = [row.condition for row in airflow.store.conditions(record.id)]
    assert ExperimentCondition.RESTARTING in history
    assert history[-1] is ExperimentCondition.SUCCEEDED


def test_experiment_run_again_begins_a_new_attempt(airflow: FlowAirflow, runs: dict[str, str]) -> None:
    run_id = runs["window"]
    airflow.wait_for_run("window", run_id)
    first = experiment(airflow, "window", run_id)
    airflow.clear("window", run_id)
    assert airflow.wait_for_run("window", run_id) == "success"
    second = experiment(airflow, "window", run_id)
    assert (second.attempt, second.id != first.id) == (first.attempt + 1, True)
    assert conditions(trials(airflow, second)) == {TrialCondition.SUCCEEDED: 8}
    names = {trial.name for trial in trials(airflow, first)}
    assert names.isdisjoint(trial.name for trial in trials(airflow, second))
    assert airflow.xcom("window", run_id, "deploy")["trial"] not in names
