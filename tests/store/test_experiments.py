"""Experiments: found or created by key, in attempts."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from airflow_katib_provider.exceptions import NotFoundError
from airflow_katib_provider.experiment.trial import ExperimentCondition
from airflow_katib_provider.store.records import ExperimentKey
from tests.store.samples import KEY, add_trial, create


def test_experiment_is_kept_as_given(store):
    before = datetime.now(UTC)
    document = {"spec": {"b": 1e-05, "a": [True, None, "ü🚀"], "big": 2**70}, "metadata": {"name": "日本"}}
    created = create(store, document=document, name="random", namespace="team", seed=2**63 - 1)
    assert store.experiment(created.id) == store.find_experiment(KEY) == created
    assert (created.key, created.attempt) == (KEY, 1)
    assert (created.document, created.name, created.namespace) == (document, "random", "team")
    assert list(created.document["spec"]) == ["b", "a", "big"]
    assert created.seed == 2**63 - 1
    assert created.condition is ExperimentCondition.CREATED
    assert (created.started_at, created.completed_at, created.suggestions_exhausted) == (None, None, False)
    assert before <= created.created_at <= datetime.now(UTC)
    assert created.created_at.tzinfo is UTC


def test_what_is_not_there(store):
    assert store.find_experiment(KEY) is None
    with pytest.raises(NotFoundError, match="id 42"):
        store.experiment(42)
    with pytest.raises(NotFoundError, match="id 42"), store.locked(42):
        pass
    assert store.trials(42) == []


def test_same_key_finds_the_experiment_and_updates_it(store):
    first = create(store, document={"version": 1}, seed=1)
    second = create(store, document={"version": 2}, name="other", namespace="team", seed=2)
    assert (second.id, second.attempt) == (first.id, 1)
    assert (second.document, second.name, second.namespace, second.seed) == (
        {"version": 2},
        "other",
        "team",
        2,
    )
    assert len(store.conditions(first.id)) == 1


def test_key_with_trials_begins_a_new_attempt(store):
    first = create(store)
    add_trial(store, first.id)
    second = create(store, document={"version": 2})
    assert (second.attempt, store.trials(second.id)) == (2, [])
    assert store.find_experiment(KEY) == second
    assert create(store).id == second.id
    assert store.experiment(first.id) == first
    assert len(store.trials(first.id)) == 1


def test_decided_experiment_without_trials_begins_again(store):
    first = create(store)
    with store.locked(first.id) as transaction:
        transaction.set_suggestions_exhausted()
        transaction.set_experiment_condition(ExperimentCondition.FAILED, "ExperimentFailed", "no suggestion")
    again = create(store)
    assert again == first
    assert [entry.condition for entry in store.conditions(first.id)] == ["Created", "Failed", "Created"]


@pytest.mark.parametrize(
    "other",
    [
        ExperimentKey("Retune", KEY.run_id, KEY.task_id),
        ExperimentKey(KEY.dag_id, KEY.run_id, "éxperiment"),
        ExperimentKey(KEY.dag_id, KEY.run_id, KEY.task_id, map_index=0),
        ExperimentKey("d" * 250, "r" * 250, "t" * 250, 2**31 - 1),
        ExperimentKey("🚀" * 250, "🚀" * 250, "🚀" * 250),
    ],
    ids=["case", "accent", "map index", "longest", "longest in bytes"],
)
def test_keys_are_told_apart(store, experiment, other):
    assert store.find_experiment(other) is None
    created = create(store, other)
    assert created.id != experiment.id
    assert store.find_experiment(other).key == other


def test_list_is_newest_first(store):
    ids = [create(store, ExperimentKey(f"dag{number % 2}", f"run{number}", "t")).id for number in range(5)]

    def listed(**filters):
        return [record.id for record in store.list_experiments(**filters)]

    assert listed(limit=10, offset=0) == ids[::-1]
    assert listed(limit=2, offset=1) == [ids[3], ids[2]]
    assert listed(limit=10, offset=0, dag_ids={"dag1"}) == [ids[3], ids[1]]
    assert listed(limit=10, offset=0, dag_ids=[]) == []


def test_conditions_and_times_of_an_experiment(store, experiment):
    steps = [
        (ExperimentCondition.RUNNING, "ExperimentRunning", "Experiment is running"),
        (ExperimentCondition.RUNNING, "ExperimentRunning", "said again"),
        (ExperimentCondition.SUCCEEDED, "ExperimentGoalReached", "goal 🎯"),
        (ExperimentCondition.RESTARTING, "ExperimentRestarting", "again"),
        (ExperimentCondition.FAILED, "ExperimentFailed", "x" * 200_000),
    ]
    seen = []
    for step in steps:
        with store.locked(experiment.id) as transaction:
            transaction.set_experiment_condition(*step)
            assert transaction.experiment.condition is step[0]
        seen.append(store.experiment(experiment.id))
    running, again, goal, restarting, failed = seen
    assert running.started_at is not None
    assert {record.started_at for record in seen} == {running.started_at}
    assert again.message == "said again"
    assert running.completed_at is None
    assert goal.completed_at >= goal.started_at
    assert restarting.completed_at is None
    assert failed.message == "x" * 200_000
    history = [(entry.condition, entry.reason, entry.message) for entry in store.conditions(experiment.id)]
    assert history[1:] == [steps[0], *steps[2:]]
    assert {entry.trial_name for entry in store.conditions(experiment.id)} == {None}
