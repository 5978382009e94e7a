"""Bayesian optimisation, on scikit-optimize."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from statistics import median
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import Field, model_validator

from airflow_katib_provider.algorithms.base import (
    ExperimentView,
    ParameterSearch,
    SeededSettings,
    Suggestion,
    Suggestions,
)
from airflow_katib_provider.algorithms.dimensions import Dimension, decode, encode, free_dimensions
from airflow_katib_provider.algorithms.draws import generator, library_seed
from airflow_katib_provider.algorithms.points import FreePoints, Point
from airflow_katib_provider.algorithms.surrogate import Model, Observation, Surrogate, quiet
from airflow_katib_provider.exceptions import Problem
from airflow_katib_provider.experiment.settings import read_settings
from airflow_katib_provider.experiment.spec import ParameterType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from airflow_katib_provider.experiment.space import SearchSpace
    from airflow_katib_provider.experiment.trial import Trial

MAX_OBSERVATIONS = 100
"""How many trials the model is fitted to: half of them are the best, half the latest of the others.

Measured over 120 trials with five parameters, 80 of them did as well as all and 40 did worse; a suggestion takes
0.6 s of CPU with 100 and 1.7 s with 200.
"""

_ALTERNATIVES = 500
"""How many random points are ranked by the model when the point that it likes best is taken."""

_SHORTEST_DURATION = 1e-3
"""Seconds. Durations count by their logarithm, and a clock may say 0."""


class BayesianOptimizationSettings(SeededSettings):
    """The settings of ``bayesianoptimization``, which are scikit-optimize's."""

    base_estimator: Literal["GP", "RF", "ET", "GBRT"] = "GP"
    """The model: a Gaussian process, a random forest, extra trees or gradient-boosted trees."""
    n_initial_points: int = Field(default=10, ge=0)
    """How many trials must be observed before the model takes over from random search."""
    acq_func: Literal["gp_hedge", "LCB", "EI", "PI", "EIps", "PIps"] = "gp_hedge"
    """What makes a point promising; ``gp_hedge`` draws one of LCB, EI and PI each time, ``...ps`` is per second."""
    acq_optimizer: Literal["auto", "sampling", "lbfgs"] = "auto"
    """How the most promising point is found; ``lbfgs`` needs the gradient of a Gaussian process."""

    @model_validator(mode="after")
    def _has_gradient(self) -> Self:
        if self.acq_optimizer == "lbfgs" and self.base_estimator != "GP":
            raise ValueError(
                f"acq_optimizer 'lbfgs' needs base_estimator 'GP', because {self.base_estimator!r} has no "
                "gradient; write acq_optimizer 'sampling' or 'auto'"
            )
        return self


@dataclass
class _Knowledge:
    """The trials as the model sees them."""

    observations: list[Observation] = field(default_factory=list)
    pending: list[list[Any]] = field(default_factory=list)


class BayesianOptimization(ParameterSearch):
    """``bayesianoptimization``: fits a model to the observed trials and asks where the next one promises most.

    The cost of a Gaussian process grows with the cube of its observations, so the model is fitted to
    ``MAX_OBSERVATIONS`` of them at most. scikit-optimize remembers which acquisition function did well; here
    nothing is remembered between calls, so ``gp_hedge`` draws with equal odds.

    Snoek et al., "Practical Bayesian Optimization of Machine Learning Algorithms", 2012.
    """

    name = "bayesianoptimization"
    settings_type = BayesianOptimizationSettings

    def validate(self, experiment: ExperimentView) -> Iterable[Problem]:
        """Refuse gradients over categories alone."""
        yield from super().validate(experiment)
        settings = read_settings(self.settings_type, experiment.algorithm.algorithm_settings)
        kinds = {parameter.parameter_type for parameter in experiment.spec.parameters}
        if settings.acq_optimizer == "lbfgs" and kinds == {ParameterType.CATEGORICAL}:
            yield Problem(
                "spec.algorithm.algorithmSettings",
                "acq_optimizer 'lbfgs' needs a parameter that is not categorical; write 'sampling' or 'auto'",
            )

    def suggest(
        self, experiment: ExperimentView, trials: Sequence[Trial], count: int, seed: int
    ) -> Suggestions:
        """Answer random points first, then the most promising ones."""
        settings = read_settings(self.settings_type, experiment.algorithm.algorithm_settings)
        space, dimensions = experiment.space, free_dimensions(experiment.space)
        known = _knowledge(dimensions, trials, sign=-1.0 if experiment.objective.is_maximize else 1.0)
        free = FreePoints(space, trials, key=f"{seed}:{len(trials)}")
        numbers = generator(seed, len(trials))

        def draw() -> Point:
            return {parameter.name: parameter.from_unit(numbers.random()) for parameter in space}

        if not dimensions or len(known.observations) < max(settings.n_initial_points, 1):
            return Suggestions(tuple(Suggestion(free.choose(draw)) for _ in range(count)))
        model = Model(settings.base_estimator, settings.acq_func, settings.acq_optimizer)
        observations = bounded(known.observations)
        answer: list[Suggestion] = []
        with quiet():
            for place in range(count):
                key = library_seed(seed, len(trials), place)
                surrogate = Surrogate(dimensions, model, key, observations, known.pending)
                candidates = _candidates(space, dimensions, surrogate, draw)
                point = free.choose(partial(next, candidates), attempts=1 + _ALTERNATIVES)
                known.pending.append(list((encode(dimensions, point) or {}).values()))
                answer.append(Suggestion(point))
        return Suggestions(tuple(answer))


def _knowledge(dimensions: Sequence[Dimension], trials: Sequence[Trial], sign: float) -> _Knowledge:
    """Sort trials into what is known and what is to come; those of another space and failed ones are neither."""
    known = _Knowledge()
    usual = median([trial.duration for trial in trials if trial.duration is not None] or [1.0])
    for trial in trials:
        encoded = encode(dimensions, trial.assignments)
        if encoded is None:
            continue
        point = list(encoded.values())
        if trial.is_pending:
            known.pending.append(point)
        elif trial.is_observed and trial.value is not None:
            seconds = max(usual if trial.duration is None else trial.duration, _SHORTEST_DURATION)
            known.observations.append(Observation(point, sign * trial.value, seconds))
    return known


def bounded(observations: Sequence[Observation]) -> list[Observation]:
    """Return at most ``MAX_OBSERVATIONS``, in their order: the best, and the latest of the others."""
    if len(observations) <= MAX_OBSERVATIONS:
        return list(observations)
    order = sorted(range(len(observations)), key=lambda index: observations[index].value)
    half = MAX_OBSERVATIONS // 2
    latest = sorted(order[half:])[half - MAX_OBSERVATIONS :]
    return [observations[index] for index in sorted(order[:half] + latest)]


def _candidates(
    space: SearchSpace, dimensions: Sequence[Dimension], surrogate: Surrogate, draw: Callable[[], Point]
) -> Iterator[Point]:
    """Give the point that the model likes best, then random ones in the order in which it likes them."""
    yield decode(space, dimensions, surrogate.best())
    drawn = [list((encode(dimensions, draw()) or {}).values()) for _ in range(_ALTERNATIVES)]
    for values in surrogate.ranked(drawn):
        yield decode(space, dimensions, values)
