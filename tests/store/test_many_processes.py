"""Many processes on one store: nothing is lost, nothing is done twice, nobody waits for the dead."""

from __future__ import annotations

import os

import pytest
from sqlalchemy import event

from tests.store import workers
from tests.store.samples import add_trial, reports
from tests.store.workers import Signal, Workers

PROCESSES = 32


@pytest.fixture
def url(database_url):
    return database_url.render_as_string(hide_password=False)


def test_32_processes_get_32_slots(store, url, experiment):
    with Workers(workers.bind, url, PROCESSES, experiment.id) as processes:
        slots = processes.results()
    assert sorted(slots) == list(range(PROCESSES))
    records = store.trial_records(experiment.id)
    assert [record.slot for record in records] == list(range(PROCESSES))
    assert [record.trial.number for record in records] == list(range(PROCESSES))
    assert len({record.trial.assignments["pid"] for record in records}) == PROCESSES


@pytest.mark.parametrize("hold", [workers.hold_lease, workers.hold_transaction])
def test_killed_holder_lets_others_go_on(store, url, experiment, tmp_path, hold):
    held = Signal(tmp_path / "held")
    with Workers(hold, url, 1, experiment.id, held) as holder:
        held.wait()
        holder.processes[0].kill()
        with Workers(workers.bind, url, 4, experiment.id) as others:
            assert sorted(others.results()) == [0, 1, 2, 3]
    assert [trial.name for trial in store.trials(experiment.id)] == [f"trial-{slot}" for slot in range(4)]


def test_holder_that_was_too_slow_cannot_commit(store, url, experiment, tmp_path):
    held, proceed = Signal(tmp_path / "held"), Signal(tmp_path / "proceed")
    with Workers(workers.bind_too_late, url, 1, experiment.id, held, proceed) as slow:
        held.wait()
        workers.freeze(slow.processes[0])
        assert workers.bind(url, experiment.id) == 0
        proceed.send()
        workers.thaw(slow.processes[0])
        assert slow.results() == ["LeaseLostError"]
    assert [trial.name for trial in store.trials(experiment.id)] == ["trial-0"]
    assert add_trial(store, experiment.id, 1).trial.number == 1


def test_processes_that_create_the_same_experiment_share_it(url):
    with Workers(workers.create_once, url, 8) as processes:
        assert len(set(processes.results())) == 1


def test_processes_that_begin_the_same_attempt_share_it(store, url, experiment):
    add_trial(store, experiment.id)
    with Workers(workers.create_once, url, 8) as processes:
        ((_, attempt),) = set(processes.results())
    assert attempt == 2


def test_processes_that_report_the_same_log_add_it_once(store, url, experiment):
    name = add_trial(store, experiment.id).name
    rows, processes = 6_000, 8
    with Workers(workers.report, url, processes, name, rows) as writers:
        assert sum(writers.results()) == rows
    assert list(store.get_observation_log(name, metric="loss")) == reports(rows)
    pushed = sorted(log.step for log in store.get_observation_log(name, metric="pushed"))
    assert pushed == list(range(1, 5 * processes + 1))


def test_32_writers_wait_for_each_other(url):
    each = 10
    with Workers(workers.create_many, url, PROCESSES, each) as processes:
        ids = [experiment_id for created in processes.results() for experiment_id in created]
    assert len(set(ids)) == PROCESSES * each


def test_forked_process_opens_its_own_connections(store, experiment):
    """As an Airflow task does, which is forked from a parent that may have used the store."""
    opened = []
    assert store.trials(experiment.id) == []
    event.listen(store._database.engine, "connect", lambda *_: opened.append(os.getpid()))
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            add_trial(store, experiment.id, name="child")
            os.write(writer, str(opened[0]).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as answer:
        assert answer.read() == str(child)
    os.waitpid(child, 0)
    assert [trial.name for trial in store.trials(experiment.id)] == ["child"]
    assert opened == []
