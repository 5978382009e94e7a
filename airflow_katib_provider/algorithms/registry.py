"""Which algorithms there are: those that are built in, and those that other packages register."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_katib_provider.algorithms.base import Algorithm, ExperimentView
from airflow_katib_provider.exceptions import PluginError, Problem, UnknownAlgorithmError
from airflow_katib_provider.experiment.settings import check_settings
from airflow_katib_provider.plugins import Plugins

if TYPE_CHECKING:
    from airflow_katib_provider.experiment.spec import AlgorithmSpec

_PACKAGE = "airflow_katib_provider.algorithms"

_ALGORITHMS: Plugins[Algorithm] = Plugins(
    "algorithm",
    group=_PACKAGE,
    base=Algorithm,  # type: ignore[type-abstract]  # it is compared with, never called
    own={
        "bayesianoptimization": f"{_PACKAGE}.bayesianoptimization:BayesianOptimization",
        "cmaes": f"{_PACKAGE}.cmaes:CmaEs",
        "grid": f"{_PACKAGE}.grid:Grid",
        "multivariate-tpe": f"{_PACKAGE}.tpe:MultivariateTpe",
        "random": f"{_PACKAGE}.random_search:RandomSearch",
        "sobol": f"{_PACKAGE}.sobol:Sobol",
        "tpe": f"{_PACKAGE}.tpe:Tpe",
    },
)


def available() -> tuple[str, ...]:
    """Return the names of all algorithms, in alphabetical order."""
    return _ALGORITHMS.names()


def get(name: str) -> Algorithm:
    """Return the algorithm of a name.

    A built-in name is always the built-in algorithm. Any other is looked up among the entry points of the group
    ``airflow_katib_provider.algorithms``, ``name = module:Class``.

    :raises UnknownAlgorithmError: if there is none of that name; the message gives those there are.
    :raises PluginError: if what another package registered under the name cannot be used.
    """
    return _ALGORITHMS.get(name)()


def check(experiment: ExperimentView) -> list[Problem]:
    """Say everything that is wrong with ``spec.algorithm``, and what the algorithm cannot do with the rest.

    :param experiment: an experiment whose parameters and objective are valid.
    """
    algorithm_spec = experiment.algorithm
    return check_spec(algorithm_spec) or list(get(algorithm_spec.algorithm_name).validate(experiment))


def check_spec(algorithm_spec: AlgorithmSpec) -> list[Problem]:
    """Say everything that is wrong with the name and the settings in ``spec.algorithm``, taken by itself."""
    try:
        algorithm = get(algorithm_spec.algorithm_name)
    except (UnknownAlgorithmError, PluginError) as error:
        return [Problem("spec.algorithm.algorithmName", str(error))]
    settings_path = "spec.algorithm.algorithmSettings"
    return check_settings(algorithm.settings_type, algorithm_spec.algorithm_settings, settings_path)
