"""Random search: each parameter's own distribution."""

from __future__ import annotations

import math
from collections import Counter
from statistics import mean, pstdev

import pytest

from airflow_katib_provider.algorithms import suggest
from tests.algorithms.contract import AlgorithmContract
from tests.algorithms.experiments import Parameter, categorical, discrete, double, experiment, integer


class TestRandomContract(AlgorithmContract):
    algorithm = "random"


def draws(parameter: Parameter, count: int = 2000) -> list[str]:
    beside = double("beside", 0, 1)
    answer = suggest(experiment("random", [parameter, beside]), [], count, seed=3)
    return [suggestion.assignments[parameter["name"]] for suggestion in answer.items]


@pytest.mark.parametrize(
    "parameter",
    [
        integer("p", 1, 5),
        integer("p", 0, 40, step=10),
        double("p", 0.1, 0.5, step=0.1),
        discrete("p", 1, 10, 100, 1000, 10000),
        categorical("p", "a", "b", "c", "d", "e"),
    ],
    ids=["int", "int step", "double step", "discrete", "categorical"],
)
def test_values_are_equally_probable(parameter: Parameter) -> None:
    counts = Counter(draws(parameter))
    assert len(counts) == 5
    assert all(330 < count < 470 for count in counts.values()), counts


@pytest.mark.parametrize(
    ("distribution", "middle", "deviation"),
    [
        ("uniform", 0.505, 0.99 / math.sqrt(12)),
        ("logUniform", -1.0, 2 / math.sqrt(12)),
        ("normal", 0.505, 0.99 / 6),
        ("logNormal", -1.0, 2 / 6),
    ],
)
def test_continuous_distributions(distribution: str, middle: float, deviation: float) -> None:
    numbers = [float(value) for value in draws(double("p", 0.01, 1, distribution=distribution))]
    scaled = [math.log10(number) if "log" in distribution else number for number in numbers]
    assert mean(scaled) == pytest.approx(middle, abs=0.05)
    assert pstdev(scaled) == pytest.approx(deviation, rel=0.06)


def test_parameters_are_independent() -> None:
    answer = suggest(experiment("random", [double("a", 0, 1), double("b", 0, 1)]), [], 1000)
    pairs = [(float(s.assignments["a"]), float(s.assignments["b"])) for s in answer.items]
    quarters = Counter((a < 0.5, b < 0.5) for a, b in pairs)
    assert all(200 < count < 300 for count in quarters.values()), quarters
