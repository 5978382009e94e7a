"""The verbs of a running experiment, against a real store."""

from __future__ import annotations

import multiprocessing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_katib_provider import Experiment, algorithms
from airflow_katib_provider.exceptions import ExperimentFailedError, NotFoundError
from airflow_katib_provider.experiment.trial import ExperimentCondition, MetricLog, TrialCondition
from airflow_katib_provider.hooks.answers import Bound, Decided, Waiting
from airflow_katib_provider.hooks.katib import KatibHook
from airflow_katib_provider.store.records import ExperimentKey, TrialRecord
from tests.flow.conftest import katib_connection
from tests.flow.experiments import experiment

if TYPE_CHECKING:
    from sqlalchemy import URL

KEY = ExperimentKey("dag", "run", "experiment")
CONDITIONS = TrialCondition


def connect(monkeypatch: pytest.MonkeyPatch, url: URL) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_KATIB_DEFAULT", katib_connection(url))


def create(hook: KatibHook, **spec: Any) -> int:
    return hook.create_experiment(Experiment.from_dict(experiment("hook", **spec)), KEY).id


def bind(hook: KatibHook, experiment_id: int, slot: int) -> TrialRecord:
    answer = hook.next_trial(experiment_id, slot)
    assert isinstance(answer, Bound)
    return answer.trial


def report(hook: KatibHook, trial: TrialRecord, *values: str, metric: str = "loss") -> None:
    now = datetime.now(UTC)
    rows = [MetricLog(metric, value, now + timedelta(seconds=i), i + 1) for i, value in enumerate(values)]
    hook.register_observation_log(trial.name, rows)


def finish(
    hook: KatibHook, trial: TrialRecord, condition: TrialCondition = CONDITIONS.SUCCEEDED
) -> Decided | None:
    return hook.finish_trial(trial.name, condition, "Reason", "message").decided


class TestCreating:
    def test_the_same_run_finds_the_same_experiment(self, hook: KatibHook) -> None:
        first = create(hook)
        assert create(hook) == first
        assert hook.find_experiment(KEY).id == first

    def test_once_trials_were_started_a_new_attempt_begins(self, hook: KatibHook) -> None:
        first = create(hook)
        bind(hook, first, 0)
        second = create(hook)
        assert second != first
        assert (hook.find_experiment(KEY).id, hook.find_experiment(KEY).attempt) == (second, 2)
        assert hook.store.experiment(first).condition is ExperimentCondition.RUNNING

    def test_a_task_without_an_experiment(self, hook: KatibHook) -> None:
        with pytest.raises(NotFoundError, match="task 'nowhere' of DAG 'dag' in run 'run'"):
            hook.find_experiment(ExperimentKey("dag", "run", "nowhere"))

    def test_what_comes_back_is_what_was_written(self, hook: KatibHook) -> None:
        written = Experiment.from_dict(experiment("hook"))
        record = hook.create_experiment(written, KEY)
        assert hook.experiment(record).to_yaml() == written.to_yaml()


class TestBinding:
    def test_parallel_trials_differ_and_wait_for_room(self, hook: KatibHook) -> None:
        experiment_id = create(hook)
        first, second = bind(hook, experiment_id, 0), bind(hook, experiment_id, 1)
        assert first.trial.assignments != second.trial.assignments
        assert isinstance(hook.next_trial(experiment_id, 2), Waiting)
        report(hook, first, "1")
        finish(hook, first)
        assert isinstance(hook.next_trial(experiment_id, 2), Bound)

    def test_a_slot_keeps_its_trial_and_starts_it_over(self, hook: KatibHook) -> None:
        experiment_id = create(hook)
        first = bind(hook, experiment_id, 0)
        report(hook, first, "1", "2")
        answer = hook.next_trial(experiment_id, 0)
        assert isinstance(answer, Bound)
        assert answer.is_rerun
        assert (answer.trial.name, answer.trial.attempt) == (first.name, first.attempt + 1)
        assert list(hook.get_observation_log(first.name)) == []

    def test_the_last_point_of_a_grid_ends_the_suggestions(self, hook: KatibHook) -> None:
        points = [{"name": "x", "parameterType": "discrete", "feasibleSpace": {"list": ["1", "2"]}}]
        experiment_id = create(hook, parameters=points)
        for slot in (0, 1):
            trial = bind(hook, experiment_id, slot)
            report(hook, trial, "1")
            decided = finish(hook, trial)
        assert decided is not None
        assert decided.reason == "ExperimentSuggestionEndReached"
        answer = hook.next_trial(experiment_id, 2)
        assert isinstance(answer, Decided)
        assert answer.reason == "ExperimentSuggestionEndReached"

    def test_a_round_is_bound_at_once_and_only_once(self, hook: KatibHook) -> None:
        experiment_id = create(hook, maxTrialCount=5)
        first = hook.bind_round(experiment_id, range(2))
        assert [trial.slot for trial in first] == [0, 1]
        assert [trial.name for trial in hook.bind_round(experiment_id, range(2))] == [t.name for t in first]
        last = hook.bind_round(experiment_id, range(4, 9))
        assert [trial.slot for trial in last] == [4, 5, 6]  # maxTrialCount is 5

    def test_the_seed_of_the_experiment_decides(self, hook: KatibHook) -> None:
        random = {"algorithmName": "random", "algorithmSettings": [{"name": "random_state", "value": "7"}]}
        experiment_id = create(hook, algorithm=random)
        trial = bind(hook, experiment_id, 0)
        bind(hook, experiment_id, 1)
        again = create(hook, algorithm=random)
        assert again != experiment_id
        assert bind(hook, again, 0).trial.assignments == trial.trial.assignments


