"""Algorithms that learn from results find better points than random search does, with the same number of trials."""

from __future__ import annotations

from math import log2, log10
from statistics import median
from typing import TYPE_CHECKING

import pytest

from tests.algorithms.experiments import best, categorical, discrete, double, drive, experiment, integer

if TYPE_CHECKING:
    from airflow_katib_provider.experiment.space import Value

SMOOTH = [double("x", -5, 5), double("y", -5, 5), double("z", -5, 5)]

TUNING = [
    double("rate", 1e-6, 1, distribution="logUniform"),
    integer("layers", 1, 12),
    discrete("units", 16, 32, 64, 128, 256, 512, 1024),
    categorical("optimizer", "adam", "sgd", "lion"),
]


def smooth(point: dict[str, Value]) -> float:
    return (float(point["x"]) - 1.5) ** 2 + (float(point["y"]) + 2) ** 2 + 3 * (float(point["z"]) - 0.5) ** 2


def tuning(point: dict[str, Value]) -> float:
    """Behave as a network's loss: the best rate differs by orders of magnitude from optimizer to optimizer."""
    rate, penalty = {"adam": (-3, 0.0), "sgd": (-1.5, 1.0), "lion": (-4, 0.4)}[str(point["optimizer"])]
    units, layers = log2(float(point["units"])), int(point["layers"])
    return (
        (log10(float(point["rate"])) - rate) ** 2
        + penalty
        + 0.04 * (layers - 5) ** 2
        + 0.05 * (units - 7) ** 2
    )


CASES = [
    ("tpe", "smooth", 80, 5, 0.5),
    ("tpe", "tuning", 80, 5, 0.5),
    ("multivariate-tpe", "smooth", 80, 5, 0.4),
    ("multivariate-tpe", "tuning", 80, 5, 0.5),
    ("cmaes", "smooth", 80, 5, 0.3),
    ("cmaes", "tuning", 80, 5, 0.5),
    ("bayesianoptimization", "smooth", 30, 2, 0.2),
    ("bayesianoptimization", "tuning", 40, 2, 0.5),
]


@pytest.mark.parametrize(("algorithm", "problem", "count", "seeds", "bound"), CASES)
def test_it_beats_random_search(algorithm: str, problem: str, count: int, seeds: int, bound: float) -> None:
    parameters, objective = {"smooth": (SMOOTH, smooth), "tuning": (TUNING, tuning)}[problem]
    learned, searched = (
        [
            best(drive(experiment(name, parameters), objective, count, parallel=3, seed=seed))
            for seed in range(seeds)
        ]
        for name in (algorithm, "random")
    )
    assert median(learned) < bound * median(searched), (median(learned), median(searched))
