from __future__ import annotations

from datetime import UTC, datetime

import pytest

from airflow_katib_provider.collectors.json_lines import JsonParser

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('{"loss": "0.25"}', [("loss", "0.25")]),
        ('{"loss": 0.25}', [("loss", "0.25")]),
        ('{"loss": 3}', [("loss", "3")]),
        ('{"loss": 1e-07}', [("loss", "1e-07")]),
        ('{"loss": 0.30000000000000000001}', [("loss", "0.30000000000000000001")]),
        ('{"loss": ' + "9" * 5000 + "}", [("loss", "9" * 5000)]),
        ('{"loss": NaN}', [("loss", "NaN")]),
        ('{"loss": -Infinity}', [("loss", "-Infinity")]),
        ('{"loss": " 1 "}', [("loss", "1")]),
        ('{"loss": ""}', [("loss", "")]),
        ('{"loss": true}', [("loss", "true")]),
        ('{"loss": null}', [("loss", "null")]),
        ('{"loss": ["a"]}', [("loss", '["a"]')]),
        ('{"loss": "a\\u0000b"}', [("loss", "a\ufffdb")]),
        ('{"loss": "a\\ud800b"}', [("loss", "a?b")]),
        ('{"accuracy": 1, "loss": 2, "epoch": 3}', [("loss", "2"), ("accuracy", "1")]),
        ('{"\\u006coss": 1}', [("loss", "1")]),
        ('{"epoch": 3}', []),
        ("", []),
        ("  ", []),
    ],
)
def test_metrics_are_read_from_an_object(line: str, expected: list[tuple[str, str]]) -> None:
    parser = JsonParser(["loss", "accuracy"])
    assert [(log.metric, log.value) for log in parser.feed(line, NOW)] == expected
    assert not parser.problems


@pytest.mark.parametrize(
    ("timestamp", "time"),
    [
        ('"2024-05-06T07:08:09.123456789Z"', datetime(2024, 5, 6, 7, 8, 9, 123456, tzinfo=UTC)),
        ('"2024-05-06T07:08:09+02:00"', datetime(2024, 5, 6, 5, 8, 9, tzinfo=UTC)),
        ("1638422847.28721", datetime(2021, 12, 2, 5, 27, 27, 287210, tzinfo=UTC)),
        ("1638422847", datetime(2021, 12, 2, 5, 27, 27, tzinfo=UTC)),
        ('"1638422847.5"', datetime(2021, 12, 2, 5, 27, 27, 500000, tzinfo=UTC)),
        ("1638422847287", NOW),
        ("NaN", NOW),
        ("1e400", NOW),
        ('"yesterday"', NOW),
        ("null", NOW),
        ("true", NOW),
        ("{}", NOW),
    ],
)
def test_the_time_is_text_or_seconds_or_the_arrival(timestamp: str, time: datetime) -> None:
    (log,) = JsonParser(["loss"]).feed(f'{{"loss": 1, "timestamp": {timestamp}}}', NOW)
    assert log.timestamp == time
    assert log.timestamp.tzinfo is UTC


def test_steps_count_the_reports_of_each_metric() -> None:
    parser = JsonParser(["loss", "accuracy"])
    lines = ['{"loss": 1}', '{"loss": 2, "accuracy": 3}', '{"loss": 4}']
    logs = [log for line in lines for log in parser.feed(line, NOW)]
    assert [(log.metric, log.step) for log in logs] == [
        ("loss", 1),
        ("loss", 2),
        ("accuracy", 1),
        ("loss", 3),
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("loss=1", "Expecting value"),
        ('{"loss": 1', "Expecting ',' delimiter"),
        ('{"loss": 1} trailing', "Extra data"),
        ("3", "not an object"),
        ('["loss"]', "not an object"),
        ("[" * 100_000, "recursion"),
    ],
)
def test_a_bad_line_is_a_problem_and_not_the_end(line: str, reason: str) -> None:
    parser = JsonParser(["loss"])
    assert parser.feed('{"loss": 1}', NOW)
    assert parser.feed(line, NOW) == []
    assert [log.step for log in parser.feed('{"loss": 2}', NOW)] == [2]
    (problem,) = parser.problems
    assert problem.startswith("1 line is not a JSON object; the first is line 2, ")
    assert reason in problem
    assert len(problem) < 300


def test_of_many_bad_lines_the_first_is_told() -> None:
    parser = JsonParser(["loss"])
    for number in range(1000):
        parser.feed(f"bad {number}", NOW)
    (problem,) = parser.problems
    assert problem.startswith("1000 lines are not a JSON object; the first is line 1, 'bad 0' (")


def test_it_says_what_it_looks_for() -> None:
    assert JsonParser(["loss"]).sought == 'lines that are JSON objects with the key "loss"'
