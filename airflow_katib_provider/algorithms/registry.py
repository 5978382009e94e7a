"""Which algorithms there are: those that are built in, and those that other packages register."""

from __future__ import annotations

import warnings
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, NoReturn

from airflow_katib_provider.algorithms.base import Algorithm, ExperimentView
from airflow_katib_provider.exceptions import AlgorithmError, Problem, UnknownAlgorithmError
from airflow_katib_provider.experiment.settings import check_settings

if TYPE_CHECKING:
    from airflow_katib_provider.experiment.spec import AlgorithmSpec

ENTRY_POINT_GROUP = "airflow_katib_provider.algorithms"
"""The entry point group under which a package registers an algorithm: its name = ``module:Class``."""

_PACKAGE = "airflow_katib_provider.algorithms"

_BUILT_IN = {
    "bayesianoptimization": f"{_PACKAGE}.bayesianoptimization:BayesianOptimization",
    "cmaes": f"{_PACKAGE}.cmaes:CmaEs",
    "grid": f"{_PACKAGE}.grid:Grid",
    "multivariate-tpe": f"{_PACKAGE}.tpe:MultivariateTpe",
    "random": f"{_PACKAGE}.random_search:RandomSearch",
    "sobol": f"{_PACKAGE}.sobol:Sobol",
    "tpe": f"{_PACKAGE}.tpe:Tpe",
}


def available() -> tuple[str, ...]:
    """Return the names of all algorithms, in alphabetical order."""
    return tuple(sorted({*_BUILT_IN, *(point.name for point in _registered())}))


def get(name: str) -> Algorithm:
    """Return the algorithm of a name.

    A built-in name is always the built-in algorithm; a package that registers it again is ignored, with a
    warning. Any other name is looked up among the entry points of ``airflow_katib_provider.algorithms``.

    :raises UnknownAlgorithmError: if there is none of that name; the message gives the nearest ones.
    :raises AlgorithmError: if what is registered is not an algorithm, cannot be imported, or stands under a
        name that another package registers too.
    """
    if name in _BUILT_IN:
        module, _, attribute = _BUILT_IN[name].partition(":")
        algorithm_type: type[Algorithm] = getattr(import_module(module), attribute)
        return algorithm_type()
    registered = _registered()
    points = [point for point in registered if point.name == name]
    if not points:
        _unknown(name, (*_BUILT_IN, *(point.name for point in registered)))
    if len(points) > 1:
        raise AlgorithmError(
            f"algorithm {name!r} is registered by more than one package: "
            f"{', '.join(sorted(map(_origin, points)))}; uninstall all but one"
        )
    return _load(points[0])


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
    except (UnknownAlgorithmError, AlgorithmError) as error:
        return [Problem("spec.algorithm.algorithmName", str(error))]
    settings_path = "spec.algorithm.algorithmSettings"
    return check_settings(algorithm.settings_type, algorithm_spec.algorithm_settings, settings_path)


def _registered() -> list[EntryPoint]:
    """Return what other packages register, without those that would replace a built-in algorithm."""
    points = entry_points(group=ENTRY_POINT_GROUP)
    for point in points:
        if point.name in _BUILT_IN:
            warnings.warn(
                f"{_origin(point)} registers an algorithm under the built-in name {point.name!r}, which is "
                "ignored; it must choose another name",
                stacklevel=3,
            )
    return [point for point in points if point.name not in _BUILT_IN]


def _load(point: EntryPoint) -> Algorithm:
    try:
        loaded = point.load()
    except Exception as error:
        raise AlgorithmError(
            f"algorithm {point.name!r} of {_origin(point)} cannot be loaded from {point.value!r}: {error}"
        ) from error
    if not (isinstance(loaded, type) and issubclass(loaded, Algorithm)):
        raise AlgorithmError(
            f"algorithm {point.name!r} of {_origin(point)}: {point.value!r} is not a subclass of "
            "airflow_katib_provider.algorithms.Algorithm"
        )
    return loaded()


def _origin(point: EntryPoint) -> str:
    return f"package {point.dist.name!r}" if point.dist else "an unnamed package"


def _unknown(name: str, known: tuple[str, ...]) -> NoReturn:
    near = get_close_matches(name.lower(), known, n=3)
    hint = f"did you mean {' or '.join(map(repr, near))}? " if near else ""
    raise UnknownAlgorithmError(
        f"unknown algorithm {name!r}; {hint}Known algorithms: {', '.join(sorted(known))}"
    )
