"""CMA-ES: generations found again from labels, restarts, starting points."""

from __future__ import annotations

from dataclasses import replace
from statistics import mean, pstdev
from typing import TYPE_CHECKING

import pytest

from airflow_katib_provider.algorithms import suggest
from airflow_katib_provider.algorithms.cmaes_runs import FinishedRun, RestartStrategy, Run, next_run
from airflow_katib_provider.exceptions import InvalidExperimentError
from airflow_katib_provider.experiment.trial import Trial, TrialCondition
from tests.algorithms.contract import AlgorithmContract
from tests.algorithms.experiments import (
    Parameter,
    best,
    categorical,
    discrete,
    double,
    drive,
    drive_in_rounds,
    experiment,
    integer,
    trial,
)

if TYPE_CHECKING:
    from airflow_katib_provider.experiment.experiment import Experiment
    from airflow_katib_provider.experiment.space import Value


class TestCmaEsContract(AlgorithmContract):
    algorithm = "cmaes"
    fewest_parameters = 2


PLANE = [double("x", -5, 5), double("y", -5, 5)]
POPULATION = 6
"""4 + floor(3 ln 2): of two parameters."""


def bowl(point: dict[str, Value]) -> float:
    return (float(point["x"]) - 1) ** 2 + (float(point["y"]) + 2) ** 2


def rugged(point: dict[str, Value]) -> float:
    """Two bowls; the one where the search starts is the worse."""
    x, y = float(point["x"]), float(point["y"])
    return min(x**2 + y**2 + 3, (x - 4) ** 2 + (y - 4) ** 2)


def generations(trials: list[Trial]) -> list[tuple[int, int]]:
    return [(int(t.labels["cmaes/restart"]), int(t.labels["cmaes/generation"])) for t in trials]


@pytest.mark.parametrize(
    ("parameters", "ordered"),
    [
        ([double("x", 0, 1)], 1),
        ([double("x", 0, 1), categorical("a", "b", "c")], 1),
        ([categorical("a", "b", "c"), categorical("d", "e", "f")], 0),
    ],
)
def test_fewer_than_two_ordered_parameters_are_refused(parameters: list[Parameter], ordered: int) -> None:
    with pytest.raises(InvalidExperimentError) as error:
        experiment("cmaes", parameters)
    (problem,) = error.value.problems
    assert problem.path == "spec.parameters"
    assert f"{ordered};" in problem.message


@pytest.mark.parametrize(
    "parameters",
    [
        [integer("a", 0, 1), discrete("b", 1, 2), categorical("c", "x", "y")],
        [integer("a", 0, 5), double("b", 1, 1)],
        [integer("a", 3, 3), double("b", 1, 1), categorical("c", "x", "y", "z")],
        [integer("a", 1, 100000), double("b", 0, 1, step=0.00001)],
        [discrete("a", *range(300)), discrete("b", 1, 2, 5)],
    ],
    ids=["binary", "one free", "only a category free", "huge grids", "a long list"],
)
def test_spaces_at_the_edge(parameters: list[Parameter]) -> None:
    tuned = experiment("cmaes", parameters, {"restart_strategy": "ipop"})
    drive(tuned, lambda point: float(point["a"]), 30, parallel=2)


