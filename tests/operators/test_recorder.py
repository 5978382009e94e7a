"""From the bytes that a trial prints to the rows of its observation log."""

from __future__ import annotations

import tracemalloc
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from airflow_katib_provider import Experiment
from airflow_katib_provider.collectors import parser_for
from airflow_katib_provider.exceptions import StoreError
from airflow_katib_provider.hooks.answers import Bound
from airflow_katib_provider.operators import _recorder
from airflow_katib_provider.operators._recorder import Recorder
from airflow_katib_provider.store.records import ExperimentKey, TrialRecord
from tests.flow.experiments import experiment

if TYPE_CHECKING:
    from airflow_katib_provider.hooks.katib import KatibHook


@pytest.fixture
def trial(hook: KatibHook) -> TrialRecord:
    record = hook.create_experiment(
        Experiment.from_dict(experiment("recorded")), ExperimentKey("d", "r", "t")
    )
    answer = hook.next_trial(record.id, 0)
    assert isinstance(answer, Bound)
    return answer.trial


def recorder(hook: KatibHook, trial: TrialRecord, **arguments: Any) -> Recorder:
    return Recorder(hook, trial, parser_for(Experiment.from_dict(experiment("recorded"))), **arguments)


def test_rows_echo_and_tail(hook: KatibHook, trial: TrialRecord) -> None:
    heard: list[str] = []
    made = recorder(hook, trial, echo=heard.append)
    made.feed(b"start\nlo")
    made.feed(b"ss=0.5 accuracy=0.7\nepoch 2: loss=0.25")
    assert heard == ["start", "loss=0.5 accuracy=0.7"]
    made.close()
    assert made.tail == "start\nloss=0.5 accuracy=0.7\nepoch 2: loss=0.25"
    rows = [(row.metric, row.value, row.step) for row in hook.get_observation_log(trial.name)]
    assert sorted(rows) == [("accuracy", "0.7", 1), ("loss", "0.25", 2), ("loss", "0.5", 1)]


def test_rows_are_in_the_store_while_the_trial_goes_on(
    hook: KatibHook, trial: TrialRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_recorder, "_FLUSH_SECONDS", 0)
    made = recorder(hook, trial)
    made.feed(b"loss=1\n")
    assert [row.value for row in hook.get_observation_log(trial.name)] == ["1"]


def test_a_million_lines_cost_bounded_memory(hook: KatibHook, trial: TrialRecord) -> None:
    made = recorder(hook, trial)
    quiet = b"".join(b"step %d of the training goes on and on\n" % step for step in range(999))
    tracemalloc.start()
    try:
        for step in range(1000):
            made.feed(quiet + b"loss=%d\n" % step)
        made.close()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 * 1024 * 1024
    assert sum(1 for _ in hook.get_observation_log(trial.name)) == 1000


class BrokenStore:
    """A store that cannot be reached for a while, which no real one does at will within a test's time."""

    def __init__(self, hook: KatibHook, failures: int) -> None:
        self._hook, self._failures, self.log = hook, failures, hook.log

    def register_observation_log(self, trial_name: str, logs: Any, *, attempt: int) -> int:
        if self._failures:
            self._failures -= 1
            raise StoreError("the server is starting up")
        return self._hook.register_observation_log(trial_name, logs, attempt=attempt)


def test_rows_outlive_a_store_that_is_away(
    hook: KatibHook, trial: TrialRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_recorder, "_FLUSH_SECONDS", 0)
    made = recorder(BrokenStore(hook, failures=2), trial)  # type: ignore[arg-type]
    for step in range(4):
        made.feed(b"loss=%d\n" % step)
    made.close()
    assert [row.value for row in hook.get_observation_log(trial.name)] == ["0", "1", "2", "3"]
    lost = recorder(BrokenStore(hook, failures=99), trial)  # type: ignore[arg-type]
    lost.feed(b"loss=9\n")
    with pytest.raises(StoreError, match="starting up"):
        lost.close()


def test_a_time_that_a_line_carries_is_kept(hook: KatibHook, trial: TrialRecord) -> None:
    made = recorder(hook, trial)
    made.feed(b"2026-01-02T03:04:05.678Z loss=1\n")
    made.close()
    (row,) = hook.get_observation_log(trial.name)
    assert row.timestamp == datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)


def test_a_run_that_was_thought_dead_cannot_write_any_more(hook: KatibHook, trial: TrialRecord) -> None:
    zombie = recorder(hook, trial)
    zombie.feed(b"loss=1\n")
    hook.next_trial(trial.experiment_id, trial.slot)
    with pytest.raises(StoreError, match="attempt"):
        zombie.close()
    assert list(hook.get_observation_log(trial.name)) == []
