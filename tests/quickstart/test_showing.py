"""What the quickstart shows of an experiment: figures, lines and tables."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from airflow_katib_provider.experiment.experiment import Experiment
from airflow_katib_provider.experiment.trial import Metric, Observation, Trial, TrialCondition
from quickstart.progress import Progress, progress_line, progress_table
from quickstart.report import print_report
from quickstart.tuning import Tuning
from quickstart.words import short, value_text

DAGS = Path(__file__).parents[2] / "quickstart" / "dags"


def trial(number: int, condition: TrialCondition, accuracy: str | None = None) -> Trial:
    """Make a trial; one with an accuracy has reported it, and a loss of twice that."""
    metrics = None
    if accuracy is not None:
        loss = str(2 * float(accuracy))
        metrics = Observation((Metric("accuracy", accuracy, "0", accuracy), Metric("loss", "9", loss, "9")))
    return Trial(
        name=f"digits-{number:04}",
        number=number,
        condition=condition,
        assignments={"learning-rate": "0.0123456", "hidden-units": str(100 + number), "activation": "relu"},
        value=None if accuracy is None else float(accuracy),
        observation=metrics,
        duration=3.14 if condition.is_finished else None,
    )


TUNING = Tuning(
    Experiment.from_yaml(DAGS / "digits.yaml"),
    [
        trial(0, TrialCondition.SUCCEEDED, "0.25"),
        trial(1, TrialCondition.SUCCEEDED, "0.75"),
        trial(2, TrialCondition.FAILED),
        trial(3, TrialCondition.METRICS_UNAVAILABLE),
        trial(4, TrialCondition.RUNNING),
        trial(5, TrialCondition.CREATED),
    ],
)
OPTIMAL = {"trial": "digits-0001", "assignments": {"hidden-units": 101}, "metrics": {"accuracy": 0.75}}


def printed(*things: object, terminal: bool = False) -> str:
    console = Console(width=120, force_terminal=terminal, color_system=None)
    with console.capture() as capture:
        for thing in things:
            console.print(thing)
    return capture.get()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.00012345678", "0.0001235"),
        ("12345.678", "1.235e+04"),
        ("12345678", "12345678"),
        ("1.0", "1"),
        ("relu", "relu"),
        ("nan", "nan"),
    ],
)
def test_short(text: str, expected: str) -> None:
    assert short(text) == expected


@pytest.mark.parametrize(("value", "expected"), [(None, "-"), (0.98765, "0.9877"), (3, "3.0000")])
def test_value_text(value: float | None, expected: str) -> None:
    assert value_text(value) == expected


def test_progress_line() -> None:
    assert progress_line(TUNING) == (
        "digits: 4 of 15 trials done, 2 running, 2 failed, best accuracy 0.7500 by digits-0001"
    )
    assert progress_line(Tuning(TUNING.experiment, [])) == (
        "digits: 0 of 15 trials done, 0 running, 0 failed, none observed yet"
    )


def test_progress_table() -> None:
    heading, row = printed(progress_table([TUNING])).splitlines()
    assert heading.split() == [
        "Experiment",
        "Trials",
        "Done",
        "Running",
        "Failed",
        "Best",
        "accuracy",
        "With",
    ]
    assert [cell for cell in row.split() if "━" not in cell] == [
        *("digits", "4/15", "2", "2", "0.7500", "0.01235,", "101,", "relu")
    ]


def test_lines_are_printed_once_for_each_change() -> None:
    console = Console(width=120)
    with console.capture() as capture, Progress(console) as progress:
        progress.show([])
        progress.show([Tuning(TUNING.experiment, [])])
        progress.show([TUNING])
        progress.show([TUNING])
    lines = capture.get().splitlines()
    assert [line.partition("] ")[2] for line in lines] == [
        progress_line(Tuning(TUNING.experiment, [])),
        progress_line(TUNING),
    ]


def test_the_report_has_every_trial_and_metrics_by_their_strategy() -> None:
    console = Console(width=120)
    with console.capture() as capture:
        print_report(console, [TUNING], OPTIMAL)
    lines = [line.split() for line in capture.get().splitlines() if line]
    assert lines[0] == ["digits", "(random)"]
    assert lines[3] == ["0001", "Succeeded", "0.01235", "101", "relu", "0.75", "1.5", "3.1", "s"]
    assert lines[4] == ["0002", "Failed", "0.01235", "102", "relu", "-", "-", "3.1", "s"]
    assert lines[6] == ["0004", "Running", "0.01235", "104", "relu", "-", "-", "-"]
    assert lines[8:] == [
        ["Optimal", "trial:", "digits-0001", "(accuracy", "0.7500)"],
        ["hidden-units", "=", "101"],
    ]


def test_both_experiments_search_the_same_space() -> None:
    at_random, by_tpe = (
        Experiment.from_yaml(DAGS / name).to_dict() for name in ("digits.yaml", "digits-tpe.yaml")
    )
    assert at_random["spec"].pop("algorithm")["algorithmName"] == "random"
    assert by_tpe["spec"].pop("algorithm")["algorithmName"] == "tpe"
    assert at_random["spec"] == by_tpe["spec"]
