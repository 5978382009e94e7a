"""The tree-structured Parzen estimator."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

import pytest

from airflow_katib_provider.algorithms import suggest
from airflow_katib_provider.algorithms.tpe import MultivariateTpeSettings, TpeSettings
from airflow_katib_provider.experiment.trial import Trial, TrialCondition
from tests.algorithms.contract import AlgorithmContract
from tests.algorithms.experiments import categorical, double, experiment, integer, trial

if TYPE_CHECKING:
    from collections.abc import Mapping


class TestTpeContract(AlgorithmContract):
    algorithm = "tpe"
    settings: ClassVar[Mapping[str, object]] = {"n_startup_trials": 3}


class TestMultivariateTpeContract(AlgorithmContract):
    algorithm = "multivariate-tpe"
    settings: ClassVar[Mapping[str, object]] = {"n_startup_trials": 3}


SPACE = [double("x", 0, 1), integer("n", 1, 9), categorical("c", "a", "b", "c")]


def finished(count: int) -> list[Trial]:
    """Return random trials; small ``x`` is good."""
    answer = suggest(experiment("random", SPACE), [], count, seed=4)
    return [trial(number, s.assignments, float(s.assignments["x"])) for number, s in enumerate(answer.items)]


def xs(
    algorithm: str, trials: list[Trial], settings: dict[str, object] | None = None, calls: int = 30
) -> list[float]:
    """Return where the suggestions of many seeds lie, one a call."""
    tuned = experiment(algorithm, SPACE, settings)
    return [float(suggest(tuned, trials, 1, seed).items[0].assignments["x"]) for seed in range(calls)]


@pytest.mark.parametrize("algorithm", ["tpe", "multivariate-tpe"])
def test_it_learns_after_the_startup_trials(algorithm: str) -> None:
    """Small values of ``x`` are good; with 20 trials, these are known to lie below a quarter of the range."""
    settings: dict[str, object] = {"n_startup_trials": 20}
    before, after = xs(algorithm, finished(19), settings), xs(algorithm, finished(20), settings)
    assert sum(x < 0.25 for x in before) < 15
    assert sum(x < 0.25 for x in after) > 24


@pytest.mark.parametrize("algorithm", ["tpe", "multivariate-tpe"])
@pytest.mark.parametrize("startup", [0, 5, 25])
def test_startup_trials_are_a_setting(algorithm: str, startup: int) -> None:
    trials, settings = finished(24), {"n_startup_trials": startup}
    turned = [replace(t, value=-(t.value or 0)) for t in trials]
    is_random = xs(algorithm, trials, settings, 3) == xs(algorithm, turned, settings, 3)
    assert is_random is (startup > 24)


@pytest.mark.parametrize("algorithm", ["tpe", "multivariate-tpe"])
def test_pending_trials_push_suggestions_away(algorithm: str) -> None:
    trials = finished(30)
    free = xs(algorithm, trials)
    crowd = sum(free) / len(free)
    pending = [
        Trial(f"p{n}", 30 + n, TrialCondition.RUNNING, {"x": repr(crowd + 0.001 * n), "n": "5", "c": "b"})
        for n in range(12)
    ]
    failed = [replace(t, condition=TrialCondition.FAILED) for t in pending]
    away = [abs(x - crowd) for x in xs(algorithm, trials + pending)]
    near = [abs(x - crowd) for x in xs(algorithm, trials + failed)]
    assert sum(away) > 1.5 * sum(near)


OPTIONS = [
    (TpeSettings, {}, {"n_startup_trials": 10, "n_ei_candidates": 24}),
    (TpeSettings, {"n_EI_candidates": "7"}, {"n_startup_trials": 10, "n_ei_candidates": 7}),
    (TpeSettings, {"n_ei_candidates": "8"}, {"n_startup_trials": 10, "n_ei_candidates": 8}),
    (
        TpeSettings,
        {"prior_weight": "2.5"},
        {"n_startup_trials": 10, "n_ei_candidates": 24, "prior_weight": 2.5},
    ),
    (MultivariateTpeSettings, {"n_startup_trials": "3"}, {"n_startup_trials": 3, "n_ei_candidates": 24}),
]


@pytest.mark.parametrize(("settings_type", "written", "options"), OPTIONS)
def test_settings_become_the_samplers_arguments(
    settings_type: type[MultivariateTpeSettings], written: dict[str, str], options: dict[str, object]
) -> None:
    assert settings_type.model_validate(written).sampler_options() == options


@pytest.mark.parametrize(
    ("gamma", "observed", "good"),
    [("0.25", 1, 1), ("0.25", 100, 3), ("0.5", 100, 5), ("0.99", 10000, 25), ("0.25", 0, 0)],
)
def test_gamma_is_hyperopts(gamma: str, observed: int, good: int) -> None:
    options = TpeSettings.model_validate({"gamma": gamma}).sampler_options()
    assert options["gamma"](observed) == good


@pytest.mark.parametrize("settings", [{"gamma": 0.9}, {"prior_weight": 30}, {"n_EI_candidates": 1}])
def test_settings_matter(settings: dict[str, object]) -> None:
    trials = finished(40)
    assert xs("tpe", trials, settings, 5) != xs("tpe", trials, None, 5)


def test_one_estimator_a_parameter_or_one_for_all() -> None:
    trials = finished(40)
    assert xs("tpe", trials) != xs("multivariate-tpe", trials)
