"""A model of the objective on scikit-optimize: learns from observed points, says which to try next."""

from __future__ import annotations

import math
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_katib_provider.algorithms.dimensions import Dimension, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


_SHORTEST = 10.0
"""What the logarithm of the shortest duration is moved to.

scikit-optimize takes the best value of an acquisition function "per second" from values and log-durations
alike; this keeps the latter out of the way. Moving all of them by the same length changes no decision.
"""

_KAPPA = 1.96
"""Standard deviations in the lower confidence bound: scikit-optimize's default."""

_TREES = 30
"""Trees for each quantile: scikit-optimize's default."""


@dataclass(frozen=True)
class Model:
    """How the objective is modelled: scikit-optimize's arguments under their own names."""

    base_estimator: str
    acq_func: str
    acq_optimizer: str

    @property
    def is_per_second(self) -> bool:
        """Whether points are chosen by what they promise per second of a trial."""
        return self.acq_func.endswith("ps")


@dataclass(frozen=True)
class Observation:
    """What was seen at one point.

    :param point: encoded values, in the order of the dimensions.
    :param value: the objective; a smaller one is better.
    :param duration: seconds, above 0.
    """

    point: Sequence[Any]
    value: float
    duration: float


class Surrogate:
    """A fitted model.

    :param observations: what is known, at least one.
    :param pending: points whose value is still to come. They are taken to have the value that the model expects
        there, so that it is sure of them and looks elsewhere: the "Kriging believer" of Ginsbourger et al.,
        "Kriging is well-suited to parallelize optimization", 2010.
    """

    def __init__(
        self,
        dimensions: Sequence[Dimension],
        model: Model,
        seed: int,
        observations: Sequence[Observation],
        pending: Sequence[Sequence[Any]],
    ) -> None:
        from skopt import Optimizer

        self._dimensions, self._model = dimensions, model
        self._optimizer = Optimizer(
            [_skopt_dimension(dimension) for dimension in dimensions],
            base_estimator=_boosted_trees(seed) if model.base_estimator == "GBRT" else model.base_estimator,
            n_initial_points=0,
            acq_func=model.acq_func,
            acq_optimizer=_acquisition_optimizer(model, dimensions),
            random_state=seed,
        )
        points = [list(observation.point) for observation in observations]
        targets = _targets(observations, is_per_second=model.is_per_second)
        believed = [list(point) for point in pending]
        if believed:
            targets = [*targets, *self._expected(points, targets, believed)]
        if model.is_per_second:
            targets = [[value, math.exp(log_duration)] for value, log_duration in targets]
        self._optimizer.tell(points + believed, targets)

    def best(self) -> dict[str, Any]:
        """Return the point that the acquisition function likes best, encoded, by the names of the dimensions."""
        return self._named(self._optimizer.ask())

    def ranked(self, points: Sequence[Sequence[Any]]) -> list[dict[str, Any]]:
        """Return encoded points by their lower confidence bound, the most promising first."""
        import numpy

        fitted = self._optimizer.models[-1]
        objective = fitted.estimators_[0] if self._model.is_per_second else fitted
        mean, deviation = objective.predict(self._optimizer.space.transform(points), return_std=True)
        order = numpy.argsort(mean - _KAPPA * deviation, kind="stable")
        return [self._named(points[index]) for index in order.tolist()]

    def _expected(self, points: list[Any], targets: list[Any], at: list[Any]) -> list[Any]:
        from sklearn.base import clone

        space = self._optimizer.space
        fitted = clone(self._optimizer.base_estimator_).fit(space.transform(points), targets)
        expected: list[Any] = fitted.predict(space.transform(at)).tolist()
        return expected

    def _named(self, point: Sequence[Any]) -> dict[str, Any]:
        return {dimension.name: value for dimension, value in zip(self._dimensions, point, strict=True)}


@contextmanager
def quiet() -> Iterator[None]:
    """Keep scikit-optimize's warnings to itself, and its linear algebra in one thread.

    Two threads were measured to take twice the CPU time for the same wall time, from trials that run beside;
    and how many there are must not decide what is suggested. Only libraries that are loaded can be limited.
    """
    import skopt  # noqa: F401
    from threadpoolctl import threadpool_limits

    with warnings.catch_warnings(), threadpool_limits(limits=1):
        warnings.simplefilter("ignore")
        yield


def _targets(observations: Sequence[Observation], *, is_per_second: bool) -> list[Any]:
    """Return what the model learns: values of mean 0 and deviation 1, and log-durations beside them if wanted.

    Acquisition functions have absolute constants, which mean something only on a known scale.
    """
    import numpy

    values = numpy.array([observation.value for observation in observations])
    values = values / (numpy.abs(values).max() or 1.0)
    values = (values - values.mean()) / (values.std() or 1.0)
    if not is_per_second:
        return list(values.tolist())
    log_durations = numpy.log([observation.duration for observation in observations])
    return list(numpy.column_stack([values, log_durations - log_durations.min() + _SHORTEST]).tolist())


def _skopt_dimension(dimension: Dimension) -> Any:
    from skopt.space import Categorical, Integer, Real

    if dimension.kind is Kind.CATEGORY:
        return Categorical(range(dimension.high + 1), transform="onehot")
    if dimension.kind is Kind.UNIT:
        return Real(dimension.low, dimension.high, transform="normalize")
    prior = "log-uniform" if dimension.kind is Kind.LOG_INTEGER else "uniform"
    return Integer(dimension.low, dimension.high, prior=prior, transform="normalize")


def _acquisition_optimizer(model: Model, dimensions: Sequence[Dimension]) -> str:
    if model.acq_optimizer != "auto":
        return model.acq_optimizer
    has_gradient = model.base_estimator == "GP" and any(d.kind is not Kind.CATEGORY for d in dimensions)
    return "lbfgs" if has_gradient else "sampling"


def _boosted_trees(seed: int) -> Any:
    """Return gradient-boosted trees for three quantiles, in a class that works.

    scikit-learn since 1.6 does not see a regressor in scikit-optimize's own, which also calls a function that
    numpy 2.4 no longer has.
    """
    from sklearn.ensemble import GradientBoostingRegressor
    from skopt.learning import GradientBoostingQuantileRegressor

    class BoostedTrees(GradientBoostingQuantileRegressor):  # type: ignore[misc]
        def __sklearn_tags__(self) -> Any:
            tags = super().__sklearn_tags__()
            tags.estimator_type = "regressor"
            return tags

        def predict(self, X: Any, return_std: bool = False) -> Any:  # noqa: N803
            low, middle, high = super().predict(X, return_quantiles=True).T
            return (middle, (high - low) / 2) if return_std else middle

    trees = GradientBoostingRegressor(n_estimators=_TREES, loss="quantile")
    return BoostedTrees(base_estimator=trees, random_state=seed)
