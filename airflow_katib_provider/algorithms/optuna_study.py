"""An Optuna study in memory, rebuilt from an experiment's trials at each call."""

from __future__ import annotations

import logging
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

from airflow_katib_provider.algorithms.dimensions import Dimension, Kind, encode

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from optuna import Study
    from optuna.distributions import BaseDistribution
    from optuna.samplers import BaseSampler
    from optuna.trial import FrozenTrial

    from airflow_katib_provider.algorithms.base import ExperimentView
    from airflow_katib_provider.experiment.trial import Trial


class _Shared(dict[str, Any]):
    """A dictionary that nobody changes, so that a deep copy may be the same object.

    Optuna's storage copies each trial that it is given; with this, half of the time to rebuild a study is saved.
    """

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self


def rebuild(
    experiment: ExperimentView, dimensions: Sequence[Dimension], trials: Sequence[Trial], sampler: BaseSampler
) -> Study:
    """Return a study that holds the trials: observed ones as complete, pending ones as running, others as failed.

    Trials that are no points of this search space are left out.
    """
    import optuna

    study = optuna.create_study(
        sampler=sampler, direction="maximize" if experiment.objective.is_maximize else "minimize"
    )
    shared = _Shared(distributions(dimensions))
    study.add_trials(
        _frozen(trial, _Shared(point), shared)
        for trial in trials
        if (point := encode(dimensions, trial.assignments)) is not None
    )
    return study


def distributions(dimensions: Sequence[Dimension]) -> dict[str, BaseDistribution]:
    """Return Optuna's distributions."""
    return {dimension.name: _distribution(dimension) for dimension in dimensions}


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Optuna from reporting studies that exist only within a call, and settings it will give up one day."""
    logger = logging.getLogger("optuna")
    level = logger.level
    logger.setLevel(max(level, logging.WARNING))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            yield
    finally:
        logger.setLevel(level)


def _distribution(dimension: Dimension) -> BaseDistribution:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if dimension.kind is Kind.CATEGORY:
        return CategoricalDistribution(range(dimension.high + 1))
    if dimension.kind is Kind.UNIT:
        return FloatDistribution(dimension.low, dimension.high)
    return IntDistribution(dimension.low, dimension.high, log=dimension.kind is Kind.LOG_INTEGER)


def _frozen(trial: Trial, point: _Shared, shared: _Shared) -> FrozenTrial:
    from optuna.trial import TrialState, create_trial

    if trial.is_observed:
        state, value = TrialState.COMPLETE, trial.value
    else:
        state, value = TrialState.RUNNING if trial.is_pending else TrialState.FAIL, None
    frozen = create_trial(state=state, value=value, params=point, distributions=shared)
    frozen.params, frozen.distributions = point, shared
    return frozen