def test_a_generation_ends_with_its_population() -> None:
    trials = drive(experiment("cmaes", PLANE), bowl, 4 * POPULATION)
    assert generations(trials) == [(0, number // POPULATION) for number in range(4 * POPULATION)]


def test_failed_trials_are_replaced() -> None:
    tuned = experiment("cmaes", PLANE)
    trials: list[Trial] = []
    for number in range(14):
        (suggestion,) = suggest(tuned, trials, 1).items
        failed = number in (1, 4, 9)
        trials.append(
            trial(
                number,
                suggestion.assignments,
                None if failed else bowl(tuned.space.parse(suggestion.assignments)),
                TrialCondition.FAILED if failed else TrialCondition.SUCCEEDED,
                suggestion.labels,
            )
        )
    assert generations(trials) == [(0, 0)] * 8 + [(0, 1)] * 6


def test_no_trial_waits_for_a_slow_one() -> None:
    """One trial never ends; generations go on without it, and it stays on the list of the late ones."""
    tuned = experiment("cmaes", PLANE)
    slow = suggest(tuned, [], 1).items[0]
    trials = [trial(0, slow.assignments, None, TrialCondition.RUNNING, slow.labels)]
    while len(trials) < 20:
        (suggestion,) = suggest(tuned, trials, 1).items
        value = bowl(tuned.space.parse(suggestion.assignments))
        trials.append(trial(len(trials), suggestion.assignments, value, labels=suggestion.labels))
    assert generations(trials)[-1] == (0, 3)
    assert all(t.labels["cmaes/late"] == "0" for t in trials[7:])


def test_late_trials_count_for_the_next_generation() -> None:
    """With four at a time three are late in each generation; without them counted, 24 trials made two of them."""
    trials = drive(experiment("cmaes", PLANE), bowl, 40, parallel=4)
    assert generations(trials)[-1][1] >= 5


def test_what_ends_late_does_not_change_the_past() -> None:
    """A generation that was complete stays the same when trials that were pending then have ended since."""
    tuned = experiment("cmaes", PLANE)
    first = suggest(tuned, [], 8).items
    started = [trial(n, s.assignments, None, TrialCondition.RUNNING, s.labels) for n, s in enumerate(first)]
    ended = [replace(t, condition=TrialCondition.SUCCEEDED, value=float(t.number)) for t in started]
    at_the_time = [*started[:2], *ended[2:]]
    (next_one,) = suggest(tuned, at_the_time, 1).items
    assert next_one.labels == {"cmaes/restart": "0", "cmaes/generation": "1", "cmaes/late": "0 1"}
    follower = trial(8, next_one.assignments, None, TrialCondition.RUNNING, next_one.labels)
    assert suggest(tuned, [*at_the_time, follower], 1) == suggest(tuned, [*ended, follower], 1)


def test_extra_results_count_for_the_next_generation() -> None:
    tuned = experiment("cmaes", PLANE)
    first = suggest(tuned, [], 2 * POPULATION - 1).items
    trials = [trial(number, s.assignments, float(number), labels=s.labels) for number, s in enumerate(first)]
    (suggestion,) = suggest(tuned, trials, 1).items
    assert suggestion.labels["cmaes/generation"] == "1"
    assert suggestion.labels["cmaes/late"] == " ".join(map(str, range(POPULATION, 2 * POPULATION - 1)))


@pytest.mark.parametrize(("strategy", "runs"), [("none", 1), ("None", 1), ("ipop", 4), ("bipop", 5)])
def test_restarts(strategy: str, runs: int) -> None:
    trials = drive_in_rounds(experiment("cmaes", PLANE, {"restart_strategy": strategy}), bowl, 900, size=12)
    labels = generations(trials)
    assert labels == sorted(labels)
    restarts = sorted({restart for restart, _ in labels})
    assert restarts == list(range(len(restarts)))
    assert len(restarts) == 1 if runs == 1 else len(restarts) >= runs


def test_ipop_doubles_the_population() -> None:
    trials = drive_in_rounds(experiment("cmaes", PLANE, {"restart_strategy": "ipop"}), bowl, 900, size=6)
    labels = generations(trials)
    for restart in range(3):
        assert labels.count((restart, 1)) == pytest.approx(POPULATION * 2**restart, abs=2)


def test_restarts_find_what_a_single_run_misses() -> None:
    plain = drive_in_rounds(experiment("cmaes", PLANE), rugged, 300, size=12)
    assert best(plain) == pytest.approx(3, abs=0.01)
    restarted = experiment("cmaes", PLANE, {"restart_strategy": "ipop"})
    assert best(drive_in_rounds(restarted, rugged, 900, size=12)) < 0.1


def test_bipop_gives_both_kinds_of_run_the_same_budget() -> None:
    """Large runs double; small ones are smaller, shorter and more local, and come while they have used less."""
    finished = [FinishedRun(Run(0, 8, 0.2, (0.5, 0.5)), 400)]
    small = large = last_large = 0
    for _ in range(40):
        run = next_run(RestartStrategy.BIPOP, finished, seed=1)
        assert run.index == len(finished)
        assert run.is_small is (small < large)
        assert all(0 <= place <= 1 for place in run.center)
        if run.is_small:
            assert run.max_evaluations == last_large // 2
            assert 4 <= run.population <= 8 * 2**run.doublings // 2
            assert 0.2 / 100 <= run.sigma <= 0.2
            evaluations = min(60, run.max_evaluations)
            small += evaluations
        else:
            assert run.population == 8 * 2**run.doublings
            assert (run.sigma, run.max_evaluations) == (0.2, None)
            evaluations = last_large = 100
            large += evaluations
        finished.append(FinishedRun(run, evaluations))
    assert abs(small - large) <= 100


def test_next_run_depends_on_the_seed_alone() -> None:
    finished = [FinishedRun(Run(0, 8, 0.2, (0.5, 0.5)), 400)]
    runs = [next_run(RestartStrategy.IPOP, finished, seed) for seed in (1, 1, 2)]
    assert runs[0] == runs[1]
    assert runs[0].center != runs[2].center


def spread(tuned: Experiment, trials: list[Trial]) -> tuple[float, float]:
    """Return mean and deviation of one parameter's positions over many first suggestions."""
    answer = suggest(tuned, trials, 300)
    places = [tuned.space.parameters[0].to_unit(s.assignments["x"]) for s in answer.items]
    return mean(places), pstdev(places)


@pytest.mark.parametrize("sigma", [None, 0.02, 0.1])
def test_sigma_is_the_first_step_size(sigma: float | None) -> None:
    tuned = experiment("cmaes", PLANE, {} if sigma is None else {"sigma": sigma})
    middle, deviation = spread(tuned, [])
    assert middle == pytest.approx(0.5, abs=0.03)
    assert deviation == pytest.approx(sigma or 1 / 6, rel=0.1)


def test_it_starts_at_the_best_of_foreign_trials() -> None:
    tuned = experiment("cmaes", PLANE, {"sigma": 0.02})
    places = [("-4", "1"), ("4", "1"), ("0", "4")]
    trials = [
        trial(number, {"x": x, "y": y}, value)
        for number, ((x, y), value) in enumerate(zip(places, (3, 1, 2), strict=True))
    ]
    assert spread(tuned, trials)[0] == pytest.approx(0.9, abs=0.01)
    (suggestion,) = suggest(tuned, trials, 1).items
    own = trial(3, suggestion.assignments, 9.0, labels=suggestion.labels)
    later = trial(4, {"x": "-4.5", "y": "0"}, -5.0, labels={"cmaes/restart": "x"})
    assert spread(tuned, [*trials, own, later])[0] == pytest.approx(0.9, abs=0.01)
