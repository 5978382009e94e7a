from __future__ import annotations

import tracemalloc
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from airflow_katib_provider.collectors.text import TextParser

if TYPE_CHECKING:
    from airflow_katib_provider.experiment.trial import MetricLog

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


def pairs(logs: list[MetricLog]) -> list[tuple[str, str]]:
    return [(log.metric, log.value) for log in logs]


def test_only_requested_metrics_are_kept_and_steps_are_counted_by_metric() -> None:
    parser = TextParser(["loss", "accuracy"])
    logs = parser.feed("epoch=1 loss=0.5 accuracy=0.7 val-loss=0.6", NOW)
    logs += parser.feed("epoch=2 loss=0.4", NOW)
    logs += parser.feed("accuracy=0.8, loss=0.3, loss=0.2", NOW)
    assert [(log.metric, log.value, log.step) for log in logs] == [
        ("loss", "0.5", 1),
        ("accuracy", "0.7", 1),
        ("loss", "0.4", 2),
        ("accuracy", "0.8", 2),
        ("loss", "0.3", 3),
        ("loss", "0.2", 4),
    ]


@pytest.mark.parametrize(
    ("line", "time"),
    [
        ("loss=1", NOW),
        ("2024-05-06T07:08:09Z loss=1", datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)),
        ("2024-05-06T07:08:09.123456789Z loss=1", datetime(2024, 5, 6, 7, 8, 9, 123456, tzinfo=UTC)),
        ("2024-05-06T07:08:09.5Z loss=1", datetime(2024, 5, 6, 7, 8, 9, 500000, tzinfo=UTC)),
        ("2024-05-06T07:08:09.123456789+02:00 loss=1", datetime(2024, 5, 6, 5, 8, 9, 123456, tzinfo=UTC)),
        ("2024-05-06T07:08:09-00:30 loss=1", datetime(2024, 5, 6, 7, 38, 9, tzinfo=UTC)),
        ("2024-05-06T07:08:09 loss=1", NOW),
        ("2024-05-06 07:08:09Z loss=1", NOW),
        ("20240506T070809Z loss=1", NOW),
        ("2024-13-06T07:08:09Z loss=1", NOW),
        ("2024-05-06T07:08:60Z loss=1", NOW),
        ("0001-01-01T00:00:00+05:00 loss=1", NOW),
        ("[2024-05-06T07:08:09Z] loss=1", NOW),
        ("2024-05-06T07:08:09Z\tloss=1", NOW),
        ("loss=1 2024-05-06T07:08:09Z", NOW),
    ],
)
def test_the_time_is_the_first_word_or_the_arrival(line: str, time: datetime) -> None:
    (log,) = TextParser(["loss"]).feed(line, NOW)
    assert log.timestamp == time
    assert log.timestamp.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("metrics", "filters", "line", "expected"),
    [
        (["loss"], [], "loss=", [("loss", "")]),
        (["loss"], [], "the loss is great", []),
        (["loss"], [], "crossloss=1", []),
        (
            ["valid_1 auc"],
            [r"(\w+\s\w+)\s:\s((-?\d+)(\.\d+)?)"],
            "[1] valid_1 auc : 0.91",
            [("valid_1 auc", "0.91")],
        ),
        (
            ["accuracy"],
            [r"{metricName: ([\w|-]+), metricValue: ((-?\d+)(\.\d+)?)}"],
            "{metricName: accuracy, metricValue: 0.75};{metricName: loss, metricValue: 1}",
            [("accuracy", "0.75")],
        ),
        (
            ["Best-Genotype"],
            [r"([\w-]+)=(Genotype.*)"],
            "Best-Genotype=Genotype(normal=[('a', 0)])",
            [("Best-Genotype", "Genotype(normal=[('a', 0)])")],
        ),
        (["loss"], [r"(\w+) is (\d+)", r"(\w+)=(\d+)"], "loss=1 loss is 2", [("loss", "2"), ("loss", "1")]),
        (["loss"], [r"(.*):(.*)"], "  loss :  7  ", [("loss", "7")]),
        (["größe"], [r"(\S+)=(\S+)"], "größe=ü1", [("größe", "ü1")]),
        (["loss"], [r"(\w+)=(\S+)"], "loss=a\0b", [("loss", "a\ufffdb")]),
        (["loss"], [r"(\w+)=(\S+)"], "loss=a\ud800b", [("loss", "a?b")]),
    ],
)
def test_names_filters_and_values(
    metrics: list[str], filters: list[str], line: str, expected: list[tuple[str, str]]
) -> None:
    assert pairs(TextParser(metrics, filters).feed(line, NOW)) == expected


def test_a_second_reading_of_the_same_log_gives_the_same_rows() -> None:
    lines = [f"epoch={n} loss={1 / (n + 1)} accuracy={n}" if n % 3 else "nothing" for n in range(100)]
    first, second = TextParser(["loss", "accuracy"]), TextParser(["loss", "accuracy"])
    assert [row for line in lines for row in first.feed(line, NOW)] == [
        row for line in lines for row in second.feed(line, NOW)
    ]


def test_a_name_that_is_asked_for_twice_is_one_metric() -> None:
    assert pairs(TextParser(["loss", "loss"]).feed("loss=1", NOW)) == [("loss", "1")]


def test_a_bad_filter_is_refused() -> None:
    with pytest.raises(ValueError, match=r"has 1 of the 2 groups"):
        TextParser(["loss"], [r"(\w+)"])


@pytest.mark.parametrize(
    ("parser", "sought"),
    [
        (TextParser(["loss"]), "text of the form loss=<number>"),
        (TextParser(["loss"], [r"(a)(b)"]), "text that matches (a)(b)"),
    ],
)
def test_it_says_what_it_looks_for(parser: TextParser, sought: str) -> None:
    assert parser.sought == sought


def test_a_long_line_without_a_value_is_searched_in_linear_time() -> None:
    line = "loss" + "x" * 1_000_000
    assert TextParser(["loss"]).feed(line, NOW) == []


def test_a_million_lines_cost_bounded_memory() -> None:
    parser = TextParser(["loss", "accuracy"])
    parser.feed("loss=1", NOW)
    tracemalloc.start()
    try:
        for number in range(1_000_000):
            metric = number % 100 == 0
            parser.feed(
                f"step {number} loss=0.{number}" if metric else f"step {number}: reading a batch", NOW
            )
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1 << 20
    (log,) = parser.feed("loss=0", NOW)
    assert log.step == 10_002