class TestFinishing:
    def test_the_strategy_gives_the_value(self, hook: KatibHook) -> None:
        experiment_id = create(hook)
        trial = bind(hook, experiment_id, 0)
        report(hook, trial, "0.5", "0.2", "0.3")
        report(hook, trial, "0.9", "nan", metric="accuracy")
        finish(hook, trial)
        assert hook.optimal_trial(experiment_id) == {
            "trial": trial.name,
            "assignments": {"x": int(trial.trial.assignments["x"])},
            "metrics": {"loss": 0.2, "accuracy": 0.9},
        }

    @pytest.mark.parametrize("values", [(), ("nan",), ("inf",), ("",), ("high",)])
    def test_without_a_finite_objective_metrics_are_unavailable(
        self, hook: KatibHook, values: tuple[str, ...]
    ) -> None:
        experiment_id = create(hook)
        trial = bind(hook, experiment_id, 0)
        report(hook, trial, *values)
        finish(hook, trial)
        ended = hook.store.trial(trial.name)
        assert ended.trial.condition is CONDITIONS.METRICS_UNAVAILABLE
        assert "'loss'" in ended.message
        assert hook.optimal_trial(experiment_id) is None

    def test_the_goal_decides_and_the_decision_stands(self, hook: KatibHook) -> None:
        objective = {"type": "minimize", "objectiveMetricName": "loss", "goal": 0.1}
        experiment_id = create(hook, objective=objective, maxFailedTrialCount=1)
        first, second = bind(hook, experiment_id, 0), bind(hook, experiment_id, 1)
        report(hook, first, "0.05")
        decided = finish(hook, first)
        assert decided is not None
        assert decided.reason == "ExperimentGoalReached"
        assert finish(hook, second, CONDITIONS.FAILED) == decided
        assert isinstance(hook.next_trial(experiment_id, 2), Decided)

    def test_a_decision_while_the_algorithm_thinks_binds_nothing(
        self, hook: KatibHook, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        objective = {"type": "minimize", "objectiveMetricName": "loss", "goal": 0.1}
        experiment_id = create(hook, objective=objective)
        first = bind(hook, experiment_id, 0)
        report(hook, first, "0.05")
        think = algorithms.suggest

        def slowly(*arguments: Any, **settings: Any) -> algorithms.Suggestions:
            assert finish(hook, first) is not None
            return think(*arguments, **settings)

        monkeypatch.setattr(algorithms, "suggest", slowly)
        answer = hook.next_trial(experiment_id, 1)
        assert isinstance(answer, Decided)
        assert answer.reason == "ExperimentGoalReached"
        assert [trial.name for trial in hook.store.trials(experiment_id)] == [first.name]

    def test_a_failure_that_is_retried_does_not_touch_the_budget(self, hook: KatibHook) -> None:
        experiment_id = create(hook, maxFailedTrialCount=1)
        trial = bind(hook, experiment_id, 0)
        ended = hook.finish_trial(trial.name, CONDITIONS.FAILED, "R", "exit code 1", will_retry=True)
        assert ended.decided is None
        assert (ended.trial.trial.condition, ended.trial.reason) == (CONDITIONS.CREATED, "TrialRetrying")
        assert ended.trial.message == "exit code 1"
        assert hook.active_trials(experiment_id) == 1
        assert isinstance(hook.next_trial(experiment_id, 0), Bound)

    def test_a_retry_after_the_decision_leaves_it_as_it_is(self, hook: KatibHook) -> None:
        objective = {"type": "minimize", "objectiveMetricName": "loss", "goal": 0.1}
        experiment_id = create(hook, objective=objective)
        first, second = bind(hook, experiment_id, 0), bind(hook, experiment_id, 1)
        hook.finish_trial(first.name, CONDITIONS.FAILED, "R", "message", will_retry=True)
        report(hook, second, "0.05")
        assert finish(hook, second) is not None
        assert isinstance(hook.next_trial(experiment_id, 0), Bound)
        assert hook.store.experiment(experiment_id).reason == "ExperimentGoalReached"

    def test_a_trial_run_again_reopens_the_experiment(self, hook: KatibHook) -> None:
        experiment_id = create(hook, maxTrialCount=1, parallelTrialCount=1)
        trial = bind(hook, experiment_id, 0)
        report(hook, trial, "1")
        assert finish(hook, trial) is not None
        hook.next_trial(experiment_id, 0)
        assert hook.store.experiment(experiment_id).condition is ExperimentCondition.RESTARTING
        report(hook, trial, "2")
        assert finish(hook, trial) is not None
        best = hook.optimal_trial(experiment_id)
        assert best is not None
        assert best["metrics"]["loss"] == 2

    def test_silent_trials_are_closed_and_the_end_decides(self, hook: KatibHook) -> None:
        experiment_id = create(hook)
        bind(hook, experiment_id, 0)
        hook.close_silent_trials(experiment_id, "nothing was heard of it")
        ended = hook.store.trial_at(experiment_id, 0)
        assert ended is not None
        assert ended.trial.condition is CONDITIONS.METRICS_UNAVAILABLE
        record = hook.conclude(experiment_id)
        assert (record.condition, record.reason) == (ExperimentCondition.FAILED, "ExperimentTrialsEnded")
        with pytest.raises(ExperimentFailedError, match="'hook' failed"):
            hook.require_success(experiment_id)


class TestObservationLogs:
    def test_register_get_and_delete(self, hook: KatibHook) -> None:
        trial = bind(hook, create(hook), 0)
        start = datetime(2026, 1, 1, tzinfo=UTC)
        rows = [
            MetricLog(metric, str(step), start + timedelta(minutes=step), step)
            for step in (1, 2, 3)
            for metric in ("loss", "accuracy")
        ]
        assert hook.register_observation_log(trial.name, rows) == 6
        assert hook.register_observation_log(trial.name, rows) == 0
        assert list(hook.get_observation_log(trial.name)) == sorted(
            rows, key=lambda row: (row.timestamp, row.step, row.metric)
        )
        middle = start + timedelta(minutes=2)
        assert [row.value for row in hook.get_observation_log(trial.name, "loss", end_time=middle)] == [
            "1",
            "2",
        ]
        assert [row.value for row in hook.get_observation_log(trial.name, "loss", start_time=middle)] == [
            "2",
            "3",
        ]
        assert hook.delete_observation_log(trial.name) == 6
        assert list(hook.get_observation_log(trial.name)) == []

    def test_a_trial_that_does_not_exist(self, hook: KatibHook) -> None:
        with pytest.raises(NotFoundError, match="nobody"):
            hook.register_observation_log("nobody", [MetricLog("loss", "1", datetime.now(UTC), 1)])


def _ask(experiment_id: int, slot: int, start: Any, answers: Any) -> None:
    start.wait()
    answer = KatibHook().next_trial(experiment_id, slot)
    answers.put((slot, answer.trial.trial.assignments["x"] if isinstance(answer, Bound) else repr(answer)))


def test_32_processes_that_ask_at_once_get_32_different_trials(
    database_url: URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(monkeypatch, database_url)
    parameters = [{"name": "x", "parameterType": "int", "feasibleSpace": {"min": "1", "max": "32"}}]
    experiment_id = create(KatibHook(), parameters=parameters, parallelTrialCount=32, maxTrialCount=32)
    context = multiprocessing.get_context("fork")
    start, answers = context.Event(), context.Queue()
    processes = [
        context.Process(target=_ask, args=(experiment_id, slot, start, answers)) for slot in range(32)
    ]
    for process in processes:
        process.start()
    start.set()
    found = dict(answers.get(timeout=120) for _ in processes)
    for process in processes:
        process.join()
    assert sorted(found) == list(range(32))
    assert sorted(int(x) for x in found.values()) == list(range(1, 33))
    trials = KatibHook().store.trials(experiment_id)
    assert [trial.number for trial in trials] == list(range(32))
