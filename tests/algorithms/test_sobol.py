"""The Sobol sequence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from airflow_katib_provider.algorithms import suggest
from tests.algorithms.contract import AlgorithmContract
from tests.algorithms.experiments import best, categorical, double, drive, experiment, integer, trial

if TYPE_CHECKING:
    from airflow_katib_provider.experiment.trial import Trial


class TestSobolContract(AlgorithmContract):
    algorithm = "sobol"


SQUARE = [double("a", 0, 1), double("b", 0, 1)]


def test_it_fills_every_cell_evenly() -> None:
    """The first 64 points of a scrambled Sobol sequence put one into each cell of an 8 by 8 grid."""
    answer = suggest(experiment("sobol", SQUARE), [], 64, seed=9)
    cells = {(int(float(s.assignments["a"]) * 8), int(float(s.assignments["b"]) * 8)) for s in answer.items}
    assert len(cells) == 64


def test_one_at_a_time_or_many_at_once_is_the_same_sequence() -> None:
    tuned = experiment("sobol", [*SQUARE, integer("n", 1, 1000), categorical("c", "x", "y")])
    at_once = [suggestion.assignments for suggestion in suggest(tuned, [], 40).items]
    trials: list[Trial] = []
    while len(trials) < 40:
        count = min(1 + len(trials) % 4, 40 - len(trials))
        trials += [
            trial(len(trials) + place, suggestion.assignments)
            for place, suggestion in enumerate(suggest(tuned, trials, count).items)
        ]
    assert [t.assignments for t in trials] == at_once


def test_the_results_do_not_matter() -> None:
    tuned = experiment("sobol", SQUARE)
    trials = drive(tuned, lambda point: float(point["a"]), 10)
    others = drive(tuned, lambda point: -float(point["b"]), 10)
    assert [t.assignments for t in trials] == [t.assignments for t in others]
    assert best(trials) != best(others)


@pytest.mark.parametrize("distribution", ["uniform", "logUniform", "normal", "logNormal"])
def test_half_of_the_points_lie_below_the_median(distribution: str) -> None:
    middle = 0.1 if "og" in distribution else 0.505
    tuned = experiment("sobol", [double("p", 0.01, 1, distribution=distribution)])
    below = sum(float(s.assignments["p"]) < middle for s in suggest(tuned, [], 64).items)
    assert below == 32
