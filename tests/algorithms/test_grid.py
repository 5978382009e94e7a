"""Grid search: every point once, exactly, without end or beginning in memory."""

from __future__ import annotations

from itertools import product

import pytest

from airflow_katib_provider.algorithms import get, suggest
from airflow_katib_provider.exceptions import InvalidExperimentError
from airflow_katib_provider.experiment.trial import Trial, TrialCondition
from tests.algorithms.contract import AlgorithmContract
from tests.algorithms.experiments import (
    Parameter,
    categorical,
    discrete,
    double,
    drive,
    experiment,
    integer,
    trial,
)


class TestGridContract(AlgorithmContract):
    algorithm = "grid"
    takes_continuous = False
    is_endless = False


GRIDS = {
    "decimal steps": (
        [double("rate", 0.01, 0.05, step=0.005)],
        "0.01 0.015 0.02 0.025 0.03 0.035 0.04 0.045 0.05",
    ),
    "tenths": ([double("momentum", 0.5, 0.9, step=0.1)], "0.5 0.6 0.7 0.8 0.9"),
    "a step that does not divide": ([double("rate", 0.1, 1, step=0.25)], "0.1 0.35 0.6 0.85"),
    "small numbers": ([double("rate", 1e-7, 3e-7, step=1e-7)], "0.0000001 0.0000002 0.0000003"),
    "across zero": ([double("shift", -0.2, 0.2, step=0.1)], "-0.2 -0.1 0 0.1 0.2"),
    "ints": ([integer("layers", 1, 9, step=4)], "1 5 9"),
    "one point of a double": ([double("rate", 0.3, 0.3)], "0.3"),
    "a distribution does not matter": ([integer("n", 1, 4, distribution="logNormal")], "1 2 3 4"),
    "choices as they are written": ([categorical("act", "b", "a c", "-")], None),
}


@pytest.mark.parametrize(("parameters", "values"), GRIDS.values(), ids=GRIDS.keys())
def test_values_are_exact(parameters: list[Parameter], values: str | None) -> None:
    answer = suggest(experiment("grid", parameters), [], 100)
    found = {suggestion.assignments[parameters[0]["name"]] for suggestion in answer.items}
    assert found == (set(values.split()) if values else set(parameters[0]["feasibleSpace"]["list"]))
    assert len(answer.items) == len(found)
    assert answer.exhausted


@pytest.mark.parametrize("parallel", [1, 4])
def test_every_point_once(parallel: int) -> None:
    tuned = experiment(
        "grid",
        [
            integer("a", 0, 4),
            double("b", 0.1, 0.5, step=0.1),
            discrete("c", 8, 4),
            categorical("d", "x", "y", "z"),
        ],
    )
    trials = drive(tuned, lambda point: float(point["a"]), count=1000, parallel=parallel)
    found = [tuple(t.assignments.values()) for t in trials]
    every = product("01234", ("0.1", "0.2", "0.3", "0.4", "0.5"), ("4", "8"), "xyz")
    assert len(found) == len(set(found)) == 150 == get("grid").limit(tuned)
    assert set(found) == set(every)


def test_a_grid_larger_than_memory() -> None:
    tuned = experiment("grid", [integer(f"p{index}", 1, 1000) for index in range(40)])
    assert get("grid").limit(tuned) == 1000**40
    answer = suggest(tuned, [], 5)
    assert len({tuple(suggestion.assignments.values()) for suggestion in answer.items}) == 5


def test_the_order_mixes_all_parameters() -> None:
    """Half of a grid that is walked through at random sees every value of every parameter."""
    tuned = experiment("grid", [integer("a", 0, 9), integer("b", 0, 9)])
    half = suggest(tuned, [], 50).items
    assert all(len({suggestion.assignments[name] for suggestion in half}) == 10 for name in "ab")


def test_trials_from_elsewhere_are_not_repeated() -> None:
    tuned = experiment("grid", [integer("a", 0, 3)])
    trials = [
        trial(0, {"a": "2"}, 1.0),
        trial(1, {"a": "7"}, 1.0),
        Trial("x", 2, TrialCondition.FAILED, {"a": "0"}),
    ]
    answer = suggest(tuned, trials, 4)
    assert {suggestion.assignments["a"] for suggestion in answer.items} == {"1", "3"}
    assert answer.exhausted


def test_the_last_points_do_not_end_the_search_early() -> None:
    tuned = experiment("grid", [integer("a", 0, 3)])
    assert not suggest(tuned, [], 4).exhausted
    trials = [trial(number, item.assignments, 1.0) for number, item in enumerate(suggest(tuned, [], 4).items)]
    assert suggest(tuned, trials, 1).items == ()
    assert suggest(tuned, trials, 1).exhausted


def test_a_continuous_parameter_is_refused_by_its_path() -> None:
    with pytest.raises(InvalidExperimentError) as error:
        experiment("grid", [integer("a", 0, 3), double("rate", 0, 1)])
    (problem,) = error.value.problems
    assert problem.path == "spec.parameters[1].feasibleSpace.step"
    assert "'rate'" in problem.message
    assert "step" in problem.message
