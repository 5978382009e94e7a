"""Trials: added under a lease, changed in a transaction on their experiment."""

from __future__ import annotations

import pytest

from airflow_katib_provider.exceptions import LeaseLostError, NotFoundError, StoreError
from airflow_katib_provider.experiment.trial import (
    Metric,
    Observation,
    TrialCondition,
)
from airflow_katib_provider.store.records import ExperimentKey, Lease
from tests.store.samples import add_trial, create, reports

OBSERVATION = Observation((Metric("loss", "0.10", "1e-3", "NaN"), Metric("genotype", "Genotype(🚀)")))


def test_trial_is_kept_as_given(store, experiment):
    with store.lease(experiment.id) as lease, store.locked(experiment.id) as transaction:
        added = transaction.add_trial(
            lease,
            slot=7,
            name="random-x",
            assignments={"z": "0.1", "a": "ü", "m": "1e-05"},
            labels={"generation": "3"},
        )
        assert transaction.trial_at(7) == transaction.trial("random-x") == added
        assert transaction.trials() == [added.trial]
    assert store.trial("random-x") == store.trial_at(experiment.id, 7) == added
    assert store.trial_records(experiment.id) == [added]
    assert (added.experiment_id, added.slot, added.name, added.attempt) == (experiment.id, 7, "random-x", 0)
    assert list(added.trial.assignments.items()) == [("z", "0.1"), ("a", "ü"), ("m", "1e-05")]
    assert added.trial.labels == {"generation": "3"}
    assert added.trial.condition is TrialCondition.CREATED
    assert (added.handle, added.started_at, added.finished_at) == (None, None, None)
    assert (added.trial.value, added.trial.observation, added.trial.duration) == (None, None, None)


def test_numbers_follow_creation_not_slots(store, experiment):
    for slot in (3, 0, 12, 1):
        add_trial(store, experiment.id, slot)
    assert [(record.trial.number, record.slot) for record in store.trial_records(experiment.id)] == [
        (0, 3),
        (1, 0),
        (2, 12),
        (3, 1),
    ]
    assert [trial.number for trial in store.trials(experiment.id)] == [0, 1, 2, 3]


def test_slot_has_one_trial(store, experiment):
    add_trial(store, experiment.id, 0, "first")
    with pytest.raises(StoreError, match=r"slot 0 .* first"):
        add_trial(store, experiment.id, 0, "second")
    assert [trial.name for trial in store.trials(experiment.id)] == ["first"]


def test_names_are_unique_in_the_store_and_case_sensitive(store, experiment):
    other = create(store, ExperimentKey("other", "run", "task"))
    add_trial(store, experiment.id, 0, "trial-a")
    add_trial(store, experiment.id, 1, "trial-A")
    with pytest.raises(StoreError):
        add_trial(store, other.id, 0, "trial-a")
    assert store.trial("trial-A").slot == 1
    assert store.trials(other.id) == []


def test_exception_undoes_the_whole_transaction(store, experiment):
    def fail_half_way(lease):
        with store.locked(experiment.id) as transaction:
            transaction.add_trial(lease, slot=0, name="a", assignments={}, labels={})
            transaction.set_suggestions_exhausted()
            raise RuntimeError("stop")

    with store.lease(experiment.id) as lease:
        with pytest.raises(RuntimeError, match="stop"):
            fail_half_way(lease)
        assert store.trials(experiment.id) == []
        assert not store.experiment(experiment.id).suggestions_exhausted
        with store.locked(experiment.id) as transaction:
            transaction.set_suggestions_exhausted()
            assert transaction.experiment.suggestions_exhausted
    assert store.experiment(experiment.id).suggestions_exhausted


@pytest.mark.parametrize("of_other_experiment", [False, True])
def test_adding_needs_the_lease(store, experiment, of_other_experiment):
    other = create(store, ExperimentKey("other", "run", "task"))
    with store.lease(other.id) as lease, store.locked(experiment.id) as transaction:
        wrong = lease if of_other_experiment else Lease(experiment.id, lease.owner)
        with pytest.raises(LeaseLostError, match="lease"):
            transaction.add_trial(wrong, slot=0, name="a", assignments={}, labels={})
    assert store.trials(experiment.id) == []


def test_transaction_sees_only_its_experiment(store, experiment):
    other = create(store, ExperimentKey("other", "run", "task"))
    add_trial(store, experiment.id, 0, "here")
    add_trial(store, other.id, 0, "there")
    with store.locked(experiment.id) as transaction:
        assert [trial.name for trial in transaction.trials()] == ["here"]
        with pytest.raises(NotFoundError, match="there"):
            transaction.set_trial_condition("there", TrialCondition.FAILED, "r", "m")
        with pytest.raises(NotFoundError, match="nowhere"):
            transaction.restart_trial("nowhere")


