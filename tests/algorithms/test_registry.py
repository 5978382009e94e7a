"""Which algorithms there are, and how another package adds one."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from airflow_katib_provider.algorithms import available, get, suggest
from airflow_katib_provider.algorithms.registry import check
from airflow_katib_provider.exceptions import InvalidExperimentError, PluginError, UnknownAlgorithmError
from tests.algorithms.experiments import double, experiment, integer

if TYPE_CHECKING:
    from pathlib import Path

BUILT_IN = ("bayesianoptimization", "cmaes", "grid", "multivariate-tpe", "random", "sobol", "tpe")

MODULE = '''
from airflow_katib_provider.algorithms import Algorithm, Settings, Suggestion, Suggestions
from airflow_katib_provider.exceptions import Problem


class EdgeSettings(Settings):
    edge: int = 0


class Edge(Algorithm):
    """Answers one edge of every range."""

    name = "edge"
    settings_type = EdgeSettings

    def validate(self, experiment):
        if experiment.parallel_trial_count > 1:
            yield Problem("spec.parallelTrialCount", "edge works alone")

    def suggest(self, experiment, trials, count, seed):
        edge = int(experiment.algorithm.settings.get("edge", 0))
        point = {parameter.name: parameter.from_unit(edge) for parameter in experiment.space}
        return Suggestions((Suggestion(point),))


NOT_AN_ALGORITHM = 5
'''

Install = Callable[[str, dict[str, str]], None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Return what puts a distribution with entry points on the path, as an installer would."""
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "edge_search.py").write_text(MODULE)
    monkeypatch.delitem(sys.modules, "edge_search", raising=False)

    def put(distribution: str, entry_points: dict[str, str]) -> None:
        folder = tmp_path / f"{distribution.replace('-', '_')}-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
        lines = [f"{name} = {value}" for name, value in entry_points.items()]
        text = "\n".join(["[airflow_katib_provider.algorithms]", *lines])
        (folder / "entry_points.txt").write_text(text)

    return put


PARAMETERS = [double("rate", 0, 1), integer("layers", 1, 4)]
STEPPED = [double("rate", 0, 1, step=0.1), integer("layers", 1, 4)]


def test_what_is_built_in() -> None:
    assert available() == BUILT_IN
    assert [get(name).name for name in available()] == list(BUILT_IN)


def test_another_package_adds_an_algorithm(install: Install) -> None:
    install("edge-search", {"edge": "edge_search:Edge"})
    assert available() == tuple(sorted((*BUILT_IN, "edge")))
    tuned = experiment("edge", PARAMETERS, {"edge": 1}, parallelTrialCount=1)
    assert suggest(tuned, [], 1).items[0].assignments == {"rate": "1.0", "layers": "4"}


def test_its_settings_and_its_own_checks_are_used(install: Install) -> None:
    install("edge-search", {"edge": "edge_search:Edge"})
    with pytest.raises(InvalidExperimentError) as error:
        experiment("edge", PARAMETERS, {"edge": "low"}, parallelTrialCount=1)
    assert "spec.algorithm.algorithmSettings[0].value: setting 'edge' must be an integer" in str(error.value)
    with pytest.raises(InvalidExperimentError, match=r"spec\.parallelTrialCount: edge works alone"):
        experiment("edge", PARAMETERS, parallelTrialCount=2)


def test_a_built_in_name_is_not_replaced(install: Install) -> None:
    install("edge-search", {"tpe": "edge_search:Edge"})
    assert type(get("tpe")).__module__ == "airflow_katib_provider.algorithms.tpe"
    assert available() == BUILT_IN


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("edge_search:NOT_AN_ALGORITHM", "is not a subclass of Algorithm"),
        ("edge_search:Missing", "cannot be loaded from 'edge_search:Missing'"),
        ("no_such_module:Edge", "No module named 'no_such_module'"),
    ],
)
def test_what_cannot_be_used_is_named_with_its_package(install: Install, value: str, message: str) -> None:
    install("edge-search", {"edge": value})
    with pytest.raises(PluginError, match="algorithm 'edge' of package 'edge-search'") as error:
        get("edge")
    assert message in str(error.value)
    with pytest.raises(InvalidExperimentError, match=r"spec\.algorithm\.algorithmName: algorithm 'edge'"):
        experiment("edge", PARAMETERS)


def test_a_name_that_two_packages_claim(install: Install) -> None:
    install("edge-search", {"edge": "edge_search:Edge"})
    install("other-search", {"edge": "other_search:Edge"})
    with pytest.raises(PluginError, match="package 'edge-search' and package 'other-search'"):
        get("edge")


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("tpee", "did you mean 'tpe'"),
        ("Random", "did you mean 'random'"),
        ("bayesian-optimization", "did you mean 'bayesianoptimization'"),
        ("zzz", "known are bayesianoptimization, cmaes, grid"),
    ],
)
def test_an_unknown_name(name: str, hint: str) -> None:
    with pytest.raises(UnknownAlgorithmError, match=hint):
        get(name)
    with pytest.raises(InvalidExperimentError, match=r"spec\.algorithm\.algorithmName: unknown algorithm"):
        experiment(name, PARAMETERS)


