from __future__ import annotations

import random

import pytest

from airflow_katib_provider.early_stopping.medianstop import MedianStop, MedianStopSettings
from airflow_katib_provider.experiment.spec import Objective, ObjectiveType

THREE = [[4, 3, 2, 1], [8, 6, 4, 2], [9, 9, 9, 9]]
"""Running averages at the four steps: 4, 3.5, 3, 2.5; 8, 7, 6, 5; 9, 9, 9, 9. Medians: 8, 7, 6, 5."""


def stops(
    history: list[list[float]],
    current: list[float],
    *,
    trials: int = 3,
    start: int = 1,
    type: str = "minimize",
) -> bool:
    rule = MedianStop(MedianStopSettings(min_trials_required=trials, start_step=start))
    objective = Objective(type=ObjectiveType(type), objective_metric_name="loss")
    return rule.decide(objective, history, current) is not None


@pytest.mark.parametrize(
    ("current", "expected"),
    [
        ([], False),
        ([7.9], False),
        ([8], False),
        ([8.1], True),
        ([8, 8], True),
        ([8, 7], False),
        ([5.9, 99, 99], False),
        ([6.1, 99, 99], True),
        ([99, 99, 6], False),
        ([5.1, 5.1, 5.1, 5.1], True),
        ([5, 99, 99, 99], False),
        ([99, 99, 99, 99, 99], False),
    ],
)
def test_the_best_value_is_compared_with_the_median_of_running_averages(
    current: list[float], expected: bool
) -> None:
    assert stops(THREE, current) is expected
    mirrored = [[-value for value in curve] for curve in THREE]
    assert stops(mirrored, [-value for value in current], type="maximize") is expected


@pytest.mark.parametrize(
    ("history", "current", "trials", "expected"),
    [
        (THREE, [99], 3, True),
        (THREE, [99], 4, False),
        ([], [99], 1, False),
        ([[1], [1], [1]], [99], 3, True),
        ([[1], [1], [1]], [99, 99], 3, False),
        ([[1, 1], [1, 1], [1]], [99, 99], 2, True),
        ([[1, 1], [1, 1], [1]], [99, 99], 3, False),
        ([[1, 1], [1, 1], []], [99, 99], 2, True),
    ],
)
def test_only_trials_that_came_as_far_are_compared_with(
    history: list[list[float]], current: list[float], trials: int, expected: bool
) -> None:
    assert stops(history, current, trials=trials) is expected


def test_a_curve_that_ends_earlier_does_not_move_the_median() -> None:
    assert not stops([[1, 9], [9, 9], [9, 9], [9, 9]], [9, 9])
    assert not stops([[1], [1], [1], [1], [9, 9], [9, 9], [9, 9]], [9, 9])


@pytest.mark.parametrize(("start", "decisions"), [(1, "SSSS"), (2, "-SSS"), (4, "---S"), (5, "----")])
def test_every_report_from_start_step_on_is_judged(start: int, decisions: str) -> None:
    found = "".join("S" if stops(THREE, [99.0] * step, start=start) else "-" for step in range(1, 5))
    assert found == decisions


def test_a_median_is_not_a_mean() -> None:
    history = [[1.0], [1.0], [1.0], [1000.0]]
    assert stops(history, [2])


def test_an_even_number_of_trials_takes_the_middle_of_the_middle_two() -> None:
    history = [[1.0], [2.0], [4.0], [8.0]]
    assert not stops(history, [3])
    assert stops(history, [3.1])


def test_katibs_defaults() -> None:
    assert MedianStopSettings() == MedianStopSettings(min_trials_required=3, start_step=4)


def test_the_decision_carries_the_figures() -> None:
    rule = MedianStop(MedianStopSettings(min_trials_required=3, start_step=2))
    objective = Objective(type=ObjectiveType.MINIMIZE, objective_metric_name="loss")
    stop = rule.decide(objective, THREE, [12.5, 11.25])
    assert stop is not None
    assert stop.step == 2
    assert stop.reason == (
        "medianstop: at report 2 the best loss of this trial, 11.25, is worse than 7, "
        "the median of the averages that 3 succeeded trials had by then"
    )


def test_on_noisy_curves_it_saves_steps_and_spares_the_best_trial() -> None:
    rule = MedianStop(MedianStopSettings())
    objective = Objective(type=ObjectiveType.MINIMIZE, objective_metric_name="loss")
    draw = random.Random(1)
    steps, saved, runs, spared = 30, 0, 20, 0
    for _ in range(runs):
        floors = [draw.uniform(0, 1) for _ in range(30)]
        history: list[list[float]] = []
        stopped = set()
        for number, floor in enumerate(floors):
            curve: list[float] = []
            for step in range(1, steps + 1):
                curve.append(floor + 1 / step + draw.gauss(0, 0.02))
                if rule.decide(objective, history, curve):
                    stopped.add(number)
                    saved += steps - step
                    break
            else:
                history.append(curve)
        spared += floors.index(min(floors)) not in stopped
    assert spared == runs
    assert saved > 0.25 * runs * 30 * steps