def test_conditions_and_times_of_a_trial(store, experiment):
    name = add_trial(store, experiment.id).name
    steps = [
        ((TrialCondition.RUNNING, "TrialRunning", "on its way"), {}),
        ((TrialCondition.RUNNING, "TrialRunning", "still"), {}),
        ((TrialCondition.SUCCEEDED, "TrialSucceeded", "done"), {"observation": OBSERVATION, "value": 0.1}),
        ((TrialCondition.SUCCEEDED, "TrialSucceeded", "done"), {"observation": OBSERVATION, "value": 0.1}),
    ]
    seen = []
    for step, result in steps:
        with store.locked(experiment.id) as transaction:
            transaction.set_trial_condition(name, *step, **result)
        seen.append(store.trial(name))
    running, still, done, again = seen
    assert running.attempt == still.attempt == 1
    assert running.started_at == still.started_at == done.started_at is not None
    assert (still.message, still.finished_at, still.trial.duration) == ("still", None, None)
    assert done == again
    assert done.finished_at >= done.started_at
    assert done.trial.duration == (done.finished_at - done.started_at).total_seconds()
    assert (done.trial.value, done.trial.observation) == (0.1, OBSERVATION)
    assert store.trials(experiment.id) == [done.trial]
    history = store.conditions(experiment.id, name)
    assert [entry.condition for entry in history] == ["Created", "Running", "Succeeded"]
    assert {entry.trial_name for entry in history} == {name}
    assert [entry.trial_name for entry in store.conditions(experiment.id)] == [None, name, name, name]


def test_observation_stays_unless_a_new_one_is_given(store, experiment):
    name = add_trial(store, experiment.id).name
    with store.locked(experiment.id) as transaction:
        transaction.set_trial_condition(
            name, TrialCondition.SUCCEEDED, "r", "m", observation=OBSERVATION, value=0.5
        )
        transaction.set_trial_condition(name, TrialCondition.EARLY_STOPPED, "r", "m")
        assert transaction.trial(name).trial.value == 0.5
        transaction.set_trial_condition(
            name, TrialCondition.METRICS_UNAVAILABLE, "r", "m", observation=Observation(), value=None
        )
    assert (store.trial(name).trial.value, store.trial(name).trial.observation) == (None, Observation())


@pytest.mark.parametrize("value", [5e-324, -1.7976931348623157e308, 0.1 + 0.2, -0.0])
def test_values_are_kept_to_the_last_bit(store, experiment, value):
    name = add_trial(store, experiment.id).name
    with store.locked(experiment.id) as transaction:
        transaction.set_trial_condition(
            name, TrialCondition.SUCCEEDED, "r", "m", observation=OBSERVATION, value=value
        )
    assert store.trial(name).trial.value == value


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_values_are_finite(store, experiment, value):
    name = add_trial(store, experiment.id).name
    with pytest.raises(StoreError, match="finite"), store.locked(experiment.id) as transaction:
        transaction.set_trial_condition(
            name, TrialCondition.SUCCEEDED, "r", "m", observation=OBSERVATION, value=value
        )
    assert store.trial(name).trial.condition is TrialCondition.CREATED


def test_restarted_trial_has_nothing_of_its_earlier_attempt(store, experiment):
    first, other = add_trial(store, experiment.id, 0), add_trial(store, experiment.id, 1)
    for record in (first, other):
        store.register_observation_log(record.name, reports(3))
    store.set_trial_handle(first.name, {"pid": 1, "host": "a"})
    with store.locked(experiment.id) as transaction:
        transaction.set_trial_condition(first.name, TrialCondition.RUNNING, "TrialRunning", "m")
        transaction.set_trial_condition(
            first.name, TrialCondition.FAILED, "TrialFailed", "m", observation=OBSERVATION, value=1.0
        )
    failed = store.trial(first.name)
    with store.locked(experiment.id) as transaction:
        restarted = transaction.restart_trial(first.name)
    assert restarted == store.trial(first.name)
    assert (restarted.attempt, restarted.trial.condition) == (2, TrialCondition.RUNNING)
    assert (restarted.trial.value, restarted.trial.observation, restarted.handle) == (None, None, None)
    assert (restarted.finished_at, restarted.trial.duration) == (None, None)
    assert restarted.started_at > failed.started_at
    assert restarted.trial.assignments == first.trial.assignments
    assert (restarted.id, restarted.trial.number, restarted.slot) == (first.id, 0, 0)
    assert list(store.get_observation_log(first.name)) == []
    assert len(list(store.get_observation_log(other.name))) == 3
    history = [entry.condition for entry in store.conditions(experiment.id, first.name)]
    assert history == ["Created", "Running", "Failed", "Running"]


def test_handle(store, experiment):
    name = add_trial(store, experiment.id).name
    handle = {"pod": "random-x", "pids": [1, 2]}
    store.set_trial_handle(name, handle)
    assert store.trial(name).handle == handle
    store.set_trial_handle(name, None)
    assert store.trial(name).handle is None
    with pytest.raises(NotFoundError, match="nobody"):
        store.set_trial_handle("nobody", handle)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("Traceback…\n  → 💥 \U0010ffff", "Traceback…\n  → 💥 \U0010ffff"),
        ("line\0end", "line\ufffdend"),
        (b"latin \xe9".decode(errors="surrogateescape"), "latin \ufffd"),
        ("quote ' \" \\ % %s :name ?", "quote ' \" \\ % %s :name ?"),
        ("ä" * 300_000, "ä" * 300_000),
    ],
    ids=["unicode", "NUL", "undecodable", "special", "long"],
)
def test_messages_hold_whatever_a_program_printed(store, experiment, written, kept):
    name = add_trial(store, experiment.id).name
    with store.locked(experiment.id) as transaction:
        transaction.set_trial_condition(name, TrialCondition.FAILED, "TrialFailed", written)
    assert store.trial(name).message == kept
    assert store.conditions(experiment.id, name)[-1].message == kept