BAD_SETTINGS = [
    ("random", "random_state", "-1", ">= 0"),
    ("random", "random_state", "1.5", "an integer"),
    ("random", "random_state", "abc", "an integer"),
    ("grid", "random_state", "-1", ">= 0"),
    ("sobol", "random_state", "", "an integer"),
    ("tpe", "random_state", "-3", ">= 0"),
    ("tpe", "gamma", "0", "> 0 and < 1"),
    ("tpe", "gamma", "1", "> 0 and < 1"),
    ("tpe", "gamma", "nan", "> 0 and < 1"),
    ("tpe", "prior_weight", "0", "> 0"),
    ("tpe", "prior_weight", "inf", "a number"),
    ("tpe", "n_EI_candidates", "0", "> 0"),
    ("tpe", "n_EI_candidates", "2.5", "an integer"),
    ("tpe", "n_ei_candidates", "0", "> 0"),
    ("tpe", "n_startup_trials", "-1", ">= 0"),
    ("multivariate-tpe", "n_startup_trials", "x", "an integer"),
    ("multivariate-tpe", "n_ei_candidates", "0", "> 0"),
    ("multivariate-tpe", "random_state", "1e3", "an integer"),
    ("bayesianoptimization", "base_estimator", "gp", "'GP', 'RF', 'ET', 'GBRT'"),
    ("bayesianoptimization", "n_initial_points", "-1", ">= 0"),
    ("bayesianoptimization", "acq_func", "UCB", "'gp_hedge', 'LCB', 'EI', 'PI', 'EIps', 'PIps'"),
    ("bayesianoptimization", "acq_optimizer", "adam", "'auto', 'sampling', 'lbfgs'"),
    ("bayesianoptimization", "random_state", "-1", ">= 0"),
    ("cmaes", "sigma", "0", "> 0"),
    ("cmaes", "sigma", "-0.1", "> 0"),
    ("cmaes", "sigma", "wide", "a number"),
    ("cmaes", "restart_strategy", "lpop", "'none', 'ipop', 'bipop'"),
    ("cmaes", "random_state", "-1", ">= 0"),
]


@pytest.mark.parametrize(("algorithm", "name", "value", "allowed"), BAD_SETTINGS)
def test_a_bad_value_is_refused_by_name(algorithm: str, name: str, value: str, allowed: str) -> None:
    with pytest.raises(InvalidExperimentError) as error:
        experiment(algorithm, STEPPED, {"random_state": "7", name: value})
    (problem,) = error.value.problems
    position = 0 if name == "random_state" else 1
    assert problem.path == f"spec.algorithm.algorithmSettings[{position}].value"
    assert name in problem.message
    assert repr(value) in problem.message
    assert allowed in problem.message


@pytest.mark.parametrize("algorithm", BUILT_IN)
def test_an_unknown_setting_is_refused_by_name(algorithm: str) -> None:
    with pytest.raises(InvalidExperimentError) as error:
        experiment(algorithm, STEPPED, {"random_stat": "7"})
    (problem,) = error.value.problems
    assert problem.path == "spec.algorithm.algorithmSettings[0].name"
    assert "'random_stat'" in problem.message
    assert "'random_state'" in problem.message


@pytest.mark.parametrize(
    ("algorithm", "settings", "message"),
    [
        ("tpe", {"n_EI_candidates": "5", "n_ei_candidates": "6"}, "are the same setting"),
        ("bayesianoptimization", {"base_estimator": "RF", "acq_optimizer": "lbfgs"}, "GP"),
    ],
)
def test_settings_that_do_not_go_together(algorithm: str, settings: dict[str, str], message: str) -> None:
    with pytest.raises(InvalidExperimentError) as error:
        experiment(algorithm, STEPPED, settings)
    (problem,) = error.value.problems
    assert problem.path == "spec.algorithm.algorithmSettings"
    assert message in problem.message


GOOD_SETTINGS = [
    ("random", {"random_state": "10"}),
    ("grid", {"random_state": "0"}),
    ("sobol", {"random_state": "3"}),
    ("tpe", {"gamma": "0.25", "prior_weight": "1.5", "n_EI_candidates": "10", "n_startup_trials": "1"}),
    ("tpe", {"n_ei_candidates": "30"}),
    ("multivariate-tpe", {"n_startup_trials": "0", "n_ei_candidates": "12", "random_state": "1"}),
    ("bayesianoptimization", {"base_estimator": "GP", "n_initial_points": "0", "acq_func": "LCB"}),
    ("bayesianoptimization", {"acq_optimizer": "sampling", "random_state": "4"}),
    ("cmaes", {"restart_strategy": "ipop", "sigma": "0.3"}),
    ("cmaes", {"restart_strategy": "None"}),
]


@pytest.mark.parametrize(("algorithm", "settings"), GOOD_SETTINGS)
def test_good_settings(algorithm: str, settings: dict[str, str]) -> None:
    tuned = experiment(algorithm, STEPPED, settings)
    assert check(tuned) == []
    assert len(suggest(tuned, [], 2).items) == 2


def test_checking_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from airflow_katib_provider.algorithms import available, get\n"
        "[get(name) for name in available()]\n"
        "heavy = {'numpy', 'scipy', 'optuna', 'skopt', 'sklearn', 'cmaes', 'airflow', 'sqlalchemy'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
