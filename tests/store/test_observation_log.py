"""Observation logs: added once, read in order, bounded in memory."""

from __future__ import annotations

import random
import tracemalloc
from datetime import UTC, datetime, timedelta, timezone

import pytest

from airflow_katib_provider.exceptions import NotFoundError, StoreError
from airflow_katib_provider.experiment.trial import MetricLog
from tests.store.samples import START, add_trial, reports

MEGABYTE = 1_000_000


@pytest.fixture
def name(store, experiment):
    return add_trial(store, experiment.id).name


def test_registering_again_adds_nothing(store, name):
    logs = [*reports(3), *reports(2, "accuracy")]
    assert store.register_observation_log(name, logs[:4]) == 4
    assert store.register_observation_log(name, iter(logs)) == 1
    assert store.register_observation_log(name, [*logs, *logs]) == 0
    changed = [MetricLog(log.metric, "changed", log.timestamp, log.step) for log in logs]
    assert store.register_observation_log(name, changed) == 0
    assert sorted(store.get_observation_log(name), key=repr) == sorted(logs, key=repr)
    assert store.register_observation_log(name, []) == 0


def test_new_rows_are_counted_across_batches(store, name):
    logs = reports(12_000)
    assert store.register_observation_log(name, logs[3_000:9_000]) == 6_000
    assert store.register_observation_log(name, logs) == 6_000
    assert list(store.get_observation_log(name)) == logs


def test_read_by_time_then_step_then_metric(store, name):
    logs = [
        MetricLog("b", "NaN", START, 1),
        MetricLog("a", "1", START, 2),
        MetricLog("b", "2", START, 2),
        MetricLog("a", "inf", START + timedelta(microseconds=1), 1),
        MetricLog("a", "", START + timedelta(seconds=1), 9),
    ]
    shuffled = random.Random(1).sample(logs, len(logs))
    assert store.register_observation_log(name, shuffled) == len(logs)
    assert list(store.get_observation_log(name)) == logs
    assert list(store.get_observation_log(name, metric="b")) == [logs[0], logs[2]]


def test_pages_do_not_lose_rows_of_the_same_moment(store, name):
    """As it is with logs whose lines have no time."""
    never = datetime(1, 1, 1, tzinfo=UTC)
    logs = [MetricLog(metric, "1", never, step) for step in range(1, 5_501) for metric in "ab"]
    assert store.register_observation_log(name, reversed(logs)) == 11_000
    assert list(store.get_observation_log(name)) == logs


@pytest.mark.parametrize(
    ("limits", "steps"),
    [
        ({}, [1, 2, 3, 4]),
        ({"start": START + timedelta(seconds=2)}, [2, 3, 4]),
        ({"end": START + timedelta(seconds=2)}, [1, 2]),
        ({"start": START + timedelta(seconds=2), "end": START + timedelta(seconds=3)}, [2, 3]),
        ({"start": START + timedelta(seconds=2, microseconds=1)}, [3, 4]),
        ({"end": (START + timedelta(seconds=1)).astimezone(timezone(timedelta(hours=-7)))}, [1]),
        ({"metric": "accuracy"}, []),
        ({"metric": "LOSS"}, []),
    ],
)
def test_read_by_metric_and_time_range(store, name, limits, steps):
    store.register_observation_log(name, reports(4))
    assert [log.step for log in store.get_observation_log(name, **limits)] == steps


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2025, 3, 30, 2, 30, 0, 123456, tzinfo=UTC),
        datetime(2025, 3, 30, 2, 30, 0, 1, tzinfo=timezone(timedelta(hours=5, minutes=45))),
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    ],
)
def test_moments_keep_their_microseconds(store, name, moment):
    store.register_observation_log(name, [MetricLog("loss", "1", moment, 1)])
    (log,) = store.get_observation_log(name)
    assert log.timestamp == moment
    assert log.timestamp.tzinfo is UTC


