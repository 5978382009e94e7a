from __future__ import annotations

import random
import tracemalloc
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from airflow_katib_provider.experiment.observing import (
    MetricSummary,
    objective_value,
    observe,
    parse_number,
)
from airflow_katib_provider.experiment.spec import MetricStrategy, Objective, ObjectiveType, StrategyType
from airflow_katib_provider.experiment.trial import Metric, MetricLog, Observation

if TYPE_CHECKING:
    from collections.abc import Iterator

START = datetime(2026, 1, 31, 12, tzinfo=UTC)


def log(value: str, *, metric: str = "loss", second: float = 0, step: int = 1) -> MetricLog:
    return MetricLog(metric, value, START + timedelta(seconds=second), step)


def logs(*values: str, metric: str = "loss") -> list[MetricLog]:
    return [log(value, metric=metric, second=n, step=n + 1) for n, value in enumerate(values)]


def objective(
    strategy: str | None = None, *, type: str = "minimize", additional: tuple[str, ...] = ()
) -> Objective:
    return Objective(
        type=ObjectiveType(type),
        objective_metric_name="loss",
        additional_metric_names=additional,
        metric_strategies=(MetricStrategy(name="loss", value=StrategyType(strategy)),) if strategy else (),
    )


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], Metric("loss")),
        (["0.5"], Metric("loss", latest="0.5", min="0.5", max="0.5")),
        (["2", "10", "9"], Metric("loss", latest="9", min="2", max="10")),
        (["-1", "+1", "1e-3"], Metric("loss", latest="1e-3", min="-1", max="+1")),
        (["1.0", "1", "1.00"], Metric("loss", latest="1.00", min="1.0", max="1.0")),
        (["nan"], Metric("loss", latest="nan")),
        (["nan", "1", "nan"], Metric("loss", latest="nan", min="1", max="1")),
        (["inf", "1", "-inf", "1e999"], Metric("loss", latest="1e999", min="1", max="1")),
        (["", "1", "Genotype(a)"], Metric("loss", latest="Genotype(a)", min="1", max="1")),
        (["1_000", "true"], Metric("loss", latest="true")),
    ],
)
def test_a_summary_keeps_the_reported_texts(values: list[str], expected: Metric) -> None:
    summary = MetricSummary("loss")
    for entry in logs(*values):
        summary.add(entry)
    assert summary.metric == expected


@pytest.mark.parametrize(
    ("reports", "latest"),
    [
        ([log("old", second=1, step=2), log("new", second=2, step=1)], "new"),
        ([log("first", step=1), log("second", step=2)], "second"),
        ([log("late", second=0.000001, step=1), log("early", second=0, step=9)], "late"),
    ],
)
def test_the_latest_has_the_greatest_time_then_the_greatest_step(
    reports: list[MetricLog], latest: str
) -> None:
    for order in (reports, reports[::-1]):
        assert observe(objective(), order)["loss"].latest == latest


def test_the_order_of_reports_does_not_matter() -> None:
    reports = logs(*(str(random.Random(n).uniform(-1, 1)) for n in range(50)))
    expected = observe(objective(), reports)
    shuffled = random.Random(0).sample(reports, len(reports))
    assert observe(objective(), shuffled) == expected


def test_an_observation_has_every_requested_metric_in_order_and_no_other() -> None:
    reports = [*logs("1", metric="lr"), *logs("2", metric="accuracy"), *logs("3")]
    found = observe(objective(additional=("accuracy", "auc")), reports)
    assert found == Observation(
        (
            Metric("loss", latest="3", min="3", max="3"),
            Metric("accuracy", latest="2", min="2", max="2"),
            Metric("auc"),
        )
    )


def test_a_million_reports_cost_bounded_memory() -> None:
    def stream() -> Iterator[MetricLog]:
        for n in range(1_000_000):
            yield MetricLog("loss" if n % 10 == 0 else "other", str(n), START, n)

    tracemalloc.start()
    try:
        found = observe(objective(), stream())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found["loss"] == Metric("loss", latest="999990", min="0", max="999990")
    assert peak < 1 << 17


@pytest.mark.parametrize(
    ("strategy", "type", "values", "expected"),
    [
        ("min", "minimize", ["3", "1", "2"], 1.0),
        ("max", "minimize", ["3", "1", "2"], 3.0),
        ("latest", "minimize", ["3", "1", "2"], 2.0),
        (None, "minimize", ["3", "1", "2"], 1.0),
        (None, "maximize", ["3", "1", "2"], 3.0),
        ("min", "minimize", ["3", "nan", ""], 3.0),
        ("max", "minimize", ["3", "inf"], 3.0),
        ("latest", "minimize", ["nan", "0"], 0.0),
    ],
)
def test_the_objective_value_follows_the_strategy(
    strategy: str | None, type: str, values: list[str], expected: float
) -> None:
    goal = objective(strategy, type=type)
    assert objective_value(goal, observe(goal, logs(*values))) == (expected, None)


@pytest.mark.parametrize(
    ("strategy", "values", "reason"),
    [
        ("min", ["nan"], "the latest report is 'nan', which is not a number (NaN)"),
        ("latest", ["1", "NaN"], "the latest report is 'NaN', which is not a number (NaN)"),
        ("max", ["inf"], "the latest report is 'inf', which is infinite"),
        ("latest", ["-1e999"], "the latest report is '-1e999', which is infinite"),
        ("min", ["high"], "the latest report is 'high', which is not a number"),
        ("latest", ["1", "1_000"], "the latest report is '1_000', which is not a number"),
        ("min", [""], "the latest report is empty"),
        ("latest", ["1", " "], "the latest report is empty"),
        ("min", ["x" * 1000], f"the latest report is '{'x' * 80}…', which is not a number"),
    ],
)
def test_a_missing_value_has_a_reason(strategy: str, values: list[str], reason: str) -> None:
    goal = objective(strategy)
    assert objective_value(goal, observe(goal, logs(*values))) == (
        None,
        f"objective metric 'loss' (strategy {strategy}) has no finite value: {reason}",
    )


def test_a_metric_that_never_came_is_told_with_what_was_sought_and_what_came() -> None:
    goal = objective(additional=("accuracy", "auc"))
    prefix = "objective metric 'loss' (strategy min) was never reported"
    assert objective_value(goal, Observation()) == (None, prefix)
    assert objective_value(goal, Observation(), sought="loss=<number>") == (
        None,
        f"{prefix}; looked for was loss=<number>",
    )
    partial = observe(goal, logs("1", metric="accuracy"))
    assert objective_value(goal, partial) == (None, f"{prefix}; reported were only 'accuracy'")


@pytest.mark.parametrize(
    ("values", "has_reason"),
    [(["Genotype(a)"], False), ([""], True), (["nan"], True), (["inf"], True), ([], True)],
)
def test_text_needs_no_reason_where_it_is_allowed(values: list[str], has_reason: bool) -> None:
    goal = objective("latest")
    value, reason = objective_value(goal, observe(goal, logs(*values)), allow_text=True)
    assert value is None
    assert bool(reason) is has_reason


def test_a_number_stays_a_number_where_text_is_allowed() -> None:
    goal = objective("max")
    found = observe(goal, logs("1", "Genotype(a)"))
    assert objective_value(goal, found, allow_text=True) == (1.0, None)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("5.", 5.0),
        (".5", 0.5),
        (" 1 ", 1.0),
        ("+1e3", 1000.0),
        ("", None),
        ("1_0", None),
        ("0x1", None),
        ("1,5", None),
    ],
)
def test_numbers_are_what_programs_print(text: str, number: float | None) -> None:
    assert parse_number(text) == number
