"""One question to an algorithm: its seed, its answer checked, its errors named."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_katib_provider.algorithms.base import (
    Algorithm,
    ExperimentView,
    SeededSettings,
    Suggestion,
    Suggestions,
)
from airflow_katib_provider.algorithms.registry import get
from airflow_katib_provider.exceptions import AlgorithmError, KatibError, MissingExtraError
from airflow_katib_provider.experiment.settings import read_settings
from airflow_katib_provider.experiment.space import NumericParameter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_katib_provider.experiment.space import Parameter, SearchSpace
    from airflow_katib_provider.experiment.trial import Trial


def suggest(
    experiment: ExperimentView, trials: Sequence[Trial], count: int, seed: int | None = None
) -> Suggestions:
    """Ask the experiment's algorithm what to try next. Needs neither Airflow nor a database.

    It is a pure function: the same experiment, trials and seed give the same answer.

    :param experiment: a valid experiment.
    :param trials: every trial so far, those that are pending or failed included; their ``number`` gives the order.
    :param count: how many suggestions are wanted, at least 1.
    :param seed: the seed where the algorithm has no setting ``random_state``; 0 by default.
    :return: up to ``count`` suggestions. See :class:`~airflow_katib_provider.algorithms.base.Suggestions` for
        what fewer of them mean.
    :raises ValueError: if ``count`` is less than 1.
    :raises UnknownAlgorithmError: if there is no such algorithm.
    :raises MissingExtraError: if the algorithm needs a package that is not installed.
    :raises AlgorithmError: if the algorithm fails, or answers something that is not in the search space.

    Example::

        experiment = Experiment.from_yaml("tpe.yaml")
        first, second = suggest(experiment, trials=(), count=2).items
        experiment.space.parse(first.assignments)     # {"lr": 0.013, "layers": 3, "optimizer": "adam"}
    """
    if count < 1:
        raise ValueError(f"count is {count}; ask for at least 1 suggestion")
    algorithm = get(experiment.algorithm.algorithm_name)
    history = sorted(trials, key=lambda trial: trial.number)
    answer = _ask(algorithm, experiment, history, count, _seed(algorithm, experiment, seed))
    _check(algorithm, experiment.space, answer, count)
    return answer


def _seed(algorithm: Algorithm, experiment: ExperimentView, seed: int | None) -> int:
    settings = read_settings(algorithm.settings_type, experiment.algorithm.algorithm_settings)
    if isinstance(settings, SeededSettings) and settings.random_state is not None:
        return settings.random_state
    return seed or 0


def _ask(
    algorithm: Algorithm, experiment: ExperimentView, trials: Sequence[Trial], count: int, seed: int
) -> Suggestions:
    try:
        return algorithm.suggest(experiment, trials, count, seed)
    except KatibError:
        raise
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"algorithm {algorithm.name!r} needs the Python module {error.name!r}, which is not installed"
        ) from error
    except Exception as error:
        raise AlgorithmError(
            f"algorithm {algorithm.name!r} failed for experiment {experiment.name!r} "
            f"after {len(trials)} trials: {type(error).__name__}: {error}"
        ) from error


def _check(algorithm: Algorithm, space: SearchSpace, answer: Suggestions, count: int) -> None:
    if len(answer.items) > count:
        raise AlgorithmError(
            f"algorithm {algorithm.name!r} answered {len(answer.items)} suggestions where {count} were asked for"
        )
    for suggestion in answer.items:
        fault = _fault(space, suggestion)
        if fault:
            raise AlgorithmError(f"algorithm {algorithm.name!r} gave a bad suggestion: {fault}")


def _fault(space: SearchSpace, suggestion: Suggestion) -> str | None:
    """Say what keeps a suggestion from being a point of the space."""
    assignments = suggestion.assignments
    unknown = sorted(assignments.keys() - {parameter.name for parameter in space})
    if unknown:
        return f"there is no parameter {unknown[0]!r}"
    for parameter in space:
        if parameter.name not in assignments:
            return f"parameter {parameter.name!r} has no value"
        value = assignments[parameter.name]
        if not isinstance(value, str) or not _contains(parameter, value):
            return f"{value!r} is not a value of parameter {parameter.name!r}"
    return None


def _contains(parameter: Parameter, value: str) -> bool:
    try:
        if isinstance(parameter, NumericParameter) and parameter.size is None:
            return float(parameter.low) <= float(value) <= float(parameter.high)
        return parameter.value_at(parameter.index_of(value)) == value
    except (ValueError, ArithmeticError):
        return False