def test_moment_without_zone_is_refused(store, name):
    with pytest.raises(StoreError, match="time zone"):
        store.register_observation_log(name, [MetricLog("loss", "1", datetime(2025, 1, 1), 1)])


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("val/acc@1", "val/acc@1"),
        ("損失🔥", "損失🔥"),
        ("🔥" * 255, "🔥" * 255),
        ("nul\0", "nul\ufffd"),
        ("q'uote\"%s\\", "q'uote\"%s\\"),
    ],
)
def test_names_and_values_hold_any_text(store, name, written, kept):
    assert store.register_observation_log(name, [MetricLog(written, written * 500, START, 1)]) == 1
    assert list(store.get_observation_log(name)) == [MetricLog(kept, kept * 500, START, 1)]
    assert store.register_observation_log(name, [MetricLog(written, "", START, 1)]) == 0


def test_too_long_a_metric_is_refused(store, name):
    with pytest.raises(StoreError, match="256 characters"):
        store.register_observation_log(name, [MetricLog("m" * 256, "1", START, 1)])
    assert list(store.get_observation_log(name)) == []


def test_appended_reports_get_the_next_steps(store, name):
    store.register_observation_log(name, reports(2))
    pushed = [("loss", "0.3", START), ("accuracy", "0.5", START), ("loss", "0.2", START)]
    assert store.append_observation_log(name, iter(pushed)) == 3
    assert store.append_observation_log(name, [("accuracy", "0.6", START)]) == 1
    steps = {(log.metric, log.step): log.value for log in store.get_observation_log(name, end=START)}
    assert steps == {
        ("loss", 3): "0.3",
        ("loss", 4): "0.2",
        ("accuracy", 1): "0.5",
        ("accuracy", 2): "0.6",
    }


def test_delete(store, experiment, name):
    other = add_trial(store, experiment.id, 1).name
    store.register_observation_log(name, reports(7))
    store.register_observation_log(other, reports(2))
    assert store.delete_observation_log(name) == 7
    assert store.delete_observation_log(name) == 0
    assert list(store.get_observation_log(name)) == []
    assert len(list(store.get_observation_log(other))) == 2


@pytest.mark.parametrize(
    "use",
    [
        lambda store: store.register_observation_log("nobody", reports(1)),
        lambda store: store.append_observation_log("nobody", [("loss", "1", START)]),
        lambda store: store.get_observation_log("nobody"),
        lambda store: store.delete_observation_log("nobody"),
    ],
    ids=["register", "append", "get", "delete"],
)
def test_unknown_trial(store, use):
    with pytest.raises(NotFoundError, match="nobody"):
        use(store)


def test_reports_of_an_earlier_attempt_are_refused(store, experiment, name):
    for _ in range(2):
        with store.locked(experiment.id) as transaction:
            attempt = transaction.restart_trial(name).attempt
    assert attempt == 2
    with pytest.raises(StoreError, match="attempt 1 are refused"):
        store.register_observation_log(name, reports(3), attempt=1)
    with pytest.raises(StoreError, match="attempt 1 are refused"):
        store.append_observation_log(name, [("loss", "1", START)], attempt=1)
    assert store.register_observation_log(name, reports(3), attempt=2) == 3
    assert store.append_observation_log(name, [("loss", "1", START)], attempt=2) == 1


def test_long_log_is_read_in_bounded_memory(store, name):
    rows = 200_000
    in_memory = 40 * MEGABYTE  # what 200,000 rows take as a list, at the least
    store.register_observation_log(
        name,
        (
            MetricLog("loss", "0.123456", START + timedelta(milliseconds=step), step)
            for step in range(1, rows + 1)
        ),
    )
    tracemalloc.start()
    try:
        steps = range(1, rows + 1)
        assert all(log.step == step for log, step in zip(store.get_observation_log(name), steps, strict=True))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < in_memory / 2


def test_long_log_is_written_while_it_arrives(store, name):
    """Neither memory nor the reader of a live chart waits for its end."""

    def arriving():
        for log in reports(15_000):
            if log.step == 12_000:
                seen.append(sum(1 for _ in store.get_observation_log(name)))
            yield log

    seen = []
    assert store.register_observation_log(name, arriving()) == 15_000
    assert 5_000 <= seen[0] < 12_000
