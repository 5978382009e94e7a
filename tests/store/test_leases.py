"""Leases: for one holder at a time, renewed while it lives, and in nobody's way who only reports."""

from __future__ import annotations

import os
import threading
import time

import pytest
from sqlalchemy import select

from airflow_katib_provider.exceptions import NotFoundError, StoreError
from airflow_katib_provider.experiment.trial import TrialCondition
from airflow_katib_provider.store import tables
from airflow_katib_provider.store.records import ExperimentKey
from tests.store.samples import START, add_trial, create, reports


def row(store, experiment_id):
    query = select(tables.experiment.c.lease_owner, tables.experiment.c.lease_expires_at)
    with store._database.reading() as connection:
        return tuple(connection.execute(query.where(tables.experiment.c.id == experiment_id)).one())


def test_lease_is_given_back(store, experiment):
    for _ in range(2):
        with store.lease(experiment.id) as lease:
            assert lease.experiment_id == experiment.id
            assert row(store, experiment.id)[0] == lease.owner
        assert row(store, experiment.id) == (None, None)


def test_lease_is_given_back_after_an_exception(store, experiment):
    with pytest.raises(RuntimeError, match="algorithm"), store.lease(experiment.id):
        raise RuntimeError("algorithm")
    assert row(store, experiment.id) == (None, None)


def test_held_lease_is_waited_for_and_the_holder_named(store, experiment):
    with store.lease(experiment.id), pytest.raises(StoreError, match=f":{os.getpid()}:.* holds it"):
        store.lease(experiment.id, wait=0.1).__enter__()


def test_leases_of_other_experiments_are_free(store, experiment):
    other = create(store, ExperimentKey("other", "run", "task"))
    with store.lease(experiment.id) as first, store.lease(other.id, wait=0) as second:
        assert first.owner != second.owner


def test_unknown_experiment(store):
    with pytest.raises(NotFoundError, match="id 42"):
        store.lease(42).__enter__()


def test_lease_is_renewed_while_it_is_held(store, experiment):
    with store.lease(experiment.id, seconds=3) as lease:
        expires = [row(store, experiment.id)[1]]
        deadline = time.monotonic() + 60
        while len(expires) < 3 and time.monotonic() < deadline:
            time.sleep(0.05)
            owner, moment = row(store, experiment.id)
            assert owner == lease.owner
            if moment != expires[-1]:
                expires.append(moment)
    assert len(expires) == 3
    assert expires == sorted(expires)


def test_observations_are_written_while_another_thinks(store, experiment):
    name = add_trial(store, experiment.id).name
    with store.lease(experiment.id):
        assert store.register_observation_log(name, reports(3)) == 3
        assert store.append_observation_log(name, [("loss", "1", START)]) == 1
        store.set_trial_handle(name, {"pid": 1})
        with store.locked(experiment.id) as transaction:
            transaction.set_trial_condition(name, TrialCondition.RUNNING, "TrialRunning", "m")
        assert store.create_experiment(
            ExperimentKey("other", "run", "task"), {}, name="n", namespace="d", seed=1
        )


def test_transactions_on_one_experiment_take_turns(store, experiment):
    order = []

    def wait_for_turn():
        with store.locked(experiment.id):
            order.append("second")

    waiting = threading.Thread(target=wait_for_turn)
    with store.locked(experiment.id):
        waiting.start()
        time.sleep(0.5)  # time for the other to go ahead, if it could
        order.append("first")
    waiting.join()
    assert order == ["first", "second"]


@pytest.mark.parametrize("database_url", ["postgres", "mysql"], indirect=True)
def test_transaction_locks_its_own_experiment_only(store, experiment):
    """SQLite has one writer at a time, so there each waits its short turn."""
    other = create(store, ExperimentKey("other", "run", "task"))
    name = add_trial(store, experiment.id).name
    with store.locked(experiment.id) as transaction:
        transaction.set_suggestions_exhausted()
        add_trial(store, other.id)
        assert store.register_observation_log(name, reports(3)) == 3
        assert not store.experiment(experiment.id).suggestions_exhausted
