"""Bayesian optimisation."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, ClassVar

import pytest

from airflow_katib_provider.algorithms import suggest
from airflow_katib_provider.algorithms.bayesianoptimization import MAX_OBSERVATIONS, bounded
from airflow_katib_provider.algorithms.surrogate import Observation
from airflow_katib_provider.exceptions import InvalidExperimentError
from airflow_katib_provider.experiment.trial import Trial, TrialCondition
from tests.algorithms.contract import AlgorithmContract, assert_point
from tests.algorithms.experiments import categorical, double, experiment, integer, trial

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class TestBayesianOptimizationContract(AlgorithmContract):
    algorithm = "bayesianoptimization"
    settings: ClassVar[Mapping[str, object]] = {
        "n_initial_points": 7,
        "acq_func": "EI",
        "acq_optimizer": "sampling",
    }


SPACES = {
    "mixed": [
        double("rate", 1e-5, 1, distribution="logUniform"),
        integer("layers", 1, 8),
        categorical("act", "a", "b"),
    ],
    "categories": [categorical("act", "a", "b", "c"), categorical("norm", "x", "y", "z")],
    "one log int": [integer("units", 3, 300, distribution="logUniform")],
}


def random_history(parameters: list[dict[str, object]], count: int) -> list[Trial]:
    tuned = experiment("random", parameters)
    return [
        trial(number, suggestion.assignments, float(number * 7 % 5))
        for number, suggestion in enumerate(suggest(tuned, [], count).items)
    ]


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize(
    ("estimator", "acquisition"),
    [
        *product(["GP"], ["gp_hedge", "LCB", "EI", "PI", "EIps", "PIps"]),
        *product(["RF", "ET", "GBRT"], ["gp_hedge", "EIps"]),
    ],
)
def test_every_model_and_acquisition_function(estimator: str, acquisition: str, space: str) -> None:
    settings = {
        "base_estimator": estimator,
        "acq_func": acquisition,
        "n_initial_points": 2,
    }
    tuned = experiment("bayesianoptimization", SPACES[space], settings)
    trials = random_history(SPACES[space], 6)
    trials.append(trial(6, trials[0].assignments, None, TrialCondition.RUNNING))
    answer = suggest(tuned, trials, 2)
    for suggestion in answer.items:
        assert_point(tuned, suggestion)
    new = {tuned.space.key(suggestion.assignments) for suggestion in answer.items}
    assert len(new - {tuned.space.key(t.assignments) for t in trials}) == 2


@pytest.mark.parametrize("optimizer", ["auto", "sampling", "lbfgs"])
def test_every_way_to_the_best_point(optimizer: str) -> None:
    settings = {
        "acq_optimizer": optimizer,
        "acq_func": "LCB",
        "n_initial_points": 0,
    }
    tuned = experiment("bayesianoptimization", SPACES["mixed"], settings)
    assert_point(tuned, *suggest(tuned, [], 1).items)
    assert_point(tuned, *suggest(tuned, random_history(SPACES["mixed"], 1), 1).items)


def test_a_gradient_over_categories_is_refused() -> None:
    with pytest.raises(
        InvalidExperimentError, match=r"spec\.algorithm\.algorithmSettings: acq_optimizer 'lbfgs'"
    ):
        experiment("bayesianoptimization", SPACES["categories"], {"acq_optimizer": "lbfgs"})


def test_the_model_takes_over_after_the_initial_points() -> None:
    """With fewer observed trials the answer is random: it does not change with the values."""
    parameters = [double("x", 0, 1), double("y", 0, 1)]
    tuned = experiment("bayesianoptimization", parameters, {"n_initial_points": 5})
    for observed, is_random in ((4, True), (5, False)):
        trials = random_history(parameters, observed)
        turned = [replace(t, value=-(t.value or 0.0)) for t in trials]
        assert (suggest(tuned, trials, 1) == suggest(tuned, turned, 1)) is is_random


def test_distributions_are_honoured() -> None:
    """Of a uniform range from 0.001 to 100, one point in a hundred lies below 1; on a log scale, three in five."""
    parameters = [double("x", 1e-3, 100)]
    answer = suggest(experiment("bayesianoptimization", parameters), [], 200)
    assert sum(float(suggestion.assignments["x"]) < 1 for suggestion in answer.items) < 10


PLACES = (-0.9, -0.7, -0.45, -0.2, 0.0, 0.2, 0.45, 0.7, 0.9)


def line(values: Callable[[float], float], seconds: Callable[[float], float] = lambda x: 60) -> list[Trial]:
    """Return trials along one parameter."""
    return [
        replace(trial(number, {"x": repr(x)}, values(x)), duration=seconds(x))
        for number, x in enumerate(PLACES)
    ]


def suggested(acquisition: str, trials: list[Trial], calls: int = 4) -> list[float]:
    """Return where the suggestions of some seeds lie."""
    settings = {"acq_func": acquisition, "n_initial_points": 5}
    tuned = experiment("bayesianoptimization", [double("x", -1, 1)], settings)
    return [float(suggest(tuned, trials, 1, seed).items[0].assignments["x"]) for seed in range(calls)]


def test_points_per_second_shun_slow_regions() -> None:
    """Of two mirrored optima one takes a hundred times as long: all suggestions go to the fast one."""
    trials = line(lambda x: (abs(x) - 0.6) ** 2, lambda x: 1000 if x > 0 else 10)
    assert all(x < 0 for x in suggested("EIps", trials))


@pytest.mark.parametrize("acquisition", ["EIps", "PIps"])
def test_points_per_second_where_all_take_the_same_time(acquisition: str) -> None:
    """Then the promise alone decides, whatever the unit of time is."""
    slow, fast = (line(lambda x: (x - 0.3) ** 2, lambda x, unit=unit: unit) for unit in (1000.0, 0.01))
    places = suggested(acquisition, slow)
    assert all(abs(x - 0.3) < 0.2 for x in places), places
    assert suggested(acquisition, fast) == pytest.approx(places, abs=1e-3)


def test_a_pending_trial_does_not_spoil_its_neighbourhood() -> None:
    """The model believes what it expects of a pending trial, so the optimum beside it stays where it is."""
    trials = line(lambda x: (x - 0.3) ** 2)
    pending = trial(len(trials), {"x": "0.32"}, None, TrialCondition.RUNNING)
    assert all(abs(x - 0.3) < 0.1 for x in suggested("PI", [*trials, pending]))


def test_the_model_is_bounded_to_the_best_and_the_latest() -> None:
    many = [Observation([number], float(number * 7919 % 1000), 1.0) for number in range(1000)]
    kept = bounded(many)
    numbers = [observation.point[0] for observation in kept]
    best_half = set(sorted(range(1000), key=lambda number: many[number].value)[: MAX_OBSERVATIONS // 2])
    latest = [number for number in range(1000) if number not in best_half][-MAX_OBSERVATIONS // 2 :]
    assert numbers == sorted(best_half | set(latest))
    assert len(kept) == MAX_OBSERVATIONS
    assert bounded(many[:MAX_OBSERVATIONS]) == many[:MAX_OBSERVATIONS]
