from __future__ import annotations

import random
import subprocess
import sys

import pytest

from airflow_katib_provider.collectors.filters import assignments, check_filter, compile_filters


def found(line: str, *patterns: str) -> list[tuple[str, str]]:
    return [pair for find in compile_filters(patterns) for pair in find(line)]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("loss=0.25", [("loss", "0.25")]),
        ("loss = 0.25", [("loss", "0.25")]),
        ("loss\t=\t0.25", [("loss", "0.25")]),
        ("loss=5.", [("loss", "5.")]),
        ("loss=.5", [("loss", ".5")]),
        ("loss=1e-3", [("loss", "1e-3")]),
        ("loss=1.5E+10", [("loss", "1.5E+10")]),
        ("loss=1e999", [("loss", "1e999")]),
        ("loss=+1", [("loss", "+1")]),
        ("loss=-1", [("loss", "-1")]),
        ("loss=nan", [("loss", "nan")]),
        ("loss=NaN, next", [("loss", "NaN")]),
        ("loss=inf", [("loss", "inf")]),
        ("loss=-Infinity", [("loss", "-Infinity")]),
        ("loss=", [("loss", "")]),
        ("loss= and more", [("loss", "")]),
        ("loss=cross_entropy", [("loss", "")]),
        ("loss=info", [("loss", "")]),
        ("loss=nano", [("loss", "")]),
        ("loss==0.5", [("loss", "")]),
        ("loss=1,234", [("loss", "1")]),
        ("accuracy=98%", [("accuracy", "98")]),
        ("a|acc=0.9", [("a|acc", "0.9")]),
        ("val-loss=1 loss=2,lr=3", [("val-loss", "1"), ("loss", "2"), ("lr", "3")]),
        ("x=1loss=2", [("x", "1"), ("loss", "2")]),
        ("loss=loss=1", [("loss", ""), ("loss", "1")]),
        ("a b = 1", [("b", "1")]),
        ("präzision=1", [("zision", "1")]),
        ("loss: 0.5", []),
        ("", []),
    ],
)
def test_the_default_filter(line: str, expected: list[tuple[str, str]]) -> None:
    assert found(line) == expected


def test_the_default_filter_finds_what_its_plain_expression_finds() -> None:
    """Katib's expression with its value mended, run by Katib's engine, on arbitrary lines."""
    name, space = r"([\w|-]+)", r"\s*"
    value = r"((?i:[+-]?(?:nan|inf(?:inity)?)\b)|[+-]?(?:\d+\.?\d*|\.\d+)(?:[Ee][+-]?\d+)?|)"
    (plain,) = compile_filters([f"{name}{space}={space}{value}"])
    draw = random.Random(0)
    pieces = [
        *"aeE|-+_.,;= \t\v013é",
        "loss",
        "=",
        " = ",
        "nan",
        "Inf",
        "infinity",
        "1.5",
        "2e-5",
        ".5",
        "5.",
    ]
    for _ in range(5000):
        line = "".join(draw.choices(pieces, k=draw.randint(1, 20)))
        assert list(assignments(line)) == list(plain(line)), line


def test_filters_apply_one_after_the_other() -> None:
    line = "first: 1; second: 2; first -> 3"
    assert found(line, r"(\w+) -> (\d+)", r"(\w+): (\d+)") == [
        ("first", "3"),
        ("first", "1"),
        ("second", "2"),
    ]


def test_a_group_that_takes_no_part_is_empty() -> None:
    assert found("a b", r"(\w)(?: |(!))") == [("a", "")]


def test_a_filter_works_on_characters_not_bytes() -> None:
    assert found("größe=ü", r"(\w.{2}e)=(.)$|(g.)") == [("", "")]
    assert found("größe=ü", r"(gr..e)=(.)$") == [("größe", "ü")]


@pytest.mark.parametrize(
    "pattern",
    [
        r"([\w|-]+)=(\d+)",
        r"{metricName: ([\w|-]+), metricValue: ((-?\d+)(\.\d+)?)}",
        r"(\w+\s\w+)\s:\s((-?\d+)(\.\d+)?)",
        r"([\w-]+)=(Genotype.*)",
        r"(?P<name>\w+);(?P<value>\d+)",
    ],
)
def test_good_filters_have_no_problem(pattern: str) -> None:
    assert check_filter(pattern) is None


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        (
            r"(\w+)=(\d+",
            r"'(\\w+)=(\\d+' is not a regular expression of the RE2 syntax: missing ): (\w+)=(\d+",
        ),
        (r"(\w+)=(?=\d)(\d)", "invalid perl operator: (?="),
        (r"(\w)\1(\d)", r"invalid escape sequence: \1"),
        (r"\w+=\d+", "has 0 of the 2 groups it needs"),
        (r"(\w+)=\d+", "has 1 of the 2 groups it needs"),
        (r"(?:\w+)=(\d+)", "has 1 of the 2 groups it needs"),
        ("", "has 0 of the 2 groups it needs"),
    ],
)
def test_bad_filters_are_refused_by_what_is_wrong(
    pattern: str, problem: str, capfd: pytest.CaptureFixture[str]
) -> None:
    found = check_filter(pattern)
    assert found is not None
    assert problem in found
    assert found.startswith(repr(pattern))
    with pytest.raises(ValueError, match=r"groups it needs|RE2 syntax"):
        compile_filters([pattern])
    assert capfd.readouterr().err == ""


def test_the_engine_is_loaded_only_when_a_filter_is_checked() -> None:
    code = "import sys, airflow_katib_provider.collectors; sys.exit('re2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
